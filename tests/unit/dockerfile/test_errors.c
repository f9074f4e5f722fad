/*
 * Dockerfiles that must be refused: where, and with which words; each mistake that follows from no other is there.
 * 173 rows, beside the 66 of tests/data/broken.txt, which need values.
 */
#include "table.h"

#include "base/limits.h"

static const struct {
	const char *in, *want;
} rows[] = {
	/* the file as a whole: LEX-03, LEX-13 */
	{ "", "0:0: the Dockerfile is empty" },
	{ "\n\n", "2:0: the Dockerfile has no instructions" },
	{ "# only\n# comments\n", "2:0: the Dockerfile has no instructions" },
	{ "ARG A=1\n", "1:0: the Dockerfile has no build stage: there is no FROM" },
	{ "ARG A=1\nENV B=2\nFROM x\n",
	  "2:1: no build stage yet: only ARG may stand before the first FROM, not ENV" },
	{ "RUN x", "1:1: no build stage yet: only ARG may stand before the first FROM, not RUN" },
	/* directives: DIR-01, DIR-07, DIR-08 */
	{ "# escape=`\n# escape=`\nFROM x",
	  "2:1: only one escape parser directive can be used, and there is one above" },
	{ "# syntax=a\n# SYNTAX=b\nFROM x",
	  "2:1: only one syntax parser directive can be used, and there is one above" },
	{ "# escape=x\nFROM x", "1:10: escape directive: \"x\" is neither a backslash nor a backtick" },
	{ "# escape=\\\\\nFROM x", "1:10: escape directive: \"\\\\\" is neither a backslash nor a backtick" },
	{ "# escape= \nFROM x", "1:11: escape directive: \"\" is neither a backslash nor a backtick" },
	/* instruction words: LEX-12 */
	{ "FROM x\n\nCOPPY a b\n", "3:1: unknown instruction: COPPY; did you mean COPY?" },
	{ "frm x", "1:1: unknown instruction: frm; did you mean from?" },
	{ "FROM x\n\xef\xbb\xbfRUN a", "2:1: unknown instruction: ﻿RUN" }, /* LEX-01: of the first line alone */
	{ "FROM x\nXYZZYX a", "2:1: unknown instruction: XYZZYX" },
	{ "FROM x\nRUN a \\\n  b\n  c",
	  "4:3: unknown instruction: c; if it continues line 3, that must end with \\" },
	{ "FROM x\nRUN a \\\\\n b", "3:2: unknown instruction: b; if it continues line 2, that must end with \\" },
	/* DIR-04: for a frontend of another language, which this program is not */
	{ "// syntax=docker/dockerfile:1\nFROM x", "1:1: unknown instruction: //" },
	{ "{\"syntax\": \"docker/dockerfile:1\"}", "1:1: unknown instruction: {\"syntax\":" },
	{ "FROM x\n\\\n", "2:1: an escape character that continues no instruction" },
	{ "FROM x\nCMD <<EOF\necho hi\nEOF", "3:1: unknown instruction: echo; CMD on line 2 takes no heredoc" },
	/* FROM: FROM-01, FROM-02 */
	{ "FROM", "1:1: FROM requires either one or three arguments: FROM image, or FROM image AS name" },
	{ "FROM x\nRUN y\nFROM",
	  "3:1: FROM requires either one or three arguments: FROM image, or FROM image AS name" },
	{ "FROM x AS", "1:8: FROM requires either one or three arguments: FROM image, or FROM image AS name" },
	{ "FROM x IS y", "1:8: FROM requires either one or three arguments: FROM image, or FROM image AS name" },
	{ "FROM x AS a b", "1:13: FROM requires either one or three arguments: FROM image, or FROM image AS name" },
	{ "FROM x AS 1a", "1:11: invalid name for build stage: \"1a\"; letters, digits and -_. after a letter" },
	{ "FROM x AS a/b", "1:11: invalid name for build stage: \"a/b\"; letters, digits and -_. after a letter" },
	{ "FROM x AS _a", "1:11: invalid name for build stage: \"_a\"; letters, digits and -_. after a letter" },
	{ "FROM --platfrom=a x", "1:6: unknown flag: --platfrom; did you mean --platform?" },
	{ "FROM --platform x", "1:6: missing a value on flag: --platform; write --platform=VALUE" },
	/* flags: FLG-02, FLG-04, FLG-05, FLG-06, EXP-08 */
	{ "FROM x\nCOPY --chown=1 --chown=2 f /g", "2:16: duplicate flag: --chown can be given once" },
	{ "FROM x\nCOPY --chown f /g", "2:6: missing a value on flag: --chown; write --chown=VALUE" },
	{ "FROM x\nCOPY --link= f /g", "2:6: missing a value on flag: --link; write --link=VALUE" },
	{ "FROM x\nCOPY --link=yes f /g", "2:6: --link=yes: the value is neither true nor false" },
	{ "FROM x\nCOPY --keep-git-dir f /x",
	  "2:6: unknown flag: --keep-git-dir; COPY takes --chown, --chmod, --from, --link, --parents and --exclude" },
	{ "FROM x\nADD --from=y f /x",
	  "2:5: unknown flag: --from; ADD takes --chown, --chmod, --checksum, --link, --keep-git-dir, "
	  "--unpack and --exclude" },
	{ "FROM x\nADD --parents f /x",
	  "2:5: unknown flag: --parents; ADD takes --chown, --chmod, --checksum, --link, --keep-git-dir, "
	  "--unpack and --exclude" },
	{ "FROM x\nCOPY --Chown=1 f /x", "2:6: unknown flag: --Chown; did you mean --chown?" },
	{ "FROM x\nCMD --foo",
	  "2:5: unknown flag: --foo; CMD takes no flags; an argument that begins with -- goes after a lone --" },
	{ "FROM x\nENTRYPOINT --x y",
	  "2:12: unknown flag: --x; ENTRYPOINT takes no flags; an argument that begins with -- goes after a lone --" },
	{ "FROM x\nENV --x A=1",
	  "2:5: unknown flag: --x; ENV takes no flags; an argument that begins with -- goes after a lone --" },
	{ "FROM x\nEXPOSE --x 80",
	  "2:8: unknown flag: --x; EXPOSE takes no flags; an argument that begins with -- goes after a lone --" },
	{ "FROM x\nONBUILD --x RUN y",
	  "2:9: unknown flag: --x; ONBUILD takes no flags; an argument that begins with -- goes after a lone --" },
	{ "FROM x\nRUN --mounts=a b", "2:5: unknown flag: --mounts; did you mean --mount?" },
	{ "FROM x\nRUN --network=bridge b", "2:5: invalid network mode \"bridge\"; it is default, none or host" },
	{ "FROM x\nRUN --network=hots b", "2:5: invalid network mode \"hots\"; did you mean host?" },
	{ "FROM x\nRUN --device=a,b c", "2:5: --device=a,b: invalid field 'b' must be a key=value pair" },
	{ "FROM x\nRUN --security=none b", "2:5: invalid security mode \"none\"; it is sandbox or insecure" },
	{ "FROM x\nRUN --mount=type=bind,from=$a b",
	  "2:5: --mount=type=bind,from=$a: 'from' doesn't support variable expansion: give the image a stage name" },
	{ "FROM x\nRUN --mount=\\\"a b", "2:5: --mount=\"a: a quoted field is not closed" },
	{ "FROM x\nCOPY --from=$a b c",
	  "2:6: --from=$a: variables are not expanded here; give the image a stage name" },
	/* arguments: ARGF-04, ARGF-06, ARGF-08 */
	{ "FROM x\nCMD [\"a\", 1]", "2:11: a JSON array of arguments must hold strings only; element 2 is none" },
	{ "FROM x\nRUN [null]", "2:6: a JSON array of arguments must hold strings only; element 1 is none" },
	{ "FROM x\nRUN [[\"a\"]]", "2:6: a JSON array of arguments must hold strings only; element 1 is none" },
	{ "FROM x\nCOPY [\"f\", 1]", "2:12: a JSON array of arguments must hold strings only; element 2 is none" },
	{ "FROM x\nONBUILD COPY [\"f\", 1]",
	  "2:20: ONBUILD: a JSON array of arguments must hold strings only; element 2 is none" },
	{ "FROM x\nENV", "2:1: ENV requires at least one argument: NAME=VALUE" },
	{ "FROM x\nLABEL", "2:1: LABEL requires at least one argument: NAME=VALUE" },
	{ "FROM x\nARG", "2:1: ARG requires at least one argument: NAME or NAME=DEFAULT" },
	{ "FROM x\nEXPOSE", "2:1: EXPOSE requires at least one argument: a port, such as 80 or 53/udp" },
	{ "FROM x\nVOLUME", "2:1: VOLUME requires at least one argument: a path" },
	{ "FROM x\nVOLUME []", "2:1: VOLUME requires at least one argument: a path" },
	{ "FROM x\nVOLUME [\"/a\", \" \"]", "2:15: VOLUME: a path is empty" },
	{ "FROM x\nONBUILD", "2:1: ONBUILD requires at least one argument: an instruction" },
	{ "FROM x\nHEALTHCHECK", "2:1: HEALTHCHECK requires at least one argument: NONE, or CMD and a command" },
	{ "FROM x\nSHELL", "2:1: SHELL requires at least one argument: a shell, such as [\"/bin/sh\", \"-c\"]" },
	{ "FROM x\nSHELL []", "2:1: SHELL requires at least one argument: a shell, such as [\"/bin/sh\", \"-c\"]" },
	{ "FROM x\nSHELL /bin/sh -c",
	  "2:1: SHELL requires the arguments to be in JSON form: SHELL [\"/bin/sh\", \"-c\"]" },
	{ "FROM x\nWORKDIR", "2:1: WORKDIR requires exactly one argument: a path" },
	{ "FROM x\nUSER", "2:1: USER requires exactly one argument: a user, such as app or 1000:1000" },
	{ "FROM x\nSTOPSIGNAL", "2:1: STOPSIGNAL requires exactly one argument: a signal, such as SIGTERM" },
	{ "FROM x\nMAINTAINER", "2:1: MAINTAINER requires exactly one argument: a name" },
	{ "FROM x\nENV A", "2:5: ENV must have two arguments: a name and a value" },
	{ "FROM x\nENV A=1 \\\n  B", "3:3: can't find = in \"B\": it must be of the form name=value [2-3]" },
	{ "FROM x\nENV A=${X:?a b}", "2:14: can't find = in \"b}\": it must be of the form name=value" },
	{ "FROM x\nENV =1", "2:5: ENV names can not be blank" },
	{ "FROM x\nARG =1", "2:5: ARG names can not be blank" },
	{ "FROM x\nLABEL a=1 =2", "2:11: LABEL names can not be blank" },
	{ "FROM x\nONBUILD ENV A", "2:13: ONBUILD: ENV must have two arguments: a name and a value" },
	/* COPY and ADD: CP-01 */
	{ "FROM x\nADD f",
	  "2:1: ADD requires at least two arguments, sources and a destination; only one was given" },
	{ "FROM x\nCOPY", "2:1: COPY requires at least two arguments, sources and a destination; none was given" },
	{ "FROM x\nCOPY [\"f\"]",
	  "2:1: COPY requires at least two arguments, sources and a destination; only one was given" },
	/* heredocs: HERE-01, HERE-05 */
	{ "FROM x\nCOPY f <<EOF\nx\nEOF\n", "2:8: COPY cannot accept a heredoc as a destination [2-4]" },
	{ "FROM x\nCOPY [\"f\", \"<<EOF\"]", "2:12: COPY cannot accept a heredoc as a destination" },
	{ "FROM x\nRUN <<EOF\nx\n EOF\n", "2:5: unterminated heredoc: no line is \"EOF\" [2-4]" },
	{ "FROM x\nRUN <<A <<B\n1\nA\n2\nA\n", "2:9: unterminated heredoc: no line is \"B\" [2-6]" },
	{ "FROM x\nRUN <<EOF", "2:5: unterminated heredoc: no line is \"EOF\"" },
	{ "FROM x\nRUN <<EOF\ntrue\n\n\nEOF\nCOPY <<A <<B /d/\na\nA\nb\nB\nNOPE x",
	  "12:1: unknown instruction: NOPE" },
	/* HEALTHCHECK: CFG-09 */
	{ "FROM x\nHEALTHCHECK NONE x", "2:18: HEALTHCHECK NONE takes no arguments" },
	{ "FROM x\nHEALTHCHECK EXEC true", "2:13: unknown type \"EXEC\" in HEALTHCHECK (try CMD)" },
	{ "FROM x\nHEALTHCHECK CMD", "2:1: missing command after HEALTHCHECK CMD" },
	{ "FROM x\nHEALTHCHECK CMD []", "2:1: missing command after HEALTHCHECK CMD" },
	{ "FROM x\nHEALTHCHECK --timeout=1us CMD true", "2:13: --timeout=1us cannot be less than 1ms" },
	{ "FROM x\nHEALTHCHECK --interval=-1s CMD true", "2:13: --interval=-1s cannot be less than 1ms" },
	{ "FROM x\nHEALTHCHECK --interval=5 CMD true",
	  "2:13: --interval: \"5\" is not a duration such as 30s or 1m30s" },
	{ "FROM x\nHEALTHCHECK --retries=-1 CMD true", "2:13: --retries cannot be negative (-1)" },
	{ "FROM x\nHEALTHCHECK --retries=many CMD true", "2:13: --retries=many is not a number" },
	{ "FROM x\nHEALTHCHECK --retry=1 CMD true",
	  "2:13: unknown flag: --retry; HEALTHCHECK takes --interval, --timeout, --start-period, "
	  "--start-interval and --retries" },
	/* ONBUILD: CFG-11 */
	{ "FROM x\nONBUILD FROM scratch", "2:9: FROM isn't allowed as an ONBUILD trigger" },
	{ "FROM x\nONBUILD maintainer me", "2:9: MAINTAINER isn't allowed as an ONBUILD trigger" },
	{ "FROM x\nONBUILD ONBUILD RUN y", "2:9: ONBUILD isn't allowed as an ONBUILD trigger" },
	{ "FROM x\nONBUILD RUN <<E\na", "2:13: unterminated heredoc: no line is \"E\" [2-3]" },
	/* one more of most kinds, on other instructions */
	{ "FROM x\nRUN --network b", "2:5: missing a value on flag: --network; write --network=VALUE" },
	{ "FROM x\nRUN --security= b", "2:5: invalid security mode \"\"; it is sandbox or insecure" },
	{ "FROM x\nRUN --security=insecur b", "2:5: invalid security mode \"insecur\"; did you mean insecure?" },
	{ "FROM x\nRUN --mount=type=cache,target=/a,id=$b,from=c$d e",
	  "2:5: --mount=type=cache,target=/a,id=$b,from=c$d: 'from' doesn't support variable "
	  "expansion: give the image a stage name" },
	{ "FROM x\nRUN --device b", "2:5: missing a value on flag: --device; write --device=VALUE" },
	{ "FROM x\nRUN --mount b", "2:5: missing a value on flag: --mount; write --mount=VALUE" },
	{ "FROM x\nCOPY --parents=1 a /b", "2:6: --parents=1: the value is neither true nor false" },
	{ "FROM x\nCOPY --link --link a /b", "2:13: duplicate flag: --link can be given once" },
	{ "FROM x\nADD --keep-git-dir=no a /b", "2:5: --keep-git-dir=no: the value is neither true nor false" },
	{ "FROM x\nADD --unpack=maybe a /b", "2:5: --unpack=maybe: the value is neither true nor false" },
	{ "FROM x\nADD --checksum a /b", "2:5: missing a value on flag: --checksum; write --checksum=VALUE" },
	{ "FROM x\nUSER --uid=1 a",
	  "2:6: unknown flag: --uid; USER takes no flags; an argument that begins with -- goes after a lone --" },
	{ "FROM x\nWORKDIR --create /a",
	  "2:9: unknown flag: --create; WORKDIR takes no flags; an argument that begins with -- goes "
	  "after a lone --" },
	{ "FROM x\nSHELL --x [\"a\"]",
	  "2:7: unknown flag: --x; SHELL takes no flags; an argument that begins with -- goes after a lone --" },
	{ "FROM x\nVOLUME --x /a",
	  "2:8: unknown flag: --x; VOLUME takes no flags; an argument that begins with -- goes after a lone --" },
	{ "FROM x\nLABEL --x a=b",
	  "2:7: unknown flag: --x; LABEL takes no flags; an argument that begins with -- goes after a lone --" },
	{ "FROM --paltform=linux/amd64 x", "1:6: unknown flag: --paltform; did you mean --platform?" },
	{ "FROM --x y", "1:6: unknown flag: --x; FROM takes --platform" },
	{ "FROM --platform=a --platform=b x", "1:19: duplicate flag: --platform can be given once" },
	{ "FROM x\nHEALTHCHECK --interval=1s --interval=2s CMD true",
	  "2:27: duplicate flag: --interval can be given once" },
	{ "FROM x\nHEALTHCHECK --start-period=x CMD true",
	  "2:13: --start-period: \"x\" is not a duration such as 30s or 1m30s" },
	{ "FROM x\nHEALTHCHECK --intervall=1s CMD true",
	  "2:13: unknown flag: --intervall; did you mean --interval?" },
	{ "FROM x\nHEALTHCHECK --timeout CMD true",
	  "2:13: missing a value on flag: --timeout; write --timeout=VALUE" },
	{ "FROM x\nHEALTHCHECK none now", "2:18: HEALTHCHECK NONE takes no arguments" },
	{ "FROM x\nHEALTHCHECK cmd", "2:1: missing command after HEALTHCHECK CMD" },
	{ "FROM x\nHEALTHCHECK CMD [\"a\", 2]",
	  "2:23: a JSON array of arguments must hold strings only; element 2 is none" },
	{ "FROM x\nENTRYPOINT [\"a\", [\"b\"]]",
	  "2:18: a JSON array of arguments must hold strings only; element 2 is none" },
	{ "FROM x\nSHELL [\"a\", null]",
	  "2:13: a JSON array of arguments must hold strings only; element 2 is none" },
	{ "FROM x\nSHELL {\"a\": 1}",
	  "2:1: SHELL requires the arguments to be in JSON form: SHELL [\"/bin/sh\", \"-c\"]" },
	{ "FROM x\nVOLUME [\"/a\", 7]", "2:15: a JSON array of arguments must hold strings only; element 2 is none" },
	{ "FROM x\nADD [\"a\", {}]", "2:11: a JSON array of arguments must hold strings only; element 2 is none" },
	{ "FROM x\nADD", "2:1: ADD requires at least two arguments, sources and a destination; none was given" },
	{ "FROM x\nADD f <<EOF\nx\nEOF", "2:7: ADD cannot accept a heredoc as a destination [2-4]" },
	{ "FROM x\nADD --from=a b /c",
	  "2:5: unknown flag: --from; ADD takes --chown, --chmod, --checksum, --link, "
	  "--keep-git-dir, --unpack and --exclude" },
	{ "FROM x\nENV A= =b", "2:8: ENV names can not be blank" },
	{ "FROM x\nENV A=1 B C=2", "2:9: can't find = in \"B\": it must be of the form name=value" },
	{ "FROM x\nLABEL a", "2:7: LABEL must have two arguments: a name and a value" },
	{ "FROM x\nARG A =b", "2:7: ARG names can not be blank" },
	{ "FROM x AS A/B", "1:11: invalid name for build stage: \"A/B\"; letters, digits and -_. after a letter" },
	{ "FROM x AS a$b", "1:11: invalid name for build stage: \"a$b\"; letters, digits and -_. after a letter" },
	{ "FROM x AS é", "1:11: invalid name for build stage: \"é\"; letters, digits and -_. after a letter" },
	{ "FROM x As", "1:8: FROM requires either one or three arguments: FROM image, or FROM image AS name" },
	{ "FROM AS a", "1:9: FROM requires either one or three arguments: FROM image, or FROM image AS name" },
	{ "FROM x\nCOPY <<A <<B /c\na\nA\n", "2:10: unterminated heredoc: no line is \"B\" [2-4]" },
	{ "FROM x\nRUN <<-E\n\ta\n E\n", "2:5: unterminated heredoc: no line is \"E\" [2-4]" },
	{ "FROM x\nENVY A=1", "2:1: unknown instruction: ENVY; did you mean ENV?" },
	{ "FROM x\nENTRYPONT a", "2:1: unknown instruction: ENTRYPONT; did you mean ENTRYPOINT?" },
	{ "FROM x\nHEALTCHECK CMD a", "2:1: unknown instruction: HEALTCHECK; did you mean HEALTHCHECK?" },
	{ "FROM x\nEXPOS 80", "2:1: unknown instruction: EXPOS; did you mean EXPOSE?" },
	{ "FROM x\nMAINTANER a", "2:1: unknown instruction: MAINTANER; did you mean MAINTAINER?" },
	{ "FROM x\nrum a", "2:1: unknown instruction: rum; did you mean run?" },
	{ "FROM x\nINCLUDE a", "2:1: unknown instruction: INCLUDE" },
	{ "ARG A\nCOPY a b\nFROM x", "2:1: no build stage yet: only ARG may stand before the first FROM, not COPY" },
	{ "# escape=|\nFROM x", "1:10: escape directive: \"|\" is neither a backslash nor a backtick" },
	/* several mistakes, in the order of the file */
	{ "FROM x\nCOPPY a b\nRUN --mont=x y\nWORKDIR\n",
	  "2:1: unknown instruction: COPPY; did you mean COPY?\n"
	  "3:5: unknown flag: --mont; did you mean --mount?\n"
	  "4:1: WORKDIR requires exactly one argument: a path" },
	{ "# check=bogus\nFROM x AS 1a\nENV A\nUSER\n",
	  "2:11: invalid name for build stage: \"1a\"; letters, digits and -_. after a letter\n"
	  "3:5: ENV must have two arguments: a name and a value\n"
	  "4:1: USER requires exactly one argument: a user, such as app or 1000:1000" },
	{ "FROM x\nVOLUME\nRUN <<A\nb\n",
	  "2:1: VOLUME requires at least one argument: a path\n"
	  "3:5: unterminated heredoc: no line is \"A\" [3-4]" },
	{ "FROM x\nADD a\n# escape=`\nRUN \\\n\n  --x y\nENV =1",
	  "2:1: ADD requires at least two arguments, sources and a destination; only one was given\n"
	  "6:3: unknown flag: --x; RUN takes --mount, --device, --network and --security [4-6]\n"
	  "7:5: ENV names can not be blank" },
	/* what follows from a mistake is not blamed as well */
	{ "RUN a\nRUN b\nFROM x\nRUN",
	  "1:1: no build stage yet: only ARG may stand before the first FROM, not RUN" },
	{ "RUN a\nRUN b\n",
	  "1:1: no build stage yet: only ARG may stand before the first FROM, not RUN" },
	{ "FORM x\nRUN a\nCOPY b",
	  "1:1: unknown instruction: FORM; did you mean FROM?\n"
	  "3:1: COPY requires at least two arguments, sources and a destination; only one was given" },
	{ "FROM x y\nRUN a\nCOPY b",
	  "1:8: FROM requires either one or three arguments: FROM image, or FROM image AS name\n"
	  "3:1: COPY requires at least two arguments, sources and a destination; only one was given" },
	{ "FROM x\nRUNN <<A <<-B\nx y\nA\nx z\n\tB\nUSER",
	  "2:1: unknown instruction: RUNN; did you mean RUN?\n"
	  "7:1: USER requires exactly one argument: a user, such as app or 1000:1000" },
	{ "FROM x\nRUN --x <<A\nx y\nA\nUSER",
	  "2:5: unknown flag: --x; RUN takes --mount, --device, --network and --security [2-4]\n"
	  "5:1: USER requires exactly one argument: a user, such as app or 1000:1000" },
	{ "FROM x\nRUN a\n  b\n  c\nCOPY\n",
	  "3:3: unknown instruction: b; if it continues line 2, that must end with \\\n"
	  "5:1: COPY requires at least two arguments, sources and a destination; none was given" },
	{ "FROM x\nFOO a\nBAR b\n",
	  "2:1: unknown instruction: FOO\n"
	  "3:1: unknown instruction: BAR" },
	{ "FROM x\nFOO <<A\nx\ny",
	  "2:1: unknown instruction: FOO\n"
	  "3:1: unknown instruction: x\n"
	  "4:1: unknown instruction: y" },
	{ "FROM x\nCMD <<A\nx\ny\nA\nUSER",
	  "3:1: unknown instruction: x; CMD on line 2 takes no heredoc\n"
	  "6:1: USER requires exactly one argument: a user, such as app or 1000:1000" },
	{ "# escape=x\nFOO\nBAR", "1:10: escape directive: \"x\" is neither a backslash nor a backtick" },
	{ "FROM x\n\xe2\x80\x9cRUN\xe2\x80\x9d a\n\tENV \xc3\xa4=1 b",
	  "2:1: unknown instruction: “RUN”\n"
	  "3:11: can't find = in \"b\": it must be of the form name=value" },
};

