/*
 * Room before writing: what --cache-max says is obeyed while the build runs too.
 *
 * A worker says how much it is about to write. What the store has is known by one look at all of it, when the build first
 * writes, and by what builds with a limit tell each other since (store/room.h). Where both together are more than the
 * limit, old cache goes first, as in `nacre prune`, and a sixteenth of the limit more than is needed, so that a store that
 * stays full is not looked through at every step. What is still too much is written nevertheless: the limit is one of the
 * cache, and no build fails for it.
 */
#ifndef NACRE_BUILD_ROOM_PRIV_H
#define NACRE_BUILD_ROOM_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "registry/pull.h"
#include "store/room.h"

struct build;
struct build_room;
struct descriptor;
struct worker_report;

/* What the workers of one build share; *ret stays as it is where there is no limit (UINT64_MAX). */
int build_room_new(uint64_t max, struct build_room **ret, struct err *e);
void build_room_free(struct build_room *r);
/* Whether it was said that the limit is too little. */
bool build_room_is_beyond(const struct build_room *r);

/*
 * In a worker, before it writes `coming` bytes; `there` bytes are written already and counted by nobody. Ended by
 * room_end or room_drop. Without a limit nothing is done.
 */
void room_take(struct build *b, struct worker_report *report, uint64_t there, uint64_t coming, struct room *ret);
/* What a worker that fetches is given: its lines are the worker's, and there is room for what comes. Do not move it. */
struct room_fetch {
	struct pull_progress progress;
	struct build *build;
	struct worker_report *report;
	struct room room;
	uint64_t coming;
};
void room_fetch_init(struct room_fetch *f, struct build *b, struct worker_report *report);
/* It has come, or (false) something went wrong; another fetch may follow. */
void room_fetch_end(struct room_fetch *f, bool come);

/* What a layer will have as a tree. */
uint64_t room_of_tree(struct build *b, const struct descriptor *layer);

#endif
