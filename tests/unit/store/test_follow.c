/* A blob that is read while it is downloaded. */
#include "temp_store.h"

#include "archive/stream.h"
#include "base/fd.h"
#include "store/blob.h"
#include "store/claim.h"
#include "store/follow.h"

static const char first[] = "what came first, ", rest[] = "and the rest";
static const size_t both = sizeof first + sizeof rest - 2;

/* A download and who follows it, in one process: the store does not know the difference. */
struct pair {
	struct temp *t;
	struct digest digest;
	struct claim claim;
	struct blob_writer writer;
	int ends[2];
	struct blob_follow follow;
	struct source *in;
};

static void begin(struct pair *p, struct temp *t)
{
	*p = (struct pair){ .t = t };
	AUTO(free_drop) char *text = x_asprintf("%s%s", first, rest);
	p->digest = digest_of(text, both);
	AUTO(free_drop) char *name = x_asprintf("blob-%s", digest_hex(&p->digest).s);
	assert_true(claim_try(&t->s, name, &p->claim));
	assert_int_equal(pipe2(p->ends, O_CLOEXEC), 0);
	p->follow = (struct blob_follow){ &t->s, p->digest, both, p->ends[0] };
	p->in = source_follow(&p->follow);
}

static void end(struct pair *p)
{
	source_free(p->in);
	blob_writer_drop(&p->writer);
	claim_drop(&p->claim);
	fd_drop(&p->ends[0]);
	fd_drop(&p->ends[1]);
}

static void open_writer(struct pair *p)
{
	struct err e;
	assert_int_equal(blob_writer_open(&p->t->s, &p->writer, &e), 0);
	claim_tell(&p->claim, p->writer.name);
}

static void comes(struct pair *p, const char *text)
{
	assert_int_equal(write(p->writer.fd, text, strlen(text)), strlen(text));
}

static void commit(struct pair *p)
{
	struct err e;
	assert_int_equal(blob_writer_commit(&p->writer, &p->digest, &e), 0);
}

static void reads(struct pair *p, const char *text)
{
	char got[64] = "";
	struct err e;
	assert_int_equal(source_read(p->in, got, sizeof got - 1, &e), strlen(text));
	assert_string_equal(got, text);
}

static void fails(struct pair *p)
{
	char got[64];
	struct err e;
	assert_int_equal(source_read(p->in, got, sizeof got, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_int_equal(blob_follow_wait(&p->follow, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void test_as_it_grows(void **state)
{
	struct pair p;
	struct err e;
	begin(&p, *state);
	open_writer(&p);
	comes(&p, first);
	reads(&p, first);
	comes(&p, rest);
	reads(&p, rest);
	reads(&p, "");
	commit(&p);
	assert_int_equal(blob_follow_wait(&p.follow, &e), 0);
	end(&p);
}

static void test_published_meanwhile(void **state)
{
	struct pair p;
	begin(&p, *state);
	open_writer(&p);
	comes(&p, first);
	reads(&p, first);
	comes(&p, rest);
	commit(&p);
	claim_drop(&p.claim);
	fd_drop(&p.ends[1]);
	reads(&p, rest);
	reads(&p, "");
	end(&p);
}

static void test_begun_anew(void **state)
{
	struct pair p;
	begin(&p, *state);
	open_writer(&p);
	comes(&p, first);
	reads(&p, first);
	blob_writer_drop(&p.writer);
	open_writer(&p);
	comes(&p, first);
	comes(&p, rest);
	reads(&p, rest);
	end(&p);
}

static void test_never_comes(void **state)
{
	struct pair p;
	begin(&p, *state);
	open_writer(&p);
	comes(&p, first);
	reads(&p, first);
	fd_drop(&p.ends[1]);
	fails(&p);
	end(&p);
	begin(&p, *state);
	fd_drop(&p.ends[1]);
	fails(&p);
	end(&p);
}

/* What a claim tells is a name in tmp/ and nothing else. */
static void test_told_nonsense(void **state)
{
	static const char *const names[] = { "version", "tmp/../version", "/etc/passwd", "tmp/" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct pair p;
		begin(&p, *state);
		claim_tell(&p.claim, names[i]);
		fd_drop(&p.ends[1]);
		fails(&p);
		end(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_as_it_grows), TEST(test_published_meanwhile), TEST(test_begun_anew),
		TEST(test_never_comes), TEST(test_told_nonsense),
	};
	return cmocka_run_group_tests_name("store/follow", tests, NULL, NULL);
}
