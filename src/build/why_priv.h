/* Why a step of this build is not taken from the cache, by what the last build of the same Dockerfile had. */
#ifndef NACRE_BUILD_WHY_PRIV_H
#define NACRE_BUILD_WHY_PRIV_H

#include "base/json.h"
#include "build_priv.h"
#include "changes_priv.h"

/* Gives the step its changes and says the first of them. Says nothing in the first build of a Dockerfile. */
void why_missed(struct build *b, struct step *s, enum why_cause cause, const char *option);
/* Its key was not all known then and is now; nothing more is said. */
void why_learned(struct build *b, struct step *s);

/* The layer that this step gave in the last build, as its record says: 0, 1 none. */
int why_earlier_layer(struct build *b, const struct step *s, struct layer *ret);

/*
 * The step of an earlier build's log that is the same one: by its text, the nth of that text in its stage; else what
 * had the same place and the same instruction; else that text in any stage. NULL: there is none.
 */
const struct json *why_same_step(const struct json *steps, const char *stage, const char *text, size_t nth,
				 unsigned position);
/* What stands under the first step of a stage. */
const struct json *why_base(const struct json *steps, const char *stage);
/* Of a step that stands directly on its base, the change below it gets the base's name. */
void why_name_base(const struct json *before, const struct json *now, struct changes *c);

#endif
