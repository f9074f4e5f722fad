#include "sandbox/status.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"

char *status_in_words(int wait_status)
{
	if (WIFEXITED(wait_status))
		return x_asprintf("exit code: %d", WEXITSTATUS(wait_status));
	if (!WIFSIGNALED(wait_status))
		return x_asprintf("wait status 0x%x", (unsigned)wait_status);
	/* sigabbrev_np: glibc 2.32; NULL for real-time signals. */
	const char *name = sigabbrev_np(WTERMSIG(wait_status));
	return name ? x_asprintf("killed by signal SIG%s", name)
		    : x_asprintf("killed by signal %d", WTERMSIG(wait_status));
}
