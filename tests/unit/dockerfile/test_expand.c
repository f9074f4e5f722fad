/* Variable expansion: SEMANTICS section 6. One environment serves the whole table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "dockerfile/expand.h"

static struct strv env;

static int set_up(void **state)
{
	static const char *const values[] = {
		"X=val", "Y=two", "EMPTY=", "P=/usr/local/lib/x.tar.gz", "S=foobarbaz", "V=1.2.3", "W=xaxbxc", "A=a",
		"B=b",
		"R=a.b+c(d)[e]^f$g|h", "L=one\ntwo\nthree", "U=\xc3\xa9t\xc3\xa9", "Q=it's", "D=$X", "SP=  a b  c ",
		"M=*a?b\\c",
		"n\xc3\xa9=letter", "SLASH=a/b/c", "BRACE=a}b}c", "AA=aaa", "G0=[$0]", "G1=-$1", "low=1", "LOW=2",
	};
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		strv_push(&env, values[i]);
	return 0;
}

static int tear_down(void **state)
{
	strv_fini(&env);
	return 0;
}

struct row {
	const char *in, *want; /* want NULL: an error that holds `error` */
	const char *error;
};

static const struct row words[] = {
	/* EXP-01: names */
	{ "$X", "val" },
	{ "${X}", "val" },
	{ "pre${X}post", "prevalpost" },
	{ "$X-$Y", "val-two" },
	{ "$X.$Y", "val.two" },
	{ "$X/$Y", "val/two" },
	{ "$Xmore", "" },
	{ "${X}more", "valmore" },
	{ "$X$Y", "valtwo" },
	{ "$", "$" },
	{ "a$", "a$" },
	{ "$.x", "$.x" },
	{ "$ X", "$ X" },
	{ "$NOPE", "" },
	{ "${NOPE}", "" },
	{ "$EMPTY", "" },
	{ "x$@y", "xy" },
	{ "x$*y", "xy" },
	{ "x$#y", "xy" },
	{ "x$?y", "xy" },
	{ "x$-y", "xy" },
	{ "x$$y", "xy" },
	{ "x$!y", "xy" },
	{ "x$0y", "xy" },
	{ "x$1y", "xy" },
	{ "x$12y", "xy" },
	{ "x$1_y", "x_y" },
	{ "${@}${1}${12}", "" },
	{ "$n\xc3\xa9", "letter" },
	{ "$X\xe2\x80\x93$Y", "val\xe2\x80\x93two" },
	{ "$X\xff", "val\xff" },
	{ "${", NULL, "missing '}'" },
	{ "${}", NULL, "bad substitution" },
	{ "${{X}}", NULL, "bad substitution" },
	{ "${:-x}", NULL, "bad substitution" },
	{ "${X", NULL, "substitution" },
	{ "${X:", NULL, "missing '}'" },
	{ "${X.}", NULL, "unsupported modifier (.)" },
	{ "${X:=w}", NULL, "unsupported modifier (:=)" },
	{ "${X=w}", NULL, "unsupported modifier (=)" },
	{ "${#X}", NULL, "unsupported modifier (X)" },
	{ "${X:/a/b}", NULL, "unsupported modifier (:/)" },
	{ "${X^^}", NULL, "unsupported modifier (^)" },
	{ "${X\xc3\xa9\xe2\x82\xac}", NULL, "unsupported modifier (\xe2\x82\xac)" },
	/* EXP-02: defaults, alternatives, demands */
	{ "${X:-w}", "val" },
	{ "${EMPTY:-w}", "w" },
	{ "${NOPE:-w}", "w" },
	{ "${X-w}", "val" },
	{ "${EMPTY-w}", "" },
	{ "${NOPE-w}", "w" },
	{ "${X:+w}", "w" },
	{ "${EMPTY:+w}", "" },
	{ "${NOPE:+w}", "" },
	{ "${X+w}", "w" },
	{ "${EMPTY+w}", "w" },
	{ "${NOPE+w}", "" },
	{ "${X:?must}", "val" },
	{ "${X?must}", "val" },
	{ "${EMPTY?must}", "" },
	{ "${EMPTY:?must be}", NULL, "EMPTY: must be" },
	{ "${NOPE:?must $X}", NULL, "NOPE: must val" },
	{ "${NOPE?}", NULL, "NOPE is not set, and must not be" },
	{ "${NOPE:?}", NULL, "NOPE is not set, and must not be" },
	{ "${EMPTY:?}", NULL, "EMPTY is empty, and must not be" },
	{ "${NOPE:-$X}", "val" },
	{ "${NOPE:-${ALSO:-$B}}", "b" },
	{ "${A:+${B}-${A}}", "b-a" },
	{ "${NOPE:-pre-${A}-post}", "pre-a-post" },
	{ "${NOPE:-\"q $A\"}", "q a" },
	{ "${NOPE:-'$A'}", "$A" },
	{ "${NOPE:-a b}", "a b" },
	{ "${NOPE:-'}'}", "}" },
	{ "${NOPE:-\\}}", "}" },
	{ "${NOPE:-}", "" },
	{ "${NOPE:-w", NULL, "missing '}'" },
	{ "${NOPE:-\"w}", NULL, "a double quote is not closed" },
	{ "${NOPE:-'w}", NULL, "a single quote is not closed" },
	{ "\"${NOPE:-\"in\"}\"", "in" },
	{ "\"${NOPE:-'in'}\"", "in" },
	/* EXP-03: prefix removal */
	{ "${P#/}", "usr/local/lib/x.tar.gz" },
	{ "${P#*/}", "usr/local/lib/x.tar.gz" },
	{ "${P##*/}", "x.tar.gz" },
	{ "${S#f*b}", "arbaz" },
	{ "${S##f*b}", "az" },
	{ "${S#?}", "oobarbaz" },
	{ "${S##???}", "barbaz" },
	{ "${S#nomatch}", "foobarbaz" },
	{ "${S#}", "foobarbaz" },
	{ "${S#*}", "foobarbaz" },
	{ "${S##*}", "" },
	{ "${S#*b*b}", "az" },
	{ "${S##*b*}", "" },
	{ "${S#oo}", "foobarbaz" },
	{ "${V#*.}", "2.3" },
	{ "${V#$A}", "1.2.3" },
	{ "${P#${EMPTY:-/usr}}", "/local/lib/x.tar.gz" },
	{ "${S:#foo}", NULL, "unsupported modifier (:#)" },
	{ "${S:##foo}", NULL, "unsupported modifier (:#)" },
	{ "${U#?}", "t\xc3\xa9" },
	{ "${L#*}", "one\ntwo\nthree" },
	{ "${L##*}", "\ntwo\nthree" },
	{ "${L##*o}", "ne\ntwo\nthree" },
	{ "${NOPE#x}", "" },
	/* EXP-03: suffix removal */
	{ "${P%.gz}", "/usr/local/lib/x.tar" },
	{ "${P%.*}", "/usr/local/lib/x.tar" },
	{ "${P%%.*}", "/usr/local/lib/x" },
	{ "${P%/*}", "/usr/local/lib" },
	{ "${S%b*}", "foobar" },
	{ "${S%%b*}", "foo" },
	{ "${S%?}", "foobarba" },
	{ "${S%nomatch}", "foobarbaz" },
	{ "${S%}", "foobarbaz" },
	{ "${S%%*}", "" },
	{ "${S%b?*}", "foobar" },
	{ "${S%%b?*}", "foo" },
	{ "${U%?}", "\xc3\xa9t" },
	{ "${AA%a*a}", "a" },
	{ "${AA%%a*a}", "" },
	{ "${X:%l}", NULL, "unsupported modifier (:%)" },
	/* EXP-03: replacement */
	{ "${V//./-}", "1-2-3" },
	{ "${V/./-}", "1-2.3" },
	{ "${W/x*x/-}", "-c" },
	{ "${W//x?/-}", "---" },
	{ "${W/*/all}", "all" },
	{ "${W//*/all}", "all" },
	{ "${W//*x/-}", "-c" },
	{ "${V///+}", "+1+.+2+.+3+" },
	{ "${V/1/$X}", "val.2.3" },
	{ "${V/${NOPE:-2}/b}", "1.b.3" },
	{ "${V//./}", "123" },
	{ "${SLASH//\\//-}", "a-b-c" },
	{ "${BRACE//\\}/-}", "a-b-c" },
	{ "${AA//a/aa}", "aaaaaa" },
	{ "${AA//aa/b}", "ba" },
	{ "${U/\xc3\xa9/e}", "et\xc3\xa9" },
	{ "${V/9/x}", "1.2.3" },
	{ "${NOPE/a/b}", "" },
	/* EXP-03: the replacement of the second form is a template of Go's regexp, that of the first is not */
	{ "${AA//a/$G0}", "[a][a][a]" },
	{ "${AA/a/$G0}", "[$0]aa" },
	{ "${V//./$G1}", "1-2-3" },
	{ "${A//a/'$0$$${0}${0$x'}", "a$a${0" },
	{ "${AA//a/'${x}y$1 $'}", "y $y $y $" },
	{ "${AA//a/'$00$0a'}", "" },
	{ "${V/.}", NULL, "missing '/'" },
	{ "${V/./-", NULL, "missing '}'" },
	/* EXP-04: the pattern language */
	{ "${R//./_}", "a_b+c(d)[e]^f$g|h" },
	{ "${R//+/_}", "a.b_c(d)[e]^f$g|h" },
	{ "${R//(/_}", "a.b+c_d)[e]^f$g|h" },
	{ "${R//[/_}", "a.b+c(d)_e]^f$g|h" },
	{ "${R//^/_}", "a.b+c(d)[e]_f$g|h" },
	{ "${R//|/_}", "a.b+c(d)[e]^f$g_h" },
	{ "${R#a.b+}", "c(d)[e]^f$g|h" },
	{ "${M#\\*}", "a?b\\c" },
	{ "${M/\\?/-}", "*a-b\\c" },
	{ "${M/\\\\/-}", "*a?b-c" },
	{ "${S#[fg]}", "foobarbaz" },
	{ "${S#\\f}", NULL, "invalid escape" },
	{ "${S/\\o/x}", NULL, "invalid escape" },
	/* EXP-05: quotes and escapes */
	{ "\\$X", "$X" },
	{ "\\\\$X", "\\val" },
	{ "'$X'", "$X" },
	{ "\"$X\"", "val" },
	{ "\"\\$X\"", "$X" },
	{ "\"a\\\"b\"", "a\"b" },
	{ "\"a\\nb\"", "a\\nb" },
	{ "\"a\\\\b\"", "a\\b" },
	{ "'a\\'", "a\\" },
	{ "a\\ b", "a b" },
	{ "a\\nb", "anb" },
	{ "x\\", "x" },
	{ "x\\\\", "x\\" },
	{ "\"it's\"", "it's" },
	{ "'say \"hi\"'", "say \"hi\"" },
	{ "a'b'\"c\"d", "abcd" },
	{ "''", "" },
	{ "\"\"", "" },
	{ "$Q", "it's" },
	{ "$D", "$X" },
	{ "\"b", NULL, "a double quote is not closed" },
	{ "'b", NULL, "a single quote is not closed" },
	{ "\"b\\\"", NULL, "a double quote is not closed" },
	/* EXP-10: letter case */
	{ "$low$LOW$Low", "12" },
	/* "<<" is nothing special in a value */
	{ "a << b", "a << b" },
	{ "a<b", "a<b" },
};

