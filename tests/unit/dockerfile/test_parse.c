/* What each instruction is made into. A row's text goes below "FROM x", so it begins at line 2. */
#include "table.h"

#include "dockerfile/flags.h"

static const struct {
	const char *in, *want;
} rows[] = {
	/* LEX-04, LEX-05, LEX-07, LEX-08, LEX-09, LEX-10, LEX-11 */
	{ "RUN a b", "2-2 RUN (a b)" },
	{ "  \trun\ta  b  ", "2-2 RUN (a  b)" },
	{ "\xc2\xa0RUN a", "2-2 RUN (a)" },
	{ "RUN\fa", "2-2 RUN (a)" },
	{ "RUN\va", "2-2 RUN (a)" },
	{ "RUN a \\\n  b", "2-3 RUN (a   b)" },
	{ "RUN a\\\nb", "2-3 RUN (ab)" },
	{ "RUN a \\ \t\nb", "2-3 RUN (a b)" },
	{ "RUN a \\\\\n#", "2-2 RUN (a \\\\)" },
	{ "RUN a \\", "2-2 RUN (a)" },
	{ "RUN a \\\n# c\n\n   # d \\\n b", "2-6 RUN (a  b)" },
	{ "RUN a # b", "2-2 RUN (a # b)" },
	{ "RUN a \\\n\\\nb", "2-4 RUN (a b)" },
	{ "\\\nRUN a", "2-3 RUN (a)" },
	{ "RUN a\r", "2-2 RUN (a)" },
	{ "RUN a \\\r\n b\r", "2-3 RUN (a  b)" },
	{ "R\\\nUN x", "2-3 RUN (x)" },
	/* LEX-06: what is no comment's continuation, between instructions and within one */
	{ "# c \\\nRUN a", "3-3 RUN (a)" },
	{ "RUN a \\\n# c \\\n b", "2-4 RUN (a  b)" },
	/* ARGF-01, ARGF-06, ARGF-07, ARGF-08 */
	{ "RUN [\"a\", \"b c\"]", "2-2 RUN json (a) (b c)" },
	{ "RUN   [ \"a\" ]  ", "2-2 RUN json (a)" },
	{ "RUN [ 'a' ]", "2-2 RUN ([ 'a' ])" },
	{ "RUN [\"a\"", "2-2 RUN ([\"a\")" },
	{ "RUN [\"a\"] x", "2-2 RUN ([\"a\"] x)" },
	{ "RUN [\"a\\tb\\u0041\"]", "2-2 RUN json (a\tbA)" },
	{ "RUN [\"C:\\dir\"]", "2-2 RUN ([\"C:\\dir\"])" },
	{ "RUN [\"\xff\"]", "2-2 RUN json (\xef\xbf\xbd)" },
	{ "RUN [\"a\",]", "2-2 RUN ([\"a\",])" },
	{ "RUN [ -f x ] || y", "2-2 RUN ([ -f x ] || y)" },
	{ "RUN", "2-2 RUN ()" },
	{ "CMD", "2-2 CMD ()" },
	{ "CMD []", "2-2 CMD json" },
	{ "ENTRYPOINT []", "2-2 ENTRYPOINT json" },
	{ "ENTRYPOINT e2   $X", "2-2 ENTRYPOINT (e2   $X)" },
	{ "SHELL [\"/bin/sh\", \"-c\"]", "2-2 SHELL json (/bin/sh) (-c)" },
	/* ARGF-02, ARGF-03 */
	{ "COPY a b\t c", "2-2 COPY (a) (b) (c)" },
	{ "COPY [\"a b\", \"/x/\"]", "2-2 COPY json (a b) (/x/)" },
	{ "ADD 'a b' c", "2-2 ADD ('a) (b') (c)" },
	{ "VOLUME /a  /b", "2-2 VOLUME (/a) (/b)" },
	{ "VOLUME [\"/c\", \" d e \"]", "2-2 VOLUME json (/c) (d e)" },
	{ "EXPOSE 80 443/tcp 53/UDP 5", "2-2 EXPOSE (443/tcp) (5) (53/UDP) (80)" },
	{ "ARG A B=1 C=\"a b\" D=", "2-2 ARG {A} {B}={1} {C}={\"a b\"} {D}={}" },
	{ "ARG A=b\\ c D='x y'z", "2-2 ARG {A}={b\\ c} {D}={'x y'z}" },
	{ "ARG --x A", "2-2 ARG --x {A}" },
	/* ARGF-04 */
	{ "ENV A=1 B=\"two words\" C=three\\ words", "2-2 ENV {A}={1} {B}={\"two words\"} {C}={three\\ words}" },
	{ "ENV A b  c=d ", "2-2 ENV {A}={b  c=d}" },
	{ "ENV A=b=c URL=http://h/?a=b&c=d", "2-2 ENV {A}={b=c} {URL}={http://h/?a=b&c=d}" },
	{ "ENV A= B=''", "2-2 ENV {A}={} {B}={''}" },
	{ "ENV A=x\\", "2-2 ENV {A}={x}" },
	{ "ENV A=\"b", "2-2 ENV {A}={\"b}" },
	{ "LABEL \"a b\"=\"x y\" 'c'=d", "2-2 LABEL {\"a b\"}={\"x y\"} {'c'}={d}" },
	{ "LABEL a some words", "2-2 LABEL {a}={some words}" },
	{ "LABEL json='{\"a\": [1, 2]}' eq=a=b", "2-2 LABEL {json}={'{\"a\": [1, 2]}'} {eq}={a=b}" },
	{ "LABEL multi=\"line one \\\n    line two\" empty=",
	"2-3 LABEL {multi}={\"line one     line two\"} {empty}={}" },
	{ "ENV A='it'\"'\"'s' B=1", "2-2 ENV {A}={'it'\"'\"'s'} {B}={1}" },
	{ "ENV A=\"a\\\"b c\" B='\\' C=1", "2-2 ENV {A}={\"a\\\"b c\"} {B}={'\\'} {C}={1}" },
	/* ARGF-05 */
	{ "WORKDIR /a b  c ", "2-2 WORKDIR (/a b  c)" },
	{ "USER  app:www", "2-2 USER (app:www)" },
	{ "STOPSIGNAL 9", "2-2 STOPSIGNAL (9)" },
	{ "STOPSIGNAL --x 9", "2-2 STOPSIGNAL --x (9)" },
	{ "MAINTAINER A <a@b>", "2-2 MAINTAINER (A <a@b>)" },
	{ "WORKDIR [\"/x\"]", "2-2 WORKDIR ([\"/x\"])" },
	/* FLG-01, FLG-02, FLG-03, FLG-04, FLG-05 */
	{ "COPY --from=a --chown=1:2 x y", "2-2 COPY --from=a --chown=1:2 (x) (y)" },
	{ "COPY --link x y", "2-2 COPY --link (x) (y)" },
	{ "COPY --link=FALSE --parents=true x y", "2-2 COPY --link=FALSE --parents=true (x) (y)" },
	{ "COPY --chmod=600 -- --odd y", "2-2 COPY --chmod=600 (--odd) (y)" },
	{ "COPY --chown=\"a b\":c x y", "2-2 COPY --chown=a b:c (x) (y)" },
	{ "COPY --ex'clude'=\\*.md --exclude=b x y", "2-2 COPY --exclude=*.md --exclude=b (x) (y)" },
	{ "COPY --chown= --from= --exclude= x y", "2-2 COPY --exclude= (x) (y)" },
	{ "HEALTHCHECK --interval= --retries= CMD x", "2-2 HEALTHCHECK --interval= --retries= (x)" },
	{ "COPY -x y", "2-2 COPY (-x) (y)" },
	{ "RUN -- --x", "2-2 RUN (--x)" },
	{ "RUN --", "2-2 RUN ()" },
	{ "RUN echo --mount=x", "2-2 RUN (echo --mount=x)" },
	{ "RUN --mount=type=tmpfs,\\\"target=/a,b\\\" x", "2-2 RUN --mount=type=tmpfs,\"target=/a,b\" (x)" },
	{ "RUN --mount=target=/a \\\n  --mount=target=/b \\\n  x", "2-4 RUN --mount=target=/a --mount=target=/b (x)" },
	{ "RUN --network=none --security=insecure [\"a\"]", "2-2 RUN json --network=none --security=insecure (a)" },
	{ "RUN --device=vendor.com/d=x,required --device=b x", "2-2 RUN --device=vendor.com/d=x,required --device=b (x)" },
	{ "ADD --unpack=false --keep-git-dir --checksum=sha256:0 a b",
	  "2-2 ADD --unpack=false --keep-git-dir --checksum=sha256:0 (a) (b)" },
	/* CFG-09 */
	{ "HEALTHCHECK NONE", "2-2 HEALTHCHECK none" },
	{ "HEALTHCHECK --bogus none", "2-2 HEALTHCHECK none --bogus" },
	{ "HEALTHCHECK cmd a  b", "2-2 HEALTHCHECK (a  b)" },
	{ "HEALTHCHECK --interval=5s --retries=3 CMD [\"a\", \"b c\"]",
	  "2-2 HEALTHCHECK json --interval=5s --retries=3 (a) (b c)" },
	{ "HEALTHCHECK --interval=0 --timeout=1ms --start-period=1h30m --start-interval=1.5s CMD x",
	  "2-2 HEALTHCHECK --interval=0 --timeout=1ms --start-period=1h30m --start-interval=1.5s (x)" },
	/* CFG-11 */
	{ "ONBUILD RUN  echo   hi \\\n   there", "2-3 ONBUILD (RUN  echo   hi    there)" },
	{ "onbuild   Env A=b", "2-2 ONBUILD (Env A=b)" },
	{ "ONBUILD COPY [\"a b\", \"/x/\"]", "2-2 ONBUILD (COPY [\"a b\", \"/x/\"])" },
	{ "ONBUILD COPY --bogus a", "2-2 ONBUILD (COPY --bogus a)" },
	{ "ONBUILD NOPE x", "2-2 ONBUILD (NOPE x)" },
	{ "ONBUILD RUN <<EOF\necho one\nEOF", "2-4 ONBUILD (RUN <<EOF\necho one\nEOF) <<EOF[echo one\n]" },
	{ "ONBUILD COPY <<-'A' /x\n\ta\n\tA", "2-4 ONBUILD (COPY <<-'A' /x\n\ta\nA) <<A![a\n]" },
	{ "ONBUILD CMD <<A", "2-2 ONBUILD (CMD <<A)" },
	/* HERE-01, HERE-02, HERE-03, HERE-04, HERE-05, HERE-10, HERE-11 */
	{ "RUN <<EOF\na\n# b\nFROM c \\\nEOF", "2-6 RUN (<<EOF) <<EOF[a\n# b\nFROM c \\\n]" },
	{ "RUN << EOF\na\nEOF", "2-4 RUN (<< EOF) <<EOF[a\n]" },
	{ "RUN <<E\nE", "2-3 RUN (<<E) <<E[]" },
	{ "RUN cat <<A \\\n  > /out\nbody\nA", "2-5 RUN (cat <<A   > /out) <<A[body\n]" },
	{ "RUN cat <<A && cat <<B\n1\nA\n2\nB", "2-6 RUN (cat <<A && cat <<B) <<A[1\n] <<B[2\n]" },
	{ "RUN x 3<<E\na\nE", "2-4 RUN (x 3<<E) fd<<E[a\n]" },
	{ "RUN <<-E\n\t\ta\n\t b\n\tE", "2-5 RUN (<<-E) <<E[a\n b\n]" },
	{ "RUN <<'E'\n$a\nE", "2-4 RUN (<<'E') <<E![$a\n]" },
	{ "RUN <<\"E F\"\n$a\nE F", "2-4 RUN (<<\"E F\") <<E F![$a\n]" },
	{ "RUN <<E\\'F\n$a\nE'F", "2-4 RUN (<<E\\'F) <<E'F[$a\n]" },
	{ "RUN <<$E\na\n$E", "2-4 RUN (<<$E) <<$E[a\n]" },
	{ "RUN <<E\r\na\r\nE\r", "2-4 RUN (<<E) <<E[a\r\n]" },
	{ "RUN a <<<b", "2-2 RUN (a <<<b)" },
	{ "RUN echo \"<<A\" '<<B' \\<<C", "2-2 RUN (echo \"<<A\" '<<B' \\<<C)" },
	{ "RUN echo $((1<<2))", "2-2 RUN (echo $((1<<2)))" },
	{ "RUN a<<EOF", "2-2 RUN (a<<EOF)" },
	{ "RUN it's <<EOF", "2-2 RUN (it's <<EOF)" },
	{ "RUN ${a[0]} <<EOF", "2-2 RUN (${a[0]} <<EOF)" },
	{ "RUN <<\"\"", "2-2 RUN (<<\"\")" },
	{ "RUN [\"a\", \"<<EOF\"]", "2-2 RUN json (a) (<<EOF)" },
	{ "CMD <<EOF", "2-2 CMD (<<EOF)" },
	{ "COPY <<a.txt <<-\"b\" c /d/\n1\na.txt\n\t2\n\tb",
	"2-6 COPY (<<a.txt) (<<b) (c) (/d/) <<a.txt[1\n] <<b![2\n]" },
	{ "ADD --chmod=751 5<<x /y\nz\nx", "2-4 ADD --chmod=751 (<<x) (/y) fd<<x[z\n]" },
	{ "COPY \"<<A\" /x", "2-2 COPY (\"<<A\") (/x)" },
	{ "COPY it's <<A /x", "2-2 COPY (it's) (<<A) (/x) <<A[]" },
	{ "COPY [\"<<A\", \"/x\"]", "2-2 COPY json (<<A) (/x) <<A[]" },
};

