#include "oci/list_scope.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "listing_priv.h"

struct span {
	const char *s;
	size_t n;
};

/* ---- paths ---- */

/* True when `path` is `top` or below it. */
static bool is_below(struct span path, struct span top)
{
	return path.n >= top.n && memcmp(path.s, top.s, top.n) == 0 && (path.n == top.n || path.s[top.n] == '/');
}

static struct span span_of(const char *s)
{
	return (struct span){ s, strlen(s) };
}

bool list_scope_covers(const struct list_scope *s, const char *path)
{
	for (size_t i = 0; i < s->paths.n; i++)
		if (is_below(span_of(path), span_of(s->paths.v[i])))
			return true;
	return s->paths.n == 0;
}

bool list_scope_reaches(const struct list_scope *s, const char *path)
{
	for (size_t i = 0; i < s->paths.n; i++)
		if (is_below(span_of(s->paths.v[i]), span_of(path)))
			return true;
	return !*path || list_scope_covers(s, path);
}

void list_scope_add(struct list_scope *s, const char *path)
{
	AUTO(free_drop) char *rooted = path_rooted(path);
	const char *clean = rooted + 1;
	struct strv kept = { 0 };
	for (size_t i = 0; *clean && i < s->paths.n; i++)
		if (!is_below(span_of(s->paths.v[i]), span_of(clean)))
			strv_push(&kept, s->paths.v[i]);
	if (*clean)
		strv_push(&kept, clean);
	strv_fini(&s->paths);
	s->paths = kept;
}

void list_scope_fini(struct list_scope *s)
{
	strv_fini(&s->paths);
}

/* ---- the directories a layer names ---- */

/*
 * Open addressing. Names come from strangers, who can choose many with one hash value: then there is no room within
 * PROBES places, and the listing is read whole.
 */
struct dirs {
	struct dir {
		struct span path;
		uint64_t hash;
	} *v;
	size_t n, size;
};

enum { PROBES = 64, FIRST_SIZE = 1024 };

static const uint64_t hash_of_nothing = 0xcbf29ce484222325u;

/* FNV-1a, which goes on from the hash of what stands before. */
static uint64_t hash_on(uint64_t hash, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)s[i]) * 0x100000001b3u;
	return hash;
}

/* The place where it is, or could be; NULL: there is none. */
static struct dir *dirs_place(const struct dirs *d, struct span path, uint64_t hash)
{
	for (size_t i = 0; i < PROBES && d->size; i++) {
		struct dir *at = &d->v[((hash ^ hash >> 32) + i) & (d->size - 1)];
		if (!at->path.s ||
		    (at->hash == hash && at->path.n == path.n && memcmp(at->path.s, path.s, path.n) == 0))
			return at;
	}
	return NULL;
}

static bool dirs_has(const struct dirs *d, struct span path, uint64_t hash)
{
	const struct dir *at = dirs_place(d, path, hash);
	return at && at->path.s;
}

static bool dirs_grow(struct dirs *d)
{
	struct dirs bigger = { .n = d->n, .size = d->size ? d->size * 2 : FIRST_SIZE };
	bool fits = true;
	bigger.v = x_alloc(bigger.size * sizeof *bigger.v);
	for (size_t i = 0; fits && i < d->size; i++) {
		const struct dir *old = &d->v[i];
		struct dir *at = old->path.s ? dirs_place(&bigger, old->path, old->hash) : NULL;
		if (at)
			*at = *old;
		fits = at || !old->path.s;
	}
	free(d->v);
	*d = bigger;
	return fits;
}

static bool dirs_add(struct dirs *d, struct span path, uint64_t hash)
{
	if (2 * d->n >= d->size && !dirs_grow(d))
		return false;
	struct dir *at = dirs_place(d, path, hash);
	if (!at)
		return false;
	d->n += !at->path.s;
	*at = (struct dir){ path, hash };
	return true;
}

/* ---- lines ---- */