static const struct row backtick[] = {
	{ "`$X", "$X" },
	{ "\\$X", "\\val" },
	{ "\"`$X\"", "$X" },
	{ "``$X", "`val" },
	{ "a` b", "a b" },
	{ "\"q`\"q\"", "q\"q" },
	{ "C:\\dir\\", "C:\\dir\\" },
	{ "${SLASH//`//-}", "a/b/c" }, /* in patterns it is always the backslash */
};

static void check(const struct df_scope *s, const struct row *r)
{
	char *out = NULL;
	struct err e = { 0 };
	int got = df_expand(s, r->in, &out, &e);
	if (!r->want && (got == 0 || !strstr(e.msg, r->error)))
		fail_msg("%s: want error \"%s\", got %s", r->in, r->error, got ? e.msg : out);
	if (r->want && got)
		fail_msg("%s: %s", r->in, e.msg);
	if (r->want && strcmp(out, r->want) != 0)
		fail_msg("%s: want \"%s\", got \"%s\"", r->in, r->want, out);
	if (!r->want) {
		assert_int_equal(e.kind, ERR_PARSE);
		assert_int_equal(e.line, 0);
	}
	free(out);
}

static void test_words(void **state)
{
	struct df_scope s = { .env = &env, .escape = '\\' };
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		check(&s, &words[i]);
}

