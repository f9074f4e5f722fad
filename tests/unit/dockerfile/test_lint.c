/* The build checks that need only the text: SEMANTICS section 16. A row's warnings are "LINE Rule", in order. */
#include "table.h"

#include "dockerfile/lint.h"

static const struct {
	const char *in, *want;
} rows[] = {
	{ "FROM x\nRUN y\n", "" },
	/* LINT-02, LINT-03 */
	{ "FROM x AS Base\n", "1 StageNameCasing" },
	{ "FROM x as base\n", "1 FromAsCasing" },
	{ "from x AS base\nrun y\n", "1 FromAsCasing" },
	{ "from x as base\nrun y\n", "" },
	{ "From x as base\nRUN y\n", "1 ConsistentInstructionCasing" },
	/* LINT-04: at the last line of the instruction */
	{ "FROM x\nRUN a \\\n\n  b\n", "4 NoEmptyContinuation" },
	{ "FROM x\nRUN a \\\n\n\n  b \\\n  c\nRUN d\n", "6 NoEmptyContinuation" },
	{ "FROM x\nRUN a \\\n# c\n  b\n", "" },
	/* LINT-05: the majority of what stands in stages; as many of each is upper case */
	{ "FROM x\nrun y\nrun z\n", "1 ConsistentInstructionCasing" },
	{ "FROM x\nrun y\n", "2 ConsistentInstructionCasing" },
	{ "FROM x\nRun y\n", "2 ConsistentInstructionCasing" },
	{ "arg A\narg B\nFROM x\n", "" },
	/* LINT-06, LINT-07 */
	{ "FROM x AS a\nFROM x AS A\nFROM x AS b\n", "2 StageNameCasing, 2 DuplicateStageName" },
	{ "FROM x AS scratch\nFROM x AS context\n", "1 ReservedStageName, 2 ReservedStageName" },
	/* LINT-08 */
	{ "FROM x\nCMD a\nENTRYPOINT b\nRUN c\nHEALTHCHECK CMD d\n", "2 JSONArgsRecommended, 3 JSONArgsRecommended" },
	{ "FROM x\nCMD [\"a\"]\n", "" },
	{ "FROM x\nSHELL [\"a\"]\nCMD a\n", "" },
	{ "FROM x\nCMD a\nSHELL [\"a\"]\n", "2 JSONArgsRecommended" },
	{ "FROM x AS a\nSHELL [\"a\"]\nFROM a AS b\nFROM b\nCMD a\nFROM x\nCMD b\n", "7 JSONArgsRecommended" },
	/* LINT-09 */
	{ "FROM x\nMAINTAINER y\n", "2 MaintainerDeprecated" },
	/* LINT-13: at those that do not count */
	{ "FROM x\nCMD [\"a\"]\nCMD [\"b\"]\nCMD [\"c\"]\n",
	  "2 MultipleInstructionsDisallowed, 3 MultipleInstructionsDisallowed" },
	{ "FROM x\nHEALTHCHECK NONE\nENTRYPOINT [\"a\"]\nENTRYPOINT [\"b\"]\nHEALTHCHECK NONE\n",
	  "2 MultipleInstructionsDisallowed, 3 MultipleInstructionsDisallowed" },
	{ "FROM x\nCMD [\"a\"]\nFROM x\nCMD [\"a\"]\n", "" },
	/* the comment of the later one decides */
	{ "FROM x\nCMD [\"a\"]\n# check=skip=MultipleInstructionsDisallowed\nCMD [\"b\"]\n", "" },
	{ "FROM x\n# check=skip=MultipleInstructionsDisallowed\nCMD [\"a\"]\nCMD [\"b\"]\n",
	  "3 MultipleInstructionsDisallowed" },
	/* LINT-14 */
	{ "FROM x\nENV a b\nLABEL a b\nENV a=b\n", "2 LegacyKeyValueFormat, 3 LegacyKeyValueFormat" },
	/* LINT-17 */
	{ "FROM x\nARG TOKEN\nENV api_key=1 A=1\nARG A=token\n", "2 SecretsUsedInArgOrEnv, 3 SecretsUsedInArgOrEnv" },
	{ "FROM x\nARG GITHUB_TOKEN PASSWORD_X=1 auth\n",
	  "2 SecretsUsedInArgOrEnv, 2 SecretsUsedInArgOrEnv, 2 SecretsUsedInArgOrEnv" },
	{ "FROM x\nARG PUBLIC_KEY KEY_FILE TOKEN_VERSION TOKENS MONKEY KEYBOARD\n", "" },
	/* LINT-19 */
	{ "FROM --platform=linux/amd64 x\n", "1 FromPlatformFlagConstDisallowed" },
	{ "FROM --platform=linux/amd64 x AS build\n", "1 FromPlatformFlagConstDisallowed" },
	{ "FROM --platform=linux/amd64 x AS build_amd64\n", "" },
	{ "FROM --platform=$BUILDPLATFORM x\nFROM --platform=linux/$A x\n", "" },
	/* LINT-21: only on request */
	{ "# other\nFROM x AS a\n", "" },
	{ "# check=experimental=all\nFROM x\n# other text\nFROM x AS a\n", "4 InvalidDefinitionDescription" },
	{ "# check=experimental=InvalidDefinitionDescription\n# other\nARG A\n# A is good\nARG B A\nFROM x\n",
	  "3 InvalidDefinitionDescription" },
	{ "# check=experimental=all\n# a is good\nFROM x AS a\n# lost\n\nARG A\n# unnamed\nFROM x\n", "" },
	/* skip is not about what was asked for */
	{ "# check=skip=all;experimental=all\nFROM x as X\n# other\nFROM x AS a\n", "4 InvalidDefinitionDescription" },
	{ "# check=experimental=all;skip=InvalidDefinitionDescription\n# other\nFROM x AS a\n",
	  "3 InvalidDefinitionDescription" },
	/* LINT-22, LINT-23 */
	{ "FROM x\nEXPOSE 80/TCP 81/tcp 82\n", "2 ExposeProtoCasing" },
	{ "FROM x\nEXPOSE 127.0.0.1:80:80 8080:80/TCP\n", "2 ExposeInvalidFormat, 2 ExposeInvalidFormat" },
	{ "FROM x\nEXPOSE $P/TCP nonsense/TCP\n", "" },
	/* LINT-19: a stage named after the variant alone is not meant for one platform */
	{ "FROM --platform=linux/arm/v7 x AS b-v7\n", "1 FromPlatformFlagConstDisallowed" },
	{ "FROM --platform=linux/arm/v7 x AS b-arm\n", "" },
	/* DIR-08 */
	{ "# check=skip=all\nFROM x as Base\n", "" },
	{ "# check=skip=FromAsCasing\nFROM x as Base\n", "2 StageNameCasing" },
	{ "# check=skip=FromAsCasing,StageNameCasing;error=true\nFROM x as Base\n", "" },
	/* the value ends at the first space */
	{ "# check=skip=FromAsCasing, StageNameCasing\nFROM x as Base\n", "2 StageNameCasing" },
	{ "# check=nonsense\nFROM x as Base\n", "" },
	{ "# check=skip=NoSuchRule\nFROM x as base\n", "2 FromAsCasing" },
	/* DIR-10 */
	{ "FROM x\n# check=skip=MaintainerDeprecated\nMAINTAINER y\nMAINTAINER z\n", "4 MaintainerDeprecated" },
	{ "FROM x\n# a note\n# Check = skip=all\n# another\nENV a b\nENV a b\n", "6 LegacyKeyValueFormat" },
	{ "FROM x\n# check=skip=LegacyKeyValueFormat, MaintainerDeprecated\nMAINTAINER y\n", "3 MaintainerDeprecated" },
	{ "FROM x\n# check=skip=StageNameCasing\n# check=skip=all\nMAINTAINER y\n", "4 MaintainerDeprecated" },
	{ "FROM x\n  # check=skip=all\nMAINTAINER y\n", "3 MaintainerDeprecated" },
	{ "FROM x\n# checked=skip=all\nMAINTAINER z\n", "3 MaintainerDeprecated" },
	{ "FROM x\n# check=nonsense\nMAINTAINER z\n", "3 MaintainerDeprecated" },
};

