#include "stat_index_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/record.h"

struct entry {
	uint64_t inode, size;
	int64_t mtime, ctime; /* nanoseconds */
	struct digest digest;
	const char *path;     /* in the arena */
};

struct stat_index {
	char *name;           /* in the store */
	struct arena arena;
	VEC(struct entry) entries;
	struct slot { uint32_t entry /* number + 1, or 0 */, tag; } *slots; /* hash table; tag: the upper half of the hash */
	size_t n_slots;       /* a power of two */
	struct str fresh;
};

static const char head[] = "nacre-context 2\n";

enum { INDEX_MAX = 512 << 20 };

/* Eight bytes at a time; what a user's own files may do to it is their own time. */
static uint64_t hash(const char *s)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	size_t n = strlen(s);
	uint64_t h = n * k, word;
	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&word, s, 8);
		h = (h ^ word) * k;
		h ^= h >> 29;
	}
	word = 0;
	memcpy(&word, s, n);
	h = (h ^ word) * k;
	return h ^ h >> 29;
}

static uint32_t tag_of(uint64_t h)
{
	return (uint32_t)(h >> 32);
}

/* The slot of the path, or the empty one where it belongs. */
static struct slot *slot_of(const struct stat_index *x, const char *path, uint64_t h)
{
	size_t i = h & (x->n_slots - 1);
	for (struct slot *s; s = &x->slots[i], s->entry; i = (i + 1) & (x->n_slots - 1))
		if (s->tag == tag_of(h) && strcmp(x->entries.v[s->entry - 1].path, path) == 0)
			break;
	return &x->slots[i];
}

static void grow(struct stat_index *x, size_t n)
{
	if (x->n_slots > n * 2)
		return;
	for (x->n_slots = 1024; x->n_slots <= n * 2;)
		x->n_slots *= 2;
	free(x->slots);
	x->slots = x_alloc(x->n_slots * sizeof *x->slots);
	for (size_t i = 0; i < x->entries.n; i++) {
		uint64_t h = hash(x->entries.v[i].path);
		*slot_of(x, x->entries.v[i].path, h) = (struct slot){ (uint32_t)(i + 1), tag_of(h) };
	}
}

static void put(struct stat_index *x, const struct entry *e, const char *path)
{
	grow(x, x->entries.n);
	uint64_t h = hash(path);
	struct slot *s = slot_of(x, path, h);
	if (!s->entry) {
		struct entry *new = vec_add(&x->entries);
		new->path = arena_strdup(&x->arena, path);
		*s = (struct slot){ (uint32_t)x->entries.n, tag_of(h) };
	}
	struct entry *at = &x->entries.v[s->entry - 1];
	const char *kept = at->path;
	*at = *e;
	at->path = kept;
}

static void add_line(struct str *out, const struct entry *e, const char *path)
{
	str_addf(out, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %s ", (int64_t)e->inode, (int64_t)e->size,
		 e->mtime, e->ctime, digest_text(&e->digest).s);
	for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
		if (*p <= 0x20 || *p > 0x7e || *p == '\\')
			str_addf(out, "\\%03o", *p);
		else
			str_addc(out, (char)*p);
	}
	str_addc(out, '\n');
}

/* Undoes the escapes in place; false when there is a broken one. */
static bool unescape(char *s)
{
	char *to = strchr(s, '\\');
	if (!to)
		return true;
	for (s = to; *s; s++) {
		if (*s != '\\') {
			*to++ = *s;
			continue;
		}
		unsigned v = 0;
		for (int i = 0; i < 3; i++) {
			s++;
			if (*s < '0' || *s > '7')
				return false;
			v = v * 8 + (unsigned)(*s - '0');
		}
		*to++ = (char)v;
	}
	*to = '\0';
	return true;
}

/* A number and the blank behind it. Written by ourselves, read a hundred thousand times: scanf would take longer than
 * the stat calls the index saves. */
static bool next_number(char **p, int64_t *ret)
{
	char *end;
	*ret = strtoll(*p, &end, 10);
	if (end == *p || *end != ' ')
		return false;
	*p = end + 1;
	return true;
}