/* "LINE:COLUMN: TEXT" for each error, " [FIRST-LAST]" behind it where the instruction has more than that line. */
static char *describe_errors(const struct df_file *f)
{
	struct str s = { 0 };
	for (size_t i = 0; i < f->errors.list.n; i++) {
		const struct err *e = &f->errors.list.v[i];
		str_addf(&s, "%s%d:%d: %s", i ? "\n" : "", e->at_line ? e->at_line : e->line, e->col, e->msg);
		if (e->line != e->line_end || (e->at_line && e->at_line != e->line))
			str_addf(&s, " [%d-%d]", e->line, e->line_end);
	}
	return str_take(&s);
}

static void check(int *wrong, const char *in, size_t n, const char *want, enum err_kind kind)
{
	AUTO(df_file_fini) struct df_file f;
	struct err e = { 0 };
	int r = df_parse(in, n, &f, &e);
	AUTO(free_drop) char *got = describe_errors(&f);
	row_check(*wrong, r == -1 && e.kind == kind && str_eq(got, want), "%.80s\n  want %s\n  got  %s", in, want,
		r ? got : "success");
	/* Without its stages nothing is left but the lines, for the excerpt. */
	row_check(*wrong, !f.warnings.n && (f.stages.n || (!f.instructions.n && !f.n_global)), "%.60s: something is left",
		in);
}

