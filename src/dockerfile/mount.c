#include "dockerfile/mount.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "dockerfile/csv.h"
#include "dockerfile/expand.h"
#include "dockerfile/values.h"
#include "text_priv.h"

static const char *const type_names[] = {
	[DF_MOUNT_BIND] = "bind", [DF_MOUNT_CACHE] = "cache", [DF_MOUNT_TMPFS] = "tmpfs", [DF_MOUNT_SECRET] = "secret",
	[DF_MOUNT_SSH] = "ssh",
};

static const char *const sharing_names[] = {
	[DF_SHARING_SHARED] = "shared", [DF_SHARING_PRIVATE] = "private", [DF_SHARING_LOCKED] = "locked",
};

struct parse {
	struct df_mount m;
	bool readonly_given, sharing_given;
	const char *key;   /* lower case; borrowed */
	struct err *e;
};

static int bad_value(struct parse *p, const char *value, const char *wanted)
{
	return err_set(p->e, ERR_PARSE, "invalid value for %s: %.100s is not %s", p->key, value, wanted);
}

static int wrong_type(struct parse *p)
{
	return err_set(p->e, ERR_PARSE, "unexpected key '%s' for mount type '%s'", p->key, type_names[p->m.type]);
}

static void set_text(char **field, const char *value)
{
	free(*field);
	*field = *value ? x_strdup(value) : NULL;
}

/* A key alone is true. */
static int parse_bool(struct parse *p, const char *value, bool *ret)
{
	*ret = true;
	return !value || span_to_bool(span_of(value), ret) ? 0 : bad_value(p, value, "true or false");
}

/* A word of a list, any case; its index, or -1 with a suggestion. */
static int choose(struct parse *p, const char *what, const char *value, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_case_eq(value, names[i]))
			return (int)i;
	const char *near = str_nearest(value, names, n);
	err_set(p->e, ERR_PARSE, "unsupported %s \"%.60s\"", what, value);
	return near ? err_hint(p->e, "did you mean %s?", near) : -1;
}

static int set_type(struct parse *p, const char *value)
{
	int i = choose(p, "mount type", value, type_names, ARRAY_LEN(type_names));
	if (i >= 0)
		p->m.type = (enum df_mount_type)i;
	return i < 0 ? -1 : 0;
}

static int set_sharing(struct parse *p, const char *value)
{
	int i = choose(p, "sharing value", value, sharing_names, ARRAY_LEN(sharing_names));
	p->sharing_given = true;
	if (i >= 0)
		p->m.sharing = (enum df_sharing)i;
	return i < 0 ? -1 : 0;
}

static int set_size(struct parse *p, const char *value)
{
	if (p->m.type != DF_MOUNT_TMPFS)
		return wrong_type(p);
	return df_size(value, &p->m.size) ? 0 : bad_value(p, value, "a size such as 64m");
}

static int set_number(struct parse *p, const char *value, bool octal, bool *ret_has, uint32_t *ret)
{
	uint64_t n;
	if (!(octal ? str_octal_to_u64(value, UINT32_MAX, &n) : str_to_u64(value, UINT32_MAX, &n)))
		return bad_value(p, value, octal ? "an octal number such as 0755" : "a number");
	*ret_has = true;
	*ret = (uint32_t)n;
	return 0;
}

static int set_readonly(struct parse *p, const char *value, bool meaning)
{
	bool flag;
	if (parse_bool(p, value, &flag))
		return -1;
	p->readonly_given = true;
	p->m.readonly = flag == meaning;
	return 0;
}

static int set_required(struct parse *p, const char *value)
{
	if (p->m.type != DF_MOUNT_SECRET && p->m.type != DF_MOUNT_SSH)
		return wrong_type(p);
	return parse_bool(p, value, &p->m.required);
}

static int unknown_key(struct parse *p, const char *field)
{
	static const char *const keys[] = {
		"type", "from", "source", "src", "target", "dst", "destination", "readonly", "ro", "readwrite", "rw",
		"id", "sharing", "required", "size", "mode", "uid", "gid", "env",
	};
	const char *near = str_nearest(p->key, keys, ARRAY_LEN(keys));
	err_set(p->e, ERR_PARSE, "unexpected key '%.60s' in '%.100s'", p->key, field);
	return near ? err_hint(p->e, "did you mean %s?", near) : -1;
}

/* The keys that may stand alone; `value` is NULL then. 1 when the key was one of them. */
static int set_flag(struct parse *p, const char *value)
{
	if (str_eq(p->key, "readonly") || str_eq(p->key, "ro"))
		return set_readonly(p, value, true) ? -1 : 1;
	if (str_eq(p->key, "readwrite") || str_eq(p->key, "rw"))
		return set_readonly(p, value, false) ? -1 : 1;
	if (str_eq(p->key, "required"))
		return set_required(p, value) ? -1 : 1;
	return 0;
}

