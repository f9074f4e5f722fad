/* The exit status of nacre. nacre.1 lists the same table; a test compares the two. */
#ifndef NACRE_BASE_EXIT_CODES_H
#define NACRE_BASE_EXIT_CODES_H

enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILURE = 1,     /* any failure without a class of its own: system call, disk, limit */
	EXIT_CODE_USAGE = 2,       /* wrong command line */
	EXIT_CODE_DOCKERFILE = 3,  /* Dockerfile or ignore file cannot be parsed */
	EXIT_CODE_BUILD = 4,       /* an instruction cannot be carried out */
	EXIT_CODE_RUN = 5,         /* a RUN command failed; its status is in the message */
	EXIT_CODE_NETWORK = 6,     /* a registry or server cannot be reached or misbehaves */
	EXIT_CODE_AUTH = 7,        /* a registry refused the credentials */
	EXIT_CODE_NOT_FOUND = 8,   /* no such image, stage, blob, build, store, build context or Dockerfile */
	EXIT_CODE_INTEGRITY = 9,   /* bytes do not match their digest, or a document breaks its specification */
	EXIT_CODE_SANDBOX = 10,    /* this machine does not let RUN start; the message names the cause */
	EXIT_CODE_NO_SPACE = 11,   /* disk full or quota exceeded */
	EXIT_CODE_INTERRUPTED = 130, /* SIGINT; SIGTERM gives 143, SIGHUP 129 */
};

#endif
