#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "build/build.h"
#include "base/log.h"
#include "build/call.h"
#include "build/prune.h"
#include "dockerfile/values.h"
#include "cli/age.h"
#include "cli/command.h"
#include "store/where.h"

struct options {
	const char *store, *call, *file, *target, *network, *progress, *compression, *cache_max, *depfile, *iidfile, *metadata_file;
	const char *sbom, *provenance, *attest_dir;
	const char *fresh, *shm_size, *cgroup_parent;
	const char *jobs;
	struct strv platforms, attests;
	struct strv tags, build_args, labels, contexts, secrets, ssh, allow, add_hosts, ulimits, resources;
	struct strv cache_from, cache_to, squash_stages, no_cache_filter, no_cache_step, outputs, annotations;
	bool check, force_rm, load, no_cache, pull, push, quiet, reproducible, rm, squash;
};

enum { JOBS_MAX = 1024 };

#define AT(field) offsetof(struct options, field)

static const struct option_def table[] = {
	{ "add-host", 0, OPTION_LIST, AT(add_hosts), "NAME:ADDRESS", "a line for /etc/hosts of RUN" },
	{ "allow", 0, OPTION_LIST, AT(allow), "ENTITLEMENT",
	  "what a Dockerfile may ask for: network.host, security.insecure" },
	{ "annotation", 0, OPTION_LIST, AT(annotations), "[LEVEL:]K=V",
	  "annotate the image: its manifest, or index, manifest-descriptor, index-descriptor" },
	{ "attest", 0, OPTION_LIST, AT(attests), "type=sbom|type=provenance[,mode=min|max]",
	  "say what is installed in the image, or how it was made: beside it in oci:DIR or a registry, or in --attest-dir" },
	{ "attest-dir", 0, OPTION_STRING, AT(attest_dir), "DIR", "write SBOM and provenance to files" },
	{ "build-arg", 0, OPTION_LIST, AT(build_args), "K[=V]",
	  "set a build argument; without a value, from the environment" },
	{ "build-context", 0, OPTION_LIST, AT(contexts), "NAME[::PLATFORM]=VALUE",
	  "a named context: a directory, a git or HTTP URL, oci-layout://DIR[:TAG|@DIGEST] or docker-image://REF" },
	{ "cache-from", 0, OPTION_LIST, AT(cache_from), "CACHE",
	  "take steps from a cache: type=registry,ref=NAME or just NAME, or type=local,src=DIR" },
	{ "cache-max", 0, OPTION_STRING, AT(cache_max), "SIZE",
	  "drop cache so that the store is no larger, during and after the build (\"10GB\"; also $NACRE_CACHE_MAX)" },
	{ "cache-to", 0, OPTION_LIST, AT(cache_to), "CACHE",
	  "write the steps to a cache: type=registry,ref=NAME or type=local,dest=DIR, with mode=max of all stages; or "
	  "type=inline" },
	{ "call", 0, OPTION_STRING, AT(call), "METHOD[,format=F]",
	  "build (default), or without building: check, outline or targets; as text, json, for check also sarif" },
	{ "cgroup-parent", 0, OPTION_STRING, AT(cgroup_parent), "GROUP", "refused: RUN has no control group of its own" },
	{ "check", 0, OPTION_FLAG, AT(check), NULL, "the same as --call=check" },
	{ "compression", 0, OPTION_STRING, AT(compression), "TYPE", "of layers that are made: zstd[:LEVEL] (default), gzip or none" },
	{ "depfile", 0, OPTION_STRING, AT(depfile), "FILE", "write a rule for make and ninja: the files that were read" },
	{ "file", 'f', OPTION_STRING, AT(file), "FILE",
	  "the Dockerfile (default: that in the context; - is standard input)" },
	{ "force-rm", 0, OPTION_FLAG, AT(force_rm), NULL, "accepted for docker's habits: no container ever stays" },
	{ "fresh", 0, OPTION_STRING, AT(fresh), "TIME", "run steps again whose result is older (\"12h\", \"7d\")" },
	{ "iidfile", 0, OPTION_STRING, AT(iidfile), "FILE", "write the image's digest to a file" },
	{ "jobs", 'j', OPTION_STRING, AT(jobs), "N",
	  "run at most N steps at a time, and compress with as many threads (default: by the processors)" },
	{ "label", 0, OPTION_LIST, AT(labels), "K=V", "add a label to the image" },
	{ "load", 0, OPTION_FLAG, AT(load), NULL, "nothing more: the image is in the store in any case" },
	{ "metadata-file", 0, OPTION_STRING, AT(metadata_file), "FILE", "write digests and names of the image as JSON" },
	{ "network", 0, OPTION_STRING, AT(network), "MODE", "of RUN: default (the host's), host or none" },
	{ "no-cache", 0, OPTION_FLAG, AT(no_cache), NULL, "run every step again" },
	{ "no-cache-filter", 0, OPTION_LIST, AT(no_cache_filter), "STAGE[,STAGE...]", "run every step of these stages again" },
	{ "no-cache-step", 0, OPTION_LIST, AT(no_cache_step), "[STAGE:]N|REGEX",
	  "run this step again, or those whose text matches, and what follows" },
	{ "output", 'o', OPTION_LIST, AT(outputs), "DEST",
	  "also write: oci:DIR, oci-archive:FILE, docker-archive:FILE, docker://NAME; DIR or - (the root filesystem); "
	  "or type=oci|docker|local|tar|image|registry|cacheonly[,KEY=VALUE...]" },
	{ "platform", 0, OPTION_LIST, AT(platforms), "OS/ARCH[,...]",
	  "the platforms to build for, as one index if several; \"local\" is this machine's" },
	{ "progress", 0, OPTION_STRING, AT(progress), "TYPE",
	  "auto (default: tty on a terminal, else plain), tty, plain, rawjson or quiet" },
	{ "provenance", 0, OPTION_STRING, AT(provenance), "true|false|mode=min|max", "the same as --attest type=provenance" },
	{ "pull", 0, OPTION_FLAG, AT(pull), NULL, "ask the registry again for base images that are in the store" },
	{ "push", 0, OPTION_FLAG, AT(push), NULL, "push the image under its names: the same as -o type=registry" },
	{ "quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "print nothing but the image's digest" },
	{ "resource", 0, OPTION_LIST, AT(resources), "NAME=VALUE", "refused: RUN has no control group of its own" },
	{ "reproducible", 0, OPTION_FLAG, AT(reproducible), NULL,
	  "give all that is made the time of the context's commit, or SOURCE_DATE_EPOCH" },
	{ "rm", 0, OPTION_FLAG, AT(rm), NULL, "accepted for docker's habits: no container ever stays" },
	{ "sbom", 0, OPTION_STRING, AT(sbom), "true|false", "the same as --attest type=sbom" },
	{ "secret", 0, OPTION_LIST, AT(secrets), "id=ID[,src=FILE|,env=NAME]",
	  "a secret for RUN --mount=type=secret" },
	{ "shm-size", 0, OPTION_STRING, AT(shm_size), "SIZE", "of /dev/shm of RUN (default: 64m)" },
	{ "squash", 0, OPTION_FLAG, AT(squash), NULL, "make one layer of those that the build puts on its base" },
	{ "squash-stage", 0, OPTION_LIST, AT(squash_stages), "STAGE", "make one layer of those that this stage of the result makes" },
	{ "ssh", 0, OPTION_LIST, AT(ssh), "default|ID[=SOCKET|KEY,...]",
	  "an agent or keys for RUN --mount=type=ssh" },
	{ "store", 0, OPTION_STRING, AT(store), "DIR", "where images and cache are kept (also $NACRE_STORE)" },
	{ "tag", 't', OPTION_LIST, AT(tags), "NAME[:TAG]", "name the image" },
	{ "target", 0, OPTION_STRING, AT(target), "STAGE", "build this stage instead of the last one" },
	{ "ulimit", 0, OPTION_LIST, AT(ulimits), "NAME=SOFT[:HARD]", "a resource limit of RUN" },
};

/* As with docker: `--target "$TARGET"` with no value is as if it was not given. */
static const char *unless_empty(const char *value)
{
	return value && *value ? value : NULL;
}

static int parse_compression(const char *text, struct layer_format *f, struct err *e)
{
	uint64_t level = 0;
	*f = (struct layer_format){ .how = COMPRESSION_ZSTD };
	if (!text || strcmp(text, "zstd") == 0)
		return 0;
	if (str_starts(text, "zstd:") && str_to_u64(text + 5, 22, &level) && level > 0) {
		f->level = (int)level;
		return 0;
	}
	if (strcmp(text, "gzip") == 0) {
		f->how = COMPRESSION_GZIP;
		return 0;
	}
	if (strcmp(text, "none") == 0) {
		f->how = COMPRESSION_NONE;
		return 0;
	}
	return err_set(e, ERR_USAGE, "--compression %s: zstd, zstd:1 to zstd:22, gzip or none is wanted", text);
}

static int parse_jobs(const char *text, struct build_options *ret, struct err *e)
{
	uint64_t n = 0;
	if (text && (!str_to_u64(text, JOBS_MAX, &n) || !n))
		return err_set(e, ERR_USAGE, "--jobs %s: a number from 1 to %d is wanted", text, JOBS_MAX);
	ret->jobs = (unsigned)n;
	ret->format.threads = (unsigned)n;
	return 0;
}

static int parse_network(const char *text, enum sandbox_net *ret, struct err *e)
{
	*ret = SANDBOX_NET_HOST;
	if (!text || strcmp(text, "default") == 0 || strcmp(text, "host") == 0)
		return 0;
	if (strcmp(text, "none") != 0)
		return err_set(e, ERR_USAGE, "--network %s: default, host or none is wanted", text);
	*ret = SANDBOX_NET_NONE;
	return 0;
}

static int parse_progress(const struct options *o, enum progress_mode *ret, struct err *e)
{
	static const char *const names[] = {
		[PROGRESS_AUTO] = "auto",       [PROGRESS_TTY] = "tty",     [PROGRESS_PLAIN] = "plain",
		[PROGRESS_RAWJSON] = "rawjson", [PROGRESS_QUIET] = "quiet",
	};
	const char *env = getenv("BUILDKIT_PROGRESS"); /* as docker's users set it for their CI */
	const char *name = o->progress ? o->progress : env && *env ? env : "auto";
	*ret = PROGRESS_QUIET;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		*ret = o->quiet ? PROGRESS_QUIET : (enum progress_mode)i;
		return 0;
	}
	return err_set(e, ERR_USAGE, "%s %s: auto, tty, plain, rawjson or quiet is wanted",
		       o->progress ? "--progress" : "BUILDKIT_PROGRESS", name);
}

