/*
 * A Dockerfile as data: text in, instructions with positions out. Reads no files, starts nothing. The whole language of
 * BuildKit v0.32 is parsed, whether or not the builder can carry an instruction out.
 *
 * Everything returned lives in the arena of struct df_file.
 */
#ifndef NACRE_DOCKERFILE_DOCKERFILE_H
#define NACRE_DOCKERFILE_DOCKERFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"

enum df_op {
	DF_ADD, DF_ARG, DF_CMD, DF_COPY, DF_ENTRYPOINT, DF_ENV, DF_EXPOSE, DF_FROM, DF_HEALTHCHECK, DF_LABEL,
	DF_MAINTAINER, DF_ONBUILD, DF_RUN, DF_SHELL, DF_STOPSIGNAL, DF_USER, DF_VOLUME, DF_WORKDIR,
};
const char *df_op_name(enum df_op op); /* "ADD" … */

struct df_heredoc {
	const char *name;    /* the delimiter word, unquoted */
	const char *body;    /* raw lines, each with its newline; leading tabs removed when strip_tabs */
	size_t body_len;
	bool expand;         /* no quoting in the delimiter word */
	bool strip_tabs;     /* <<- */
	int fd;              /* the digits before <<, or -1 */
};

struct df_kv {
	const char *key, *value; /* value NULL: none was given (ARG N) */
};

struct df_flag {
	const char *name;    /* without "--" */
	const char *value;   /* NULL: bare */
};

struct df_comment { const char *text; int line; }; /* directly above the instruction, without "#" and blanks */

struct df_instruction {
	enum df_op op;
	int line, line_end;        /* physical lines, heredoc bodies included; from 1 */
	const char *word;          /* the instruction word as written */
	const char *text;          /* the joined line, as ONBUILD stores it (heredocs included) */
	VEC(struct df_comment) comments;
	VEC(struct df_flag) flags; /* as written, in order; already checked against what op allows */
	VEC(struct df_heredoc) heredocs;

