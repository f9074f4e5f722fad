/* What the language knows about each instruction, in one table. */
#ifndef NACRE_SRC_DOCKERFILE_OPS_H
#define NACRE_SRC_DOCKERFILE_OPS_H

#include "dockerfile/parse.h"
#include "text_priv.h"

enum arg_form {
	FORM_JSON_OR_TEXT,  /* RUN CMD ENTRYPOINT SHELL */
	FORM_JSON_OR_WORDS, /* ADD COPY VOLUME */
	FORM_WORDS,         /* FROM EXPOSE */
	FORM_NAMES,         /* ARG */
	FORM_PAIRS,         /* ENV LABEL */
	FORM_TEXT,          /* the rest of the line */
	FORM_HEALTHCHECK,   /* a keyword, then as RUN */
	FORM_TRIGGER,       /* ONBUILD */
};

enum arg_form op_form(enum df_op op);
/* The instruction a word names, any case; false when it names none. */
bool op_find(const char *word, enum df_op *ret);
/* The name nearest to an unknown word, in its case; NULL when none is near. Lives in the arena. */
const char *op_suggest(const char *word, struct arena *arena);

#endif
