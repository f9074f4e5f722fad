/* A word of EXPOSE before its range is written out. */
#ifndef NACRE_SRC_DOCKERFILE_EXPOSE_H
#define NACRE_SRC_DOCKERFILE_EXPOSE_H

#include "dockerfile/values.h"

struct expose {
	uint64_t first, last;
	const char *proto;    /* lower case; static */
	enum df_rule warning; /* DF_RULES: none */
};

int expose_parse(const char *word, struct expose *ret, struct err *e);

#endif
