#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/exit_codes.h"

/* Names and texts in messages come from outside; a terminal must never see their control bytes. */
static void make_printable(char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s, next = (unsigned char)s[1];
		if (c < 0x20 || c == 0x7f)
			*s = '?';
		else if (c == 0xc2 && next >= 0x80 && next <= 0x9f) /* U+0080 to U+009F: CSI is U+009B */
			*s = s[1] = '?';
	}
}

int err_setv(struct err *e, enum err_kind kind, const char *fmt, va_list ap)
{
	*e = (struct err){ .kind = kind };
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	make_printable(e->msg);
	return -1;
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err_setv(e, kind, fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int sysno = errno;
	va_list ap;
	va_start(ap, fmt);
	err_setv(e, ERR_SYS, fmt, ap);
	va_end(ap);
	e->sysno = sysno;
	size_t n = strlen(e->msg);
	snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(sysno));
	return -1;
}

int err_in(struct err *e, const char *fmt, ...)
{
	char old[sizeof e->msg];
	memcpy(old, e->msg, sizeof old);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	make_printable(e->msg);
	size_t n = strlen(e->msg);
	snprintf(e->msg + n, sizeof e->msg - n, ": %s", old);
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	size_t n = strlen(e->msg);
	if (n + 3 >= sizeof e->msg)
		return -1;
	memcpy(e->msg + n, "; ", 3);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->msg + n + 2, sizeof e->msg - n - 2, fmt, ap);
	va_end(ap);
	make_printable(e->msg);
	return -1;
}

int err_at(struct err *e, enum err_kind kind, int first, int last, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err_setv(e, kind, fmt, ap);
	va_end(ap);
	e->line = first;
	e->line_end = last;
	return -1;
}

int err_exit_code(const struct err *e)
{
	if (e->sysno == ENOSPC || e->sysno == EDQUOT)
		return EXIT_CODE_NO_SPACE;
	switch (e->kind) {
	case ERR_NONE:
		return EXIT_CODE_OK;
	case ERR_USAGE:
		return EXIT_CODE_USAGE;
	case ERR_PARSE:
		return EXIT_CODE_DOCKERFILE;
	case ERR_BUILD:
		return EXIT_CODE_BUILD;
	case ERR_CHILD:
		return EXIT_CODE_RUN;
	case ERR_NET:
		return EXIT_CODE_NETWORK;
	case ERR_AUTH:
		return EXIT_CODE_AUTH;
	case ERR_NOTFOUND:
		return EXIT_CODE_NOT_FOUND;
	case ERR_SPEC:
	case ERR_INTEGRITY:
		return EXIT_CODE_INTEGRITY;
	case ERR_SANDBOX:
		return EXIT_CODE_SANDBOX;
	case ERR_INTERRUPTED:
		return e->status ? 128 + e->status : EXIT_CODE_INTERRUPTED;
	case ERR_SYS:
	case ERR_LIMIT:
		break;
	}
	return EXIT_CODE_FAILURE;
}
