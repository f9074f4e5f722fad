#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "compress_priv.h"

static size_t frame_size(enum compression how, const void *bytes, size_t n)
{
	return how == COMPRESSION_GZIP ? gzip_frame_size(bytes, n) : zstd_frame_size(bytes, n);
}

/* The library wants a zstd frame whole to tell its length, so the file goes through a window that holds the longest. */
struct window {
	int fd;
	char *buf; /* owned; `room` bytes */
	size_t room, n;
};

static bool refill(struct window *w, size_t used)
{
	memmove(w->buf, w->buf + used, w->n - used);
	w->n -= used;
	while (w->n < w->room) {
		ssize_t got = fd_read(w->fd, w->buf + w->n, w->room - w->n);
		if (got < 0)
			return false;
		if (got == 0)
			break;
		w->n += (size_t)got;
	}
	return true;
}

/* One whole window, or what is left of the file. */
static bool add_frames(struct window *w, enum compression how, size_t bound, size_t max, uint64_t *offset,
		       struct frame_spans *ret)
{
	size_t at = 0;
	bool last = w->n < w->room;
	while (at < w->n && (last || w->n - at >= bound)) {
		size_t n = frame_size(how, w->buf + at, w->n - at);
		if (!n || n > bound || ret->n == max)
			return false;
		vec_push(ret, ((struct frame_span){ *offset, n }));
		*offset += n;
		at += n;
	}
	return refill(w, at);
}

int frames_find(int fd, enum compression how, size_t max, struct frame_spans *ret)
{
	enum { FRAMES = 2 };
	if (how == COMPRESSION_NONE || lseek(fd, 0, SEEK_SET) < 0)
		return 1;
	AUTO(packer_drop) struct packer *p = packer_new(how, 0);
	struct frame_spans found = { 0 };
	struct window w = { .fd = fd, .room = FRAMES * p->bound };
	uint64_t offset = 0;
	w.buf = x_alloc(w.room);
	bool good = refill(&w, 0);
	while (good && w.n)
		good = add_frames(&w, how, p->bound, max, &offset, &found);
	free(w.buf);
	if (!good) {
		vec_fini(&found);
		return 1;
	}
	*ret = found;
	return 0;
}
