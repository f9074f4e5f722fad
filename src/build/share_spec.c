/* The words of --cache-from and --cache-to, as docker buildx has them. */
#include <stdlib.h>
#include <string.h>

#include "share_priv.h"
#include "dockerfile/csv.h"

void share_spec_fini(struct share_spec *s)
{
	free(s->ref);
	free(s->dir);
	free(s->tag);
	*s = (struct share_spec){ 0 };
}

static int parse_type(struct share_spec *s, const char *value, bool to, struct err *e)
{
	static const char *const kinds[] = { "registry", "local", "inline" };
	size_t i = 0;
	while (i < ARRAY_LEN(kinds) && !str_eq(value, kinds[i]))
		i++;
	if (i == ARRAY_LEN(kinds))
		return err_set(e, ERR_USAGE, "type=%s is not supported; there are %s", value,
			       to ? "registry, local and inline" : "registry and local");
	s->kind = (enum share_kind)i;
	if (s->kind == SHARE_INLINE && !to)
		return err_set(e, ERR_USAGE, "type=inline is written only; an image that has a cache in it is read with "
					     "type=registry,ref=IMAGE");
	return 0;
}

/* *ret: whether the value is "true". */
static int parse_bool(const char *key, const char *value, bool *ret, struct err *e)
{
	*ret = str_eq(value, "true") || str_eq(value, "1");
	if (!*ret && !str_eq(value, "false") && !str_eq(value, "0"))
		return err_set(e, ERR_USAGE, "%s=%s: true or false is wanted", key, value);
	return 0;
}

static int parse_error(struct share_spec *s, const char *value, struct err *e)
{
	bool ignore;
	if (parse_bool("ignore-error", value, &ignore, e) < 0)
		return -1;
	s->must = !ignore;
	return 0;
}

static void set_text(char **field, const char *value)
{
	free(*field);
	*field = *value ? x_strdup(value) : NULL;
}

static int unknown_key(const char *key, struct err *e)
{
	static const char *const keys[] = { "type", "ref", "src", "dest", "tag", "mode", "ignore-error" };
	const char *near = str_nearest(key, keys, ARRAY_LEN(keys));
	err_set(e, ERR_USAGE, "unknown field '%s'", key);
	return near ? err_hint(e, "did you mean %s?", near) : -1;
}

static int parse_field(struct share_spec *s, const char *field, bool to, struct err *e)
{
	AUTO(free_drop) char *key = x_strndup(field, strcspn(field, "="));
	bool ignored;
	if (!field[strlen(key)])
		return err_set(e, ERR_USAGE, "invalid field '%s'; KEY=VALUE is wanted", field);
	const char *value = field + strlen(key) + 1;
	if (str_eq(key, "type"))
		return parse_type(s, value, to, e);
	if (str_eq(key, "ref"))
		set_text(&s->ref, value);
	else if (str_eq(key, to ? "dest" : "src"))
		set_text(&s->dir, value);
	else if (str_eq(key, "tag"))
		set_text(&s->tag, value);
	else if (to && str_eq(key, "mode") && (str_eq(value, "min") || str_eq(value, "max")))
		s->all = str_eq(value, "max");
	else if (to && str_eq(key, "mode"))
		return err_set(e, ERR_USAGE, "mode=%s: min or max is wanted", value);
	else if (to && str_eq(key, "ignore-error"))
		return parse_error(s, value, e);
	else if (to && (str_eq(key, "oci-mediatypes") || str_eq(key, "image-manifest")))
		return parse_bool(key, value, &ignored, e); /* that is what is written, whatever it says */
	else
		return unknown_key(key, e);
	return 0;
}

static int check(const struct share_spec *s, bool to, struct err *e)
{
	struct reference r = { 0 };
	if (s->kind == SHARE_LOCAL && !s->dir)
		return err_set(e, ERR_USAGE, "type=local wants %s=DIR", to ? "dest" : "src");
	if (s->kind == SHARE_REGISTRY && !s->ref)
		return err_set(e, ERR_USAGE, "type=registry wants ref=NAME");
	if (s->kind != SHARE_REGISTRY && s->ref)
		return err_set(e, ERR_USAGE, "ref= is for type=registry");
	if (s->kind != SHARE_LOCAL && (s->dir || s->tag))
		return err_set(e, ERR_USAGE, "%s is for type=local", s->dir ? to ? "dest=" : "src=" : "tag=");
	if (s->kind != SHARE_REGISTRY)
		return 0;
	if (reference_parse(s->ref, &r, e) < 0) {
		e->kind = ERR_USAGE;
		return -1;
	}
	bool pinned = to && r.has_digest;
	reference_fini(&r);
	return pinned ? err_set(e, ERR_USAGE, "ref=%s: what is written has a tag, no digest", s->ref) : 0;
}

static int parse(const char *text, bool to, struct share_spec *s, struct err *e)
{
	AUTO(strv_fini) struct strv fields = { 0 };
	if (!strchr(text, '=')) { /* the form that is older than types */
		set_text(&s->ref, text);
		return check(s, to, e);
	}
	if (csv_parse(text, &fields, e) < 0) {
		e->kind = ERR_USAGE;
		return -1;
	}
	bool typed = false;
	for (size_t i = 0; i < fields.n; i++) {
		typed |= str_starts(fields.v[i], "type=");
		if (parse_field(s, fields.v[i], to, e) < 0)
			return -1;
	}
	return typed ? check(s, to, e) : err_set(e, ERR_USAGE, "type= is missing; there are registry, local and inline");
}

int share_spec_parse(const char *text, bool to, struct share_spec *ret, struct err *e)
{
	struct share_spec s = { 0 };
	if (parse(text, to, &s, e) < 0) {
		share_spec_fini(&s);
		return err_in(e, "%s %s", to ? "--cache-to" : "--cache-from", text);
	}
	if (s.kind == SHARE_LOCAL && !s.tag)
		s.tag = x_strdup("latest");
	*ret = s;
	return 0;
}

static int check_all(const struct strv *texts, bool to, bool *ret_inline, struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct share_spec s;
		if (share_spec_parse(texts->v[i], to, &s, e) < 0)
			return -1;
		*ret_inline |= s.kind == SHARE_INLINE;
		share_spec_fini(&s);
	}
	return 0;
}

int share_specs_check(const struct build_options *o, struct err *e)
{
	bool in_image = false;
	if (check_all(&o->cache_from, false, &in_image, e) < 0 || check_all(&o->cache_to, true, &in_image, e) < 0)
		return -1;
	/* Its records would name layers that the image does not have. */
	if (in_image && (o->squash || o->squash_stages.n))
		return err_set(e, ERR_USAGE, "--squash leaves no layers to be a cache: use another type than --cache-to type=inline");
	return 0;
}
