/*
 * A Dockerfile as data: text in, instructions with positions out. Reads no files, starts nothing. The whole language of
 * BuildKit v0.32 is parsed, whether or not the builder can carry an instruction out.
 *
 * Everything returned lives in the arena of struct df_file.
 */
#ifndef NACRE_DOCKERFILE_PARSE_H
#define NACRE_DOCKERFILE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"

enum df_op {
	DF_ADD, DF_ARG, DF_CMD, DF_COPY, DF_ENTRYPOINT, DF_ENV, DF_EXPOSE, DF_FROM, DF_HEALTHCHECK, DF_LABEL,
	DF_MAINTAINER, DF_ONBUILD, DF_RUN, DF_SHELL, DF_STOPSIGNAL, DF_USER, DF_VOLUME, DF_WORKDIR,
};
const char *df_op_name(enum df_op op); /* "ADD" … */

/* Where a word begins in the file: line and column (bytes) from 1, or zeros when it is not known. */
struct df_pos { int line, col; };

struct df_heredoc {
	const char *name;    /* the delimiter word, unquoted */
	const char *body;    /* raw lines, each with its newline; leading tabs removed when strip_tabs */
	size_t body_len;
	const char *raw;     /* the same, as written: in HERE-10 the shell gets each raw body and the name behind it */
	bool expand;         /* no quoting in the delimiter word */
	bool strip_tabs;     /* <<- */
	int fd;              /* the digits before <<, or -1 */
};

struct df_kv {
	const char *key, *value; /* value NULL: none was given (ARG N) */
	struct df_pos at;
};

struct df_flag {
	const char *name;    /* without "--" */
	const char *value;   /* NULL: bare */
	struct df_pos at;
};

struct df_comment { const char *text; int line; }; /* directly above the instruction, without "#" and blanks */

struct df_instruction {
	enum df_op op;
	int line, line_end;        /* physical lines, heredoc bodies included; from 1 */
	const char *word;          /* the instruction word as written */
	struct df_pos at;          /* of that word */
	const char *text;          /* the joined line, as ONBUILD stores it (heredocs included) */
	VEC(struct df_comment) comments;
	VEC(struct df_flag) flags; /* as written, in order; already checked against what op allows */
	VEC(struct df_heredoc) heredocs;
	int empty_continuation;    /* the last line of the instruction when a blank line stood in it, else 0 */

	/* RUN CMD ENTRYPOINT SHELL, HEALTHCHECK CMD: json tells exec form; shell form has one argument, the text.
	 * ADD COPY: sources and, last, the destination; a heredoc source is "<<NAME" and also stands in heredocs.
	 * FROM EXPOSE VOLUME: the words. MAINTAINER STOPSIGNAL USER WORKDIR ONBUILD: one argument, the rest of the
	 * line; that of ONBUILD is the trigger as OnBuild stores it, heredocs included. */
	bool json;
	struct strv args;          /* strings in the arena: do not free */
	VEC(struct df_pos) args_at; /* of each of args */
	VEC(struct df_kv) kvs;     /* ENV LABEL ARG, unexpanded */
	bool legacy_kv;            /* ENV k v */

	/* FROM */
	const char *image;         /* unexpanded */
	const char *stage_name;    /* lower-cased, NULL when unnamed */
	const char *stage_name_written;
	const char *as_word;       /* "AS" as written, or NULL */

	bool health_none;          /* HEALTHCHECK NONE */
};

struct df_stage {
	size_t index;
	const char *name;            /* lower-cased, or NULL */
	size_t from;                 /* index of its FROM in instructions */
	size_t first, end;           /* its instructions: [first, end) without the FROM */
};

enum df_rule { /* the names BuildKit prints are in df_rule_name */
	DF_RULE_STAGE_NAME_CASING, DF_RULE_FROM_AS_CASING, DF_RULE_NO_EMPTY_CONTINUATION,
	DF_RULE_CONSISTENT_INSTRUCTION_CASING, DF_RULE_DUPLICATE_STAGE_NAME, DF_RULE_RESERVED_STAGE_NAME,
	DF_RULE_JSON_ARGS_RECOMMENDED, DF_RULE_MAINTAINER_DEPRECATED, DF_RULE_UNDEFINED_ARG_IN_FROM,
	DF_RULE_WORKDIR_RELATIVE_PATH, DF_RULE_UNDEFINED_VAR, DF_RULE_MULTIPLE_INSTRUCTIONS_DISALLOWED,
	DF_RULE_LEGACY_KEY_VALUE_FORMAT, DF_RULE_INVALID_BASE_IMAGE_PLATFORM, DF_RULE_REDUNDANT_TARGET_PLATFORM,
	DF_RULE_SECRETS_USED_IN_ARG_OR_ENV, DF_RULE_INVALID_DEFAULT_ARG_IN_FROM,
	DF_RULE_FROM_PLATFORM_FLAG_CONST_DISALLOWED, DF_RULE_COPY_IGNORED_FILE,
	DF_RULE_INVALID_DEFINITION_DESCRIPTION, DF_RULE_EXPOSE_PROTO_CASING, DF_RULE_EXPOSE_INVALID_FORMAT,
	DF_RULES,
};
const char *df_rule_name(enum df_rule r); /* "StageNameCasing" … */

