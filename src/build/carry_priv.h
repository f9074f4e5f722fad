/* What export and import of the cache share: names, records, mounts, and the two places an export can be in. */
#ifndef NACRE_BUILD_CARRY_PRIV_H
#define NACRE_BUILD_CARRY_PRIV_H

#include "archive/stream.h"
#include "build/cache_carry.h"
#include "roots_priv.h"

extern const char carry_marker[];      /* name of the file that says what this is */
extern const char carry_marker_text[];

/* ---- cache_export.c: how a worker hands its report back ---- */
void carry_report_write(const struct cache_report *r, struct str *out);
int carry_report_read(const struct str *text, struct cache_report *ret, struct err *e);

/* ---- carry_name.c ---- */
/* False for a kind that is not carried. */
bool carry_kind(enum object_kind kind, const char **ret_dir);
/* "step/HEX.json" and so on; the caller owns it. */
char *carry_name(enum object_kind kind, const struct digest *id);
/* The one parser of names that come with an export; nothing of such a name is used but the digest. */
bool carry_name_parse(const char *name, enum object_kind *ret_kind, struct digest *ret_id);

/* ---- carry_record.c ---- */
/* A STEP, LAYER or BASE, as read and as it is written again: only members that are known, each checked. */
struct carried_record {
	enum object_kind kind;
	struct digest id;
	char *text;             /* owned */
	bool has_blob;          /* a layer, or a base's manifest */
	struct digest blob;
	uint64_t size;          /* of a layer */
	bool has_diffid;
	struct diffid diffid;   /* of a STEP's layer */
	struct strv caches;     /* STEP: hex digits */
};
int carried_record_parse(enum object_kind kind, const struct digest *id, const char *bytes, size_t n,
			 struct carried_record *ret, struct err *e);
void carried_record_fini(struct carried_record *r);
/* {"manifest":…}; the caller owns it. */
char *carry_base_text(const struct digest *manifest);
/* From the store: 0, 1 absent or damaged, -1. */
int carried_record_get(struct store *s, enum object_kind kind, const struct digest *id, struct carried_record *ret,
		       struct err *e);
/* Whether all that the record leads to is in the store. */
bool carried_record_is_whole(struct store *s, const struct carried_record *r);

/* ---- carry_select.c ---- */
struct carry_base { struct digest memo, manifest; };
struct carry_set {
	struct digest_set of[OBJECT_KINDS]; /* BASE is empty */
	VEC(struct carry_base) bases;
};
int carry_select(struct store *s, const struct cache_export_options *o, struct carry_set *ret, struct err *e);
void carry_set_fini(struct carry_set *c);

/* ---- carry_mount.c: inside the user namespace ---- */
/* The tree of mount/HEX as a compressed tar. 1: another process has it. */
int carry_mount_pack(struct store *s, const struct digest *id, int out_fd, struct err *e);
/* 1: it is there, or `replace` and it is in use. */
int carry_mount_unpack(struct store *s, const struct digest *id, struct source *in, bool replace, struct err *e);

/* ---- carry_out.c ---- */
struct carry_out;
int carry_out_open(const char *path, struct carry_out **ret, struct err *e);
/* Keeps the object that is there, if one of this size is: for what its name tells all about, and for what cannot be
 * looked at now. */
bool carry_out_keep(struct carry_out *o, enum object_kind kind, const struct digest *id, const uint64_t *size);
/* 0 written, 1 there with these bytes. `in` gives exactly `size` bytes. */
int carry_out_put(struct carry_out *o, enum object_kind kind, const struct digest *id, struct source *in, uint64_t size,
		  struct err *e);
int carry_out_finish(struct carry_out *o, size_t *ret_removed, struct err *e);
void carry_out_free(struct carry_out *o); /* what was not finished is as it was */

/* ---- carry_in.c ---- */
/* Each object of the directory or archive. Both are valid during the call; `in` is NULL for what is no file. A failure of
 * `each` ends it. */
typedef int carry_each_fn(void *ctx, const char *name, uint64_t size, struct source *in, struct err *e);
/* 0, -1. *ret_broken: what is wrong with the archive itself. */
/* A source that ends with the one it reads and does not own it. */
struct source *carry_borrow(struct source *in);
int carry_in_read(const char *path, carry_each_fn *each, void *ctx, struct err *ret_broken, struct err *e);

#endif