/* Changes the line. */
static bool parse_line(char *line, struct entry *e, char **ret_path)
{
	int64_t inode, size;
	struct err ignored;
	char *p = line;
	if (!next_number(&p, &inode) || !next_number(&p, &size) || !next_number(&p, &e->mtime) ||
	    !next_number(&p, &e->ctime) || strnlen(p, DIGEST_TEXT + 1) <= DIGEST_TEXT || p[DIGEST_TEXT] != ' ')
		return false;
	e->inode = (uint64_t)inode;
	e->size = (uint64_t)size;
	p[DIGEST_TEXT] = '\0';
	*ret_path = p + DIGEST_TEXT + 1;
	return digest_parse(p, &e->digest, &ignored) == 0 && unescape(*ret_path);
}

void stat_index_merge(struct stat_index *x, const char *text)
{
	AUTO(free_drop) char *copy = x_strdup(text);
	char *save = NULL;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct entry e = { 0 };
		char *path;
		AUTO(free_drop) char *whole = x_strdup(line);
		if (!parse_line(line, &e, &path))
			continue;
		put(x, &e, path);
		str_addf(&x->fresh, "%s\n", whole);
	}
}

struct stat_index *stat_index_load(struct store *s, const char *path)
{
	struct stat_index *x = x_alloc(sizeof *x);
	struct err e;
	struct digest id = digest_of(path, strlen(path));
	AUTO(str_fini) struct str text = { 0 };
	x->name = x_asprintf("context/%s", digest_hex(&id).s);
	grow(x, 0);
	int r = store_file_get(s, x->name, INDEX_MAX, &text, &e);
	if (r < 0)
		log_debug("%s: %s; every file is read again", x->name, e.msg);
	if (r != 0 || !str_starts(str_text(&text), head))
		return x;
	grow(x, text.len / sizeof "1 1 1600000000000000000 1600000000000000000 " / 2);
	char *save = NULL;
	for (char *line = strtok_r(text.buf + strlen(head), "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct entry entry = { 0 };
		char *name;
		if (parse_line(line, &entry, &name))
			put(x, &entry, name);
	}
	return x;
}

static int64_t ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

bool stat_index_find(const struct stat_index *x, const char *path, const struct stat *st, struct digest *ret)
{
	const struct slot *s = slot_of(x, path, hash(path));
	if (!s->entry)
		return false;
	const struct entry *e = &x->entries.v[s->entry - 1];
	if (e->inode != st->st_ino || e->size != (uint64_t)st->st_size || e->mtime != ns(&st->st_mtim) ||
	    e->ctime != ns(&st->st_ctim))
		return false;
	*ret = e->digest;
	return true;
}

/* Linux stamps files with the clock of the last tick (at most 10 ms ago); file systems without fractions, with the
 * second. */
enum { GRANULARITY_NS = 20 * 1000 * 1000 };

static bool is_racy(const struct stat *st)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t slack = st->st_ctim.tv_nsec == 0 ? 2000000000 : GRANULARITY_NS;
	return ns(&now) - ns(&st->st_ctim) < slack;
}

void stat_index_add(struct stat_index *x, const char *path, const struct stat *st, const struct digest *d)
{
	if (is_racy(st))
		return;
	struct entry e = {
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime = ns(&st->st_mtim),
		.ctime = ns(&st->st_ctim),
		.digest = *d,
	};
	put(x, &e, path);
	add_line(&x->fresh, &e, path);
}

const struct str *stat_index_fresh(const struct stat_index *x)
{
	return &x->fresh;
}

int stat_index_save(struct store *s, struct stat_index *x, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	if (!x->fresh.len)
		return 0;
	str_add(&text, head);
	for (size_t i = 0; i < x->entries.n; i++)
		add_line(&text, &x->entries.v[i], x->entries.v[i].path);
	str_clear(&x->fresh);
	return store_file_put(s, x->name, text.buf, text.len, e);
}

void stat_index_free(struct stat_index *x)
{
	if (!x)
		return;
	free(x->name);
	arena_fini(&x->arena);
	vec_fini(&x->entries);
	free(x->slots);
	str_fini(&x->fresh);
	free(x);
}
