/* Tables of archives: what each reads as, or what the refusal says. */
#ifndef NACRE_TESTS_TAR_CASES_H
#define NACRE_TESTS_TAR_CASES_H

#include "tars.h"

enum { MEMBERS = 5 };

/* Names of archives that must be refused begin with "refuse-"; the others read as `text`. */
struct archive_case {
	const char *name;
	const char *text; /* of a refused one: what the message must say */
	struct raw m[MEMBERS];
};

#define GNU_MAGIC B("ustar  \0")
#define V7_MAGIC B("\0\0\0\0\0\0\0\0")

static inline void make(const struct archive_case *c, struct str *out)
{
	for (size_t i = 0; i < MEMBERS && (c->m[i].name || c->m[i].type || c->m[i].body.p); i++)
		raw_add(out, &c->m[i]);
	tar_end(out);
}

static inline void check(const struct archive_case *c, const struct str *tar, size_t portion)
{
	AUTO(str_fini) struct str text = { 0 };
	struct err e = { 0 };
	int got = read_tar(tar->buf, tar->len, portion, &text, &e);
	bool refuse = str_starts(c->name, "refuse-");
	if ((got == 0) == refuse)
		print_error("%s: %s\n", c->name, refuse ? "was accepted" : e.msg);
	assert_int_equal(got, refuse ? -1 : 0);
	if (!refuse) {
		assert_string_equal(str_text(&text), c->text);
		return;
	}
	if (!strstr(e.msg, c->text))
		print_error("%s: \"%s\" is not in \"%s\"\n", c->name, c->text, e.msg);
	assert_non_null(strstr(e.msg, c->text));
	assert_true(e.kind == ERR_SPEC || e.kind == ERR_LIMIT);
}

static inline void check_all(const struct archive_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(str_fini) struct str tar = { 0 };
		make(&cases[i], &tar);
		check(&cases[i], &tar, 8192);
		check(&cases[i], &tar, 1);
	}
}

#endif