static char *warnings(const struct df_file *f)
{
	struct str s = { 0 };
	for (size_t i = 0; i < f->warnings.n; i++)
		str_addf(&s, "%s%d %s", i ? ", " : "", f->warnings.v[i].line, df_rule_name(f->warnings.v[i].rule));
	return str_take(&s);
}

static void test_rules(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(df_file_fini) struct df_file f;
		struct err e = { 0 };
		int r = df_parse(rows[i].in, strlen(rows[i].in), &f, &e);
		AUTO(free_drop) char *got = warnings(&f);
		row_check(wrong, !r && str_eq(got, rows[i].want), "%s  want %s\n  got  %s", rows[i].in, rows[i].want,
			r ? e.msg : got);
	}
	assert_int_equal(wrong, 0);
}

/* DIR-09: a build argument replaces the file's options. */
static void test_replaced(void **state)
{
	static const char text[] = "# check=skip=all\nFROM x as Base\n";
	AUTO(df_file_fini) struct df_file f;
	struct df_check c;
	struct err e = { 0 };
	assert_int_equal(df_parse(text, strlen(text), &f, &e), 0);
	assert_int_equal(f.warnings.n, 0);
	assert_int_equal(df_check_parse("skip=StageNameCasing;error=true", &c, &e), 0);
	assert_true(c.as_error);
	df_lint(&f, &c);
	assert_int_equal(f.warnings.n, 1);
	assert_int_equal(f.warnings.v[0].rule, DF_RULE_FROM_AS_CASING);
	assert_int_equal(df_check_parse(NULL, &c, &e), 0);
	assert_false(c.as_error);
	df_lint(&f, &c);
	assert_int_equal(f.warnings.n, 2);
	assert_true(df_check_wants(&c, NULL, DF_RULE_UNDEFINED_VAR));
	assert_false(df_check_wants(&c, NULL, DF_RULE_INVALID_DEFINITION_DESCRIPTION));
}

