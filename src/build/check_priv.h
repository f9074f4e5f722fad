/* The build checks that need values, images or the context (SEMANTICS section 16). */
#ifndef NACRE_BUILD_CHECK_PRIV_H
#define NACRE_BUILD_CHECK_PRIV_H

#include <stdbool.h>

struct build;
struct df_check;
struct err;
struct outline;
struct context_reads;

/* The file's check directive, or the build argument in its place (DIR-08, DIR-09), which also makes its warnings anew.
 */
int check_begin(struct build *b, struct df_check *ret, struct err *e);

/* Takes back what the text alone made look wrong in stages that this build does not reach. */
void check_forget_unneeded(struct build *b);

/*
 * Walks the needed stages and adds to b->file.warnings what can be said without running anything. `fetch`: configs of
 * base images that are not in the store are asked for; where one is not to be had, no variable below it counts as
 * undefined. `outline` (may be NULL) gets the parameters of the target, `reads` (may be NULL) what
 * it reads of directories. What cannot work goes to b->file.errors, beside what is there; -1 when there is some.
 */
int check_walk(struct build *b, const struct df_check *c, bool fetch, struct outline *outline,
	       struct context_reads *reads, struct err *e);

/* ERR_PARSE that names the rules, when there are warnings and the file asks for error=true. */
int check_verdict(const struct build *b, const struct df_check *c, struct err *e);

#endif
