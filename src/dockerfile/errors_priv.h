#ifndef NACRE_SRC_DOCKERFILE_ERRORS_H
#define NACRE_SRC_DOCKERFILE_ERRORS_H

#include "dockerfile/parse.h"

/* Puts an error of a word at its place, unless one deeper down knew better. The lines of the instruction come later. */
int pos_set(struct err *e, struct df_pos at);

#endif
