#include "archive/tar_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "pax_priv.h"
#include "tar_priv.h"

struct tar_reader {
	struct source *in; /* borrowed */
	char *name;        /* owned */
	struct tar_entry entry;
	struct spans spans; /* where the bytes of the present file belong; a file without holes has one */
	size_t span;        /* the one that comes next */
	uint64_t at;        /* position in the file, holes counted */
	uint64_t stored;    /* bytes of the member still to be read */
	unsigned pad;       /* and what follows them up to the next block */
	uint64_t expanded;  /* sizes of all files so far: a hole costs the archive nothing, but its reader much */
	bool done;
	bool clamp;         /* ".." in a name stops at the root */

	/* From global headers; has_* as in struct pax. */
	enum pax_state has_uid, has_gid, has_mtime;
	uint64_t uid, gid;
	struct pax_time mtime;
};

/* A member while its headers are collected. */
struct member {
	struct tar_header h;
	int64_t size; /* of the header */
	struct pax pax;
	bool has_pax;
	char *gnu_name, *gnu_link; /* owned; members 'L' and 'K' */
};

static void member_fini(struct member *m)
{
	pax_fini(&m->pax);
	free(m->gnu_name);
	free(m->gnu_link);
}

struct tar_reader *tar_reader_new(struct source *in, const char *name)
{
	struct tar_reader *r = x_alloc(sizeof *r);
	r->in = in;
	r->name = x_strdup(name);
	return r;
}

void tar_reader_clamp(struct tar_reader *r)
{
	r->clamp = true;
}

void tar_reader_free(struct tar_reader *r)
{
	if (!r)
		return;
	tar_entry_fini(&r->entry);
	vec_fini(&r->spans);
	free(r->name);
	free(r);
}

void tar_reader_drop(struct tar_reader **r)
{
	tar_reader_free(ptr_take(r));
}

/* ---- blocks ---- */

/* 1 a block, 0 the end of the input, -1. */
static int read_block(struct tar_reader *r, void *block, struct err *e)
{
	char *p = block;
	size_t have = 0;
	while (have < TAR_BLOCK_SIZE) {
		ssize_t got = source_read(r->in, p + have, TAR_BLOCK_SIZE - have, e);
		if (got < 0)
			return -1;
		if (got == 0)
			return have ? err_set(e, ERR_SPEC, "%s ends early", r->name) : 0;
		have += (size_t)got;
	}
	return 1;
}

static bool is_zero(const void *block)
{
	const char *p = block;
	return p[0] == 0 && memcmp(p, p + 1, TAR_BLOCK_SIZE - 1) == 0;
}

/* 1 a header, 0 the end of the archive: two blocks of zeros, or, where a writer forgot them, the end of the input. */
static int read_header(struct tar_reader *r, struct member *m, struct err *e)
{
	int got = read_block(r, &m->h, e);
	if (got <= 0)
		return got;
	if (is_zero(&m->h)) {
		got = read_block(r, &m->h, e);
		if (got > 0 && !is_zero(&m->h))
			return err_set(e, ERR_SPEC, "%s: one zero block inside the archive", r->name);
		return got < 0 ? -1 : 0;
	}
	if (!tar_checksum_is_right(&m->h))
		return err_set(e, ERR_SPEC, "%s: wrong checksum of a header (no tar archive, or a damaged one)",
			       r->name);
	if (!tar_number(m->h.size, sizeof m->h.size, &m->size) || m->size < 0)
		return err_set(e, ERR_SPEC, "%s: member %.100s: bad size", r->name, m->h.name);
	return 1;
}

static unsigned padding(uint64_t size)
{
	return (unsigned)(-size % TAR_BLOCK_SIZE);
}

static int skip_rest(struct tar_reader *r, struct err *e)
{
	uint64_t stored = r->stored;
	unsigned pad = r->pad;
	r->stored = 0;
	r->pad = 0;
	if (source_skip(r->in, stored, r->name, e) < 0)
		return -1;
	return source_skip(r->in, pad, r->name, e);
}

/* ---- members that describe the next one ---- */

