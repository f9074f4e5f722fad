/* Variables: the automatic and global ARGs, and expansion in a stage (SEMANTICS sections 6 and 8). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_priv.h"
#include "dockerfile/expand.h"

/* A build argument of an automatic name changes it for FROM and for global ARGs too, with no ARG to declare it. */
static void add_automatic(struct graph *g, const char *name, const char *value)
{
	const char *given = env_get(&g->build->build_args, name);
	env_set(&g->platform_args, name, given ? given : value);
}

static void add_platform(struct graph *g, const char *prefix, const struct platform *p)
{
	char name[32];
	AUTO(free_drop) char *text = platform_text(p);
	const struct { const char *suffix, *value;
	} parts[] = {
		{ "PLATFORM", text }, { "OS", p->os },           { "OSVERSION", p->os_version },
		{ "ARCH", p->arch },  { "VARIANT", p->variant },
	};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(name, sizeof name, "%s%s", prefix, parts[i].suffix);
		add_automatic(g, name, parts[i].value);
	}
}

void scope_global(struct graph *g)
{
	const char *target = g->goal ? g->goal->df->name : NULL;
	add_platform(g, "BUILD", &g->build->host);
	add_platform(g, "TARGET", &g->target);
	if (g->build->options->target)
		target = g->build->options->target;
	add_automatic(g, "TARGETSTAGE", target ? target : "default");
	strv_copy(&g->global_args, &g->platform_args);
}

void scope_add_proxies(const struct build *b, struct strv *env)
{
	static const char *const names[] = { "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = NULL;
		for (size_t k = 0; k < b->build_args.n; k++) {
			const char *given = b->build_args.v[k];
			if (str_case_starts(given, names[i]) && given[strlen(names[i])] == '=')
				value = given + strlen(names[i]) + 1;
		}
		AUTO(free_drop) char *lower = x_strdup(names[i]);
		str_lower(lower);
		if (value && *value && !env_get(env, names[i]))
			env_set(env, names[i], value);
		if (value && *value && !env_get(env, lower))
			env_set(env, lower, value);
	}
}

bool arg_is_control(const char *name)
{
	return strcmp(name, "BUILDKIT_SBOM_SCAN_CONTEXT") == 0 || strcmp(name, "BUILDKIT_SBOM_SCAN_STAGE") == 0;
}

int scope_global_args(struct graph *g, struct err *e)
{
	const struct build *b = g->build;
	for (size_t i = 0; i < b->file.n_global; i++) {
		const struct df_instruction *in = &b->file.instructions.v[i];
		for (size_t k = 0; k < in->kvs.n; k++) {
			const struct df_kv *kv = &in->kvs.v[k];
			const char *given = env_get(&b->build_args, kv->key);
			AUTO(free_drop) char *value = given ? x_strdup(given) : NULL;
			struct df_scope scope = { .env = &g->global_args, .escape = b->file.escape };
			if (!value && kv->value && df_expand(&scope, kv->value, &value, e) < 0)
				return df_err_at(e, in, &kv->at);
			if (value)
				env_set(&g->global_args, kv->key, value);
		}
	}
	return 0;
}

void scope_set(struct strv *env, const char *name, const char *value)
{
	env_unset(env, name);
	strv_pushf(env, "%s=%s", name, value);
}

int scope_expand(struct stage *st, const struct df_instruction *in, const char *word, char **ret, struct err *e)
{
	struct df_scope scope = { .env = &st->env, .escape = st->build->file.escape };
	if (df_expand(&scope, word, ret, e) < 0) {
		e->line = in->line;
		e->line_end = in->line_end;
		return -1;
	}
	return 0;
}
