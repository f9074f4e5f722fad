/* Who a USER value is, by passwd and group of an image; nothing of the host is asked (RUN-04, RUN-05). */
#ifndef NACRE_SANDBOX_USER_H
#define NACRE_SANDBOX_USER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct user_ids {
	uint32_t uid, gid;
	uint32_t groups[256];
	size_t n_groups; /* supplementary, without gid itself */
	char home[4096]; /* "" when there is no entry */
};

/* Who `spec` is, by the passwd and group files below root_fd. Links are resolved inside the root; 10 MiB limit. */
int user_resolve(int root_fd, const char *spec, struct user_ids *ret, struct err *e);
/* The same from the files' texts (NULL: no such file), for images that are not unpacked. */
int user_resolve_text(const char *passwd, const char *group, const char *spec, struct user_ids *ret, struct err *e);

#endif
