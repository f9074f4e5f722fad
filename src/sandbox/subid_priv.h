/* /etc/subuid and /etc/subgid: which ids besides their own a user may map. subuid(5). */
#ifndef NACRE_SANDBOX_SUBID_PRIV_H
#define NACRE_SANDBOX_SUBID_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox/userns.h"

/*
 * Appends the ranges of `name` (may be NULL) or `id` in `text` to map[*n], mapped to consecutive inside ids from
 * `inside` on. Lines that are not "owner:start:count", ranges that are empty or reach beyond 2^32-2, and those that
 * overlap an earlier one are passed over, as newuidmap(1) would refuse the whole map for them.
 */
void subid_add(const char *text, const char *name, uint32_t id, uint32_t inside, struct id_extent *map, size_t *n);

#endif
