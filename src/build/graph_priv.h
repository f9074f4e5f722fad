#ifndef NACRE_BUILD_GRAPH_PRIV_H
#define NACRE_BUILD_GRAPH_PRIV_H

#include "build_priv.h"

/* An instruction that came with the base image: the stages it reads from are needed, with all that those need. */
int graph_add_trigger(struct stage *st, const struct df_instruction *in, struct err *e);
/* Marks every stage as needed. What is wrong in those that were not goes to the errors of the file. */
void graph_need_all(struct graph *g);
/* The stage that `--from=NAME` of an instruction of st means; *ret NULL: a named context or an image. */
int stage_named_from(struct stage *st, const struct df_instruction *in, const char *from, struct stage **ret,
		     struct err *e);
/* The stage of that name, or number in COPY, NULL for neither; a number that no stage has is an error. */
int stage_lookup(const struct graph *g, const struct df_instruction *in, const char *from, struct stage **ret, struct err *e);
/* The earlier stage that an expanded FROM means, NULL when it is a named context or an image. */
struct stage *stage_base(const struct stage *st, const char *image);
/* What must be right in every stage: bases, platforms, names in --from and from=, which go to the errors of the file; and no
 * cycles, for which it fails. */
int graph_check(struct graph *g, struct err *e);
/* The expanded image name of its FROM; the caller owns it. */
int stage_expand_base(struct stage *st, char **ret, struct err *e);
/* The platform its FROM asks for; *ret_given: by --platform there or on the command line. */
int stage_platform(const struct graph *g, const struct df_instruction *from, struct platform *ret, bool *ret_given,
		   struct err *e);

#endif
