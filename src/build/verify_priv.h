/*
 * What the files of verify share. One process in the user namespace, in four passes:
 *
 *   verify_leads    names, manifests, configs and records are read; what they lead to is noted        one thread
 *   verify_tasks    each blob, listing, index and snapshot is read to its last byte                   a thread per core
 *   verify_follow   who leads to what was found bad, or to something else than it says                one thread
 *   verify_repair   what is bad goes
 *
 * Builds and prunes go on meanwhile. All objects are published whole, so what is found broken is broken; what is found
 * missing is asked for again, together with what led to it.
 */
#ifndef NACRE_BUILD_VERIFY_PRIV_H
#define NACRE_BUILD_VERIFY_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/vec.h"
#include "build/verify.h"
#include "store/objects.h"
#include "store/store.h"

enum problem_state { PROBLEM_FOUND, PROBLEM_REPAIRED, PROBLEM_IN_USE, PROBLEM_KEPT };

/* Who says something about the store. */
struct speaker {
	enum object_kind kind;   /* OBJECT_KINDS: an entry of index.json */
	char *name;              /* of the object; the image's, or NULL for one without. owned */
	struct digest image;     /* of the entry of index.json */
};

struct problem {
	char *object, *what;     /* owned */
	enum problem_state state;
	/* How it is repaired: */
	int (*repair)(struct store *s, const struct problem *p, int64_t since, struct err *e); /* 0, 1 in use, -1 */
	struct speaker speaker;
};

/* Somebody says that there is this blob, and perhaps what is in it. */
struct lead {
	struct speaker speaker;
	struct digest blob;
	uint64_t size;           /* as they say; UINT64_MAX: they do not */
	bool has_diffid;
	struct diffid diffid;
};

/* What a snapshot of that stack holds on top. */
struct chain_top {
	struct chainid chain;
	struct diffid layer;
};

enum blob_state { BLOB_GOOD, BLOB_BAD, BLOB_GONE };

struct blob_check {
	const struct object *object; /* borrowed */
	struct digest digest;
	enum blob_state state;
	const struct lead *layer;    /* somebody takes it for a layer; borrowed */
	bool unpacks;
	struct diffid diffid;        /* when it does */
};

struct verify {
	struct store *store;
	bool repair, progress, xattrs;
	int64_t since;
	struct objects objects;
	VEC(struct lead) leads;
	VEC(struct chain_top) tops;     /* sorted once all are known */
	VEC(struct blob_check) blobs;   /* in the order of their digests */
	pthread_mutex_t lock;           /* of problems and not_compared */
	VEC(struct problem) problems;
	size_t not_compared;
	atomic_uint_fast64_t bytes;
};

/* ---- verify.c ---- */
/* Any thread. `object` is the name of one, which goes in a repair. */
void verify_bad(struct verify *v, enum object_kind kind, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* What a speaker says is not so, unless it is gone or says something else by now. */
void verify_wrong(struct verify *v, const struct speaker *by, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A problem with a way of its own to repair it; NULL: there is none. */
struct problem *verify_add(struct verify *v, char *object /* taken */, char *what /* taken */);

/* The digest in "DIR/HEX" or "DIR/HEX.json"; false for other names. */
bool verify_digest_of(const char *object, const char *ending, struct digest *ret);

/* ---- verify_leads.c ---- */
int verify_leads(struct verify *v, struct err *e);
/* ---- verify_images.c ---- */
/* Checks the documents of an image; need_layers: their blobs have to be there. */
void verify_image(struct verify *v, const struct speaker *by, const struct digest *top, bool need_layers);
int verify_names(struct verify *v, struct err *e);
/* Notes that `by` leads to the blob; UINT64_MAX, NULL: not said. */
void verify_lead(struct verify *v, const struct speaker *by, const struct digest *blob, uint64_t size,
		 const struct diffid *diffid);
void verify_top(struct verify *v, const struct chainid *chain, const struct diffid *layer);

/* ---- verify_tasks.c ---- */
/* Before the leads are read. */
void verify_blobs(struct verify *v);
int verify_tasks(struct verify *v, struct err *e);
/* NULL when there was none of that digest at the start. */
struct blob_check *verify_blob(struct verify *v, const struct digest *d);

/* ---- verify_snapshot.c ---- */
void verify_snapshot(struct verify *v, const struct object *o);

/* ---- verify_repair.c ---- */
int repair_object(struct store *s, const struct problem *p, int64_t since, struct err *e);
int repair_name(struct store *s, const struct problem *p, int64_t since, struct err *e);
void verify_repair(struct verify *v);

/* ---- verify_report.c ---- */
void verify_write(struct verify *v, bool json, struct str *out);

#endif
