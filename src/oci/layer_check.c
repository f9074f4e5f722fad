#include "oci/layer_check.h"

#include <unistd.h>

#include "archive/stream.h"
#include "archive/tar_read.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "read_ahead_priv.h"

enum { BUF = 256 << 10 };

struct check {
	struct source *in;             /* owned */
	struct tar_reader *tar;        /* owned */
	const struct listing *listing; /* borrowed */
	size_t next;                   /* entry of the listing */
	bool differs;
	char *buf;                     /* owned; BUF bytes */
};

static void check_fini(struct check *c)
{
	tar_reader_free(c->tar);
	source_free(c->in);
	free_drop(&c->buf);
}

static int digest_content(struct check *c, struct digest *ret, struct err *e)
{
	struct sha sha;
	ssize_t n;
	sha_init(&sha);
	while ((n = tar_reader_read(c->tar, c->buf, BUF, e)) > 0)
		sha_add(&sha, c->buf, (size_t)n);
	*ret = sha_end(&sha);
	return (int)n;
}

/* Both as a line of a listing: equal text is equal in all that a listing says. */
static bool same_line(const struct list_entry *a, const struct list_entry *b)
{
	AUTO(str_fini) struct str x = { 0 };
	AUTO(str_fini) struct str y = { 0 };
	listing_add_text(&x, a);
	listing_add_text(&y, b);
	return str_eq(x.buf, y.buf);
}

static int check_entry(struct check *c, enum list_kind kind, const struct tar_entry *tar, struct err *e)
{
	struct list_entry found = { .kind = kind, .tar = *tar }; /* borrows */
	if (c->next >= c->listing->n) {
		c->differs = true;
		return 0;
	}
	const struct list_entry *want = &c->listing->v[c->next++];
	/* A listing may do without digests (layer_apply). */
	found.has_digest = want->has_digest && kind == LIST_ENTRY && tar->type == TAR_FILE;
	if (found.has_digest && digest_content(c, &found.digest, e) < 0)
		return -1;
	c->differs |= !same_line(want, &found);
	return 0;
}

static int check_members(struct check *c, struct err *e)
{
	const struct tar_entry *tar;
	int r;
	while (!c->differs && (r = tar_reader_next(c->tar, &tar, e)) > 0) {
		enum list_kind kind = LIST_ENTRY;
		AUTO(free_drop) char *marked = NULL;
		bool skip = false;
		if (whiteout_parse(tar->path, &kind, &marked, &skip, e) < 0)
			return -1;
		struct tar_entry mark = { .path = marked };
		if (!skip && check_entry(c, kind, kind == LIST_ENTRY ? tar : &mark, e) < 0)
			return -1;
	}
	if (c->differs)
		return 0;
	c->differs = c->next < c->listing->n;
	return r;
}

static int digest_all(int fd, struct check *c, struct digest *ret, struct err *e)
{
	struct sha sha;
	ssize_t n;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read a blob");
	sha_init(&sha);
	AUTO(source_drop) struct source *s = source_digest(source_fd(fd, "blob"), &sha, NULL);
	while ((n = source_read(s, c->buf, BUF, e)) > 0)
		;
	*ret = sha_end(&sha);
	return (int)n;
}

int layer_check(int blob_fd, const struct listing *listing, struct layer_facts *ret, struct err *e)
{
	AUTO(check_fini) struct check c = { .listing = listing, .buf = x_alloc(BUF) };
	struct layer_facts facts = { 0 };
	struct sha blob, diff;
	sha_init(&blob);
	sha_init(&diff);
	struct source *s = source_digest(source_fd(blob_fd, "blob"), &blob, NULL);
	s = source_digest(source_decompress(s, "blob"), &diff, NULL);
	c.in = read_ahead(source_limit(s, LIMIT_LAYER_BYTES, "tar"));
	c.tar = tar_reader_new(c.in, "tar");
	facts.unpacks = (!listing || check_members(&c, &facts.why_not) >= 0) && source_drain(c.in, &facts.why_not) == 0;
	tar_reader_free(c.tar);
	source_free(c.in);
	c.tar = NULL;
	c.in = NULL;
	facts.digest = sha_end(&blob);
	facts.diffid.d = sha_end(&diff);
	facts.listed = facts.unpacks && !c.differs;
	/* What broke off was not read to its end. */
	if (!facts.unpacks && digest_all(blob_fd, &c, &facts.digest, e) < 0)
		return -1;
	*ret = facts;
	return 0;
}