static int read_body(struct tar_reader *r, const struct member *m, size_t limit, struct str *ret, struct err *e)
{
	if ((uint64_t)m->size > limit)
		return err_set(e, ERR_LIMIT, "%s: extended header of more than %zu bytes", r->name, limit);
	size_t n = (size_t)m->size;
	str_reserve(ret, n);
	if (source_read_exactly(r->in, ret->buf, n, r->name, e) < 0)
		return -1;
	ret->len = n;
	ret->buf[n] = '\0';
	return source_skip(r->in, padding(n), r->name, e);
}

static int read_pax(struct tar_reader *r, struct member *m, struct err *e)
{
	AUTO(str_fini) struct str body = { 0 };
	if (m->has_pax)
		return err_set(e, ERR_SPEC, "%s: two extended headers for one member", r->name);
	m->has_pax = true;
	if (read_body(r, m, LIMIT_PAX_ENTRY, &body, e) < 0)
		return -1;
	return pax_parse(body.buf, body.len, r->name, &m->pax, e);
}

/*
 * Records for all members that follow. Readers disagree on whether they count at all; those with which one member could
 * be taken for another are refused.
 */
static int read_global(struct tar_reader *r, const struct member *m, struct err *e)
{
	AUTO(str_fini) struct str body = { 0 };
	AUTO(pax_fini) struct pax pax = { 0 };
	if (read_body(r, m, LIMIT_PAX_ENTRY, &body, e) < 0 || pax_parse(body.buf, body.len, r->name, &pax, e) < 0)
		return -1;
	if (pax.path || pax.linkpath || pax.has_size == PAX_SET || pax.is_sparse || pax.xattrs.n)
		return err_set(e, ERR_SPEC, "%s: global header with a name, size or attribute", r->name);
	if (pax.has_uid) {
		r->has_uid = pax.has_uid;
		r->uid = pax.uid;
	}
	if (pax.has_gid) {
		r->has_gid = pax.has_gid;
		r->gid = pax.gid;
	}
	if (pax.has_mtime) {
		r->has_mtime = pax.has_mtime;
		r->mtime = pax.mtime;
	}
	return 0;
}

static int read_gnu_long(struct tar_reader *r, const struct member *m, char **ret, struct err *e)
{
	AUTO(str_fini) struct str body = { 0 };
	if (*ret)
		return err_set(e, ERR_SPEC, "%s: two long names for one member", r->name);
	if (read_body(r, m, LIMIT_TAR_PATH + 1, &body, e) < 0)
		return -1;
	size_t n = strlen(body.buf);
	for (size_t i = n; i < body.len; i++)
		if (body.buf[i])
			return err_set(e, ERR_SPEC, "%s: NUL in the long name %.100s", r->name, body.buf);
	*ret = str_take(&body);
	return 0;
}

/* Reads up to the header of a real member: 1, or 0 at the end of the archive. */
static int read_headers(struct tar_reader *r, struct member *m, struct err *e)
{
	for (;;) {
		int got = read_header(r, m, e);
		if (got < 0)
			return -1;
		if (got == 0 && (m->has_pax || m->gnu_name || m->gnu_link))
			return err_set(e, ERR_SPEC, "%s: extended header without a member", r->name);
		if (got == 0)
			return 0;
		int read;
		switch (m->h.type) {
		case 'x':
			read = read_pax(r, m, e);
			break;
		case 'g':
			read = read_global(r, m, e);
			break;
		case 'L':
			read = read_gnu_long(r, m, &m->gnu_name, e);
			break;
		case 'K':
			read = read_gnu_long(r, m, &m->gnu_link, e);
			break;
		case 'V': /* GNU volume label */
			read = source_skip(r->in, (uint64_t)m->size + padding((uint64_t)m->size), r->name, e);
			break;
		default:
			return 1;
		}
		if (read < 0)
			return -1;
	}
}

/* ---- names ---- */

/* What stands in the header itself. */
static char *header_name(const struct tar_header *h)
{
	AUTO(free_drop) char *name = x_strndup(h->name, strnlen(h->name, sizeof h->name));
	size_t n = sizeof h->prefix;
	/* Old GNU has other things there; star only the first 131 bytes, and its own mark at the end of the block. */
	if (memcmp(h->magic, "ustar", sizeof h->magic) != 0)
		return ptr_take(&name);
	if (memcmp(h->fill + 8, "tar", 4) == 0)
		n = 131;
	n = strnlen(h->prefix, n);
	if (!n)
		return ptr_take(&name);
	return x_asprintf("%.*s/%s", (int)n, h->prefix, name);
}