static int set_key(struct parse *p, const char *field, const char *value)
{
	struct df_mount *m = &p->m;
	const char *key = p->key;
	int flag = set_flag(p, value);
	if (flag)
		return flag < 0 ? -1 : 0;
	if (str_eq(key, "type"))
		return set_type(p, value);
	if (str_eq(key, "sharing"))
		return set_sharing(p, value);
	if (str_eq(key, "size"))
		return set_size(p, value);
	if (str_eq(key, "mode"))
		return set_number(p, value, true, &m->has_mode, &m->mode);
	if (str_eq(key, "uid"))
		return set_number(p, value, false, &m->has_uid, &m->uid);
	if (str_eq(key, "gid"))
		return set_number(p, value, false, &m->has_gid, &m->gid);
	if (str_eq(key, "from"))
		set_text(&m->from, value);
	else if (str_eq(key, "id"))
		set_text(&m->id, value);
	else if (str_eq(key, "env"))
		set_text(&m->env, value);
	else if (str_eq(key, "source") || str_eq(key, "src"))
		set_text(&m->source, value);
	else if (str_eq(key, "target") || str_eq(key, "dst") || str_eq(key, "destination"))
		set_text(&m->target, value);
	else
		return unknown_key(p, field);
	return 0;
}

static int no_variables(struct parse *p, const char *value)
{
	const char *dollar = strchr(value, '$');
	if (dollar && dollar[1])
		return err_set(p->e, ERR_PARSE,
			       "'from' doesn't support variable expansion: give the image a stage name");
	return 0;
}

static int parse_field(struct parse *p, const struct df_scope *scope, const char *field)
{
	AUTO(free_drop) char *key = x_strndup(field, strcspn(field, "="));
	AUTO(free_drop) char *value = NULL;
	const char *text = field[strlen(key)] ? field + strlen(key) + 1 : NULL;
	str_lower(key);
	p->key = key;
	if (str_eq(key, "from") && text) {
		if (no_variables(p, text))
			return -1;
		set_text(&p->m.from, text);
		return 0;
	}
	/* Without a scope nothing else is known: even a key's meaning depends on the type, which may be a variable. */
	if (!scope)
		return 0;
	if (!text) {
		int flag = set_flag(p, NULL);
		if (!flag)
			return err_set(p->e, ERR_PARSE, "invalid field '%.100s' must be a key=value pair", field);
		return flag < 0 ? -1 : 0;
	}
	if (df_expand(scope, text, &value, p->e))
		return -1;
	return set_key(p, field, value);
}

static int check_secret(const struct df_mount *m, struct err *e)
{
	if (m->from)
		return err_set(e, ERR_PARSE, "secret mount should not have a from");
	if (!m->source && !m->target && !m->id)
		return err_set(e, ERR_PARSE, "invalid secret mount: one of id, source, target is required");
	if (m->source && m->id)
		return err_set(e, ERR_PARSE, "invalid secret mount: both source and id can't be set");
	return 0;
}

static int check(const struct parse *p, struct err *e)
{
	const struct df_mount *m = &p->m;
	const char *type = type_names[m->type];
	const char *extra = m->has_mode ? "mode" : m->has_uid ? "uid" : m->has_gid ? "gid" : NULL;
	if (extra && (m->type == DF_MOUNT_BIND || m->type == DF_MOUNT_TMPFS))
		return err_set(e, ERR_PARSE, "%s not allowed for \"%s\" type mounts", extra, type);
	if (p->sharing_given && m->type != DF_MOUNT_CACHE)
		return err_set(e, ERR_PARSE, "sharing not allowed for \"%s\" type mounts", type);
	if (m->env && m->type != DF_MOUNT_SECRET)
		return err_set(e, ERR_PARSE, "env not allowed for \"%s\" type mounts", type);
	if (m->source && m->type == DF_MOUNT_SSH)
		return err_set(e, ERR_PARSE, "source not allowed for \"%s\" type mounts", type);
	return m->type == DF_MOUNT_SECRET ? check_secret(m, e) : 0;
}

static void parse_fini(struct parse *p)
{
	df_mount_fini(&p->m);
}

int df_mount_parse(const char *value, const struct df_scope *scope, struct df_mount *ret, struct err *e)
{
	AUTO(strv_fini) struct strv fields = { 0 };
	AUTO(parse_fini) struct parse p = { .e = e };
	if (csv_parse(value, &fields, e))
		return err_in(e, "--mount=%.100s", value);
	for (size_t i = 0; i < fields.n; i++)
		if (parse_field(&p, scope, fields.v[i]))
			return err_in(e, "--mount=%.100s", value);
	if (!p.readonly_given)
		p.m.readonly = p.m.type != DF_MOUNT_CACHE && p.m.type != DF_MOUNT_TMPFS;
	if (scope && check(&p, e))
		return err_in(e, "--mount=%.100s", value);
	*ret = p.m;
	p.m = (struct df_mount){ 0 };
	return 0;
}

void df_mount_fini(struct df_mount *m)
{
	free(m->target);
	free(m->source);
	free(m->from);
	free(m->id);
	free(m->env);
	*m = (struct df_mount){ 0 };
}