	/* RUN CMD ENTRYPOINT SHELL, HEALTHCHECK CMD: json tells exec form; shell form has one argument, the text.
	 * ADD COPY: sources and, last, the destination; a heredoc source is a word "<<NAME" that also stands in heredocs.
	 * FROM EXPOSE VOLUME: the words. MAINTAINER STOPSIGNAL USER WORKDIR ONBUILD: one argument, the rest of the line. */
	bool json;
	struct strv args;          /* strings in the arena: do not free */
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

struct df_warning { enum df_rule rule; int line, line_end; const char *text; };

struct df_file {
	struct arena arena;
	char escape;                       /* backslash or backtick */
	const char *syntax;                /* value of the syntax directive, or NULL */
	const char *check;                 /* value of the check directive, or NULL */
	VEC(struct df_instruction) instructions; /* all of the file, in order */
	size_t n_global;                   /* the first n_global are ARGs before the first FROM */
	VEC(struct df_stage) stages;
	VEC(struct df_warning) warnings;   /* those that need no evaluation: casing, continuation, legacy form, … */
	VEC(const char *) lines;           /* physical lines without line ends, for excerpts; lines.v[0] is line 1 */
};

/* ERR_PARSE with line (and line_end) set. On failure *ret holds only `lines`, for the excerpt; df_file_fini either way. */
int df_parse(const char *bytes, size_t n, struct df_file *ret, struct err *e);
void df_file_fini(struct df_file *f);

/* One stored ONBUILD trigger; what is not allowed there (ONBUILD, FROM, MAINTAINER) is ERR_PARSE. Lives in `arena`. */
int df_parse_trigger(const char *text, struct arena *arena, struct df_instruction *ret, struct err *e);

/*
 * The lines first..last with two neighbours on each side, as
 *   Dockerfile:3
 *   --------------------
 *      1 |     FROM x
 *      2 |
 *      3 | >>> RUN false
 *   --------------------
 * Control bytes are neutralised. The caller owns the result.
 */
char *df_excerpt(const struct df_file *f, const char *file_name, int first, int last);

/* ---- flags with a type ---- */

const char *df_flag_get(const struct df_instruction *in, const char *name); /* value, "" when bare, NULL when absent */
bool df_flag_bool(const struct df_instruction *in, const char *name);       /* bare or true */

/* ---- expansion (SEMANTICS section 6) ---- */

struct df_scope {
	const struct strv *env;   /* NAME=VALUE; borrowed */
	char escape;
	struct strv *undefined;   /* names that were used and not set are appended (once each); may be NULL */
};
/* Quotes are processed and removed. The caller owns *ret. ERR_PARSE without a line: the caller adds it. */
int df_expand(const struct df_scope *s, const char *word, char **ret, struct err *e);
/* The same, then split into words at blanks that were not quoted (EXPOSE). */
int df_expand_words(const struct df_scope *s, const char *word, struct strv *ret, struct err *e);
/* Heredoc bodies: quotes stay as they are, backslash is the escape whatever the file says (HERE-07). */
int df_expand_body(const struct df_scope *s, const char *body, char **ret, struct err *e);

/* ---- RUN --mount ---- */

enum df_mount_type { DF_MOUNT_BIND, DF_MOUNT_CACHE, DF_MOUNT_TMPFS, DF_MOUNT_SECRET, DF_MOUNT_SSH };
enum df_sharing { DF_SHARING_SHARED, DF_SHARING_PRIVATE, DF_SHARING_LOCKED };

struct df_mount {
	enum df_mount_type type;
	char *target, *source, *from, *id, *env; /* NULL when not given; owned */
	bool readonly;               /* with the type's default */
	bool required;
	bool has_mode, has_uid, has_gid;
	uint32_t mode, uid, gid;
	uint64_t size;               /* tmpfs, bytes; 0 = no limit */
	enum df_sharing sharing;
};
/* `scope` NULL: check only what does not depend on variables. */
int df_mount_parse(const char *value, const struct df_scope *scope, struct df_mount *ret, struct err *e);
void df_mount_fini(struct df_mount *m);

/* ---- small value parsers, used by the builder ---- */

/* Go's time.ParseDuration ("1m30s", "1.5h") into nanoseconds. */
int df_duration(const char *text, int64_t *ret_ns, struct err *e);
/* EXPOSE word: "80", "80-82/udp", "127.0.0.1:80:8080/tcp" -> "8080/tcp" …, appended. *ret_warn gets the rule or DF_RULES. */
int df_expose(const char *word, struct strv *ret, enum df_rule *ret_warn, struct err *e);
/* STOPSIGNAL: name with or without SIG, RTMIN+n, or a number. */
bool df_signal_is_valid(const char *text);

struct df_chmod {
	bool octal;
	uint32_t mode;               /* octal */
	const char *symbolic;        /* borrowed; checked */
};
int df_chmod_parse(const char *text, struct df_chmod *ret, struct err *e);
/* New permission bits for an object whose bits are `mode` (07777); X needs to know directories. */
uint32_t df_chmod_apply(const struct df_chmod *c, uint32_t mode, bool is_dir);

/* ---- names ---- */

/* Go's path.Match: * ? [a-z] [^x] \c; -1 for a malformed pattern (ERR_PARSE), else 0 or 1. */
int df_match(const char *pattern, const char *name, struct err *e);
bool df_has_wildcard(const char *pattern);

/* .dockerignore (SEMANTICS section 15) and --exclude patterns */
struct df_ignore;
/* `name` for messages. *ret NULL-safe to free; an empty file gives a matcher that excludes nothing. */
int df_ignore_parse(const char *bytes, size_t n, const char *name, struct df_ignore **ret, struct err *e);
int df_ignore_from_patterns(const struct strv *patterns, struct df_ignore **ret, struct err *e);
void df_ignore_free(struct df_ignore *i);
/* path relative, cleaned, no leading slash. The last matching line decides; a match on a parent directory counts.
 * *ret_line (may be NULL) gets the number of the deciding line, 0 when none matched. */
bool df_ignored(const struct df_ignore *i, const char *path, int *ret_line);
/* False when nothing below an ignored directory can be re-included by a "!" line: it need not be read. */
bool df_ignore_may_reinclude(const struct df_ignore *i, const char *dir);

#endif
