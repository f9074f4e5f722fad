/*
 * The documents of image-spec 1.1 (and Docker's schema 2, read only): media types, descriptors, manifests, configs,
 * indexes, platforms, chains.
 */
#ifndef NACRE_OCI_OCI_H
#define NACRE_OCI_OCI_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/stream.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"
#include "store/store.h"

#define MT_INDEX    "application/vnd.oci.image.index.v1+json"
#define MT_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MT_CONFIG   "application/vnd.oci.image.config.v1+json"
#define MT_LAYER    "application/vnd.oci.image.layer.v1.tar"
#define MT_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define MT_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MT_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"
#define MT_DOCKER_LAYER    "application/vnd.docker.image.rootfs.diff.tar"   /* .gzip */

bool media_type_is_index(const char *mt);
bool media_type_is_manifest(const char *mt);
/* A layer we can unpack (any of +gzip, +zstd, .gzip, plain, and the nondistributable forms). */
bool media_type_is_layer(const char *mt);
/* The OCI layer type for a compression. */
const char *media_type_layer(enum compression c);
/* The OCI equivalent of a Docker layer type; itself otherwise. */
const char *media_type_oci(const char *mt);

struct descriptor {
	char *media_type; /* owned */
	struct digest digest;
	uint64_t size;
};
void descriptor_fini(struct descriptor *d);
int descriptor_parse(const struct json *j, const char *name, struct descriptor *ret, struct err *e);
void descriptor_write(struct json_out *o, const struct descriptor *d); /* the whole object */

struct platform {
	char os[32], arch[32], variant[32]; /* "" when not stated */
	char os_version[64];
};
/* "linux/arm64/v8", "arm64", "linux"; normalised as containerd does (x86_64 -> amd64, aarch64 -> arm64, arm -> arm/v7 …). */
int platform_parse(const char *text, struct platform *ret, struct err *e);
void platform_host(struct platform *ret);
char *platform_text(const struct platform *p); /* the caller owns it */
bool platform_eq(const struct platform *a, const struct platform *b);
/* How well an image for `have` runs on `want`: 0 not at all, higher is better (arm/v7 host runs v6, v5 …). */
int platform_match(const struct platform *want, const struct platform *have);

struct manifest {
	char *media_type;          /* owned */
	struct descriptor config;
	VEC(struct descriptor) layers; /* bottom first */
	struct json annotations;   /* as read; JSON_NULL when none */
};
/* Refuses a document that is index and manifest at once, or whose mediaType disagrees with `media_type` (T-H1). */
int manifest_parse(const char *bytes, size_t n, const char *media_type, const char *name, struct manifest *ret, struct err *e);
char *manifest_write(const struct manifest *m); /* OCI; layer and config types translated from Docker's; caller owns */
void manifest_fini(struct manifest *m);

struct index_entry {
	struct descriptor desc;
	struct platform platform;  /* os "" when absent */
	bool attestation;          /* vnd.docker.reference.type, or platform unknown/unknown */
	char *ref_name;            /* annotation org.opencontainers.image.ref.name or NULL; owned */
};
struct index {
	VEC(struct index_entry) manifests;
};
int index_parse(const char *bytes, size_t n, const char *name, struct index *ret, struct err *e);
void index_fini(struct index *x);
/* Best entry for the platform, NULL when none runs there. */
const struct index_entry *index_select(const struct index *x, const struct platform *want);

struct history {
	char *created;    /* RFC 3339, or NULL; all owned */
	char *created_by;
	char *author;
	char *comment;
	bool empty_layer;
};

struct healthcheck {
	bool set;
	struct strv test;      /* "NONE"; "CMD", …; "CMD-SHELL", … */
	int64_t interval, timeout, start_period, start_interval; /* nanoseconds; 0 = inherit */
	int64_t retries;
};

/* An image config as the builder edits it. Lists of strings that may be null or absent carry has_ flags. */
struct image_config {
	char *created;     /* RFC 3339 or NULL; all owned */
	char *author;
	struct platform platform;
	struct strv env;
	bool has_cmd, has_entrypoint;    /* an empty list differs from none */
	struct strv cmd, entrypoint;
	char *user, *working_dir, *stop_signal;  /* NULL when not set */
	struct strv exposed_ports;   /* keys, sorted when written */
	struct strv volumes;         /* keys */
	struct strv labels;          /* "K=V" in env_set form */
	struct strv onbuild;
	struct strv shell;
	struct healthcheck health;
	bool args_escaped;
	VEC(struct diffid) diff_ids;
	VEC(struct history) history;
	struct json other;           /* members of "config" that we do not know, kept as read (JSON_OBJECT or NULL) */
};
/* os_features and unknown top-level members are dropped. A null list reads as not set. */
int config_parse(const char *bytes, size_t n, const char *name, struct image_config *ret, struct err *e);
char *config_write(const struct image_config *c); /* deterministic; keys in image-spec's order; caller owns */
void config_copy(struct image_config *to, const struct image_config *from); /* deep; *to zeroed */
void config_fini(struct image_config *c);

/* chain_next(zero, d) = d; else sha256(text(chain) + " " + text(diffid)); image-spec config.md, "Layer ChainID". */
struct chainid chain_next(const struct chainid *below, const struct diffid *layer);

/* A layer of ours or of a base: its identity and where its bytes are. */
struct layer {
	struct diffid diffid;
	struct descriptor blob;
};

/* The time as RFC 3339 in UTC, seconds only: "2026-11-20T18:00:00Z". The caller owns it. */
char *time_rfc3339(int64_t seconds);
/* 0 and seconds; -1 when it cannot be read. */
int time_parse(const char *text, int64_t *ret);

#endif