struct selection {
	const struct span *wanted; /* escaped as in the listing */
	size_t n_wanted;
	struct dirs dirs;
	struct span parent; /* one that is a directory: most entries have the same one as the entry before */
	uint64_t parent_hash;
};

/* The ninth word of a line that ends at `end`. */
static bool path_of(const char *line, const char *end, struct span *ret)
{
	enum { WORDS_BEFORE = 7 };
	for (int i = 0; i < WORDS_BEFORE; i++) {
		while (line < end && *line != ' ')
			line++;
		if (line == end)
			return false;
		line++;
	}
	const char *blank = memchr(line, ' ', (size_t)(end - line)); /* behind the digest */
	if (!blank)
		return false;
	ret->s = blank + 1;
	blank = memchr(ret->s, ' ', (size_t)(end - ret->s));
	ret->n = (size_t)((blank ? blank : end) - ret->s);
	return true;
}

/* Splits off the last component; false when that is none, or leads elsewhere. */
static bool parent_of(struct span path, struct span *ret)
{
	const char *slash = memrchr(path.s, '/', path.n);
	const char *name = slash ? slash + 1 : path.s;
	size_t len = (size_t)(path.s + path.n - name);
	*ret = (struct span){ path.s, slash ? (size_t)(slash - path.s) : 0 };
	return len && slash != path.s && !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

/*
 * True when the entry is where its path says, whatever is below the layer: what is above it was named as directories by
 * the layer itself, so that no link stands there.
 */
static bool is_plain(struct selection *s, char kind, struct span path)
{
	struct span parent;
	if (path.n == 1 && *path.s == '.')
		return kind == 'd' || kind == 'o';
	if (!parent_of(path, &parent))
		return false;
	if (parent.n != s->parent.n || (parent.n && memcmp(parent.s, s->parent.s, parent.n) != 0)) {
		s->parent_hash = hash_on(hash_of_nothing, parent.s, parent.n);
		if (parent.n && !dirs_has(&s->dirs, parent, s->parent_hash))
			return false;
	}
	s->parent = parent;
	uint64_t hash = hash_on(s->parent_hash, path.s + parent.n, path.n - parent.n);
	if (kind == 'd')
		return dirs_add(&s->dirs, path, hash);
	/* What takes the place of a directory takes away what was in it, and may be a link. */
	return dirs_has(&s->dirs, path, hash) == (kind == 'o') || kind == 'w';
}

static bool is_wanted(const struct selection *s, struct span path)
{
	for (size_t i = 0; i < s->n_wanted; i++)
		if (is_below(path, s->wanted[i]) || is_below(s->wanted[i], path))
			return true;
	return path.n == 1 && *path.s == '.';
}

static bool select_lines(struct selection *s, const char *lines, size_t n, struct str *out)
{
	for (const char *line = lines, *all = lines + n, *end; line < all; line = end + 1) {
		struct span path;
		end = memchr(line, '\n', (size_t)(all - line));
		if (!end || !path_of(line, end, &path) || !is_plain(s, *line, path))
			return false;
		if (is_wanted(s, path))
			str_addn(out, line, (size_t)(end + 1 - line));
	}
	return true;
}

bool list_scope_select(const struct list_scope *scope, const char *lines, size_t n, struct str *out)
{
	AUTO(strv_fini) struct strv escaped = { 0 };
	struct selection s = { .n_wanted = scope->paths.n, .parent_hash = hash_of_nothing };
	struct span *wanted = x_alloc((s.n_wanted + 1) * sizeof *wanted);
	for (size_t i = 0; i < s.n_wanted; i++) {
		struct str text = { 0 };
		listing_escape(&text, scope->paths.v[i]);
		strv_push_taken(&escaped, text.buf);
		wanted[i] = (struct span){ text.buf, text.len };
	}
	s.wanted = wanted;
	bool plain = select_lines(&s, lines, n, out);
	free(s.dirs.v);
	free(wanted);
	return plain;
}
