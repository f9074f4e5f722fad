/* What the user asked of one build; made by cli/cmd_build.c. All strings are borrowed from the command line. */
#ifndef NACRE_BUILD_OPTIONS_H
#define NACRE_BUILD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "oci/layer_writer.h"
#include "sandbox/sandbox.h"

enum progress_mode { PROGRESS_AUTO, PROGRESS_TTY, PROGRESS_PLAIN, PROGRESS_RAWJSON, PROGRESS_QUIET };

struct build_options {
	const char *context;         /* a directory, "-", or a git or HTTP URL */
	const char *file;            /* -f, or NULL */
	struct strv tags;            /* -t */
	struct strv build_args;      /* K=V, or K to take it from the environment */
	struct strv labels;          /* K=V */
	struct strv contexts;        /* NAME[::PLATFORM]=VALUE of --build-context */
	struct strv secrets;         /* id=ID[,src=PATH][,env=NAME][,type=file|env] */
	struct strv ssh;             /* default|ID[=SOCKET|KEY[,KEY…]][,raw=true] */
	const char *target;          /* --target, or NULL */
	struct strv platforms;       /* OS/ARCH[/VARIANT] or "local", each a list by commas; empty: this machine's */
	bool no_cache, pull;
	struct strv no_cache_filter; /* STAGE[,STAGE…] */
	struct strv no_cache_step;   /* N, STAGE:N or a regular expression */
	bool has_fresh;
	int64_t fresh;               /* seconds that a record may be old */
	enum sandbox_net net;        /* for RUN without --network */
	bool net_is_host;            /* asked for by name, which allows it to the Dockerfile too */
	struct strv allow;           /* network.host, security.insecure */
	struct strv add_hosts;       /* NAME:ADDRESS or NAME=ADDRESS[,ADDRESS…] */
	const char *shm_size;        /* or NULL */
	struct strv ulimits;         /* NAME=SOFT[:HARD] */
	const char *cgroup_parent;   /* or NULL */
	struct strv resources;       /* NAME=VALUE */
	enum progress_mode progress;
	bool quiet;                  /* only the digest on stdout */
	const char *iidfile;         /* or NULL */
	const char *depfile;         /* or NULL */
	const char *metadata_file;   /* or NULL */
	struct strv outputs;         /* -o, as build/output_parse.c reads them */
	struct strv annotations;     /* [LEVEL:]K=V */
	bool push;                   /* --push */
	bool squash;
	struct strv squash_stages;   /* --squash-stage */
	bool reproducible;           /* an epoch in any case, and nothing in a layer is later */
	struct strv cache_from, cache_to; /* type=T[,KEY=VALUE…], or a reference */
	struct strv attests;         /* type=sbom, type=provenance[,mode=min|max] */
	const char *sbom, *provenance; /* their short forms, or NULL */
	const char *attest_dir;      /* where they are written as files, or NULL */
	uint64_t cache_max;          /* bytes that the store should not exceed; UINT64_MAX: any */
	unsigned jobs;               /* at most so many steps at a time; 0: by the processors */
	struct layer_format format;
	bool has_format;             /* it was asked for; else outputs may say what is best */
};

#endif
