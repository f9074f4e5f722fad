/*
 * Build checks (SEMANTICS section 16): which rules are on, and those that need nothing but the text. The rules that
 * need values, images or a context are the builder's; it asks df_check_wants before it warns.
 */
#ifndef NACRE_DOCKERFILE_LINT_H
#define NACRE_DOCKERFILE_LINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "dockerfile/parse.h"

struct df_check {
	bool as_error;          /* error=true: a warning fails the build */
	uint32_t skipped;       /* one bit for each enum df_rule */
	uint32_t experimental;  /* likewise: experimental rules that were asked for */
};
_Static_assert(DF_RULES <= 32, "one bit for each rule");

/* The value of the check directive or of the build argument that replaces it; NULL and "" ask for nothing (DIR-08). */
int df_check_parse(const char *text, struct df_check *ret, struct err *e);

/* Whether `rule` is on for an instruction (NULL: for the file), comments directly above it included (DIR-10). */
bool df_check_wants(const struct df_check *c, const struct df_instruction *in, enum df_rule rule);

/* Makes f->warnings anew. df_parse has done so with the file's own check directive, if that can be understood. */
void df_lint(struct df_file *f, const struct df_check *c);

/*
 * One sentence for each rule that a check option names and that does not exist, with its place in `file_name`: in
 * `argument`, or when that is NULL in the file's directive, and in comments above instructions.
 */
void df_check_hints(const struct df_file *f, const char *file_name, const char *argument, struct strv *ret);

/* Adds a warning at `in`, about the word `at` (NULL: all of it), unless the rule is off there; df_warnings_sort when all
 * are added. */
void df_warn(struct df_file *f, const struct df_check *c, const struct df_instruction *in, const struct df_pos *at,
	     enum df_rule rule, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Takes back the warnings of a rule at `in`: what the text alone made look wrong was not. */
void df_unwarn(struct df_file *f, const struct df_instruction *in, enum df_rule rule);
void df_warnings_sort(struct df_file *f);
/* Of sorted ones, drops what was said before. */
void df_warnings_unique(struct df_file *f);

#endif