static void drop_last(struct str *path)
{
	const char *slash = path->len ? strrchr(path->buf, '/') : NULL;
	path->len = slash ? (size_t)(slash - path->buf) : 0;
	if (path->buf)
		path->buf[path->len] = '\0';
}

static int read_path(struct tar_reader *r, const char *raw, char **ret, struct err *e)
{
	AUTO(str_fini) struct str path = { 0 };
	if (!*raw)
		return err_set(e, ERR_SPEC, "%s: member without a name", r->name);
	for (const char *p = raw; *p;) {
		size_t n = strcspn(p, "/");
		bool up = n == 2 && p[0] == '.' && p[1] == '.';
		if (up && !r->clamp)
			return err_set(e, ERR_SPEC, "%s: member %.200s: \"..\" in a name", r->name, raw);
		if (up) {
			drop_last(&path);
		} else if (n && !(n == 1 && p[0] == '.')) {
			if (path.len)
				str_addc(&path, '/');
			str_addn(&path, p, n);
		}
		p += n + (p[n] == '/');
	}
	if (!path.len)
		str_addc(&path, '.');
	free(*ret);
	*ret = str_take(&path);
	return 0;
}

static int set_path(struct tar_reader *r, const struct member *m, struct err *e)
{
	AUTO(free_drop) char *own = header_name(&m->h);
	const char *raw = own;
	if (m->pax.path && m->gnu_name)
		return err_set(e, ERR_SPEC, "%s: member %.200s has two long names", r->name, m->gnu_name);
	if (m->pax.path)
		raw = m->pax.path;
	if (m->gnu_name)
		raw = m->gnu_name;
	if (m->pax.sparse_name)
		raw = m->pax.sparse_name;
	/* POSIX has a type for directories; before it, a closing slash said so. On the two together readers disagree.
	 */
	size_t n = strlen(raw);
	if (m->h.type == '\0' && n && raw[n - 1] == '/')
		r->entry.type = TAR_DIR;
	else if (r->entry.type == TAR_FILE && n && raw[n - 1] == '/')
		return err_set(e, ERR_SPEC, "%s: member %.200s: a file whose name ends in \"/\"", r->name, raw);
	if (read_path(r, raw, &r->entry.path, e) < 0)
		return -1;
	if (str_eq(r->entry.path, ".") && r->entry.type != TAR_DIR)
		return err_set(e, ERR_SPEC, "%s: member %.200s: the root must be a directory", r->name, raw);
	return 0;
}

static int set_link(struct tar_reader *r, const struct member *m, struct err *e)
{
	struct tar_entry *t = &r->entry;
	if (t->type != TAR_SYMLINK && t->type != TAR_HARDLINK)
		return 0;
	AUTO(free_drop) char *own = x_strndup(m->h.linkname, strnlen(m->h.linkname, sizeof m->h.linkname));
	const char *raw = own;
	if (m->pax.linkpath && m->gnu_link)
		return err_set(e, ERR_SPEC, "%s: member %.200s has two long link targets", r->name, t->path);
	if (m->pax.linkpath)
		raw = m->pax.linkpath;
	if (m->gnu_link)
		raw = m->gnu_link;
	if (!*raw)
		return err_set(e, ERR_SPEC, "%s: member %.200s: link without a target", r->name, t->path);
	if (t->type == TAR_SYMLINK) {
		if (strlen(raw) > LIMIT_LINK_TARGET)
			return err_set(e, ERR_LIMIT, "%s: member %.200s: link target longer than %u bytes", r->name,
				       t->path, LIMIT_LINK_TARGET);
		t->link = x_strdup(raw);
		return 0;
	}
	if (read_path(r, raw, &t->link, e) < 0)
		return -1;
	if (str_eq(t->link, t->path) || str_eq(t->link, "."))
		return err_set(e, ERR_SPEC, "%s: member %.200s: hard link to %s", r->name, t->path, t->link);
	return 0;
}

/* ---- numbers ---- */