static void test_backtick(void **state)
{
	struct df_scope s = { .env = &env, .escape = '`' };
	for (size_t i = 0; i < ARRAY_LEN(backtick); i++)
		check(&s, &backtick[i]);
}

/* EXP-07: the result of EXPOSE is split again, at blanks that were not quoted. */
static void test_split(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "a b", "a|b" }, { "  a  b ", "a|b" }, { "$SP", "a|b|c" }, { "x$SP", "x|a|b|c" },
		{ "\"$SP\"", "  a b  c " },
		{ "'a b' c", "a b|c" }, { "a\\ b", "a b" }, { "$NOPE", "" }, { "\"\"", "" }, { "a${EMPTY}b", "ab" },
		{ "${NOPE:-80 81}", "80|81" }, { "${NOPE:-\"80 81\"}", "80|81" }, { "a\xc2\xa0" "b", "a|b" },
		/* what stands before a nested word in the same word is lost, with what quotes hold around it kept */
		{ "80${NOPE:-81}", "81" }, { "${X:+80}-${NOPE:-90}", "90" }, { "1 2${X:+3}4 5", "1|34|5" },
		{ "80${X}", "80val" }, { "a\"b${NOPE:-c}d\"e", "bcde" }, { "x${S#foo}y${V//./-}", "1-2-3" },
	};
	struct df_scope s = { .env = &env, .escape = '\\' };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strv out = { 0 };
		struct err e;
		assert_int_equal(df_expand_words(&s, rows[i].in, &out, &e), 0);
		char *joined = strv_join(&out, "|");
		assert_string_equal(joined, rows[i].want);
		free(joined);
		strv_fini(&out);
	}
}

