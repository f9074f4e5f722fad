/* Ignore files: SEMANTICS section 15. */
#include "table.h"

#include "base/limits.h"
#include "dockerfile/ignore.h"

static struct df_ignore *parse(const char *text)
{
	struct df_ignore *i = NULL;
	struct err e = { 0 };
	if (df_ignore_parse(text, strlen(text), ".dockerignore", &i, &e))
		fail_msg("%s: %s", text, e.msg);
	return i;
}

/* What a file hides and shows; paths that are hidden have "-" before them, and the deciding line behind. */
static const struct {
	const char *file, *paths;
} rows[] = {
	{ "", "a d/b" },
	{ "*.md", "-a.md:1 d/a.md a.txt .hid" },
	{ "tmp", "-tmp:1 -tmp/x:1 d/tmp tmpx" },
	{ "# *\n\n  \n*.md\n", "-a.md:4 x" },
	{ " # x", "-#\\x20x:1" },
	{ "\xef\xbb\xbf*.md\n", "-a.md:1" },
	{ "A.TXT\nD", "a.txt d/x" },
	{ "d/**", "d -d/x:1 -d/e/f:1 dx" },
	{ "d/**\n!d/e/*.txt", "d -d/e:1 d/e/c.txt:2 -d/e/f.md:1" },
	{ "*\n!a.txt\n!d/e", "a.txt:2 -b:1 -d:1 d/e:3 d/e/c:3 -d/x:1" },
	{ "**\n!**/*.txt", "a.txt:2 d/a.txt:2 -d/x:1 -d:1" },
	{ "/a.txt\n/d/e/\nb.md/", "-a.txt:1 -d/e:2 -d/e/x:2 -b.md:3 d/a.txt" },
	{ "d/e/c\ntm\n.hi", "d/e/c.txt tmp .hid" },
	{ "\\#file\n\\!bang\nst\\*r", "-#file:1 -!bang:2 -st*r:3 star" },
	{ "with space\n\tname\r", "-with\\x20space:1 -name:2 with" },
	{ "*.md\n!README*.md\nREADME-secret.md", "-a.md:1 README.md:2 README-x.md:2 -README-secret.md:3" },
	{ "!a", "a b" },
	{ "! a\na\n!  a ", "a:3" },
	{ "**/foo", "-foo:1 -d/foo:1 -d/e/foo/x:1 xfoo foox" },
	{ "**foo", "-foo:1 -d/foo:1 -xfoo:1 foox" },
	{ "a/**/b", "-a/b:1 -a/x/b:1 -a/x/y/b/z:1 ab a/xb" },
	{ "a/**b", "-a/b:1 -a/x/b:1 a/xb" },
	{ "**/", "-a:1 -d/x:1" },
	{ "**/**", "-a:1 -d/x:1" },
	{ "a**", "-a:1 -ab:1 -a/b:1 b" },
	{ "**/*.o", "-x.o:1 -d/x.o:1 -d/e/.o:1 x.oo" },
	{ "**/d/*.o", "-d/x.o:1 -e/d/x.o:1 x.o ed/x.o" },
	{ "*/temp*", "-a/temporary:1 temp a/b/temp" },
	{ "*/*/temp*", "-a/b/temp.txt:1 a/temp" },
	{ "temp?", "-tempa:1 temp tempab" },
	{ "[a-c]x", "-ax:1 dx" },
	{ "[^a]", "-b:1 a" },
	{ "x[*?]", "-x*:1 xa" },
	{ "a.b+c(d)|{e}$", "-a.b+c(d)|{e}$:1 aXb" },
	{ "a.b*", "-a.bc:1 aXbc" },
	{ "./a/../b//c", "-b/c:1 a" },
	{ "../x", "x" },
	{ ".", "a" },
	{ "/", "a" },
	{ "\xc3\xa9?", "-\xc3\xa9\xc3\xa8:1 \xc3\xa9" },
	/* What a directory's answers were decides for what is in it: "!docs" is not asked while nothing was hidden. */
	{ "**/*.md\n!docs", "-docs/a.md:1 docs -d/docs/a.md:1" },
	{ "*\n!docs", "docs/a.md:2 docs:2 -x:1" },
	{ "docs\n!docs/a.md", "docs/a.md:2 -docs/b.md:1 -docs:1" },
	{ "a\n!a/b\na/b/c", "-a:1 a/b:2 a/b/x:2 -a/b/c:3 -a/b/c/d:3 -a/x:1" },
};