/* DIR-08: what the options may be; NULL when they are good. */
static void test_options(void **state)
{
	static const struct { const char *in, *error; } table[] = {
		{ "", NULL },
		{ " skip = A , B ; error = T ", NULL },
		{ "skip=A;error=true;experimental=all", NULL },
		{ "skip=A;error=true;experimental=x;more", NULL },
		{ "skip=A;experimental=x;error=true;more", "neither true nor false" },
		{ "bogus=1", "invalid check option \"bogus\"" },
		{ "skip", "must be of the form key=value" },
		{ "error=true;", "must be of the form key=value" },
		{ ";error=true", "must be of the form key=value" },
		{ "error=maybe", "neither true nor false" },
		{ "error=", "neither true nor false" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct df_check c;
		struct err e = { 0 };
		int r = df_check_parse(table[i].in, &c, &e);
		if (r != (table[i].error ? -1 : 0) || (table[i].error && !strstr(e.msg, table[i].error)))
			fail_msg("%s: got %s", table[i].in, r ? e.msg : "no error");
	}
}

static void test_names(void **state)
{
	for (int r = 0; r < DF_RULES; r++) {
		assert_non_null(df_rule_name((enum df_rule)r));
		assert_non_null(df_rule_description((enum df_rule)r));
	}
}

/* Where each warning points: "LINE:COLUMN-LINE:COLUMN", the second one behind it, and the text between. */
static void test_ranges(void **state)
{
	static const struct { const char *in, *want; } table[] = {
		{ "FROM x AS Base\n", "1:11-1:15" },
		{ "FROM x as base\n", "1:8-1:10" },
		{ "FROM x\nRUN a \\\n\n  b \n", "4:3-4:4" },
		{ "FROM x\nRUN a\n\tlabel a=b\n", "3:2-3:7" },
		{ "FROM x AS a\nFROM \\\n x AS a\n", "3:7-3:8" },
		{ "FROM x AS scratch\n", "1:11-1:18" },
		{ "FROM --platform=linux/amd64 x\n", "1:6-1:28" },
		{ "FROM x\n  CMD  a b\n", "2:3-2:6" },
		{ "FROM x\nMAINTAINER y\n", "2:1-2:11" },
		{ "FROM x\nCMD [\"a\"]\nCMD [\"b\"]\n", "2:1-2:4" },
		{ "FROM x\nENV a=\"b c\" \\\n  API_KEY=\"d e\" f=g\n", "3:3-3:16" },
		{ "FROM x\nENV A=1 \\\n  TOKEN=a\\ b\n", "3:3-3:13" },
		{ "FROM x\nARG X TOKEN\n", "2:7-2:12" },
		{ "FROM x\nLABEL a b\n", "2:1-2:6" },
		{ "FROM x\nEXPOSE 80 \\\n\t81/TCP\n", "3:2-3:8" },
		{ "# check=experimental=all\n# other\nARG A=\\\n 1 \nFROM x\n", "3:1-4:3" },
	};
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		AUTO(df_file_fini) struct df_file f;
		struct err e = { 0 };
		char got[64] = "";
		int r = df_parse(table[i].in, strlen(table[i].in), &f, &e);
		if (r == 0 && f.warnings.n == 1) {
			const struct df_warning *w = &f.warnings.v[0];
			struct df_range at = df_range(&f, w->line, w->line_end, w->at);
			snprintf(got, sizeof got, "%d:%d-%d:%d", at.from.line, at.from.col, at.to.line, at.to.col);
		}
		row_check(wrong, str_eq(got, table[i].want), "%s  want %s\n  got  %s", table[i].in, table[i].want, got);
	}
	assert_int_equal(wrong, 0);
}