static int bad_field(const struct tar_reader *r, const char *field, struct err *e)
{
	return err_set(e, ERR_SPEC, "%s: member %.200s: bad %s", r->name, r->entry.path, field);
}

/* (uid_t)-1 means "leave as it is" to chown(2), so it can be nobody's. */
static int set_id(struct tar_reader *r, const char *field, size_t size, uint64_t extended, bool has_extended,
		  uint32_t *ret)
{
	int64_t v;
	if (!tar_number(field, size, &v))
		return -1;
	if (has_extended)
		v = (int64_t)extended;
	if (v < 0 || v >= UINT32_MAX)
		return -1;
	*ret = (uint32_t)v;
	return 0;
}

static int set_owner(struct tar_reader *r, const struct member *m, struct err *e)
{
	const struct tar_header *h = &m->h;
	bool own_uid = m->pax.has_uid != PAX_ABSENT, own_gid = m->pax.has_gid != PAX_ABSENT;
	if (set_id(r, h->uid, sizeof h->uid, own_uid ? m->pax.uid : r->uid,
		   (own_uid ? m->pax.has_uid : r->has_uid) == PAX_SET, &r->entry.uid) < 0)
		return bad_field(r, "uid", e);
	if (set_id(r, h->gid, sizeof h->gid, own_gid ? m->pax.gid : r->gid,
		   (own_gid ? m->pax.has_gid : r->has_gid) == PAX_SET, &r->entry.gid) < 0)
		return bad_field(r, "gid", e);
	return 0;
}

static int set_mode_and_time(struct tar_reader *r, const struct member *m, struct err *e)
{
	const struct tar_header *h = &m->h;
	int64_t mode;
	/* The bits of the type are there too in what old writers made. */
	if (!tar_number(h->mode, sizeof h->mode, &mode) || mode < 0)
		return bad_field(r, "mode", e);
	r->entry.mode = (mode_t)(mode & 07777);
	if (!tar_number(h->mtime, sizeof h->mtime, &r->entry.mtime))
		return bad_field(r, "mtime", e);
	const struct pax_time *t = m->pax.has_mtime == PAX_SET ? &m->pax.mtime : NULL;
	if (m->pax.has_mtime == PAX_ABSENT && r->has_mtime == PAX_SET)
		t = &r->mtime;
	if (t) {
		r->entry.mtime = t->s;
		r->entry.mtime_ns = t->ns;
	}
	return 0;
}

static int set_device(struct tar_reader *r, const struct member *m, struct err *e)
{
	const struct tar_header *h = &m->h;
	int64_t major, minor;
	if (r->entry.type != TAR_CHAR && r->entry.type != TAR_BLOCK)
		return 0;
	if (!tar_number(h->devmajor, sizeof h->devmajor, &major) ||
	    !tar_number(h->devminor, sizeof h->devminor, &minor) || major < 0 || major > UINT32_MAX || minor < 0 ||
	    minor > UINT32_MAX)
		return bad_field(r, "device number", e);
	r->entry.major = (uint32_t)major;
	r->entry.minor = (uint32_t)minor;
	return 0;
}

/* ---- contents ---- */

/* Fills r->spans and *size for a file with holes. */
static int read_map(struct tar_reader *r, const struct member *m, uint64_t *size, struct err *e)
{
	const struct pax *p = &m->pax;
	if (p->is_sparse && m->h.type == 'S')
		return bad_field(r, "sparse headers", e);
	if (m->h.type == 'S')
		return sparse_read_old(&m->h, r->in, r->name, &r->spans, size, e);
	bool text = p->major == 1 && p->minor == 0, records = p->major == 0 && p->minor <= 1;
	if (!p->has_realsize || (!text && !records) || (text && p->spans.n) || (records && p->count != p->spans.n))
		return bad_field(r, "sparse headers", e);
	*size = p->realsize;
	if (text)
		return sparse_read_text(r->in, &r->stored, r->name, &r->spans, e);
	for (size_t i = 0; i < p->spans.n; i++)
		vec_push(&r->spans, p->spans.v[i]);
	return 0;
}

