/* Writing the id maps of a user namespace. user_namespaces(7), newuidmap(1). */
#ifndef NACRE_SANDBOX_IDMAP_PRIV_H
#define NACRE_SANDBOX_IDMAP_PRIV_H

#include <sys/types.h>

#include "base/str.h"
#include "sandbox/userns.h"

/* The map this process may give to a new user namespace, by its own ids and the subordinate ranges. */
int idmap_find(struct id_map *ret, struct err *e);

/* Writes /proc/PID/uid_map and gid_map: by ourselves when we are root here, else through newuidmap and newgidmap. */
int idmap_write(pid_t pid, const struct id_map *m, struct err *e);

/*
 * The map of a namespace nested in one that has map `m`, with the same ids, as lines for uid_map. One line for each of
 * the outer map's: map_write() refuses a line whose ids are not in one extent of the parent's map.
 */
void idmap_nested(const struct id_extent *extents, size_t n, struct str *out);

/* In one write, as the kernel demands. ERR_SANDBOX when this machine denies it. */
int idmap_write_file(pid_t pid, const char *file, const struct str *lines, struct err *e);

#endif
