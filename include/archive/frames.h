/*
 * A compressed stream as a series of frames: stretches of at most FRAME_MAX bytes, each compressed alone, as one zstd
 * frame or one gzip member. A few threads compress them; in order, the bytes that came in are hashed and the compressed
 * ones go on below. Any decoder reads the series as one stream (RFC 8878 section 3.1, RFC 1952 section 2.2).
 *
 *   write ── frame ─┬─ compress (any thread, any order) ── in order: below
 *                   └─ in order: SHA-256 of the plain bytes
 *
 * The bytes depend on the input, the cuts, the level and the version of the library alone: not on threads, time or the
 * size of writes. Memory is a fixed number of frames. Little input, and a process that may have no threads, is
 * compressed by who writes it. Only for processes that do not fork while the sink lives.
 */
#ifndef NACRE_ARCHIVE_FRAMES_H
#define NACRE_ARCHIVE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/stream.h"
#include "base/vec.h"

enum { FRAME_MAX = 2 << 20 };

/* how, level, threads: as of sink_compress; with COMPRESSION_NONE only hashing and writing are in threads. */
struct sink *sink_frames(enum compression how, int level, unsigned threads, struct sha *sha /* borrowed, or NULL */,
			 struct sink *below /* taken */);

/* Ends the present frame, if there is something in it. A frame that is full ends by itself. */
int frames_cut(struct sink *s, struct err *e);

/* Where the next bytes of the stream may be put instead of being written: at least one. NULL: error. */
void *frames_room(struct sink *s, size_t *ret_n, struct err *e);
/* That so many were put there. */
void frames_filled(struct sink *s, size_t n);

/* Where a frame is in a file. */
struct frame_span {
	uint64_t offset;
	size_t n;
};
struct frame_spans { struct frame_span *v; size_t n, cap; };

/*
 * Puts a frame of another series, `from`, into this one as it is there. A thread makes its plain bytes, raw_n of them,
 * which the check looks at; what is damaged or does not pass makes the sink fail, and frames_misfit true.
 */
struct frame_check {
	bool (*fn)(void *ctx, const void *raw, size_t n);
	void *ctx;     /* borrowed until the sink is freed */
	bool in_order; /* one after another, in the order of the frames; else in any */
};
int frames_put(struct sink *s, int fd, const struct frame_span *from, size_t raw_n, const struct frame_check *check,
	       struct err *e);
bool frames_misfit(struct sink *s);

/*
 * Finds the frames of a file that sink_frames wrote, without decompressing. What is in the file is not trusted. 0; 1: it
 * is no series of at most `max` such frames, or it cannot be read.
 */
int frames_find(int fd, enum compression how, size_t max, struct frame_spans *ret);

/* Compresses and decompresses single frames. */
struct packer;
struct packer *packer_new(enum compression how, int level); /* not COMPRESSION_NONE */
void packer_free(struct packer *p);                         /* accepts NULL */
void packer_drop(struct packer **p);
/* Room for what `pack` may give. */
size_t packer_bound(const struct packer *p);
/* n, at most FRAME_MAX, bytes as one frame. */
int packer_pack(struct packer *p, const void *in, size_t n, void *out, size_t *ret_n, struct err *e);
/* True when `in` is a frame, whole and undamaged, of exactly out_n bytes. `out` has room for one more. */
bool packer_unpack(struct packer *p, const void *in, size_t n, void *out, size_t out_n);

#endif
