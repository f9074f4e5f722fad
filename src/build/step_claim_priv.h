/* One build runs a step, others wait and take its record. */
#ifndef NACRE_BUILD_STEP_CLAIM_PRIV_H
#define NACRE_BUILD_STEP_CLAIM_PRIV_H

#include "build_priv.h"

/* At a miss: 0 it is ours to run, 1 somebody else runs it: come back and look again. */
int step_claim(struct build *b, struct step *step, struct err *e);
/* The same for a step that is late: 0 it is ours; 1 another build reads the same for the same step: come back, and take
 * the digest first. */
int step_claim_early(struct build *b, struct step *step, struct err *e);
/* The same step runs, or ran, in another stage of this build: 0 its layer is on our stack, 1 come back, 2 there is none. */
int step_twin(struct build *b, struct step *step);
/* What the step's layer stands on, as its key has it; false: that is not known yet. */
bool step_chain_below(const struct step *step, struct chainid *ret);
/* The keys of running steps that have become known are claimed. Before a record is written from which others could
 * learn those keys. */
int step_claim_known(struct build *b, struct err *e);
/* The record of a step that takes no time: as in the store, else as this step is from now on. */
int step_record_agree(struct build *b, struct step *step, struct step_record *ret, struct err *e);

#endif
