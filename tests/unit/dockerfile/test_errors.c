/* Dockerfiles that must be refused: where, and with which words. `last` 0: the same line. */
#include "table.h"

#include "base/limits.h"

static const struct {
	const char *in;
	int line, last;
	const char *words;
} rows[] = {
	/* the file as a whole: LEX-03, LEX-13 */
	{ "", 0, 0, "is empty" },
	{ "\n\n", 2, 0, "no instructions" },
	{ "# only\n# comments\n", 2, 0, "no instructions" },
	{ "ARG A=1\n", 1, 0, "no build stage" },
	{ "ARG A=1\nENV B=2\nFROM x\n", 2, 0, "only ARG may stand before the first FROM, not ENV" },
	{ "RUN x", 1, 0, "no build stage" },
	/* directives: DIR-01, DIR-07, DIR-08 */
	{ "# escape=`\n# escape=`\nFROM x", 2, 0, "only one escape parser directive" },
	{ "# syntax=a\n# SYNTAX=b\nFROM x", 2, 0, "only one syntax parser directive" },
	{ "# escape=x\nFROM x", 1, 0, "\"x\" is neither a backslash nor a backtick" },
	{ "# escape=\\\\\nFROM x", 1, 0, "neither a backslash nor a backtick" },
	{ "# escape= \nFROM x", 1, 0, "neither a backslash nor a backtick" },
	/* instruction words: LEX-12 */
	{ "FROM x\n\nCOPPY a b\n", 3, 0, "unknown instruction: COPPY; did you mean COPY?" },
	{ "frm x", 1, 0, "unknown instruction: frm; did you mean from?" },
	{ "FROM x\n\xef\xbb\xbfRUN a", 2, 0, "unknown instruction" }, /* LEX-01: of the first line alone */
	{ "FROM x\nXYZZYX a", 2, 0, "unknown instruction: XYZZYX" },
	{ "FROM x\nRUN a \\\n  b\n  c", 4, 0, "unknown instruction: c" },
	{ "FROM x\nRUN a \\\\\n b", 3, 0, "unknown instruction: b" },
	/* DIR-04: for a frontend of another language, which this program is not */
	{ "// syntax=docker/dockerfile:1\nFROM x", 1, 0, "unknown instruction: //" },
	{ "{\"syntax\": \"docker/dockerfile:1\"}", 1, 0, "unknown instruction: {\"syntax\":" },
	{ "FROM x\n\\\n", 2, 0, "unknown instruction: " },
	{ "FROM x\nCMD <<EOF\necho hi\nEOF", 3, 0, "unknown instruction: echo" },
	/* FROM: FROM-01, FROM-02 */
	{ "FROM", 1, 0, "either one or three arguments" },
	{ "FROM x\nRUN y\nFROM", 3, 0, "either one or three arguments" },
	{ "FROM x AS", 1, 0, "either one or three arguments" },
	{ "FROM x IS y", 1, 0, "either one or three arguments" },
	{ "FROM x AS a b", 1, 0, "either one or three arguments" },
	{ "FROM x AS 1a", 1, 0, "invalid name for build stage: \"1a\"" },
	{ "FROM x AS a/b", 1, 0, "invalid name for build stage: \"a/b\"" },
	{ "FROM x AS _a", 1, 0, "invalid name for build stage" },
	{ "FROM --platfrom=a x", 1, 0, "unknown flag: --platfrom; did you mean --platform?" },
	{ "FROM --platform x", 1, 0, "missing a value on flag: --platform" },
	/* flags: FLG-02, FLG-04, FLG-05, FLG-06, EXP-08 */
	{ "FROM x\nCOPY --chown=1 --chown=2 f /g", 2, 0, "duplicate flag specified: --chown" },
	{ "FROM x\nCOPY --chown f /g", 2, 0, "missing a value on flag: --chown" },
	{ "FROM x\nCOPY --link= f /g", 2, 0, "missing a value on flag: --link" },
	{ "FROM x\nCOPY --link=yes f /g", 2, 0, "expecting boolean value for flag --link, not: yes" },
	{ "FROM x\nCOPY --keep-git-dir f /x", 2, 0, "unknown flag: --keep-git-dir" },
	{ "FROM x\nADD --from=y f /x", 2, 0, "unknown flag: --from" },
	{ "FROM x\nADD --parents f /x", 2, 0, "unknown flag: --parents" },
	{ "FROM x\nCOPY --Chown=1 f /x", 2, 0, "unknown flag: --Chown; did you mean --chown?" },
	{ "FROM x\nCMD --foo", 2, 0, "unknown flag: --foo; CMD takes no flags" },
	{ "FROM x\nENTRYPOINT --x y", 2, 0, "unknown flag: --x" },
	{ "FROM x\nENV --x A=1", 2, 0, "unknown flag: --x" },
	{ "FROM x\nEXPOSE --x 80", 2, 0, "unknown flag: --x" },
	{ "FROM x\nONBUILD --x RUN y", 2, 0, "unknown flag: --x" },
	{ "FROM x\nRUN --mounts=a b", 2, 0, "unknown flag: --mounts; did you mean --mount?" },
	{ "FROM x\nRUN --network=bridge b", 2, 0, "invalid network mode \"bridge\"" },
	{ "FROM x\nRUN --network=hots b", 2, 0, "did you mean host?" },
	{ "FROM x\nRUN --device=a,b c", 2, 0, "--device=a,b: invalid field 'b' must be a key=value pair" },
	{ "FROM x\nRUN --security=none b", 2, 0, "invalid security mode \"none\"" },
	{ "FROM x\nRUN --mount=type=bind,from=$a b", 2, 0, "'from' doesn't support variable expansion" },
	{ "FROM x\nRUN --mount=\\\"a b", 2, 0, "not closed" },
	{ "FROM x\nCOPY --from=$a b c", 2, 0, "variables are not expanded here" },
	/* arguments: ARGF-04, ARGF-06, ARGF-08 */
	{ "FROM x\nCMD [\"a\", 1]", 2, 0, "strings only; element 2" },
	{ "FROM x\nRUN [null]", 2, 0, "strings only; element 1" },
	{ "FROM x\nRUN [[\"a\"]]", 2, 0, "strings only" },
	{ "FROM x\nCOPY [\"f\", 1]", 2, 0, "strings only" },
	{ "FROM x\nONBUILD COPY [\"f\", 1]", 2, 0, "strings only" },
	{ "FROM x\nENV", 2, 0, "ENV requires at least one argument" },
	{ "FROM x\nLABEL", 2, 0, "LABEL requires at least one argument" },
	{ "FROM x\nARG", 2, 0, "ARG requires at least one argument" },
	{ "FROM x\nEXPOSE", 2, 0, "EXPOSE requires at least one argument" },
	{ "FROM x\nVOLUME", 2, 0, "VOLUME requires at least one argument" },
	{ "FROM x\nVOLUME []", 2, 0, "VOLUME requires at least one argument" },
	{ "FROM x\nVOLUME [\"/a\", \" \"]", 2, 0, "VOLUME specified can not be an empty string" },
	{ "FROM x\nONBUILD", 2, 0, "ONBUILD requires at least one argument" },
	{ "FROM x\nHEALTHCHECK", 2, 0, "HEALTHCHECK requires at least one argument" },
	{ "FROM x\nSHELL", 2, 0, "SHELL requires at least one argument" },
	{ "FROM x\nSHELL []", 2, 0, "SHELL requires at least one argument" },
	{ "FROM x\nSHELL /bin/sh -c", 2, 0, "SHELL requires the arguments to be in JSON form" },
	{ "FROM x\nWORKDIR", 2, 0, "WORKDIR requires exactly one argument" },
	{ "FROM x\nUSER", 2, 0, "USER requires exactly one argument" },
	{ "FROM x\nSTOPSIGNAL", 2, 0, "STOPSIGNAL requires exactly one argument" },
	{ "FROM x\nMAINTAINER", 2, 0, "MAINTAINER requires exactly one argument" },
	{ "FROM x\nENV A", 2, 0, "ENV must have two arguments" },
	{ "FROM x\nENV A=1 \\\n  B", 2, 3, "can't find = in \"B\"" },
	{ "FROM x\nENV A=${X:?a b}", 2, 0, "can't find = in \"b}\"" },
	{ "FROM x\nENV =1", 2, 0, "ENV names can not be blank" },
	{ "FROM x\nARG =1", 2, 0, "ARG names can not be blank" },
	{ "FROM x\nLABEL a=1 =2", 2, 0, "LABEL names can not be blank" },
	{ "FROM x\nONBUILD ENV A", 2, 0, "ENV must have two arguments" },
	/* COPY and ADD: CP-01 */
	{ "FROM x\nADD f", 2, 0, "destination; only one was given" },
	{ "FROM x\nCOPY", 2, 0, "destination; none was given" },
	{ "FROM x\nCOPY [\"f\"]", 2, 0, "at least two arguments" },
	/* heredocs: HERE-01, HERE-05 */
	{ "FROM x\nCOPY f <<EOF\nx\nEOF\n", 2, 4, "cannot accept a heredoc as a destination" },
	{ "FROM x\nCOPY [\"f\", \"<<EOF\"]", 2, 0, "cannot accept a heredoc as a destination" },
	{ "FROM x\nRUN <<EOF\nx\n EOF\n", 2, 4, "unterminated heredoc" },
	{ "FROM x\nRUN <<A <<B\n1\nA\n2\nA\n", 2, 6, "unterminated heredoc: no line is \"B\"" },
	{ "FROM x\nRUN <<EOF", 2, 0, "unterminated heredoc" },
	{ "FROM x\nRUN <<EOF\ntrue\n\n\nEOF\nCOPY <<A <<B /d/\na\nA\nb\nB\nNOPE x", 12, 0, "NOPE" },
	/* HEALTHCHECK: CFG-09 */
	{ "FROM x\nHEALTHCHECK NONE x", 2, 0, "HEALTHCHECK NONE takes no arguments" },
	{ "FROM x\nHEALTHCHECK EXEC true", 2, 0, "unknown type \"EXEC\"" },
	{ "FROM x\nHEALTHCHECK CMD", 2, 0, "missing command after HEALTHCHECK CMD" },
	{ "FROM x\nHEALTHCHECK CMD []", 2, 0, "missing command after HEALTHCHECK CMD" },
	{ "FROM x\nHEALTHCHECK --timeout=1us CMD true", 2, 0, "--timeout=1us cannot be less than 1ms" },
	{ "FROM x\nHEALTHCHECK --interval=-1s CMD true", 2, 0, "cannot be less than 1ms" },
	{ "FROM x\nHEALTHCHECK --interval=5 CMD true", 2, 0, "--interval: \"5\" is not a duration" },
	{ "FROM x\nHEALTHCHECK --retries=-1 CMD true", 2, 0, "--retries cannot be negative (-1)" },
	{ "FROM x\nHEALTHCHECK --retries=many CMD true", 2, 0, "--retries=many is not a number" },
	{ "FROM x\nHEALTHCHECK --retry=1 CMD true", 2, 0, "unknown flag: --retry" },
	/* ONBUILD: CFG-11 */
	{ "FROM x\nONBUILD FROM scratch", 2, 0, "FROM isn't allowed as an ONBUILD trigger" },
	{ "FROM x\nONBUILD maintainer me", 2, 0, "MAINTAINER isn't allowed as an ONBUILD trigger" },
	{ "FROM x\nONBUILD ONBUILD RUN y", 2, 0, "ONBUILD ONBUILD is not allowed" },
	{ "FROM x\nONBUILD RUN <<E\na", 2, 3, "unterminated heredoc" },
};