const char *df_rule_description(enum df_rule r); /* what it is about, in a few words */

/* `at`: the word it is about; zeros for the instruction as a whole. */
struct df_warning { enum df_rule rule; int line, line_end; struct df_pos at; const char *text; };

/*
 * What is wrong with a file: the first DF_ERRORS_MAX errors of kind ERR_PARSE, ERR_BUILD or ERR_LIMIT, one for each place,
 * and how many more there are.
 */
enum { DF_ERRORS_MAX = 20 };
struct df_errors {
	VEC(struct err) list;
	size_t more;
};
void df_errors_add(struct df_errors *l, const struct err *e);
/* Adds an error that is about the file and returns 0; -1 for one that says that nothing can go on. */
int df_errors_take(struct df_errors *l, const struct err *e);
/* 0 when there is none. Else -1 with the list in the order of the file, and the one error, or "N mistakes in NAME". */
int df_errors_verdict(struct df_errors *l, const char *name, struct err *e);

struct df_file {
	struct arena arena;
	char escape;                       /* backslash or backtick */
	const char *syntax;                /* value of the syntax directive, or NULL */
	const char *check;                 /* value of the check directive, or NULL; not looked at yet */
	struct df_pos check_at;            /* of that value */
	VEC(struct df_instruction) instructions; /* all of the file, in order */
	size_t n_global;                   /* the first n_global are ARGs before the first FROM */
	VEC(struct df_stage) stages;
	VEC(struct df_warning) warnings;   /* those that need no evaluation: casing, continuation, legacy form, … */
	struct df_errors errors;           /* why df_parse refused it; whoever looks deeper adds to them */
	VEC(const char *) lines;           /* physical lines without line ends, for excerpts; lines.v[0] is line 1 */
};

/*
 * All mistakes that do not follow from another one are gathered in `errors`; *e is as df_errors_verdict makes it. Errors
 * have line and line_end, and nearly all at_line and col. On failure *ret holds `errors` and `lines`, for the excerpts,
 * and, when there are stages, what could be read of the file: all its FROMs and the instructions without a mistake.
 * df_file_fini either way.
 */
int df_parse(const char *bytes, size_t n, struct df_file *ret, struct err *e);
void df_file_fini(struct df_file *f);

/* Says where an error is that has no place yet: at a word of an instruction, NULL for the instruction itself. -1. */
int df_err_at(struct err *e, const struct df_instruction *in, const struct df_pos *at);
/* The same for a flag (without "--"), which may be absent, and for a word of args. */
int df_err_at_flag(struct err *e, const struct df_instruction *in, const char *flag);
int df_err_at_arg(struct err *e, const struct df_instruction *in, size_t i);

/* The heredoc that an unexpanded word of args stands for, NULL when it is an ordinary word (HERE-06, HERE-08). */
const struct df_heredoc *df_heredoc_find(const struct df_instruction *in, const char *word);

/* One stored ONBUILD trigger; what is not allowed there (ONBUILD, FROM, MAINTAINER) is ERR_PARSE. Lives in `arena`. */
int df_parse_trigger(const char *text, struct arena *arena, struct df_instruction *ret, struct err *e);

/*
 * The lines of an error with two neighbours on each side, as
 *   Dockerfile:3:6: TEXT
 *   --------------------
 *      1 |     FROM x
 *      2 |
 *      3 | >>> RUN --mont=type=tmpfs \
 *        |         ^
 *      4 | >>>   make
 *   --------------------
 * TEXT (may be NULL) is the message where it is not printed elsewhere. Control bytes are neutralised, long lines are cut
 * around the column. The caller owns the result.
 */
char *df_excerpt(const struct df_file *f, const char *file_name, const struct err *e, const char *text);

/*
 * From the first byte of a word to before the byte `to`: the word that begins at `at`, or, when that is zeros, all that
 * is written on the lines first..last. A place the file does not have gives zeros.
 */
struct df_range { struct df_pos from, to; };
struct df_range df_range(const struct df_file *f, int first, int last, struct df_pos at);
/* The first use of a variable on these lines, as $NAME or ${NAME…}; zeros when there is none. */
struct df_pos df_find_variable(const struct df_file *f, int first, int last, const char *name);

#endif
