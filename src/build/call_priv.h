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
	int line, line_end;
	struct df_pos at;        /* of the word that names it; zeros: not known */
};
struct outline_list { struct outline_item *v; size_t n, cap; };

/* Filled by check_walk, which sees every needed instruction with its variables. */
struct outline {
	struct outline_list args, secrets, ssh, caches;
};
void outline_arg(struct outline *o, const struct df_instruction *in, const char *name, const char *value);
void outline_mount(struct outline *o, const struct df_instruction *in, struct df_pos at, const struct df_mount *m);
void outline_fini(struct outline *o);

/* The text of "# NAME text" directly above an instruction; NULL: none (DIR-11). */
const char *doc_comment(const struct df_instruction *in, const char *name);

/* "location":{"sourceIndex":0,"ranges":[{"start":{"line":…,"character":…},"end":{…}}]}, as BuildKit writes it. Lines
 * are from 1, characters from 0, as there; the end is the first behind. */
void call_write_location(const struct build *b, struct df_range r, struct json_out *o);
/* The number of characters before a place in its line. */
int call_character(const struct build *b, struct df_pos at);
/* `failure`: what check_walk or the parser says of the file, NULL for nothing. */
void call_write_check(const struct build *b, const struct df_check *c, enum call_format format, const struct err *failure,
		      struct str *out);
void call_write_outline(const struct build *b, const struct outline *o, enum call_format format, struct str *out);
void call_write_targets(const struct build *b, enum call_format format, struct str *out);

#endif
