#include "cli/prompt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"

enum { LINE_MAX_BYTES = 4096 };

static struct termios saved;

/* Who is interrupted while nothing is shown must get a terminal back that shows again. */
static void restore_and_end(int number)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	signal(number, SIG_DFL);
	raise(number);
}

static bool hide(void)
{
	struct termios quiet;
	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return false;
	quiet = saved;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	signal(SIGINT, restore_and_end);
	signal(SIGTERM, restore_and_end);
	signal(SIGHUP, restore_and_end);
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
}

static void show(void)
{
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	fputc('\n', stderr);
}

static int read_line(struct str *out, struct err *e)
{
	char c;
	str_reserve(out, LINE_MAX_BYTES + 1); /* so that a secret is not left behind by a move */
	for (;;) {
		ssize_t n = fd_read(STDIN_FILENO, &c, 1);
		if (n < 0)
			return err_sys(e, "read standard input");
		if (n == 0 && out->len == 0)
			return err_set(e, ERR_USAGE, "standard input ended without an answer");
		if (n == 0 || c == '\n')
			return 0;
		if (out->len == LINE_MAX_BYTES)
			return err_set(e, ERR_USAGE, "the answer has more than %d bytes", LINE_MAX_BYTES);
		str_addc(out, c);
	}
}

int prompt_line(const char *question, bool hidden, struct str *out, struct err *e)
{
	bool quiet = hidden && hide();
	fputs(question, stderr);
	fflush(stderr);
	int r = read_line(out, e);
	if (quiet)
		show();
	return r;
}
