#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static bool debug_on;

bool log_is_debug(void)
{
	return debug_on;
}

void log_set_debug(bool on)
{
	debug_on = on;
}

/* One write per line, so that lines of several processes do not mix. */
__attribute__((format(printf, 2, 0))) static void log_line(const char *level, const char *fmt, va_list ap)
{
	int saved = errno;
	char *text = NULL;
	if (vasprintf(&text, fmt, ap) >= 0) {
		struct str line = { 0 };
		str_addf(&line, "nacre: %s: ", level);
		str_add_printable(&line, text, strlen(text));
		str_addc(&line, '\n');
		(void)!write(STDERR_FILENO, line.buf, line.len);
		str_fini(&line);
	}
	free(text);
	errno = saved;
}

void log_debug(const char *fmt, ...)
{
	if (!debug_on)
		return;
	va_list ap;
	va_start(ap, fmt);
	log_line("debug", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	log_line("warning", fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	log_line("error", fmt, ap);
	va_end(ap);
}