/* "\x20" stands for a blank inside a name. */
static void unescape(char *s)
{
	char *blank;
	while ((blank = strstr(s, "\\x20"))) {
		*blank = ' ';
		memmove(blank + 1, blank + 4, strlen(blank + 4) + 1);
	}
}

static void check_path(int *wrong, const struct df_ignore *i, const char *file, char *path)
{
	char *want_line = strrchr(path, ':');
	bool want = *path == '-';
	int line = -1;
	if (want_line)
		*want_line++ = '\0';
	unescape(path);
	bool got = df_ignored(i, path + want, &line);
	row_check(*wrong, got == want && line == (want_line ? atoi(want_line) : 0), "%s\n  %s: %d by line %d", file,
		path + want, got, line);
}

static void test_files(void **state)
{
	int wrong = 0;
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		struct df_ignore *i = parse(rows[r].file);
		AUTO(free_drop) char *paths = x_strdup(rows[r].paths);
		char *rest = paths;
		for (char *path; (path = strsep(&rest, " "));)
			check_path(&wrong, i, rows[r].file, path);
		df_ignore_free(i);
	}
	assert_int_equal(wrong, 0);
}

/* The answers do not depend on what was asked before. */
static void test_memory(void **state)
{
	static const char *const paths[] = { "a/b/c", "a/b", "a", "a/bc/d", "b/b/c", "a/b/c/d/e", "a/b/x", "", "ab/c",
		"a/b/c/d" };
	struct df_ignore *used = parse("*\n!a/b\n**/d\n!a/b/c/d/e");
	for (size_t k = 0; k < ARRAY_LEN(paths) * ARRAY_LEN(paths); k++) {
		const char *path = paths[k % ARRAY_LEN(paths)], *before = paths[k / ARRAY_LEN(paths)];
		struct df_ignore *fresh = parse("*\n!a/b\n**/d\n!a/b/c/d/e");
		int line, fresh_line;
		df_ignored(used, before, NULL);
		assert_int_equal(df_ignored(used, path, &line), df_ignored(fresh, path, &fresh_line));
		assert_int_equal(line, fresh_line);
		df_ignore_free(fresh);
	}
	df_ignore_free(used);
}

static void test_rule(void **state)
{
	static const char text[] = "# no rule\n  /build/  \n\n!  build/keep\r\n";
	struct df_ignore *i = NULL;
	struct err e = { 0 };
	int line;
	(void)state;
	assert_int_equal(df_ignore_parse(text, strlen(text), "ignore", &i, &e), 0);
	assert_true(df_ignored(i, "build/x", &line));
	assert_string_equal(df_ignore_rule(i, line), "/build/");
	assert_false(df_ignored(i, "build/keep", &line));
	assert_string_equal(df_ignore_rule(i, line), "!  build/keep");
	assert_null(df_ignore_rule(i, 1));
	assert_null(df_ignore_rule(i, 3));
	assert_null(df_ignore_rule(i, 5));
	df_ignore_free(i);
}

/* COPY --exclude (CP-20): no file, so no comments, and a leading slash is a slash. */
static void test_patterns(void **state)
{
	struct strv patterns = { 0 };
	struct df_ignore *i = NULL;
	struct err e = { 0 };
	strv_push(&patterns, "**/*.o");
	strv_push(&patterns, "!**/keep.o");
	strv_push(&patterns, " #x ");
	strv_push(&patterns, "");
	strv_push(&patterns, "/abs");
	assert_int_equal(df_ignore_from_patterns(&patterns, &i, &e), 0);
	int line;
	assert_true(df_ignored(i, "sub/x.o", &line));
	assert_int_equal(line, 1);
	assert_false(df_ignored(i, "sub/keep.o", &line));
	assert_int_equal(line, 2);
	assert_true(df_ignored(i, "#x", &line));
	assert_int_equal(line, 3);
	assert_false(df_ignored(i, "abs", NULL));
	df_ignore_free(i);
	i = NULL;
	strv_push(&patterns, "[");
	assert_int_equal(df_ignore_from_patterns(&patterns, &i, &e), -1);
	assert_null(i);
	strv_fini(&patterns);
	df_ignore_free(NULL);
}

