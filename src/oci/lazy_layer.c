#include "oci/lazy_layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/tar_read.h"
#include "archive/tar_write.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "lazy_toc_priv.h"
#include "tar_split_priv.h"

enum { BUFFER = 256 << 10, FRAMES_LIMIT = 1 << 24 };

/* What the tar reader takes passes here; while `to` is set it is kept: the bytes of headers as they are. */
struct tap {
	struct source base;
	struct source *below; /* borrowed */
	struct str *to;       /* borrowed, or NULL */
	uint64_t passed;
};

struct lazy {
	const struct lazy_options *options;
	const char *name;
	int fd;
	struct tap tap;
	struct str raw;         /* of the headers before the present entry, and what filled up the last */
	struct sink *out;       /* owned; frames into fd */
	struct sha diffid, digest;
	uint64_t size;          /* of the blob */
	uint64_t in_frame;      /* bytes since the last cut */
	size_t frames;          /* before the present one */
	struct lazy_entries entries;
	struct str split_bytes; /* compressed */
	struct sink *split_out; /* owned */
	struct tar_split split;
	uint64_t split_size;
	char *buf;              /* owned; BUFFER bytes */
};

static ssize_t tap_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct tap *t = (struct tap *)s;
	ssize_t got = source_read(t->below, buf, n, e);
	if (got > 0 && t->to)
		str_addn(t->to, buf, (size_t)got);
	t->passed += got > 0 ? (uint64_t)got : 0;
	return got;
}

/* ---- the tar, frame by frame ---- */

static enum compression compression_of(const struct lazy_options *o)
{
	return o->format == LAZY_ESTARGZ ? COMPRESSION_GZIP : COMPRESSION_ZSTD;
}

static int put(struct lazy *l, const void *bytes, size_t n, struct err *e)
{
	l->in_frame += n;
	return sink_write(l->out, bytes, n, e);
}

static int cut(struct lazy *l, struct err *e)
{
	l->frames += (l->in_frame + FRAME_MAX - 1) / FRAME_MAX;
	l->in_frame = 0;
	return frames_cut(l->out, e);
}

static int put_raw(struct lazy *l, struct err *e)
{
	if (l->split.out && l->raw.len && tar_split_segment(&l->split, l->raw.buf, l->raw.len, e) < 0)
		return -1;
	int r = l->raw.len ? put(l, l->raw.buf, l->raw.len, e) : 0;
	str_clear(&l->raw);
	return r;
}

/* Digests of the content: of all, and of each piece that has a frame. */
struct sums {
	struct sha all, piece;
	uint64_t in_piece, crc;
};

static void add_piece(struct sums *s, struct lazy_entry *entry)
{
	struct digest d = sha_end(&s->piece);
	vec_push(&entry->pieces, d);
	sha_init(&s->piece);
	s->in_piece = 0;
}

static void sums_add(struct sums *s, struct lazy_entry *entry, const char *bytes, size_t n)
{
	sha_add(&s->all, bytes, n);
	s->crc = crc64_iso(s->crc, bytes, n);
	while (n) {
		size_t part = n < FRAME_MAX - s->in_piece ? n : (size_t)(FRAME_MAX - s->in_piece);
		sha_add(&s->piece, bytes, part);
		s->in_piece += part;
		bytes += part;
		n -= part;
		if (s->in_piece == FRAME_MAX)
			add_piece(s, entry);
	}
}

static int copy_content(struct lazy *l, struct tar_reader *r, struct lazy_entry *entry, struct sums *s, struct err *e)
{
	uint64_t before = l->tap.passed;
	ssize_t n;
	while ((n = tar_reader_read(r, l->buf, BUFFER, e)) > 0) {
		sums_add(s, entry, l->buf, (size_t)n);
		if (put(l, l->buf, (size_t)n, e) < 0)
			return -1;
	}
	if (n < 0)
		return -1;
	/* The content of a sparse file is not what the tar holds. */
	if (l->tap.passed - before != entry->tar.size)
		return err_set(e, ERR_SPEC, "%s: %s is stored with holes, which this format has no words for", l->name,
			       entry->tar.path);
	if (s->in_piece)
		add_piece(s, entry);
	entry->digest = sha_end(&s->all);
	return 0;
}