static void test_instructions(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(free_drop) char *text = x_asprintf("FROM x\n%s\n", rows[i].in);
		AUTO(str_fini) struct str got = { 0 };
		AUTO(df_file_fini) struct df_file f;
		struct err e = { 0 };
		if (df_parse(text, strlen(text), &f, &e))
			str_addf(&got, "line %d: %s", e.line, e.msg);
		else
			describe(&got, &f.instructions.v[1]);
		row_check(wrong, str_eq(str_text(&got), rows[i].want), "%s\n  want %s\n  got  %s", rows[i].in,
			rows[i].want, str_text(&got));
	}
	assert_int_equal(wrong, 0);
}

static void parse(const char *text, struct df_file *f)
{
	struct err e = { 0 };
	if (df_parse(text, strlen(text), f, &e))
		fail_msg("%s: line %d: %s", text, e.line, e.msg);
}

/* FROM-01, FROM-02, ARG-02: stages and global ARGs. */
static void test_stages(void **state)
{
	AUTO(df_file_fini) struct df_file f;
	parse("ARG A=1\nARG B\nFROM $A as Build\nRUN a\nRUN b\nFROM --platform=linux/arm64 x\n"
		"FROM build AS z.2_-\nCMD c\n", &f);
	assert_int_equal(f.n_global, 2);
	assert_int_equal(f.stages.n, 3);
	assert_string_equal(f.stages.v[0].name, "build");
	assert_int_equal(f.stages.v[0].from, 2);
	assert_int_equal(f.stages.v[0].first, 3);
	assert_int_equal(f.stages.v[0].end, 5);
	assert_null(f.stages.v[1].name);
	assert_int_equal(f.stages.v[1].first, f.stages.v[1].end);
	assert_int_equal(f.stages.v[2].end, 8);
	assert_string_equal(f.instructions.v[2].image, "$A");
	assert_string_equal(f.instructions.v[2].stage_name_written, "Build");
	assert_string_equal(f.instructions.v[2].as_word, "as");
	assert_string_equal(df_flag_get(&f.instructions.v[5], "platform"), "linux/arm64");
	assert_null(df_flag_get(&f.instructions.v[6], "platform"));
	assert_null(f.instructions.v[5].as_word);
}