/* A directory that need not be read: nothing below it can come back. */
static void test_may_reinclude(void **state)
{
	static const struct {
		const char *file, *dir;
		bool want;
	} asks[] = {
		{ "*", "d", false }, { "*\n!a", "d", false }, { "*\n!d/e", "d", true }, { "*\n!d/e", "d/e", false },
		{ "*\n!d/e/f", "d/e", true }, { "*\n!d/e", "de", false }, { "*\n!de", "d", false },
		{ "*\n!**/x", "d", true },
		{ "*\n!d/*/x", "d/e", true }, { "*\n!d/*/x", "e", false }, { "*\n!d*", "d/e", true },
		{ "*\n![d]/x", "d", true },
		{ "*\n!d\\e/x", "de", true }, { "*\n!d/**", "d", true },
	};
	for (size_t k = 0; k < ARRAY_LEN(asks); k++) {
		struct df_ignore *i = parse(asks[k].file);
		if (df_ignore_may_reinclude(i, asks[k].dir) != asks[k].want)
			fail_msg("%s: %s", asks[k].file, asks[k].dir);
		df_ignore_free(i);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *file, *words;
		size_t n;
	} files[] = {
		{ "a\n[a\n", ".dockerignore:2: syntax error in pattern \"[a\"", 0 },
		{ "!", "1: illegal exclusion pattern", 0 },
		{ "\n ! \n", "2: illegal exclusion pattern", 0 },
		{ "a\\", "syntax error", 0 },
		{ "a\n\0b", "2: the line holds a NUL", 4 },
	};
	for (size_t k = 0; k < ARRAY_LEN(files); k++) {
		struct df_ignore *i = NULL;
		struct err e = { 0 };
		size_t n = files[k].n ? files[k].n : strlen(files[k].file);
		assert_int_equal(df_ignore_parse(files[k].file, n, ".dockerignore", &i, &e), -1);
		if (e.kind != ERR_PARSE || !strstr(e.msg, files[k].words))
			fail_msg("%s: %s", files[k].file, e.msg);
	}
}

static enum err_kind parse_repeated(const char *part, size_t count)
{
	struct str s = { 0 };
	struct df_ignore *i = NULL;
	struct err e = { 0 };
	for (size_t k = 0; k < count; k++)
		str_add(&s, part);
	df_ignore_parse(str_text(&s), s.len, "x", &i, &e);
	df_ignore_free(i);
	str_fini(&s);
	return e.kind;
}

static void test_limits(void **state)
{
	for (size_t n = LIMIT_IGNORE_PATTERNS - 1; n <= LIMIT_IGNORE_PATTERNS + 1; n++)
		assert_int_equal(parse_repeated("a\n", n), n <= LIMIT_IGNORE_PATTERNS ? ERR_NONE : ERR_LIMIT);
	for (size_t n = LIMIT_IGNORE_FILE - 1; n <= LIMIT_IGNORE_FILE + 1; n++)
		assert_int_equal(parse_repeated("\n", n), n <= LIMIT_IGNORE_FILE ? ERR_NONE : ERR_LIMIT);
	for (size_t n = LIMIT_LINE - 1; n <= LIMIT_LINE + 1; n++)
		assert_int_equal(parse_repeated("a", n), n <= LIMIT_LINE ? ERR_NONE : ERR_LIMIT);
}

/* Every way to match is followed at once, so this takes no longer than the product of the lengths. */
static void test_monster(void **state)
{
	struct str pattern = { 0 }, path = { 0 };
	for (int k = 0; k < 100; k++)
		str_add(&pattern, "**/*a");
	str_add(&pattern, "c");
	for (int k = 0; k < 100; k++)
		str_add(&path, "aaaaaaaaaa/");
	str_add(&path, "b");
	struct df_ignore *i = parse(pattern.buf);
	assert_false(df_ignored(i, path.buf, NULL));
	df_ignore_free(i);
	str_fini(&pattern);
	str_fini(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files), cmocka_unit_test(test_memory), cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_may_reinclude), cmocka_unit_test(test_refused), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_monster),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
