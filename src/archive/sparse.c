#include "sparse_priv.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

/* A map may take the same room in memory as any extended header. */
enum { SPANS_MAX = LIMIT_PAX_ENTRY / sizeof(struct span) };

static int refuse(const char *name, struct err *e)
{
	return err_set(e, ERR_SPEC, "%s: broken map of a sparse file", name);
}

int spans_add(struct spans *l, uint64_t offset, uint64_t len, const char *name, struct err *e)
{
	if (l->n >= SPANS_MAX)
		return err_set(e, ERR_LIMIT, "%s: a sparse file of more than %zu parts", name, (size_t)SPANS_MAX);
	vec_push(l, ((struct span){ offset, len }));
	return 0;
}

int spans_check(const struct spans *l, uint64_t realsize, uint64_t stored, const char *name, struct err *e)
{
	uint64_t end = 0, total = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].offset < end || __builtin_add_overflow(l->v[i].offset, l->v[i].len, &end) || end > realsize)
			return refuse(name, e);
		total += l->v[i].len; /* at most `end` */
	}
	return total == stored ? 0 : refuse(name, e);
}

/* 0 and *more false at the slot that is not used any more. */
static int add_slot(struct spans *l, const struct tar_sparse_slot *s, bool *more, const char *name, struct err *e)
{
	int64_t offset, len;
	*more = s->offset[0] != '\0';
	if (!*more)
		return 0;
	if (!tar_number(s->offset, sizeof s->offset, &offset) || !tar_number(s->len, sizeof s->len, &len) ||
	    offset < 0 || len < 0)
		return refuse(name, e);
	return spans_add(l, (uint64_t)offset, (uint64_t)len, name, e);
}

int sparse_read_old(const struct tar_header *h, struct source *in, const char *name, struct spans *ret,
		    uint64_t *ret_realsize, struct err *e)
{
	struct tar_sparse_header sparse;
	struct tar_sparse_block block;
	int64_t realsize;
	bool more = true;
	memcpy(&sparse, h, sizeof sparse);
	if (!tar_number(sparse.realsize, sizeof sparse.realsize, &realsize) || realsize < 0)
		return refuse(name, e);
	for (size_t i = 0; more && i < ARRAY_LEN(sparse.slot); i++)
		if (add_slot(ret, &sparse.slot[i], &more, name, e) < 0)
			return -1;
	for (bool extended = sparse.extended; extended; extended = block.extended) {
		/* A block that adds nothing would let a chain of them go on for ever. */
		if (!more)
			return refuse(name, e);
		if (source_read_exactly(in, &block, sizeof block, name, e) < 0)
			return -1;
		for (size_t i = 0; more && i < ARRAY_LEN(block.slot); i++)
			if (add_slot(ret, &block.slot[i], &more, name, e) < 0)
				return -1;
	}
	*ret_realsize = (uint64_t)realsize;
	return 0;
}

/* One decimal number as it comes, digit by digit. */
struct number {
	uint64_t v;
	bool any;
};

static bool number_add(struct number *n, char c)
{
	if (c < '0' || c > '9' || __builtin_mul_overflow(n->v, 10, &n->v) ||
	    __builtin_add_overflow(n->v, (uint64_t)(c - '0'), &n->v))
		return false;
	n->any = true;
	return true;
}

int sparse_parse_list(const char *text, const char *name, struct spans *ret, struct err *e)
{
	struct number n = { 0 };
	uint64_t offset = 0;
	bool have_offset = false;
	if (!*text)
		return 0;
	for (const char *p = text;; p++) {
		if (*p && *p != ',') {
			if (!number_add(&n, *p))
				return refuse(name, e);
			continue;
		}
		if (!n.any)
			return refuse(name, e);
		if (!have_offset)
			offset = n.v;
		else if (spans_add(ret, offset, n.v, name, e) < 0)
			return -1;
		have_offset = !have_offset;
		n = (struct number){ 0 };
		if (!*p)
			return have_offset ? refuse(name, e) : 0;
	}
}

/* The text of form 1.0: a count, then so many pairs, a number per line, padded to whole blocks. */
struct text_reader {
	struct source *in;
	uint64_t *stored;
	const char *name;
	char block[TAR_BLOCK_SIZE];
	size_t pos;
};

static int next_line(struct text_reader *t, uint64_t *ret, struct err *e)
{
	struct number n = { 0 };
	for (;; t->pos++) {
		if (t->pos == sizeof t->block) {
			if (*t->stored < sizeof t->block)
				return refuse(t->name, e);
			if (source_read_exactly(t->in, t->block, sizeof t->block, t->name, e) < 0)
				return -1;
			*t->stored -= sizeof t->block;
			t->pos = 0;
		}
		if (t->block[t->pos] == '\n')
			break;
		if (!number_add(&n, t->block[t->pos]))
			return refuse(t->name, e);
	}
	t->pos++;
	*ret = n.v;
	return n.any ? 0 : refuse(t->name, e);
}

int sparse_read_text(struct source *in, uint64_t *stored, const char *name, struct spans *ret, struct err *e)
{
	struct text_reader t = { .in = in, .stored = stored, .name = name, .pos = TAR_BLOCK_SIZE };
	uint64_t count, offset, len;
	if (next_line(&t, &count, e) < 0)
		return -1;
	for (uint64_t i = 0; i < count; i++)
		if (next_line(&t, &offset, e) < 0 || next_line(&t, &len, e) < 0 ||
		    spans_add(ret, offset, len, name, e) < 0)
			return -1;
	return 0;
}
