#include "registries_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "url_priv.h"

/* Of the command line; inherited by workers. */
static struct strv trusted;

void registries_trust(const char *registry)
{
	if (!strv_has(&trusted, registry))
		strv_push(&trusted, registry);
}

bool registries_trusts(const struct url *u)
{
	for (size_t i = 0; i < trusted.n; i++) {
		AUTO(free_drop) char *text = x_asprintf("http%s://%s/", u->https ? "s" : "", trusted.v[i]);
		AUTO(url_fini) struct url known = { 0 };
		struct err ignored;
		if (url_parse(text, &known, &ignored) == 0 && url_same_origin(u, &known))
			return true;
	}
	return false;
}

void pull_sources_fini(struct pull_sources *l)
{
	for (size_t i = 0; i < l->n; i++)
		reference_fini(&l->v[i].ref);
	vec_fini(l);
}

/* ---- which entry ---- */

/* After a host, ":" begins a port, which makes it another registry; after a repository, a tag. */
static bool ends_prefix(const char *prefix, char next)
{
	return next == '\0' || next == '/' || (strchr(prefix, '/') && (next == ':' || next == '@'));
}

/* How many bytes of a reference's full text a prefix stands for; 0: it is another's. "*.DOMAIN" stands for the host. */
static size_t prefix_match(const char *prefix, const char *text)
{
	size_t n = strlen(prefix);
	if (str_starts(prefix, "*.")) {
		size_t host = strcspn(text, "/");
		bool is_below = host > n - 1 && strncmp(text + host - (n - 1), prefix + 1, n - 1) == 0;
		return is_below ? host : 0;
	}
	return n && strncmp(prefix, text, n) == 0 && ends_prefix(prefix, text[n]) ? n : 0;
}

static const char *prefix_of(const struct json *entry)
{
	const char *prefix = json_str(entry, "prefix"), *location = json_str(entry, "location");
	return prefix && prefix[0] ? prefix : location ? location : "";
}

/* The entry with the longest prefix; of equal ones that of the last file. */
static const struct json *find_entry(const struct registries_conf *c, const char *text, size_t *ret_matched)
{
	const struct json *best = NULL;
	size_t best_len = 0;
	for (size_t i = 0; i < c->files.n; i++) {
		const struct json *list = json_get(&c->files.v[i], "registry");
		for (size_t k = 0; k < json_len(list); k++) {
			const struct json *entry = json_at(list, k);
			const char *prefix = prefix_of(entry);
			size_t matched = prefix_match(prefix, text);
			if (matched && strlen(prefix) >= best_len) {
				best = entry;
				best_len = strlen(prefix);
				*ret_matched = matched;
			}
		}
	}
	return best;
}

/* ---- from a reference to where it is ---- */

static int blocked(const char *text, struct err *e)
{
	return err_set(e, ERR_AUTH, "%s: registries.conf blocks this registry", text);
}

/* The reference with `location` for its first `matched` bytes. */
static int relocate(const char *text, size_t matched, const char *location, struct reference *ret, struct err *e)
{
	if (!location || !location[0])
		return reference_parse(text, ret, e);
	AUTO(free_drop) char *moved = x_asprintf("%s%s", location, text + matched);
	if (reference_parse(moved, ret, e) < 0 || ret->unqualified)
		return err_set(e, ERR_SPEC, "registries.conf: location \"%s\" makes no reference of %s", location, text);
	return 0;
}

static int add_source(struct pull_sources *out, const char *text, size_t matched, const struct json *entry, struct err *e)
{
	struct pull_source *s = vec_add(out);
	s->insecure = json_bool(entry, "insecure", false);
	return relocate(text, matched, json_str(entry, "location"), &s->ref, e);
}

/* Mirrors serve what cannot be forged, a digest, or all: "pull-from-mirror", "mirror-by-digest-only". */
static bool mirror_serves(const struct json *entry, const struct json *mirror, const struct reference *ref)
{
	const char *when = json_str(mirror, "pull-from-mirror");
	if (str_eq(when, "digest-only") || json_bool(entry, "mirror-by-digest-only", false))
		return ref->has_digest;
	return !str_eq(when, "tag-only") || !ref->has_digest;
}