static int put_file(struct lazy *l, struct tar_reader *r, struct lazy_entry *entry, struct err *e)
{
	struct sums s = { 0 };
	if (cut(l, e) < 0)
		return -1;
	entry->frame = l->frames;
	sha_init(&s.all);
	sha_init(&s.piece);
	int got = copy_content(l, r, entry, &s, e);
	sha_drop(&s.all);
	sha_drop(&s.piece);
	if (got < 0 || cut(l, e) < 0)
		return -1;
	return l->split.out ? tar_split_file(&l->split, entry->tar.path, entry->tar.size, s.crc, e) : 0;
}

static const char landmark_name[] = ".no.prefetch.landmark", toc_name[] = "stargz.index.json";

static int put_entry(struct lazy *l, struct tar_reader *r, const struct tar_entry *t, struct err *e)
{
	if (l->options->format == LAZY_ESTARGZ && (str_eq(t->path, landmark_name) || str_eq(t->path, toc_name)))
		return err_set(e, ERR_SPEC, "%s is an eStargz layer already: it holds %s", l->name, t->path);
	if (l->entries.n == LIMIT_LISTING / 512)
		return err_set(e, ERR_LIMIT, "%s has too many files", l->name);
	struct lazy_entry *entry = vec_add(&l->entries);
	*entry = (struct lazy_entry){ 0 };
	tar_entry_copy(&entry->tar, t);
	if (put_raw(l, e) < 0)
		return -1;
	if (t->type == TAR_FILE && t->size)
		return put_file(l, r, entry, e);
	return l->split.out ? tar_split_file(&l->split, t->path, 0, 0, e) : 0;
}

/* What fills up the content of the last entry; the rest of `raw` is the end of the archive. */
static uint64_t last_padding(const struct lazy *l)
{
	uint64_t size = l->entries.n ? l->entries.v[l->entries.n - 1].tar.size : 0;
	return tar_padded(size) - size;
}

static int put_end(struct lazy *l, struct err *e)
{
	ssize_t n = 1;
	/* The table has to come before the end. */
	if (l->options->format == LAZY_ESTARGZ)
		l->raw.len = l->raw.len < last_padding(l) ? l->raw.len : (size_t)last_padding(l);
	if (put_raw(l, e) < 0)
		return -1;
	l->tap.to = NULL;
	while ((n = source_read(&l->tap.base, l->buf, BUFFER, e)) > 0) {
		if (l->options->format == LAZY_ESTARGZ)
			continue;
		str_addn(&l->raw, l->buf, (size_t)n);
		if (put_raw(l, e) < 0)
			return -1;
	}
	return n < 0 ? -1 : cut(l, e);
}

static int put_tar(struct lazy *l, struct err *e)
{
	AUTO(tar_reader_drop) struct tar_reader *r = tar_reader_new(&l->tap.base, l->name);
	const struct tar_entry *t;
	int more;
	l->tap.to = &l->raw;
	while ((more = tar_reader_next(r, &t, e)) > 0) {
		l->tap.to = NULL;
		if (put_entry(l, r, t, e) < 0)
			return -1;
		l->tap.to = &l->raw;
	}
	return more < 0 ? -1 : put_end(l, e);
}

/* A sink whose bytes are counted and hashed on their way into the blob. */
static struct sink *frames_into_blob(struct lazy *l)
{
	const struct lazy_options *o = l->options;
	struct sink *file = sink_digest(sink_fd(l->fd, l->name), &l->digest, NULL);
	return sink_frames(compression_of(o), o->level, o->threads, &l->diffid, file);
}

static int flush(struct lazy *l, struct err *e)
{
	int r = sink_finish(l->out, e);
	sink_drop(&l->out);
	return r;
}

static int find_frames(struct lazy *l, struct frame_spans *ret, struct err *e)
{
	if (frames_find(l->fd, compression_of(l->options), FRAMES_LIMIT, ret) != 0 || ret->n != l->frames) {
		vec_fini(ret);
		return err_set(e, ERR_SYS, "%s: its frames are not where they were written", l->name);
	}
	off_t end = lseek(l->fd, 0, SEEK_END);
	if (end < 0)
		return err_sys(e, "find the end of %s", l->name);
	l->size = (uint64_t)end;
	return 0;
}

static int append(struct lazy *l, const void *bytes, size_t n, struct err *e)
{
	sha_add(&l->digest, bytes, n);
	l->size += n;
	return fd_write_all(l->fd, bytes, n, l->name, e);
}

/* ---- zstd:chunked ---- */

