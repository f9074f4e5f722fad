#ifndef NACRE_SANDBOX_LOOKUP_PRIV_H
#define NACRE_SANDBOX_LOOKUP_PRIV_H

#include "base/err.h"

/*
 * Which file argv[0] means, in the present root and as the present user: itself when it has a slash, else the first
 * executable in `path` (the value of PATH, may be NULL). The caller owns *ret. ERR_BUILD in the words of runc, with the
 * status a shell gives: 127 not there, 126 not executable.
 */
int command_lookup(const char *name, const char *path, char **ret, struct err *e);

/* ERR_BUILD for a command that cannot be executed because of `why`, an errno. */
int command_refused(struct err *e, const char *name, const char *call, int why);

#endif