static int set_contents(struct tar_reader *r, const struct member *m, struct err *e)
{
	struct tar_entry *t = &r->entry;
	uint64_t size = m->pax.has_size == PAX_SET ? m->pax.size : (uint64_t)m->size;
	bool sparse = m->h.type == 'S' || m->pax.is_sparse;
	if (t->type == TAR_HARDLINK && size)
		/* pax lets the contents follow here; most readers take them for the next header. */
		return err_set(e, ERR_SPEC, "%s: member %.200s: hard link with contents", r->name, t->path);
	if (t->type != TAR_FILE)
		/* Nothing follows, whatever the size says: what Go's archive/tar and libarchive do. */
		return sparse ? bad_field(r, "sparse headers", e) : 0;
	r->stored = size;
	r->pad = padding(size);
	if (sparse) {
		if (read_map(r, m, &size, e) < 0 || spans_check(&r->spans, size, r->stored, r->name, e) < 0)
			return -1;
	} else if (size) {
		vec_push(&r->spans, ((struct span){ 0, size }));
	}
	if (size > LIMIT_LAYER_BYTES || r->expanded + size > LIMIT_LAYER_BYTES)
		return err_set(e, ERR_LIMIT, "%s: member %.200s: more than %llu bytes of files", r->name, t->path,
			       (unsigned long long)LIMIT_LAYER_BYTES);
	r->expanded += size;
	t->size = size;
	return 0;
}

static int type_of(const struct tar_reader *r, const struct member *m, enum tar_type *ret, struct err *e)
{
	switch (m->h.type) {
	case '\0':
	case '0':
	case '7': /* contiguous; only a hint */
	case 'S':
		*ret = TAR_FILE;
		return 0;
	case '1':
		*ret = TAR_HARDLINK;
		return 0;
	case '2':
		*ret = TAR_SYMLINK;
		return 0;
	case '3':
		*ret = TAR_CHAR;
		return 0;
	case '4':
		*ret = TAR_BLOCK;
		return 0;
	case '5':
		*ret = TAR_DIR;
		return 0;
	case '6':
		*ret = TAR_FIFO;
		return 0;
	default:
		return err_set(e, ERR_SPEC, "%s: member %.100s: unknown type 0x%02x", r->name, m->h.name,
			       (unsigned)(unsigned char)m->h.type);
	}
}

int tar_reader_next(struct tar_reader *r, const struct tar_entry **entry, struct err *e)
{
	AUTO(member_fini) struct member m = { 0 };
	if (r->done)
		return 0;
	tar_entry_fini(&r->entry);
	r->spans.n = r->span = 0;
	r->at = 0;
	if (skip_rest(r, e) < 0)
		return -1;
	int got = read_headers(r, &m, e);
	if (got <= 0) {
		r->done = true;
		return got;
	}
	if (type_of(r, &m, &r->entry.type, e) < 0 || set_path(r, &m, e) < 0 || set_link(r, &m, e) < 0 ||
	    set_owner(r, &m, e) < 0 || set_mode_and_time(r, &m, e) < 0 || set_device(r, &m, e) < 0 ||
	    set_contents(r, &m, e) < 0)
		return -1;
	r->entry.xattrs = m.pax.xattrs;
	m.pax.xattrs = (struct tar_xattrs){ 0 };
	*entry = &r->entry;
	return 1;
}

ssize_t tar_reader_read(struct tar_reader *r, void *buf, size_t n, struct err *e)
{
	uint64_t size = r->entry.size;
	while (r->span < r->spans.n && r->at == r->spans.v[r->span].offset + r->spans.v[r->span].len)
		r->span++;
	if (r->at == size || n == 0)
		return 0;
	const struct span *s = r->span < r->spans.n ? &r->spans.v[r->span] : NULL;
	bool hole = !s || r->at < s->offset;
	uint64_t end = !s ? size : hole ? s->offset : s->offset + s->len;
	size_t part = n < end - r->at ? n : (size_t)(end - r->at);
	if (hole) {
		memset(buf, 0, part);
		r->at += part;
		return (ssize_t)part;
	}
	ssize_t got = source_read(r->in, buf, part, e);
	if (got == 0)
		return err_set(e, ERR_SPEC, "%s ends early", r->name);
	if (got < 0)
		return -1;
	r->at += (uint64_t)got;
	r->stored -= (uint64_t)got;
	return got;
}