static void check(int *wrong, const char *in, size_t n, int line, int last, const char *words, enum err_kind kind)
{
	AUTO(df_file_fini) struct df_file f;
	struct err e = { 0 };
	int r = df_parse(in, n, &f, &e);
	if (!last)
		last = line;
	row_check(*wrong, r == -1 && e.kind == kind && e.line == line && e.line_end == last && strstr(e.msg, words),
		"%.60s\n  want %d-%d %s\n  got  %d-%d %s", in, line, last, words, e.line, e.line_end,
		r ? e.msg : "success");
	/* Only the lines are left, for the excerpt. */
	row_check(*wrong, !f.instructions.n && !f.stages.n && !f.warnings.n && !f.n_global, "%.60s: something is left",
		in);
}

static void test_refused(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&wrong, rows[i].in, strlen(rows[i].in), rows[i].line, rows[i].last, rows[i].words, ERR_PARSE);
	assert_int_equal(wrong, 0);
}

static void test_nul(void **state)
{
	static const char text[] = "FROM x\nRUN a\0b\n";
	int wrong = 0;
	check(&wrong, text, sizeof text - 1, 2, 2, "NUL byte", ERR_PARSE);
	assert_int_equal(wrong, 0);
}

static char *repeat(const char *head, const char *part, size_t n, size_t *ret_len)
{
	struct str s = { 0 };
	str_add(&s, head);
	for (size_t i = 0; i < n; i++)
		str_add(&s, part);
	*ret_len = s.len;
	return str_take(&s);
}