static void test_find_variable(void **state)
{
	static const struct { const char *name; int line, col; } table[] = {
		{ "A", 2, 11 }, { "AB", 2, 7 }, { "C", 3, 3 }, { "D", 0, 0 }, { "", 0, 0 },
	};
	AUTO(df_file_fini) struct df_file f;
	struct err e = { 0 };
	const char *text = "FROM $D\nENV x=$AB-$A \\\n  ${C:-\"1 2\"}=3\n";
	struct df_range r;
	(void)state;
	assert_int_equal(df_parse(text, strlen(text), &f, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct df_pos at = df_find_variable(&f, 2, 9, table[i].name);
		assert_int_equal(at.line, table[i].line);
		assert_int_equal(at.col, table[i].col);
	}
	r = df_range(&f, 2, 3, df_find_variable(&f, 2, 3, "AB"));
	assert_int_equal(r.to.col, 10);
	r = df_range(&f, 2, 3, df_find_variable(&f, 2, 3, "C"));
	assert_int_equal(r.to.col, 14);
	/* what the file does not have */
	assert_int_equal(df_range(&f, 9, 9, (struct df_pos){ 0 }).from.line, 0);
	assert_int_equal(df_range(&f, 0, 0, (struct df_pos){ 7, 1 }).from.line, 0);
	assert_int_equal(df_range(&f, 1, 1, (struct df_pos){ 1, 99 }).from.col, 1);
	assert_int_equal(df_range(&f, 2, 99, (struct df_pos){ 0 }).to.line, 3);
}

/* Rules that do not exist are named, each with its place and what was perhaps meant. */
static void test_hints(void **state)
{
	static const struct { const char *in, *argument, *want; } table[] = {
		{ "# check=skip=all\nFROM x\n", NULL, "" },
		{ "# check=skip=StageNameCasng,MaintainerDeprecated,Weird;experimental=copyignoredfile\nFROM x\n", NULL,
		  "D:1: no check rule has the name \"StageNameCasng\"; did you mean StageNameCasing?\n"
		  "D:1: no check rule has the name \"Weird\"\n"
		  "D:1: no check rule has the name \"copyignoredfile\"; did you mean CopyIgnoredFile?" },
		{ "FROM x\n# check=skip=UndefinedVars\n# check=skip=Other\nRUN y\n", NULL,
		  "D:2: no check rule has the name \"UndefinedVars\"; did you mean UndefinedVar?" },
		{ "# check=skip=Other\nFROM x\n", "skip=ExposeCasing\x1b",
		  "--build-arg BUILDKIT_DOCKERFILE_CHECK: no check rule has the name \"ExposeCasing\\x1b\"" },
		{ "# check=skip=Other\nFROM x\n", "", "" },
	};
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		AUTO(df_file_fini) struct df_file f;
		AUTO(strv_fini) struct strv hints = { 0 };
		struct err e = { 0 };
		assert_int_equal(df_parse(table[i].in, strlen(table[i].in), &f, &e), 0);
		df_check_hints(&f, "D", table[i].argument, &hints);
		AUTO(free_drop) char *got = strv_join(&hints, "\n");
		row_check(wrong, str_eq(got, table[i].want), "%s  want %s\n  got  %s", table[i].in, table[i].want, got);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules), cmocka_unit_test(test_replaced), cmocka_unit_test(test_options),
		cmocka_unit_test(test_names), cmocka_unit_test(test_ranges), cmocka_unit_test(test_find_variable),
		cmocka_unit_test(test_hints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