static void test_refused(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&wrong, rows[i].in, strlen(rows[i].in), rows[i].want, ERR_PARSE);
	assert_int_equal(wrong, 0);
}

/* No more than DF_ERRORS_MAX are kept; all are counted. */
static void test_many(void **state)
{
	AUTO(df_file_fini) struct df_file f;
	struct err e = { 0 };
	size_t n;
	AUTO(free_drop) char *text = repeat("FROM x\n", "USER\n", 30, &n);
	assert_int_equal(df_parse(text, n, &f, &e), -1);
	assert_string_equal(e.msg, "30 mistakes in the Dockerfile");
	assert_int_equal(e.line, 0);
	assert_int_equal(f.errors.list.n, DF_ERRORS_MAX);
	assert_int_equal(f.errors.more, 10);
	assert_int_equal(f.errors.list.v[DF_ERRORS_MAX - 1].line, DF_ERRORS_MAX + 1);
}

static void test_nul(void **state)
{
	static const char text[] = "FROM x\nRUN a\0b\n";
	int wrong = 0;
	check(&wrong, text, sizeof text - 1, "2:0: the line holds a NUL byte", ERR_PARSE);
	assert_int_equal(wrong, 0);
}

/* Each at limit - 1, limit and limit + 1; LEX-02: a line of LIMIT_LINE bytes. */
static void test_limits(void **state)
{
	static const struct {
		const char *head, *part;
		size_t limit, in_head; /* how much of what is limited stands in `head` */
		const char *want;
	} limits[] = {
		{ "FROM x\nRUN ", "a", LIMIT_LINE, 4, "2:0: the line is longer than 65535 bytes" },
		{ "FROM x\nRUN <<E\n", "a", LIMIT_LINE, 0, "3:0: the line is longer than 65535 bytes" },
		{ "FROM x\n", "FROM x\n", LIMIT_STAGES, 1, "1001:1: the Dockerfile has more than 1000 stages" },
		{ "FROM x\n", "RUN x\n", LIMIT_INSTRUCTIONS, 1,
		  "10001:1: the Dockerfile has more than 10000 instructions" },
		{ "FROM x\n", "\n", LIMIT_DOCKERFILE, 7, "0:0: the Dockerfile is longer than 1048576 bytes" },
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
		check(&wrong, text, len, limits[i].want, ERR_LIMIT);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_many), cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_heredoc_limit), cmocka_unit_test(test_monsters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
