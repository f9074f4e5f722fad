/* Whether bytes are the tar of entries that a listing has. */
#include <string.h>

#include "archive/tar_write.h"
#include "run_check_priv.h"

void run_check_init(struct run_check *c, const struct list_entry *entries, size_t n)
{
	*c = (struct run_check){ .entry = entries, .end = entries + n };
	sha_init(&c->sha);
}

void run_check_fini(struct run_check *c)
{
	str_fini(&c->head);
	sha_drop(&c->sha);
}

static size_t least(uint64_t left, size_t n)
{
	return left < n ? (size_t)left : n;
}

/* The entry that begins here: what its header has to be. */
static bool entry_begin(struct run_check *c)
{
	struct err ignored;
	const struct tar_entry *t = &c->entry->tar;
	str_clear(&c->head);
	c->at = 0;
	c->left = t->type == TAR_FILE ? t->size : 0;
	c->padding = tar_padded(c->left) - c->left;
	c->begun = true;
	return tar_header_add(&c->head, t, &ignored) == 0;
}

static bool entry_end(struct run_check *c)
{
	const struct list_entry *entry = c->entry++;
	c->begun = false;
	if (entry->tar.type != TAR_FILE)
		return true;
	struct digest d = sha_next(&c->sha);
	return entry->has_digest && digest_eq(&d, &entry->digest);
}

static bool all_zero(const char *bytes, size_t n)
{
	return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

/* Takes some bytes of the present entry off *p. */
static bool entry_take(struct run_check *c, const char **p, size_t *n)
{
	size_t head = least(c->head.len - c->at, *n), data, padding;
	if (memcmp(c->head.buf + c->at, *p, head) != 0)
		return false;
	data = least(c->left, *n - head);
	sha_add(&c->sha, *p + head, data);
	padding = data == c->left ? least(c->padding, *n - head - data) : 0;
	if (!all_zero(*p + head + data, padding))
		return false;
	c->at += head;
	c->left -= data;
	c->padding -= padding;
	*p += head + data + padding;
	*n -= head + data + padding;
	return true;
}

bool run_check_add(struct run_check *c, const void *raw, size_t n)
{
	const char *p = raw;
	while (n) {
		if (c->entry == c->end || (!c->begun && !entry_begin(c)) || !entry_take(c, &p, &n))
			return false;
		if (c->at == c->head.len && !c->left && !c->padding && !entry_end(c))
			return false;
	}
	return true;
}

bool run_check_is_done(const struct run_check *c)
{
	return c->entry == c->end;
}