/* Lists are lent: the option struct outlives the build. */
static int to_build_options(const struct options *o, const char *context, struct build_options *ret, struct err *e)
{
	*ret = (struct build_options){
		.context = context,
		.file = unless_empty(o->file),
		.tags = o->tags,
		.build_args = o->build_args,
		.labels = o->labels,
		.contexts = o->contexts,
		.secrets = o->secrets,
		.ssh = o->ssh,
		.allow = o->allow,
		.add_hosts = o->add_hosts,
		.shm_size = o->shm_size,
		.ulimits = o->ulimits,
		.cgroup_parent = o->cgroup_parent,
		.resources = o->resources,
		.target = unless_empty(o->target),
		.platforms = o->platforms,
		.no_cache = o->no_cache,
		.cache_from = o->cache_from,
		.cache_to = o->cache_to,
		.no_cache_filter = o->no_cache_filter,
		.no_cache_step = o->no_cache_step,
		.has_fresh = o->fresh,
		.pull = o->pull,
		.quiet = o->quiet,
		.iidfile = o->iidfile,
		.depfile = o->depfile,
		.metadata_file = o->metadata_file,
		.attests = o->attests,
		.reproducible = o->reproducible,
		.sbom = o->sbom,
		.provenance = o->provenance,
		.attest_dir = o->attest_dir,
		.outputs = o->outputs,
		.annotations = o->annotations,
		.push = o->push,
		.squash = o->squash,
		.squash_stages = o->squash_stages,
		.has_format = o->compression,
		.net_is_host = str_eq(o->network, "host"),
	};
	if (o->fresh && age_parse("--fresh", o->fresh, &ret->fresh, e) < 0)
		return -1;
	if (parse_compression(o->compression, &ret->format, e) < 0 || parse_jobs(o->jobs, ret, e) < 0 ||
	    parse_network(o->network, &ret->net, e) < 0)
		return -1;
	return parse_progress(o, &ret->progress, e);
}