/* Of one registry: its mirrors, then itself. */
static int add_sources(const struct registries_conf *c, const struct reference *ref, struct pull_sources *out, struct err *e)
{
	AUTO(free_drop) char *text = reference_text(ref);
	size_t matched = 0;
	const struct json *entry = find_entry(c, text, &matched);
	if (json_bool(entry, "blocked", false))
		return blocked(text, e);
	const struct json *mirrors = json_get(entry, "mirror");
	for (size_t i = 0; i < json_len(mirrors); i++) {
		const struct json *m = json_at(mirrors, i);
		if (mirror_serves(entry, m, ref) && add_source(out, text, matched, m, e) < 0)
			return -1;
	}
	return add_source(out, text, matched, entry, e);
}

/* ---- names without a registry ---- */

static const char *last_string(const struct registries_conf *c, const char *key)
{
	const char *found = NULL;
	for (size_t i = 0; i < c->files.n; i++) {
		const char *s = json_str(&c->files.v[i], key);
		found = s ? s : found;
	}
	return found;
}

static const char *find_alias(const struct registries_conf *c, const char *name)
{
	const char *found = NULL;
	for (size_t i = 0; i < c->files.n; i++) {
		const char *s = json_str(json_get(&c->files.v[i], "aliases"), name);
		found = s ? s : found;
	}
	return found && found[0] ? found : NULL;
}

/* The name at `place`, a registry or a whole alias, with the tag and digest that were typed. */
static int name_at(const char *place, const char *path, const struct reference *typed, struct reference *ret,
		   struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	str_addf(&text, "%s%s%s", place, path ? "/" : "", path ? path : "");
	if (typed->tag)
		str_addf(&text, ":%s", typed->tag);
	if (typed->has_digest)
		str_addf(&text, "@%s", digest_text(&typed->digest).s);
	if (reference_parse(text.buf, ret, e) < 0 || ret->unqualified)
		return err_set(e, ERR_SPEC, "registries.conf: \"%s\" is not a registry or repository", place);
	return 0;
}

static int add_at(const struct registries_conf *c, const char *place, const char *path, const struct reference *typed,
		  struct pull_sources *out, struct err *e)
{
	AUTO(reference_fini) struct reference r = { 0 };
	return name_at(place, path, typed, &r, e) < 0 ? -1 : add_sources(c, &r, out, e);
}

static int resolve_short(const struct registries_conf *c, const struct reference *ref, struct pull_sources *out,
			 struct err *e)
{
	const char *path = ref->repository, *mode = last_string(c, "short-name-mode");
	const struct json *search = NULL;
	if (str_starts(path, "library/") && !strchr(path + strlen("library/"), '/'))
		path += strlen("library/");
	const char *alias = find_alias(c, path);
	if (alias)
		return add_at(c, alias, NULL, ref, out, e);
	for (size_t i = 0; i < c->files.n; i++) {
		const struct json *s = json_get(&c->files.v[i], "unqualified-search-registries");
		search = s ? s : search;
	}
	if (json_len(search) == 0)
		return add_sources(c, ref, out, e);
	if (json_len(search) > 1 && str_eq(mode, "enforcing"))
		return err_set(e, ERR_USAGE, "\"%s\" does not say which registry, and registries.conf has %zu to search: "
			       "write REGISTRY/%s", path, json_len(search), path);
	for (size_t i = 0; i < json_len(search); i++) {
		const struct json *r = json_at(search, i);
		if (r->type != JSON_STRING)
			return err_set(e, ERR_SPEC, "registries.conf: unqualified-search-registries holds what is no string");
		if (add_at(c, r->text, path, ref, out, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- the two questions ---- */

int registries_sources(const struct reference *ref, struct pull_sources *ret, struct err *e)
{
	AUTO(registries_conf_fini) struct registries_conf c = { 0 };
	AUTO(pull_sources_fini) struct pull_sources out = { 0 };
	if (registries_load(&c, e) < 0)
		return -1;
	if (ref->unqualified ? resolve_short(&c, ref, &out, e) < 0 : add_sources(&c, ref, &out, e) < 0)
		return -1;
	*ret = out;
	out = (struct pull_sources){ 0 };
	return 0;
}

int registries_destination(const struct reference *ref, bool *ret_insecure, struct err *e)
{
	AUTO(registries_conf_fini) struct registries_conf c = { 0 };
	size_t matched;
	if (registries_load(&c, e) < 0)
		return -1;
	AUTO(free_drop) char *text = x_asprintf("%s/%s", ref->registry, ref->repository ? ref->repository : "");
	const struct json *entry = find_entry(&c, text, &matched);
	if (json_bool(entry, "blocked", false))
		return blocked(text, e);
	*ret_insecure = json_bool(entry, "insecure", false);
	return 0;
}
