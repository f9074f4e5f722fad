/* What a git URL says, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "src/build/git_priv.h"

static void which_texts_are_git(void **state)
{
	static const struct { const char *text; bool source, context; } rows[] = {
		{ "git://host/a", true, true },
		{ "ssh://git@host/a", true, true },
		{ "git@host:a/b", true, true },
		{ "me_2@some.host:a", true, true },
		{ "https://host/a.git", true, true },
		{ "http://host/a.git#main:sub", true, true },
		{ "https://host/a.git?tag=v1", true, true },
		{ "github.com/owner/repository", false, true },
		{ "https://host/a.tar", false, false },
		{ "https://host/a#x.git", false, false },
		{ "./a.git", false, false },
		{ "a.git", false, false },
		{ "dir/me@host:a", false, false },
		{ "@host:a", false, false },
		{ "me@:a", false, false },
		{ "github.computer/x", false, false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(git_is_source(rows[i].text), rows[i].source);
		assert_int_equal(git_is_context(rows[i].text), rows[i].context);
	}
}

static void fragment_and_query(void **state)
{
	static const struct { const char *text, *url, *ref, *subdir, *checksum; } rows[] = {
		{ "https://h/a.git", "https://h/a.git", NULL, NULL, NULL },
		{ "https://h/a.git#main", "https://h/a.git", "main", NULL, NULL },
		{ "https://h/a.git#main:a/b", "https://h/a.git", "main", "a/b", NULL },
		{ "https://h/a.git#:a", "https://h/a.git", NULL, "a", NULL },
		{ "https://h/a.git#:", "https://h/a.git", NULL, NULL, NULL },
		{ "https://h/a.git?tag=v1", "https://h/a.git", "refs/tags/v1", NULL, NULL },
		{ "https://h/a.git?tag=refs/tags/v1", "https://h/a.git", "refs/tags/v1", NULL, NULL },
		{ "https://h/a.git?branch=b&subdir=s", "https://h/a.git", "refs/heads/b", "s", NULL },
		{ "https://h/a.git?ref=a%2Fb%2", "https://h/a.git", "a/b%2", NULL, NULL },
		{ "https://h/a.git?ref=x#x:s", "https://h/a.git", "x", "s", NULL },
		{ "https://h/a.git?checksum=abC1", "https://h/a.git", "abC1", NULL, "abC1" },
		{ "https://h/a.git?commit=12#main", "https://h/a.git", "main", NULL, "12" },
		{ "git@h:a?ref=x", "git@h:a", "x", NULL, NULL },
		{ "github.com/o/r#v1", "https://github.com/o/r", "v1", NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct git_source g;
		struct err e;
		assert_int_equal(git_parse(rows[i].text, &g, &e), 0);
		assert_string_equal(g.url, rows[i].url);
		assert_true(str_eq(g.ref, rows[i].ref));
		assert_true(str_eq(g.subdir, rows[i].subdir));
		assert_true(str_eq(g.checksum, rows[i].checksum));
		git_fini(&g);
	}
}

static void switches(void **state)
{
	struct git_source g;
	struct err e;
	(void)state;
	assert_int_equal(git_parse("https://h/a.git?keep-git-dir&submodules=false&mtime=commit&fetch-by-commit=1", &g, &e), 0);
	assert_true(g.keep_git_dir && g.has_keep_git_dir && g.no_submodules && g.commit_times && g.has_mtime);
	git_fini(&g);
	assert_int_equal(git_parse("https://h/a.git?keep-git-dir=0&submodules&mtime=checkout", &g, &e), 0);
	assert_true(g.has_keep_git_dir && g.has_mtime && !g.keep_git_dir && !g.no_submodules && !g.commit_times);
	git_fini(&g);
}

static void refused(void **state)
{
	static const char *const rows[] = {
		"https://h/a.git#--upload-pack=x", "https://h/a.git?ref=-x",      "https://h/a.git?ref=a%0Ab",
		"-oProxyCommand=x@h:a",            "https://h/a b.git",           "https://h/a.git#x:..",
		"https://h/a.git#x:a/../../b",     "https://h/a.git?subdir=..",   "https://h/a.git?subdir=%2e%2e",
		"https://h/a.git?x=1",             "https://h/a.git?ref=",        "https://h/a.git?tag",
		"https://h/a.git?tag=a&branch=b",  "https://h/a.git?ref=a#b",     "https://h/a.git?subdir=a#:b",
		"https://h/a.git?mtime=never",     "https://h/a.git?submodules=2", "https://h/a.git?checksum=xyz",
		"https://h/a.git?commit=1&checksum=2",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct git_source g;
		struct err e = { 0 };
		assert_int_equal(git_parse(rows[i], &g, &e), -1);
		assert_int_equal(e.kind, ERR_BUILD);
	}
}

static void passwords_are_not_shown(void **state)
{
	static const char *const rows[][2] = {
		{ "https://me:secret@h/a.git", "https://h/a.git" },
		{ "https://h/a@b", "https://h/a@b" },
		{ "https://h", "https://h" },
		{ "git@h:a", "git@h:a" },
		{ "dir", "dir" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(free_drop) char *shown = git_url_shown(rows[i][0]);
		assert_string_equal(shown, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_texts_are_git), cmocka_unit_test(fragment_and_query),
		cmocka_unit_test(switches),            cmocka_unit_test(refused),
		cmocka_unit_test(passwords_are_not_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
