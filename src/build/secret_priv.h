/* What the user hands to RUN besides files of the context: secrets and agent sockets. */
#ifndef NACRE_BUILD_SECRET_PRIV_H
#define NACRE_BUILD_SECRET_PRIV_H

#include "build_priv.h"
#include "copy_priv.h"
#include "dockerfile/mount.h"

/* The value of --secret id=ID: 0, 1 when the user gave none of that name, -1. At most 500 KiB. */
int secret_read(const struct build_options *o, const char *id, struct str *out, struct err *e);

/* O_PATH of the agent socket of --ssh ID (default: $SSH_AUTH_SOCK): 0, 1 when there is none, -1. */
int ssh_socket(const struct build_options *o, const char *id, int *ret_fd, struct err *e);

/* A directory that shows the context as instructions see it: itself, when nothing is ignored, else a copy without what
 * is. */
int context_tree(struct build *b, struct context *c, int *ret_fd, struct err *e);

#endif
