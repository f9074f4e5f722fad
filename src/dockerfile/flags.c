#include "dockerfile/flags.h"

#include <string.h>

#include "base/str.h"
#include "dockerfile/parse.h"
#include "errors_priv.h"
#include "flags_priv.h"

enum flag_kind { FLAG_BOOL, FLAG_STRING, FLAG_LIST };

static const struct flag_spec {
	enum df_op op;
	enum flag_kind kind;
	const char *name;
} specs[] = {
	{ DF_ADD, FLAG_STRING, "chown" },
	{ DF_ADD, FLAG_STRING, "chmod" },
	{ DF_ADD, FLAG_STRING, "checksum" },
	{ DF_ADD, FLAG_BOOL, "link" },
	{ DF_ADD, FLAG_BOOL, "keep-git-dir" },
	{ DF_ADD, FLAG_BOOL, "unpack" },
	{ DF_ADD, FLAG_LIST, "exclude" },
	{ DF_COPY, FLAG_STRING, "chown" },
	{ DF_COPY, FLAG_STRING, "chmod" },
	{ DF_COPY, FLAG_STRING, "from" },
	{ DF_COPY, FLAG_BOOL, "link" },
	{ DF_COPY, FLAG_BOOL, "parents" },
	{ DF_COPY, FLAG_LIST, "exclude" },
	{ DF_FROM, FLAG_STRING, "platform" },
	{ DF_HEALTHCHECK, FLAG_STRING, "interval" },
	{ DF_HEALTHCHECK, FLAG_STRING, "timeout" },
	{ DF_HEALTHCHECK, FLAG_STRING, "start-period" },
	{ DF_HEALTHCHECK, FLAG_STRING, "start-interval" },
	{ DF_HEALTHCHECK, FLAG_STRING, "retries" },
	{ DF_RUN, FLAG_LIST, "mount" },
	{ DF_RUN, FLAG_LIST, "device" },
	{ DF_RUN, FLAG_STRING, "network" },
	{ DF_RUN, FLAG_STRING, "security" },
};

static void hint_known(enum df_op op, const char *const *known, size_t n, struct err *e)
{
	AUTO(str_fini) struct str list = { 0 };
	for (size_t i = 0; i < n; i++)
		str_addf(&list, "%s--%s", !i ? "" : i + 1 < n ? ", " : " and ", known[i]);
	err_hint(e, "%s takes %s", df_op_name(op), list.buf);
}

static int unknown_flag(enum df_op op, const char *name, struct err *e)
{
	const char *known[ARRAY_LEN(specs)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		if (specs[i].op == op)
			known[n++] = specs[i].name;
	const char *near = str_nearest(name, known, n);
	err_set(e, ERR_PARSE, "unknown flag: --%.100s", name);
	if (near)
		err_hint(e, "did you mean --%s?", near);
	else if (!n)
		err_hint(e, "%s takes no flags; an argument that begins with -- goes after a lone --", df_op_name(op));
	else
		hint_known(op, known, n, e);
	return -1;
}

static const struct flag_spec *find_spec(enum df_op op, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		if (specs[i].op == op && strcmp(specs[i].name, name) == 0)
			return &specs[i];
	return NULL;
}

static int missing_value(const struct flag_spec *spec, struct err *e)
{
	err_set(e, ERR_PARSE, "missing a value on flag: --%s", spec->name);
	return err_hint(e, "write --%s=VALUE", spec->name);
}

static int check_value(const struct flag_spec *spec, const char *value, struct err *e)
{
	if (spec->kind != FLAG_BOOL)
		return value ? 0 : missing_value(spec, e);
	if (!value || str_case_eq(value, "true") || str_case_eq(value, "false"))
		return 0;
	if (!*value)
		return missing_value(spec, e);
	return err_set(e, ERR_PARSE, "--%s=%.100s: the value is neither true nor false", spec->name, value);
}

static int check_flag(const struct df_instruction *in, size_t i, struct err *e)
{
	const struct df_flag *f = &in->flags.v[i];
	const struct flag_spec *spec = find_spec(in->op, f->name);
	if (!spec)
		return unknown_flag(in->op, f->name, e);
	for (size_t j = 0; j < i && spec->kind != FLAG_LIST; j++)
		if (strcmp(in->flags.v[j].name, f->name) == 0)
			return err_set(e, ERR_PARSE, "duplicate flag: --%s can be given once", f->name);
	return check_value(spec, f->value, e);
}

int flags_check(const struct df_instruction *in, struct err *e)
{
	for (size_t i = 0; i < in->flags.n; i++)
		if (check_flag(in, i, e))
			return pos_set(e, in->flags.v[i].at);
	return 0;
}

void flags_drop_empty(struct df_instruction *in)
{
	size_t kept = 0;
	for (size_t i = 0; i < in->flags.n; i++) {
		const struct df_flag *f = &in->flags.v[i];
		const struct flag_spec *spec = find_spec(in->op, f->name);
		if (!spec || spec->kind != FLAG_STRING || !f->value || *f->value)
			in->flags.v[kept++] = *f;
	}
	in->flags.n = kept;
}

const char *df_flag_get(const struct df_instruction *in, const char *name)
{
	for (size_t i = 0; i < in->flags.n; i++)
		if (strcmp(in->flags.v[i].name, name) == 0)
			return in->flags.v[i].value ? in->flags.v[i].value : "";
	return NULL;
}

bool df_flag_bool(const struct df_instruction *in, const char *name)
{
	const char *value = df_flag_get(in, name);
	return value && (!*value || str_case_eq(value, "true"));
}