static int parse_call(const struct options *o, enum call_method *ret_method, enum call_format *ret_format,
		      struct err *e)
{
	*ret_method = o->check ? CALL_CHECK : CALL_BUILD;
	*ret_format = CALL_TEXT;
	if (o->call && call_parse(o->call, ret_method, ret_format, e) < 0)
		return -1;
	if (o->check && *ret_method != CALL_CHECK)
		return err_set(e, ERR_USAGE, "--check and --call=%s exclude each other", o->call);
	return 0;
}

/* Warnings make the exit status 1. */
static int run_call(struct store *s, const struct build_options *b, enum call_method method, enum call_format format,
		    struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	size_t warnings;
	int r = build_call(s, b, method, format, &text, &warnings, e);
	fwrite(str_text(&text), 1, text.len, stdout);
	return r < 0 ? -1 : method == CALL_CHECK && warnings;
}

/* *ret: UINT64_MAX when there is no limit. */
static int parse_cache_max(const char *option, uint64_t *ret, struct err *e)
{
	const char *text = option ? option : getenv("NACRE_CACHE_MAX");
	*ret = UINT64_MAX;
	if (text && *text && !df_size(text, ret))
		return err_set(e, ERR_USAGE, "%s %s: a size like 500MB or 10GB is wanted",
			       option ? "--cache-max" : "NACRE_CACHE_MAX", text);
	return 0;
}

