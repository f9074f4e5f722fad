/*
 * The outer user namespace of a build: made once, its id map written once (newuidmap and newgidmap, so the setuid
 * helpers cost once per build), held open by a descriptor. Workers join it; each RUN child nests its own inside.
 *
 * user_namespaces(7), newuidmap(1), subuid(5).
 */
#ifndef NACRE_SANDBOX_USERNS_H
#define NACRE_SANDBOX_USERNS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct id_extent {
	uint32_t inside, outside, count;
};

enum { ID_EXTENTS_MAX = 32 };

struct id_map {
	struct id_extent uid[ID_EXTENTS_MAX], gid[ID_EXTENTS_MAX];
	size_t n_uid, n_gid;
};

struct userns {
	int fd;            /* /proc/PID/ns/user; close-on-exec; owned */
	struct id_map map; /* inside -> outside */
};

/*
 * 0 -> the caller, then 1… -> the subordinate ids of /etc/subuid and /etc/subgid (by name or number). ERR_SANDBOX with
 * a stable id and what to do when this machine refuses: E-USERNS-SYSCTL, E-USERNS-DENIED, E-SUBUID-NONE,
 * E-NEWUIDMAP-MISSING, E-NEWUIDMAP-FAILED. As real root in the first namespace the same is done (with root's own
 * subordinate ids, or a straight map).
 */
int userns_open(struct userns *ret, struct err *e);
void userns_fini(struct userns *u);

/* The calling (single-threaded) process becomes root of the namespace: setns, setgroups, setresgid, setresuid to 0. */
int userns_join(const struct userns *u, struct err *e);

#endif
