/*
 * The cache that machines share: --cache-to writes it, --cache-from reads it.
 *
 * It is an artifact (image-spec manifest.md, "Guidelines for Artifact Usage") under a reference of a registry, or under a
 * tag of an OCI layout:
 *
 *   manifest   artifactType MT_SHARE, empty config; layers: the records, then whatever the records name, so that a
 *              registry keeps it
 *   records    zstd: {"version":1,"steps":[…],"listings":[…]}
 *     step       {"key":…,"used":…,"created":…,"ran":…,"layer":{"diffid":…, descriptor members}}: the digest of a key, and
 *                what a record of the store says under it (cache.c)
 *     listing    {"diffid":…,"used":…, descriptor members}: what a layer holds
 *   listing    zstd: a listing (oci/listing.h)
 *   layer      as in an image
 *
 * or it is in the config of an image (type=inline): the member "nacre.cache" has the records, of steps only, and the
 * layers are the image's.
 *
 * A key is the digest of named inputs, so nobody need send them, and what is not in the cache can not leak from it. The
 * build believes what a key leads to: who may write the reference may choose results. All else is verified: blobs have
 * their digests, a layer that is fetched has the diffID that its record says and the listing that was used in its stead.
 * Where that turns out not to be so, or something is gone, the build begins again without the cache.
 */
#ifndef NACRE_BUILD_SHARE_PRIV_H
#define NACRE_BUILD_SHARE_PRIV_H

#include "build_priv.h"
#include "registry/pull.h"
#include "registry/reference.h"

#define MT_SHARE         "application/vnd.nacre.cache.v1+json"
#define MT_SHARE_RECORDS "application/vnd.nacre.cache.records.v1+zstd"
#define MT_SHARE_LISTING "application/vnd.nacre.cache.listing.v1+zstd"
#define MT_EMPTY         "application/vnd.oci.empty.v1+json"
#define SHARE_INLINE_MEMBER "nacre.cache"

struct listing;

/* ---- share_spec.c: what the options say ---- */

enum share_kind { SHARE_REGISTRY, SHARE_LOCAL, SHARE_INLINE };

struct share_spec {
	enum share_kind kind;
	char *ref;      /* REGISTRY: as given; owned, like all */
	char *dir;      /* LOCAL */
	char *tag;      /* LOCAL: in the layout */
	bool all;       /* mode=max: steps of all stages */
	bool must;      /* ignore-error=false: a cache that cannot be written is an error */
};
/* One --cache-from, or (to) --cache-to. ERR_USAGE. */
int share_spec_parse(const char *text, bool to, struct share_spec *ret, struct err *e);
void share_spec_fini(struct share_spec *s);
int share_specs_check(const struct build_options *o, struct err *e);

/* ---- share_records.c ---- */

struct share_step {
	struct digest key;
	int64_t used;                /* when a build that wrote the cache last had it; 0: not said */
	struct step_record record;   /* owned */
};
struct share_listing {
	struct diffid diffid;
	int64_t used;
	struct descriptor blob;      /* owned */
};
/* Each list is sorted by its digests, which are all different. */
struct share_records {
	VEC(struct share_step) steps;
	VEC(struct share_listing) listings;
};
/* ERR_SPEC, ERR_LIMIT. The bytes may be anybody's. */
int share_records_parse(const char *bytes, size_t n, const char *name, struct share_records *ret, struct err *e);
char *share_records_write(const struct share_records *r); /* the caller owns it */
void share_records_fini(struct share_records *r);
void share_records_sort(struct share_records *r);
const struct share_step *share_step_find(const struct share_records *r, const struct digest *key);
const struct share_listing *share_listing_find(const struct share_records *r, const struct diffid *d);
/* Moves in what `there` does not have; what both have stays as it is there, and counts as used at `now`. True: it changed. */
bool share_records_merge(struct share_records *there, struct share_records *ours, int64_t now);
/* Drops what was not used for long, and the longest unused of what is too much. True: there was something. */
bool share_records_trim(struct share_records *r, int64_t now);

/* ---- share_manifest.c ---- */
extern const char share_empty[]; /* its config */
char *share_manifest_write(const struct descriptor *records, const struct share_records *r); /* the caller owns it */
/* The blob of the records: 0, 1 the document is none of ours, -1. */
int share_manifest_read(const struct json *manifest, const char *name, struct descriptor *ret, struct err *e);