/* Each at limit - 1, limit and limit + 1; LEX-02: a line of LIMIT_LINE bytes. */
static void test_limits(void **state)
{
	static const struct {
		const char *head, *part;
		size_t limit, in_head; /* how much of what is limited stands in `head` */
		int line;              /* of the error */
		const char *words;
	} limits[] = {
		{ "FROM x\nRUN ", "a", LIMIT_LINE, 4, 2, "longer than" },
		{ "FROM x\nRUN <<E\n", "a", LIMIT_LINE, 0, 3, "longer than" },
		{ "FROM x\n", "FROM x\n", LIMIT_STAGES, 1, LIMIT_STAGES + 1, "stages" },
		{ "FROM x\n", "RUN x\n", LIMIT_INSTRUCTIONS, 1, LIMIT_INSTRUCTIONS + 1, "instructions" },
		{ "FROM x\n", "\n", LIMIT_DOCKERFILE, 7, 0, "longer than" },
	};
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		size_t limit = limits[i].limit, in_head = limits[i].in_head, len;
		const char *head = limits[i].head, *part = limits[i].part;
		for (size_t n = limit - 1; n <= limit; n++) {
			AUTO(df_file_fini) struct df_file f;
			struct err e = { 0 };
			AUTO(free_drop) char *text = repeat(head, part, n - in_head, &len);
			int r = df_parse(text, len, &f, &e);
			/* The heredoc has no end: that error shows that the line was let pass. */
			row_check(wrong, !r || e.kind == ERR_PARSE, "row %zu at %zu: %s", i, n, e.msg);
		}
		AUTO(free_drop) char *text = repeat(head, part, limit + 1 - in_head, &len);
		check(&wrong, text, len, limits[i].line, 0, limits[i].words, ERR_LIMIT);
	}
	assert_int_equal(wrong, 0);
}

