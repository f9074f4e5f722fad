/*
 * The error value: what failed, on which object, why.
 *
 * It has a fixed size, so that nothing is allocated on a failure path and the same value travels from a child to its
 * parent in one atomic pipe write. It is made where the failure happens, given context once per folder (err_in), and
 * printed once, by main.c or the job's log.
 *
 * Functions that can fail take a `struct err *e` as last parameter and return 0 (or a count) on success, -1 on failure,
 * never an errno. On success *e is not touched.
 */
#ifndef NACRE_BASE_ERR_H
#define NACRE_BASE_ERR_H

#include <limits.h>
#include <stdarg.h>

enum err_kind {
	ERR_NONE = 0,
	ERR_SYS,         /* a system call failed; sysno says how */
	ERR_USAGE,       /* the command line is wrong */
	ERR_PARSE,       /* a Dockerfile, ignore file or flag value is wrong; line says where */
	ERR_BUILD,       /* an instruction cannot be carried out (missing source, unknown user, …) */
	ERR_SPEC,        /* a document, archive or protocol answer breaks its specification */
	ERR_INTEGRITY,   /* bytes do not have the digest they were promised to have */
	ERR_NET,         /* a peer cannot be reached or misbehaves */
	ERR_AUTH,        /* a registry refuses our credentials */
	ERR_NOTFOUND,    /* no such image, blob, stage, … */
	ERR_LIMIT,       /* an input exceeds a limit of limits.h */
	ERR_CHILD,       /* a command ended with a status other than 0; status is the wait(2) status */
	ERR_SANDBOX,     /* this machine does not let us run a sandbox; id says why */
	ERR_INTERRUPTED, /* the user asked to stop */
};

struct err {
	enum err_kind kind;
	int sysno;       /* errno at the failing call, or 0 */
	int status;      /* wait(2) status when kind is ERR_CHILD */
	int line;        /* first Dockerfile line concerned, from 1; 0 = none */
	int line_end;    /* last line concerned, or 0 */
	int at_line;     /* line of the faulty word, one of those, or 0 */
	int col;         /* its column there, in bytes from 1, or 0 */
	char id[24];     /* stable name of a refusal, such as E-USERNS-SYSCTL, or "" */
	char msg[460];   /* one line, printable, no newline */
};
_Static_assert(sizeof(struct err) == 512 && sizeof(struct err) <= PIPE_BUF, "must fit one atomic pipe write");

/* Each returns -1, so that a failing function can end with `return err_set(…)`. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Like err_set with ERR_SYS and the present errno, whose text is appended after ": ". */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts "TEXT: " before the message there is. */
int err_in(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends "; TEXT" (what the user can do) to the message there is. */
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_setv(struct err *e, enum err_kind kind, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
/* ERR_PARSE or ERR_BUILD at Dockerfile lines first..last. */
int err_at(struct err *e, enum err_kind kind, int first, int last, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* The process exit status for an error; the table is in exit_codes.h and nacre.1. */
int err_exit_code(const struct err *e);

#endif
