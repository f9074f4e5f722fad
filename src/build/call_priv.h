/* The answers to `nacre build --call`, written from a build that was prepared and not run. */
#ifndef NACRE_BUILD_CALL_PRIV_H
#define NACRE_BUILD_CALL_PRIV_H

#include "build/call.h"
#include "build_priv.h"

struct df_check;
struct df_mount;

/* A parameter of the target. */
struct outline_item {
	char *name;              /* owned */
	char *value;             /* owned; NULL: none */
	const char *description; /* in the file's arena; NULL: none */
	bool required;
	int line;
};
struct outline_list { struct outline_item *v; size_t n, cap; };

/* Filled by check_walk, which sees every needed instruction with its variables. */
struct outline {
	struct outline_list args, secrets, ssh, caches;
};
void outline_arg(struct outline *o, const struct df_instruction *in, const char *name, const char *value);
void outline_mount(struct outline *o, const struct df_instruction *in, const struct df_mount *m);
void outline_fini(struct outline *o);

/* The text of "# NAME text" directly above an instruction; NULL: none (DIR-11). */
const char *doc_comment(const struct df_instruction *in, const char *name);

/* "location":{"ranges":[{"start":{"line":…},"end":{"line":…}}]}, as BuildKit writes it. */
void call_write_location(struct json_out *o, int first, int last);
void call_write_check(const struct build *b, const struct df_check *c, enum call_format format, struct str *out);
void call_write_outline(const struct build *b, const struct outline *o, enum call_format format, struct str *out);
void call_write_targets(const struct build *b, enum call_format format, struct str *out);

#endif
