/*
 * What intermediate images are made of, so that a rebuild that changes nothing makes none of them again. The documents
 * of step n name n layers and n instructions: of many steps they are most of such a build.
 *
 * A step's digest covers the one of the step before and what the step adds. The log of a build has it beside the image
 * (build_log_priv.h), and the next build of the same Dockerfile takes the image from there if the digest is the same
 * and the documents are in the store.
 */
#ifndef NACRE_BUILD_MADE_PRIV_H
#define NACRE_BUILD_MADE_PRIV_H

#include "build_priv.h"

/* Of the next step of the stage that is complete: fills step->made.of. */
void made_of(struct stage *st, struct step *step);
/* Whether the build before has the image of such a step: fills step->image and the rest of step->made. */
bool made_before(struct build *b, struct step *step);
void made_write(const struct step *step, struct json_out *o);

#endif