enum { SKIP_HEAD = 8, FOOTER = 64, MANIFEST_CRFS = 1 };

static void put_le(uint8_t *at, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

static int append_skippable(struct lazy *l, const void *bytes, size_t n, struct err *e)
{
	uint8_t head[SKIP_HEAD] = { 0x50, 0x2a, 0x4d, 0x18 };
	if (n > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "%s: its table of contents is too large", l->name);
	put_le(head + 4, n, 4);
	return append(l, head, sizeof head, e) < 0 ? -1 : append(l, bytes, n, e);
}

/* The whole of what a function writes, compressed; *ret_size: before that. */
static int compressed_toc(struct lazy *l, const struct frame_spans *where, const struct digest *split, struct str *ret,
			  uint64_t *ret_size, struct err *e)
{
	struct sha sha;
	sha_init(&sha);
	AUTO(sink_drop) struct sink *out = sink_digest(
		sink_compress(COMPRESSION_ZSTD, l->options->level, l->options->threads, sink_mem(ret)), &sha, ret_size);
	int r = lazy_toc_write(&l->entries, where, l->options->format, split, out, e);
	if (r == 0)
		r = sink_finish(out, e);
	sha_drop(&sha);
	return r;
}

static int append_footer(struct lazy *l, const uint64_t values[7], struct err *e)
{
	static const uint8_t magic[8] = { 'G', 'N', 'U', 'l', 'I', 'n', 'U', 'x' };
	uint8_t footer[FOOTER];
	for (int i = 0; i < 7; i++)
		put_le(footer + 8 * i, values[i], 8);
	memcpy(footer + 56, magic, sizeof magic);
	return append_skippable(l, footer, sizeof footer, e);
}

static int append_chunked(struct lazy *l, const struct frame_spans *where, struct lazy_layer *ret, struct err *e)
{
	AUTO(str_fini) struct str toc = { 0 };
	uint64_t toc_size = 0;
	if (sink_finish(l->split_out, e) < 0)
		return -1;
	struct digest split = digest_of(str_text(&l->split_bytes), l->split_bytes.len);
	if (compressed_toc(l, where, &split, &toc, &toc_size, e) < 0)
		return -1;
	uint64_t toc_at = l->size + SKIP_HEAD, split_at = toc_at + toc.len + SKIP_HEAD;
	const uint64_t footer[7] = { toc_at,   toc.len,		   toc_size,	  MANIFEST_CRFS,
				     split_at, l->split_bytes.len, l->split_size };
	struct digest sum = digest_of(str_text(&toc), toc.len);
	if (append_skippable(l, toc.buf, toc.len, e) < 0 ||
	    append_skippable(l, l->split_bytes.buf, l->split_bytes.len, e) < 0 || append_footer(l, footer, e) < 0)
		return -1;
	strv_pushf(&ret->annotations, "io.github.containers.zstd-chunked.manifest-checksum=%s", digest_text(&sum).s);
	strv_pushf(&ret->annotations, "io.github.containers.zstd-chunked.manifest-position=%llu:%zu:%llu:%d",
		   (unsigned long long)toc_at, toc.len, (unsigned long long)toc_size, MANIFEST_CRFS);
	strv_pushf(&ret->annotations, "io.github.containers.zstd-chunked.tarsplit-position=%llu:%zu:%llu",
		   (unsigned long long)split_at, l->split_bytes.len, (unsigned long long)l->split_size);
	return 0;
}

/* ---- eStargz ---- */

/* "If no files are prioritized, a no-prefetch landmark MUST be contained." */
static int put_landmark(struct lazy *l, struct err *e)
{
	static const char landmark = 0xf;
	const struct tar_entry t = { .type = TAR_FILE, .path = (char *)landmark_name, .mode = 0644, .size = 1 };
	struct lazy_entry *entry = vec_add(&l->entries);
	struct sums s = { 0 };
	*entry = (struct lazy_entry){ 0 };
	tar_entry_copy(&entry->tar, &t);
	if (tar_header_add(&l->raw, &t, e) < 0 || put_raw(l, e) < 0 || cut(l, e) < 0)
		return -1;
	entry->frame = l->frames;
	sha_init(&s.all);
	sha_init(&s.piece);
	sums_add(&s, entry, &landmark, 1);
	add_piece(&s, entry);
	sha_drop(&s.piece);
	entry->digest = sha_end(&s.all);
	if (put(l, &landmark, 1, e) < 0 || cut(l, e) < 0)
		return -1;
	for (uint64_t pad = tar_padded(1) - 1; pad; pad--)
		str_addc(&l->raw, '\0');
	return 0; /* the padding comes with the next header */
}

/* An empty member whose extra field says where the table is: 51 bytes, as the specification lists them. */
static int append_stargz_footer(struct lazy *l, uint64_t toc_at, struct err *e)
{
	static const uint8_t head[16] = { 0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 26, 0, 'S', 'G', 22, 0 };
	static const uint8_t tail[13] = { 1, 0, 0, 0xff, 0xff };
	char offset[23];
	snprintf(offset, sizeof offset, "%016llxSTARGZ", (unsigned long long)toc_at);
	return append(l, head, sizeof head, e) < 0 || append(l, offset, 22, e) < 0 ? -1
										    : append(l, tail, sizeof tail, e);
}

static int append_estargz(struct lazy *l, const struct frame_spans *where, struct lazy_layer *ret, struct err *e)
{
	AUTO(str_fini) struct str toc = { 0 };
	AUTO(sink_drop) struct sink *text = sink_mem(&toc);
	uint64_t toc_at = l->size;
	if (lazy_toc_write(&l->entries, where, l->options->format, NULL, text, e) < 0 || sink_finish(text, e) < 0)
		return -1;
	const struct tar_entry t = { .type = TAR_FILE, .path = (char *)toc_name, .mode = 0444, .size = toc.len };
	l->out = frames_into_blob(l);
	if (tar_write_entry(l->out, &t, e) < 0 || sink_write(l->out, toc.buf, toc.len, e) < 0 ||
	    tar_write_pad(l->out, toc.len, e) < 0 || tar_write_end(l->out, e) < 0 || flush(l, e) < 0)
		return -1;
	off_t end = lseek(l->fd, 0, SEEK_END);
	if (end < 0)
		return err_sys(e, "find the end of %s", l->name);
	l->size = (uint64_t)end;
	struct digest sum = digest_of(toc.buf, toc.len);
	strv_pushf(&ret->annotations, "containerd.io/snapshot/stargz/toc.digest=%s", digest_text(&sum).s);
	return append_stargz_footer(l, toc_at, e);
}

/* ---- both ---- */

static void lazy_fini(struct lazy *l)
{
	sink_free(l->out);
	sink_free(l->split_out);
	str_fini(&l->split_bytes);
	str_fini(&l->raw);
	lazy_entries_fini(&l->entries);
	sha_drop(&l->diffid);
	sha_drop(&l->digest);
	free(l->buf);
}

static int write_layer(struct lazy *l, struct lazy_layer *ret, struct err *e)
{
	struct frame_spans where = { 0 };
	bool estargz = l->options->format == LAZY_ESTARGZ;
	l->out = frames_into_blob(l);
	if ((estargz && put_landmark(l, e) < 0) || put_tar(l, e) < 0 || flush(l, e) < 0 || find_frames(l, &where, e) < 0)
		return -1;
	int r = estargz ? append_estargz(l, &where, ret, e) : append_chunked(l, &where, ret, e);
	vec_fini(&where);
	ret->diffid.d = sha_end(&l->diffid);
	ret->digest = sha_end(&l->digest);
	ret->size = l->size;
	return r;
}

int lazy_layer_write(const struct lazy_options *o, struct source *tar, const char *name, int fd, struct lazy_layer *ret,
		     struct err *e)
{
	struct lazy l = {
		.options = o,
		.name = name,
		.fd = fd,
		.tap = { .base = { .read = tap_read }, .below = tar },
		.buf = x_alloc(BUFFER),
	};
	struct lazy_layer layer = { 0 };
	struct sha split;
	sha_init(&l.diffid);
	sha_init(&l.digest);
	sha_init(&split);
	if (o->format == LAZY_ZSTD_CHUNKED) {
		l.split_out = sink_digest(sink_compress(COMPRESSION_ZSTD, o->level, 1, sink_mem(&l.split_bytes)), &split,
					  &l.split_size);
		l.split.out = l.split_out;
	}
	int r = write_layer(&l, &layer, e);
	lazy_fini(&l);
	sha_drop(&split);
	if (r < 0)
		lazy_layer_fini(&layer);
	else
		*ret = layer;
	return r;
}

void lazy_layer_fini(struct lazy_layer *l)
{
	strv_fini(&l->annotations);
}
