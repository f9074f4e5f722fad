/* How an image was made, as SLSA 1.0 has it. */
#include <stdlib.h>
#include <string.h>

#include "attest_priv.h"
#include "base/mem.h"
#include "git_priv.h"
#include "registry/reference.h"

/* Values of secrets are in none of these. */
static void write_pairs(struct json_out *o, const char *kind, const struct strv *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		const char *pair = pairs->v[i], *equals = strchr(pair, '=');
		AUTO(free_drop) char *key = x_asprintf("%s:%.*s", kind, (int)strcspn(pair, "="), pair);
		json_kv_str(o, key, equals ? equals + 1 : "");
	}
}

static void write_parameters(const struct graph *g, bool full, struct json_out *o)
{
	const struct build *b = g->build;
	AUTO(free_drop) char *platform = platform_text(&g->target);
	AUTO(strv_fini) struct strv labels = { 0 };
	json_put_key(o, "externalParameters");
	json_begin(o, '{');
	json_put_key(o, "configSource");
	json_begin(o, '{');
	json_kv_str(o, "path", b->file_name);
	json_end(o, '}');
	json_put_key(o, "request");
	json_begin(o, '{');
	json_kv_str(o, "platform", platform);
	if (b->options->target)
		json_kv_str(o, "target", b->options->target);
	/* One label or argument given twice is one key. */
	for (size_t i = 0; i < b->options->labels.n; i++) {
		const char *pair = b->options->labels.v[i], *equals = strchr(pair, '=');
		AUTO(free_drop) char *key = x_strndup(pair, strcspn(pair, "="));
		env_set(&labels, key, equals ? equals + 1 : "");
	}
	if (full) {
		write_pairs(o, "build-arg", &b->build_args);
		write_pairs(o, "label", &labels);
	}
	json_end(o, '}');
	json_end(o, '}');
}

static void write_steps(const struct graph *g, struct json_out *o)
{
	json_put_key(o, "steps");
	json_begin(o, '[');
	for (size_t i = 0; i < g->stages.n; i++)
		for (size_t k = 0; k < g->stages.v[i]->steps.n; k++) {
			const struct step *s = g->stages.v[i]->steps.v[k];
			json_begin(o, '{');
			json_kv_str(o, "stage", s->stage->label);
			json_kv_str(o, "instruction", s->in->text);
			json_end(o, '}');
		}
	json_end(o, ']');
}

static void write_internal(const struct graph *g, bool full, struct json_out *o)
{
	AUTO(free_drop) char *here = platform_text(&g->build->host);
	json_put_key(o, "internalParameters");
	json_begin(o, '{');
	json_kv_str(o, "builderPlatform", here);
	if (full)
		write_steps(g, o);
	json_end(o, '}');
}

/* "pkg:docker/NAME@TAG?platform=OS%2FARCH", for what is no reference the text itself. The caller owns it. */
static char *image_uri(const struct base_image *i)
{
	AUTO(reference_fini) struct reference r = { 0 };
	struct err ignored;
	const struct platform *p = &i->image.config.platform;
	if (reference_parse(i->reference, &r, &ignored) < 0)
		return x_strdup(i->reference);
	AUTO(free_drop) char *name = reference_familiar(&r);
	name[strcspn(name, "@")] = '\0';
	char *colon = strrchr(name, ':');
	if (colon && !strchr(colon, '/'))
		*colon = '\0';
	return x_asprintf("pkg:docker/%s%s%s?platform=%s%%2F%s", name, r.tag ? "@" : "", r.tag ? r.tag : "", p->os, p->arch);
}

static void write_dependency(struct json_out *o, const char *uri, const struct digest *d)
{
	json_begin(o, '{');
	json_kv_str(o, "uri", uri);
	if (d) {
		json_put_key(o, "digest");
		json_begin(o, '{');
		json_kv_str(o, "sha256", digest_hex(d).s);
		json_end(o, '}');
	}
	json_end(o, '}');
}

static void write_dependencies(const struct build *b, struct json_out *o)
{
	json_put_key(o, "resolvedDependencies");
	json_begin(o, '[');
	for (size_t i = 0; i < b->images.n; i++) {
		const struct base_image *image = b->images.v[i];
		if (!image->loaded)
			continue;
		AUTO(free_drop) char *uri = image_uri(image);
		write_dependency(o, uri, &image->manifest);
	}
	if (b->context.kind == CONTEXT_GIT || b->context.kind == CONTEXT_HTTP) {
		AUTO(free_drop) char *uri = git_url_shown(b->context.path);
		write_dependency(o, uri, NULL);
	}
	json_end(o, ']');
}

void provenance_write(const struct graph *g, bool full, struct json_out *o)
{
	json_begin(o, '{');
	json_put_key(o, "buildDefinition");
	json_begin(o, '{');
	json_kv_str(o, "buildType", "urn:nacre:dockerfile:v1");
	write_parameters(g, full, o);
	write_internal(g, full, o);
	write_dependencies(g->build, o);
	json_end(o, '}');
	json_put_key(o, "runDetails");
	json_begin(o, '{');
	json_put_key(o, "builder");
	json_begin(o, '{');
	json_kv_str(o, "id", "urn:nacre");
	json_put_key(o, "version");
	json_begin(o, '{');
	json_kv_str(o, "nacre", NACRE_VERSION);
	json_end(o, '}');
	json_end(o, '}');
	json_put_key(o, "metadata");
	json_begin(o, '{');
	json_kv_str(o, "startedOn", g->build->created);
	json_end(o, '}');
	json_end(o, '}');
	json_end(o, '}');
}