/* DIR-01, DIR-02, DIR-04, DIR-05, DIR-08, LEX-01 */
static void test_directives(void **state)
{
	static const struct {
		const char *in;
		char escape;
		const char *syntax, *check;
	} files[] = {
		{ "FROM x", '\\' },
		{ "# escape=`\nFROM x", '`' },
		{ "#\tEsCaPe  =  `  \nFROM x", '`' },
		{ "\xef\xbb\xbf# escape=`\nFROM x", '`' },
		{ "  # escape=`\nFROM x", '`' },
		{ "# escape=\\\r\nFROM x", '\\' },
		{ "\n# escape=`\nFROM x", '\\' },
		{ "# hi\n# escape=`\nFROM x", '\\' },
		{ "# unknown=1\n# escape=`\nFROM x", '\\' },
		{ "#!/usr/bin/env x\n# escape=`\nFROM x", '\\' },
		{ "FROM x\n# escape=`", '\\' },
		{ "# syntax=docker/dockerfile:1 a b\n# escape=`\nFROM x", '`', "docker/dockerfile:1 a b" },
		{ "#!/usr/bin/env x\n# syntax=a\nFROM x", '\\', "a" },
		{ " # syntax=a\nFROM x", '\\', NULL },
		{ "# escape=`\n# Syntax = a\n# check=skip=all\nFROM x", '`', "a", "skip=all" },
		{ "# check = skip=A,B;error=false\nFROM x", '\\', NULL, "skip=A,B;error=false" },
		{ "# syntax=\nFROM x", '\\', NULL },
		{ "# 1escape=`\nFROM x", '\\', NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		AUTO(df_file_fini) struct df_file f;
		parse(files[i].in, &f);
		bool same = f.escape == files[i].escape && str_eq(f.syntax, files[i].syntax);
		if (!same || !str_eq(f.check, files[i].check))
			fail_msg("%s: %c %s %s", files[i].in, f.escape, f.syntax ? f.syntax : "-",
				f.check ? f.check : "-");
	}
}

/* DIR-07: the backtick takes the backslash's place, except inside heredocs and flags. */
static void test_backtick(void **state)
{
	AUTO(df_file_fini) struct df_file f;
	AUTO(str_fini) struct str got = { 0 };
	parse("# escape=`\nFROM x\nENV A=C:\\dir\\ `\n    B=\"q`\"q\"\nRUN a\\\nRUN <<E\na`\nE\n"
		"COPY --exclude=\\*.x a b\n", &f);
	for (size_t i = 1; i < f.instructions.n; i++) {
		describe(&got, &f.instructions.v[i]);
		str_addc(&got, '\n');
	}
	assert_string_equal(str_text(&got), "3-4 ENV {A}={C:\\dir\\} {B}={\"q`\"q\"}\n5-5 RUN (a\\)\n"
		"6-8 RUN (<<E) <<E[a`\n]\n9-9 COPY --exclude=*.x (a) (b)\n");
}

/* Comments directly above an instruction belong to it (DIR-10, DIR-11). */
static void test_comments(void **state)
{
	AUTO(df_file_fini) struct df_file f;
	parse("# escape=\\\n# a\nFROM x\n# lost\n\n  # b \n# c\nRUN \\\n# inside\n x\n# gone\n#\n# d\nCMD y\n", &f);
	assert_int_equal(f.instructions.v[0].comments.n, 1);
	assert_string_equal(f.instructions.v[0].comments.v[0].text, "a");
	assert_int_equal(f.instructions.v[0].comments.v[0].line, 2);
	assert_int_equal(f.instructions.v[1].comments.n, 2);
	assert_string_equal(f.instructions.v[1].comments.v[0].text, "# b");
	assert_string_equal(f.instructions.v[1].comments.v[1].text, "c");
	assert_int_equal(f.instructions.v[2].comments.n, 1);
	assert_string_equal(f.instructions.v[2].comments.v[0].text, "d");
}

/* HERE-08, HERE-10: RUN must tell a script from a command line, and give the shell back what was written. */
static void test_heredoc_find(void **state)
{
	AUTO(df_file_fini) struct df_file f;
	parse("FROM x\nRUN 0<<-'E F'\n\ta\n\tE F\nRUN cat <<A\n1\nA\nCOPY <<A <<\"B\" c /d\n1\nA\n2\nB\n", &f);
	const struct df_instruction *in = f.instructions.v, *script = in + 1, *line = in + 2, *copy = in + 3;
	const struct df_heredoc *h = df_heredoc_find(script, script->args.v[0]);
	assert_ptr_equal(h, &script->heredocs.v[0]);
	assert_int_equal(h->fd, 0);
	assert_true(h->strip_tabs);
	assert_string_equal(h->raw, "\ta\n");
	assert_string_equal(h->body, "a\n");
	assert_int_equal(h->body_len, 2);
	assert_string_equal(script->text, "RUN 0<<-'E F'\n\ta\nE F");
	assert_null(df_heredoc_find(line, line->args.v[0]));
	assert_string_equal(line->text, "RUN cat <<A\n1\nA");
	assert_ptr_equal(df_heredoc_find(copy, copy->args.v[0]), &copy->heredocs.v[0]);
	assert_ptr_equal(df_heredoc_find(copy, copy->args.v[1]), &copy->heredocs.v[1]);
	assert_null(df_heredoc_find(copy, "c"));
	assert_null(df_heredoc_find(copy, "<<C"));
}

static void test_flags(void **state)
{
	AUTO(df_file_fini) struct df_file f;
	parse("FROM x\nCOPY --link --parents=False --chown=a x y\n", &f);
	const struct df_instruction *in = &f.instructions.v[1];
	assert_string_equal(df_flag_get(in, "link"), "");
	assert_string_equal(df_flag_get(in, "chown"), "a");
	assert_null(df_flag_get(in, "chmod"));
	assert_true(df_flag_bool(in, "link"));
	assert_false(df_flag_bool(in, "parents"));
	assert_false(df_flag_bool(in, "nothing"));
}

/* CFG-11: what fires is parsed with the backslash as escape; what may not be a trigger is refused then, too. */
static void test_trigger(void **state)
{
	static const struct {
		const char *in, *want;
	} triggers[] = {
		{ "COPY . ctx/", "1-1 COPY (.) (ctx/)" },
		{ "RUN  echo   hi    there", "1-1 RUN (echo   hi    there)" },
		{ "RUN <<EOF\necho one > /t\nEOF", "1-3 RUN (<<EOF) <<EOF[echo one > /t\n]" },
		{ "COPY --from=assets /a /b", "1-1 COPY --from=assets (/a) (/b)" },
		{ "env A=b", "1-1 ENV {A}={b}" },
		{ "# c\nUSER app", "2-2 USER (app)" },
		{ "FROM scratch", "FROM isn't allowed" },
		{ "ONBUILD RUN x", "ONBUILD isn't allowed" },
		{ "MAINTAINER x", "MAINTAINER isn't allowed" },
		{ "RUN a\nRUN b", "exactly one instruction" },
		{ "", "exactly one instruction" },
		{ "# only", "exactly one instruction" },
		{ "NOPE", "unknown instruction" },
		{ "COPY a", "at least two arguments" },
		{ "RUN <<E\na", "unterminated heredoc" },
	};
	for (size_t i = 0; i < ARRAY_LEN(triggers); i++) {
		AUTO(arena_fini) struct arena arena = { 0 };
		AUTO(str_fini) struct str got = { 0 };
		struct df_instruction in;
		struct err e = { 0 };
		if (df_parse_trigger(triggers[i].in, &arena, &in, &e)) {
			assert_int_equal(e.line, 0);
			assert_non_null(strstr(e.msg, "ONBUILD trigger"));
			if (!strstr(e.msg, triggers[i].want))
				fail_msg("%s: %s", triggers[i].in, e.msg);
			continue;
		}
		describe(&got, &in);
		assert_string_equal(str_text(&got), triggers[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instructions), cmocka_unit_test(test_stages), cmocka_unit_test(test_directives),
		cmocka_unit_test(test_backtick), cmocka_unit_test(test_comments), cmocka_unit_test(test_heredoc_find),
		cmocka_unit_test(test_flags), cmocka_unit_test(test_trigger),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