static void test_heredoc_limit(void **state)
{
	for (size_t n = 999; n <= 1001; n++) {
		AUTO(df_file_fini) struct df_file f;
		AUTO(str_fini) struct str text = { 0 };
		struct err e = { 0 };
		str_add(&text, "FROM x\nRUN :");
		for (size_t i = 0; i < n; i++)
			str_addf(&text, " <<E%zu", i);
		str_addc(&text, '\n');
		for (size_t i = 0; i < n; i++)
			str_addf(&text, "E%zu\n", i);
		int r = df_parse(text.buf, text.len, &f, &e);
		assert_int_equal(r, n <= 1000 ? 0 : -1);
		assert_int_equal(e.kind, n <= 1000 ? ERR_NONE : ERR_LIMIT);
	}
}

/* A million bytes of anything must neither recurse nor take long. */
static void test_monsters(void **state)
{
	static const struct {
		const char *head, *part;
	} monsters[] = {
		{ "FROM x\n", "ONBUILD " }, { "FROM x\nRUN ", "<<A " }, { "FROM x\nENV A=", "${A:-" },
		{ "FROM x\nCOPY ", "--a " },
		{ "FROM x\nRUN [", "[" }, { "FROM x\nRUN ", "\\\n" }, { "FROM x\nRUN \\\n", "#\n" }, { "", "# a\n" },
		{ "FROM x\nENV", " A=\\\n" }, { "FROM x\nRUN ", "--mount=a\\\n " }, { "FROM x\nEXPOSE ", "1 \\\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(monsters); i++) {
		AUTO(df_file_fini) struct df_file f;
		struct err e = { 0 };
		size_t len, n = LIMIT_DOCKERFILE / strlen(monsters[i].part) - 8;
		AUTO(free_drop) char *text = repeat(monsters[i].head, monsters[i].part, n, &len);
		df_parse(text, len, &f, &e);
	}
}

static void test_excerpt(void **state)
{
	AUTO(df_file_fini) struct df_file f;
	struct err e = { 0 };
	const char *text = "FROM a\n\nRUN x \\\n\t\x1b[31my\nNOPE\nCMD z\nLABEL a=b\n";
	assert_int_equal(df_parse(text, strlen(text), &f, &e), -1);
	AUTO(free_drop) char *middle = df_excerpt(&f, "a\nb", 3, 4);
	assert_string_equal(middle, "a\\x0ab:3\n--------------------\n"
		"   1 |     FROM a\n   2 |     \n   3 | >>> RUN x \\\n"
		"   4 | >>> \t\\x1b[31my\n   5 |     NOPE\n   6 |     CMD z\n--------------------\n");
	AUTO(free_drop) char *first = df_excerpt(&f, "Dockerfile", 1, 0);
	assert_string_equal(first, "Dockerfile:1\n--------------------\n"
		"   1 | >>> FROM a\n   2 |     \n   3 |     RUN x \\\n--------------------\n");
	AUTO(free_drop) char *beyond = df_excerpt(&f, "Dockerfile", 7, 99);
	assert_non_null(strstr(beyond, "   7 | >>> LABEL a=b\n-----"));
	assert_null(strstr(beyond, "   8 |"));
	AUTO(free_drop) char *none = df_excerpt(&f, "Dockerfile", 0, 0);
	assert_null(strstr(none, ">>>"));
}

static void test_long_excerpt(void **state)
{
	AUTO(df_file_fini) struct df_file f;
	struct err e = { 0 };
	size_t n;
	AUTO(free_drop) char *text = repeat("FROM a\nRUN <<E\n", "x\n", 2000, &n);
	assert_int_equal(df_parse(text, n, &f, &e), -1);
	AUTO(free_drop) char *shown = df_excerpt(&f, "Dockerfile", e.line, e.line_end);
	assert_true(strlen(shown) < 1000);
	assert_non_null(strstr(shown, "     | ...\n"));
	assert_non_null(strstr(shown, "2002 | >>> x\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_nul), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_heredoc_limit), cmocka_unit_test(test_monsters), cmocka_unit_test(test_excerpt), cmocka_unit_test(test_long_excerpt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