/* A build that went well stays so; what could not be kept is said. */
static void cap_store(struct store *s, uint64_t max, bool said)
{
	struct prune_options want = { .older_than = -1, .keep = max };
	struct prune_result result;
	AUTO(str_fini) struct str left = { 0 };
	struct err e;
	if (max == UINT64_MAX)
		return;
	if (store_prune(s, &want, &result, &e) < 0) {
		log_warn("--cache-max: %s", e.msg);
		return;
	}
	str_add_size(&left, result.left);
	if (result.left > max && !said)
		log_warn("the store %s has %s after all that can be dropped; `nacre du` says what it holds", s->path,
			 left.buf);
}

static void tell_where(struct store *s)
{
	AUTO(strv_fini) struct strv news = { 0 };
	if (!store_where_news(s, &news))
		return;
	for (size_t i = 0; i < news.n; i++)
		log_warn("%s", news.v[i]);
}

static int run_build(struct store *s, const struct build_options *build, bool quiet, struct err *e)
{
	struct build_result result = { 0 };
	tell_where(s);
	int r = build_run(s, build, &result, e);
	cap_store(s, build->cache_max, result.beyond);
	if (r == 0) {
		FILE *out = result.has_stream ? stderr : stdout;
		fprintf(out, "%s\n", digest_text(&result.image.digest).s);
		for (size_t i = 0; i < result.names.n && !quiet; i++)
			fprintf(out, "%s\n", result.names.v[i]);
	}
	build_result_fini(&result);
	return r;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct build_options build;
	struct store store;
	enum call_method method;
	enum call_format format;
	if (args_count(&cmd_build, args, 1, 1, e) < 0 || to_build_options(o, args->v[0], &build, e) < 0 ||
	    parse_call(o, &method, &format, e) < 0 || parse_cache_max(o->cache_max, &build.cache_max, e) < 0)
		return -1;
	if (store_open(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	int r = method == CALL_BUILD ? run_build(&store, &build, o->quiet, e)
				     : run_call(&store, &build, method, format, e);
	store_fini(&store);
	return r;
}

const struct command cmd_build = {
	.name = "build",
	.usage = "[OPTIONS] CONTEXT",
	.summary = "Build an image from a Dockerfile",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
