#include "stat_index_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/record.h"

struct entry {
	uint64_t path;        /* its hash */
	uint64_t inode, size;
	int64_t mtime, ctime; /* nanoseconds */
	struct digest digest;
};
_Static_assert(sizeof(struct entry) == 5 * 8 + DIGEST_BYTES, "no padding: entries are files");

struct stat_index {
	struct store *store;  /* borrowed */
	char *name;           /* in the store; owned */
	bool loaded, large;
	struct str file;      /* as it is in the store */
	const struct entry *kept; /* in `file` */
	size_t n_kept;
	VEC(struct entry) added; /* later ones */
	uint32_t *slots;      /* hash table: number of an entry + 1, first those kept, then those added; 0 = none */
	size_t n_slots;       /* a power of two */
};

static const char head[] = "nacre-context 3\n";

enum { HEAD = sizeof head - 1, INDEX_MAX = 512 << 20, LARGE = 1 << 20 };

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

static const struct entry *entry_at(const struct stat_index *x, uint32_t number)
{
	return number <= x->n_kept ? &x->kept[number - 1] : &x->added.v[number - 1 - x->n_kept];
}

/* The slot of the path, or the empty one where it belongs. */
static uint32_t *slot_of(const struct stat_index *x, uint64_t path)
{
	size_t i = path & (x->n_slots - 1);
	while (x->slots[i] && entry_at(x, x->slots[i])->path != path)
		i = (i + 1) & (x->n_slots - 1);
	return &x->slots[i];
}

/* Room for n entries, a third of the table empty. */
static void reserve(struct stat_index *x, size_t n)
{
	if (x->n_slots / 3 * 2 > n)
		return;
	for (x->n_slots = 1024; x->n_slots / 3 * 2 <= n;)
		x->n_slots *= 2;
	free(x->slots);
	x->slots = x_alloc(x->n_slots * sizeof *x->slots);
	for (size_t i = 1; i <= x->n_kept + x->added.n; i++)
		*slot_of(x, entry_at(x, (uint32_t)i)->path) = (uint32_t)i; /* the later of two */
}

static void put(struct stat_index *x, const struct entry *e)
{
	reserve(x, x->n_kept + x->added.n + 1);
	vec_push(&x->added, *e);
	*slot_of(x, e->path) = (uint32_t)(x->n_kept + x->added.n);
}

struct stat_index *stat_index_open(struct store *s, const char *path)
{
	struct stat_index *x = x_alloc(sizeof *x);
	struct digest id = digest_of(path, strlen(path));
	struct stat st;
	x->store = s;
	x->name = x_asprintf("context/%s", digest_hex(&id).s);
	x->large = fstatat(s->fd, x->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > LARGE;
	return x;
}

const char *stat_index_name(const struct stat_index *x)
{
	return x->name;
}

bool stat_index_is_large(const struct stat_index *x)
{
	return x->large;
}

void stat_index_load(struct stat_index *x)
{
	struct err e;
	if (x->loaded)
		return;
	x->loaded = true;
	int r = store_file_get(x->store, x->name, INDEX_MAX, &x->file, &e);
	if (r < 0)
		log_debug("%s: %s; every file is read again", x->name, e.msg);
	if (r == 0 && str_starts(x->file.buf, head) && (x->file.len - HEAD) % sizeof(struct entry) == 0) {
		x->kept = (const struct entry *)(const void *)(x->file.buf + HEAD);
		x->n_kept = (x->file.len - HEAD) / sizeof(struct entry);
	}
	reserve(x, x->n_kept);
}

static int64_t ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

bool stat_index_find(struct stat_index *x, const char *path, const struct stat *st, struct digest *ret)
{
	stat_index_load(x);
	uint32_t number = *slot_of(x, hash(path));
	if (!number)
		return false;
	const struct entry *e = entry_at(x, number);
	if (e->inode != st->st_ino || e->size != (uint64_t)st->st_size || e->mtime != ns(&st->st_mtim) ||
	    e->ctime != ns(&st->st_ctim))
		return false;
	*ret = e->digest;
	return true;
}

/* Linux stamps files with the clock of the last tick (at most 10 ms ago); file systems without fractions, with the
 * second. */
enum { GRANULARITY_NS = 20 * 1000 * 1000 };

bool stat_index_is_settled(const struct stat *st)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t slack = st->st_ctim.tv_nsec == 0 ? 2000000000 : GRANULARITY_NS;
	return ns(&now) - ns(&st->st_ctim) >= slack;
}

void stat_index_note(const char *path, const struct stat *st, const struct digest *d, struct str *out)
{
	const struct entry e = {
		.path = hash(path),
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime = ns(&st->st_mtim),
		.ctime = ns(&st->st_ctim),
		.digest = *d,
	};
	str_addn(out, &e, sizeof e);
}

void stat_index_add(struct stat_index *x, const char *path, const struct stat *st, const struct digest *d)
{
	AUTO(str_fini) struct str noted = { 0 };
	if (!stat_index_is_settled(st))
		return;
	stat_index_note(path, st, d, &noted);
	stat_index_merge(x, noted.buf, noted.len);
}

size_t stat_index_added(const struct stat_index *x)
{
	return x->added.n;
}

void stat_index_give(const struct stat_index *x, size_t from, struct str *out)
{
	if (x->added.n > from)
		str_addn(out, &x->added.v[from], (x->added.n - from) * sizeof(struct entry));
}

void stat_index_merge(struct stat_index *x, const char *given, size_t n)
{
	struct entry e;
	if (n)
		stat_index_load(x);
	for (; n >= sizeof e; given += sizeof e, n -= sizeof e) {
		memcpy(&e, given, sizeof e);
		put(x, &e);
	}
}

int stat_index_save(struct stat_index *x, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	if (!x->added.n)
		return 0;
	str_reserve(&text, HEAD + (x->n_kept + x->added.n) * sizeof(struct entry));
	str_add(&text, head);
	for (size_t i = 1; i <= x->n_kept + x->added.n; i++) {
		const struct entry *entry = entry_at(x, (uint32_t)i);
		/* Not those that a later one replaced. */
		if (*slot_of(x, entry->path) == i)
			str_addn(&text, entry, sizeof *entry);
	}
	return store_file_put(x->store, x->name, text.buf, text.len, e);
}

void stat_index_free(struct stat_index *x)
{
	if (!x)
		return;
	free(x->name);
	str_fini(&x->file);
	vec_fini(&x->added);
	free(x->slots);
	free(x);
}
