/* Steps that run although their record is there: --no-cache, --no-cache-filter, --no-cache-step and --fresh. */
#ifndef NACRE_BUILD_RERUN_PRIV_H
#define NACRE_BUILD_RERUN_PRIV_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

struct build;
struct df_stage;
struct step;
struct step_record;

/* --no-cache-step: the step shown as "[STAGE POSITION/…]", or those whose text a regular expression finds. */
struct rerun_step {
	const char *text;          /* as given; borrowed */
	const struct df_stage *stage; /* with a position, for whatever platform; borrowed from the build */
	unsigned position;         /* 0: by expression */
	regex_t regex;
	bool met;
};

struct rerun {
	VEC(const struct df_stage *) stages;
	VEC(struct rerun_step) steps;
};

/* Reads the options, once the stages are known. ERR_USAGE for a stage that is not there or a broken expression. */
int rerun_read(struct build *b, struct err *e);
/* The option that makes this step run, NULL for none. */
const char *rerun_option(struct build *b, const struct step *s);
/* --fresh: the record is older than that. */
bool rerun_is_stale(const struct build *b, const struct step_record *r);
/* Notes on stderr which --no-cache-step met no step. */
void rerun_report(const struct build *b);
void rerun_fini(struct rerun *r);

#endif
