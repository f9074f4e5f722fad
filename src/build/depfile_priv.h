/* --depfile: the files of this machine that an image was made of, as a rule that make and ninja read. */
#ifndef NACRE_BUILD_DEPFILE_PRIV_H
#define NACRE_BUILD_DEPFILE_PRIV_H

#include "build_priv.h"

struct copy_from;
struct copy_spec;
struct depfile;

/* ERR_USAGE when there is nothing that the rule could be about. */
int depfile_check(const struct build *b, struct err *e);
/* After a build: its text. Selects again what every step selected, cached or not, so it takes one stat per file. */
int depfile_make(struct build *b, struct str *ret, struct err *e);

/* What one step reads of a directory. */
int depfile_add(struct depfile *d, struct copy_from *from, const struct copy_spec *spec, struct err *e);
int step_copy_depends(struct step *step, struct depfile *d, struct err *e);
int step_run_depends(struct step *step, struct depfile *d, struct err *e);

#endif