/* HERE-07 */
static void test_body(void **state)
{
	static const struct row rows[] = {
		{ "single='${V}' double=\"${V}\"\n", "single='1.2.3' double=\"1.2.3\"\n" },
		{ "\\${V} \\n \\\\", "${V} n \\" },
		{ "it's $X", "it's val" },
		{ "${V%%.*} ${V#*.} ${V//./-} ${V:+yes}", "1 2.3 1-2-3 yes" },
		{ "${NOPE:-'q'}", "'q'" },
		{ "`$X`", "`val`" },
		{ "${", NULL, "missing" },
	};
	struct df_scope s = { .env = &env, .escape = '`' };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *out = NULL;
		struct err e;
		int r = df_expand_body(&s, rows[i].in, &out, &e);
		assert_int_equal(r, rows[i].want ? 0 : -1);
		if (!r)
			assert_string_equal(out, rows[i].want);
		free(out);
	}
}

/* Names that were not set are reported once each, for UndefinedVar. */
static void test_undefined(void **state)
{
	struct strv undefined = { 0 };
	struct df_scope s = { .env = &env, .escape = '\\', .undefined = &undefined };
	struct err e;
	char *out = NULL;
	assert_int_equal(df_expand(&s, "$X $N1 ${N2:-x} $N1 \"${N3#a}\" '$N4' \\$N5", &out, &e), 0);
	char *joined = strv_join(&undefined, " ");
	assert_string_equal(joined, "N1 N2 N3");
	free(joined);
	free(out);
	strv_fini(&undefined);
}

static char *repeated(const char *head, const char *part, size_t n, const char *tail)
{
	struct str s = { 0 };
	str_add(&s, head);
	for (size_t i = 0; i < n; i++)
		str_add(&s, part);
	str_add(&s, tail);
	return str_take(&s);
}

static enum err_kind expand_kind(const struct strv *e, const char *word)
{
	struct df_scope s = { .env = e, .escape = '\\' };
	struct err err = { 0 };
	char *out = NULL;
	if (df_expand(&s, word, &out, &err) == 0)
		free(out);
	return err.kind;
}

/* LIMIT_VALUE at limit - 1, limit, limit + 1; nesting; patterns that would take forever (T-E9). */
static void test_limits(void **state)
{
	for (size_t n = LIMIT_VALUE - 1; n <= LIMIT_VALUE + 1; n++) {
		char *word = repeated("", "x", n, "");
		assert_int_equal(expand_kind(&env, word), n <= LIMIT_VALUE ? ERR_NONE : ERR_LIMIT);
		free(word);
	}
	char *deep = repeated("", "${N:-", 100000, "");
	assert_int_equal(expand_kind(&env, deep), ERR_LIMIT);
	free(deep);

	struct strv big = { 0 };
	strv_push_taken(&big, repeated("BIG=", "a", 120000, ""));
	assert_int_equal(expand_kind(&big, "$BIG$BIG"), ERR_LIMIT);
	assert_int_equal(expand_kind(&big, "${BIG//a/bb}"), ERR_LIMIT);
	char *slow = repeated("${BIG//", "a", 30000, "b/x}");
	assert_int_equal(expand_kind(&big, slow), ERR_LIMIT);
	free(slow);
	strv_fini(&big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words), cmocka_unit_test(test_backtick), cmocka_unit_test(test_split),
		cmocka_unit_test(test_body), cmocka_unit_test(test_undefined), cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