/* ---- share_place.c: in workers; a registry, or a layout ---- */

struct repository;

struct share_place {
	enum share_kind kind;
	char *name;               /* for messages; owned, like all */
	struct reference ref;     /* REGISTRY */
	char *dir, *tag;          /* LOCAL */
	bool writes;              /* it is going to be written, so the first login asks for that */
	struct repository *repository; /* once it was needed */
};
int share_place_of(const struct share_spec *spec, struct share_place *ret, struct err *e);
int share_place_of_image(const char *reference, struct share_place *ret, struct err *e);
void share_place_fini(struct share_place *p);
bool share_place_eq(const struct share_place *a, const struct share_place *b);
/* The document that the place names, or (d) that one of there. 0, 1 there is none, -1. */
int share_place_document(struct share_place *p, const struct digest *d, struct str *out, struct err *e);
/* Blobs of there into the store, verified; those that the store has are skipped. */
int share_place_fetch(struct share_place *p, struct store *s, const char *what, const struct descriptor *list, size_t n,
		      const struct pull_progress *progress, struct err *e);
/* Which of the blobs it has. */
int share_place_has(struct share_place *p, const struct descriptor *list, size_t n, bool *ret, struct err *e);
/* Blobs of the store that the place does not have. */
int share_place_put(struct share_place *p, struct store *s, const struct descriptor *list, size_t n, struct err *e);
/* Of a layout: keeps other writers away until lock_drop. -1: others may write. */
int share_place_lock(const struct share_place *p);
/* The document under the name of the place. What it names is there. */
int share_place_name(struct share_place *p, struct store *s, const char *text, struct err *e);

/* ---- share_read.c: in workers ---- */
/* The records of a place. 0, 1 there is none yet, -1. want: of an image for several platforms; NULL: this machine's. */
int share_read(struct share_place *p, struct store *s, const struct platform *want, struct share_records *ret,
	       struct err *e);
/* A blob of the store, decompressed. */
int share_text(struct store *s, const struct descriptor *d, size_t limit, struct str *out, struct err *e);

/* ---- share_from.c: while the build runs ---- */
struct share_source {
	struct share_place place;
	struct share_records records;
	struct job *job;          /* reading the records */
	bool bad;                 /* it was found wrong, or could not be read */
	bool unlisted;            /* its listings are of no use */
};
struct share {
	VEC(struct share_source *) sources; /* owned */
	bool broken;              /* what was believed is wrong: the build is to begin again */
};
/* Starts reading what --cache-from names. */
int share_open(struct build *b, struct err *e);
void share_free(struct share *s);
/* All there is to know of shared caches is known. */
bool share_is_ready(const struct build *b);
/* Layers are fetched when something reads them. */
bool share_is_lazy(const struct build *b);
bool share_is_broken(const struct build *b);
/* As record_get, for what the store does not have. */
int share_lookup(struct build *b, const struct cache_key *k, struct step_record *ret, struct err *e);
/* Whether there is any record in them; they are known by the digests of their keys alone. */
bool share_has_records(const struct build *b);
/* "WARNING: the cache NAME WHAT: WHY" */
void share_warn(struct build *b, const char *what, const char *name, const struct err *why);
/* It is not believed any more. */
void share_blame(struct build *b, struct share_source *s, const struct err *why);
/* After a build: what was taken from a cache, and is in the store by now, is kept as if made here. */
int share_keep(struct build *b, struct err *e);

/* ---- share_layer.c: layers and listings that are elsewhere ---- */
/* Starts fetching the listing of a slot. 0 it is coming, 1 no cache has one, -1. */
int share_listing_start(struct build *b, struct step *step, struct layer_slot *s, struct err *e);
/* One that was fetched, and that the layer has not been compared with yet: 0, 1 none. */
int share_listing_get(struct layer_slot *s, struct listing *ret);

/* ---- share_to.c ---- */
/* Writes what --cache-to names. */
int share_save(struct build *b, struct err *e);
/* For the config of the image of this stage; NULL without type=inline. The caller owns it. */
char *share_inline_text(struct build *b, const struct stage *goal);

#endif
