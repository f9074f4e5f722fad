/* Prepares the process, then hands over to the command named on the command line. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"

/* A file opened later must never become our 0, 1 or 2 because the caller closed them. */
static void fill_standard_fds(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* A directory stays open per layer of an image; a RUN gets limits of its own. */
static void raise_fd_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	const char *debug = getenv("NACRE_DEBUG");
	fill_standard_fds();
	raise_fd_limit();
	log_set_debug(debug && strcmp(debug, "1") == 0);
	/* A closed pipe is an error of a write, a file size limit one of EFBIG: both are reported, not fatal. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* Modes are set explicitly everywhere; the user's umask must not reach an image (THREATS 4, row 24). */
	umask(022);
	return cli_main(argc, argv);
}
