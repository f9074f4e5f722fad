/* The value of RUN --mount (SEMANTICS section 11). */
#ifndef NACRE_DOCKERFILE_MOUNT_H
#define NACRE_DOCKERFILE_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct df_scope;

enum df_mount_type { DF_MOUNT_BIND, DF_MOUNT_CACHE, DF_MOUNT_TMPFS, DF_MOUNT_SECRET, DF_MOUNT_SSH };
enum df_sharing { DF_SHARING_SHARED, DF_SHARING_PRIVATE, DF_SHARING_LOCKED };

struct df_mount {
	enum df_mount_type type;
	char *target, *source, *from, *id, *env; /* NULL when not given; owned */
	bool readonly;               /* with the type's default */
	bool required;
	bool has_mode, has_uid, has_gid;
	uint32_t mode, uid, gid;
	uint64_t size;               /* tmpfs, bytes; 0 = no limit */
	enum df_sharing sharing;
};
/* `scope` NULL: check only what does not depend on variables. */
int df_mount_parse(const char *value, const struct df_scope *scope, struct df_mount *ret, struct err *e);
void df_mount_fini(struct df_mount *m);

#endif
