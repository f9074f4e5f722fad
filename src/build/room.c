#include "room_priv.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "build/prune.h"
#include "build_priv.h"
#include "store/blob.h"

enum { SPARE = 16, RATIO = 3, RATIO_MAX = 100 };

/* Read and changed inside room_enter and room_leave only. */
struct build_room {
	uint64_t max;
	bool looked, beyond;
	uint64_t enough; /* another look before the store has so much would find no more */
};

int build_room_new(uint64_t max, struct build_room **ret, struct err *e)
{
	if (max == UINT64_MAX)
		return 0;
	struct build_room *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r == MAP_FAILED)
		return err_sys(e, "get memory to share with workers");
	r->max = max;
	*ret = r;
	return 0;
}

void build_room_free(struct build_room *r)
{
	if (r)
		munmap(r, sizeof *r);
}

bool build_room_is_beyond(const struct build_room *r)
{
	return r && r->beyond;
}

static void say_dropped(struct worker_report *report, const struct prune_result *got, uint64_t max)
{
	AUTO(str_fini) struct str line = { 0 };
	uint64_t dropped = 0;
	for (size_t i = 0; i < OBJECT_KINDS; i++)
		dropped += got->bytes[i];
	if (!dropped)
		return;
	str_add(&line, "dropped ");
	str_add_size(&line, dropped);
	str_add(&line, " of cache: --cache-max is ");
	str_add_size(&line, max);
	worker_line(report, line.buf);
}

static void say_beyond(uint64_t need, uint64_t max)
{
	AUTO(str_fini) struct str needed = { 0 };
	AUTO(str_fini) struct str limit = { 0 };
	str_add_size(&needed, need);
	str_add_size(&limit, max);
	log_warn("the store needs %s for this build after all that can be dropped, --cache-max is %s; the build goes on",
		 needed.buf, limit.buf);
}

/*
 * Looks through the store, drops what must go, and sets the figure. What others announced they may have written by now,
 * so it counts for what goes, and not for whether that was enough.
 */
static void look(struct build *b, struct worker_report *report, uint64_t coming, struct room *room)
{
	struct build_room *shared = b->room;
	uint64_t max = shared->max, all = room->announced + coming;
	struct prune_options want = {
		.older_than = -1, .keep = max > all ? max - all : 0, .spare = max / SPARE, .going_on = true,
	};
	struct prune_result got;
	struct err e;
	shared->looked = true;
	if (store_prune(b->store, &want, &got, &e) < 0) {
		log_debug("--cache-max: %s", e.msg); /* the prune at the end says it */
		shared->enough = UINT64_MAX;
		return;
	}
	say_dropped(report, &got, max);
	room->used = got.left;
	shared->enough = got.left + all > max ? got.left + all + max / SPARE : 0;
	if (got.left + coming <= max || shared->beyond)
		return;
	say_beyond(got.left + coming, max);
	shared->beyond = true;
}

void room_take(struct build *b, struct worker_report *report, uint64_t there, uint64_t coming, struct room *ret)
{
	struct room room;
	struct err e;
	*ret = (struct room){ .fd = -1 };
	if (!b->room)
		return;
	if (room_enter(b->store, &room, &e) < 0) {
		log_debug("--cache-max: %s", e.msg);
		return;
	}
	uint64_t max = b->room->enough > b->room->max ? b->room->enough : b->room->max;
	room.used += there;
	if (!b->room->looked || room.used + room.announced + coming > max)
		look(b, report, coming, &room);
	if (room_announce(&room, coming, &e) < 0)
		log_debug("--cache-max: %s", e.msg);
	room_leave(&room);
	*ret = room;
}

static void fetch_line(void *ctx, const char *text)
{
	const struct room_fetch *f = ctx;
	worker_line(f->report, text);
}

/* Again when a download has to begin anew. */
static void fetch_coming(void *ctx, uint64_t bytes)
{
	struct room_fetch *f = ctx;
	room_drop(&f->room);
	f->coming = bytes;
	if (bytes)
		room_take(f->build, f->report, 0, bytes, &f->room);
}

void room_fetch_init(struct room_fetch *f, struct build *b, struct worker_report *report)
{
	*f = (struct room_fetch){ .build = b, .report = report, .room = { .fd = -1 } };
	f->progress = (struct pull_progress){ .line = fetch_line, .coming = fetch_coming, .ctx = f };
}

void room_fetch_end(struct room_fetch *f, bool come)
{
	room_end(&f->room, come ? f->coming : 0);
	f->coming = 0;
}

/* The last four bytes of a gzip member: how much it had, modulo 2^32. RFC 1952 2.3.1, ISIZE. */
static uint64_t gzip_says(struct build *b, const struct descriptor *layer)
{
	struct err ignored;
	AUTO(fd_drop) int fd = -1;
	unsigned char t[4];
	if (layer->size < sizeof t || blob_open(b->store, &layer->digest, &fd, &ignored) < 0 ||
	    pread(fd, t, sizeof t, (off_t)(layer->size - sizeof t)) != (ssize_t)sizeof t)
		return 0;
	return t[0] | (uint64_t)t[1] << 8 | (uint64_t)t[2] << 16 | (uint64_t)t[3] << 24;
}

/* zstd does not say. Packed with it, programs and documents of a distribution have between a half and a fourth. */
uint64_t room_of_tree(struct build *b, const struct descriptor *layer)
{
	uint64_t said;
	if (!b->room)
		return 0;
	if (str_ends(layer->media_type, "tar"))
		return layer->size;
	said = str_ends(layer->media_type, "gzip") ? gzip_says(b, layer) : 0;
	return said > layer->size && said / RATIO_MAX < layer->size ? said : layer->size * RATIO;
}
