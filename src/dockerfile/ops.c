#include "ops_priv.h"

#include "base/str.h"

enum { N_OPS = DF_WORKDIR + 1 };

static const char *const names[N_OPS] = {
	[DF_ADD] = "ADD", [DF_ARG] = "ARG", [DF_CMD] = "CMD", [DF_COPY] = "COPY", [DF_ENTRYPOINT] = "ENTRYPOINT",
	[DF_ENV] = "ENV", [DF_EXPOSE] = "EXPOSE", [DF_FROM] = "FROM", [DF_HEALTHCHECK] = "HEALTHCHECK",
	[DF_LABEL] = "LABEL", [DF_MAINTAINER] = "MAINTAINER", [DF_ONBUILD] = "ONBUILD", [DF_RUN] = "RUN",
	[DF_SHELL] = "SHELL", [DF_STOPSIGNAL] = "STOPSIGNAL", [DF_USER] = "USER", [DF_VOLUME] = "VOLUME",
	[DF_WORKDIR] = "WORKDIR",
};

static const enum arg_form forms[N_OPS] = {
	[DF_ADD] = FORM_JSON_OR_WORDS, [DF_ARG] = FORM_NAMES, [DF_CMD] = FORM_JSON_OR_TEXT,
	[DF_COPY] = FORM_JSON_OR_WORDS, [DF_ENTRYPOINT] = FORM_JSON_OR_TEXT, [DF_ENV] = FORM_PAIRS,
	[DF_EXPOSE] = FORM_WORDS, [DF_FROM] = FORM_WORDS, [DF_HEALTHCHECK] = FORM_HEALTHCHECK, [DF_LABEL] = FORM_PAIRS,
	[DF_MAINTAINER] = FORM_TEXT, [DF_ONBUILD] = FORM_TRIGGER, [DF_RUN] = FORM_JSON_OR_TEXT,
	[DF_SHELL] = FORM_JSON_OR_TEXT, [DF_STOPSIGNAL] = FORM_TEXT, [DF_USER] = FORM_TEXT,
	[DF_VOLUME] = FORM_JSON_OR_WORDS, [DF_WORKDIR] = FORM_TEXT,
};

const char *df_op_name(enum df_op op)
{
	return names[op];
}

enum arg_form op_form(enum df_op op)
{
	return forms[op];
}

bool op_find(const char *word, enum df_op *ret)
{
	for (size_t i = 0; i < N_OPS; i++) {
		if (str_case_eq(word, names[i])) {
			*ret = (enum df_op)i;
			return true;
		}
	}
	return false;
}

const char *op_suggest(const char *word, struct arena *arena)
{
	const char *near = str_nearest(word, names, N_OPS);
	if (!near)
		return NULL;
	char *copy = arena_strdup(arena, near);
	bool upper = false;
	for (const char *p = word; *p; p++)
		upper |= *p >= 'A' && *p <= 'Z';
	if (!upper)
		str_lower(copy);
	return copy;
}
