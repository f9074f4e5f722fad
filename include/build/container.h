/* `nacre run`: a command in an image, in the same sandbox as RUN, its writes thrown away. */
#ifndef NACRE_BUILD_CONTAINER_H
#define NACRE_BUILD_CONTAINER_H

#include "base/err.h"
#include "base/vec.h"
#include "sandbox/sandbox.h"
#include "store/store.h"

struct container_options {
	const char *image;
	struct strv command;      /* replaces the image's Cmd when not empty */
	const char *entrypoint;   /* replaces the image's Entrypoint (and Cmd) when not NULL; "" = none */
	struct strv env;          /* K=V */
	const char *workdir, *user, *hostname; /* or NULL */
	enum sandbox_net net;
};

/* Runs to its end; stdin, stdout and stderr are ours. *ret_status: wait(2) status. */
int container_run(struct store *s, const struct container_options *o, int *ret_status, struct err *e);

#endif
