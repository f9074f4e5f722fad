/* The image config: image-spec config.md, and the members Docker adds to it. */
#ifndef NACRE_OCI_CONFIG_H
#define NACRE_OCI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"
#include "oci/platform.h"

struct history {
	char *created;    /* RFC 3339, or NULL; all owned */
	char *created_by;
	char *author;
	char *comment;
	bool empty_layer;
};

void history_copy(struct history *to, const struct history *from); /* deep; *to need not be initialised */
void history_fini(struct history *h);

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
	bool has_cmd,
		has_entrypoint; /* an empty list differs from none, but is written as none: as Go's omitempty does */
	struct strv cmd, entrypoint;
	char *user, *working_dir, *stop_signal;  /* NULL when not set */
	struct strv exposed_ports;   /* keys, sorted when written */
	struct strv volumes;         /* keys, likewise */
	struct strv labels;          /* "K=V" in env_set form; written sorted by key */
	struct json odd_labels;      /* labels of the base whose key holds "=" (JSON_OBJECT or NULL) */
	struct strv onbuild;
	struct strv shell;
	struct healthcheck health;
	bool args_escaped;
	VEC(struct diffid) diff_ids;
	VEC(struct history) history;
	struct json cache;           /* "nacre.cache", of the whole document: written and copied, not read (JSON_OBJECT or NULL) */
	struct json other;           /* members of "config" that we do not know, kept as read (JSON_OBJECT or NULL) */
};
/* os.features and unknown top-level members are dropped. A null list reads as not set. */
int config_parse(const char *bytes, size_t n, const char *name, struct image_config *ret, struct err *e);
char *config_write(const struct image_config *c); /* deterministic; keys in image-spec's order; caller owns */
void config_copy(struct image_config *to, const struct image_config *from); /* deep; *to zeroed */
void config_fini(struct image_config *c);

/*
 * Makes the history fit the layers, one entry with a layer each (image-spec config.md, "history"): a base may come with fewer
 * or more. Surplus entries are marked empty from the end, missing ones appended with layer_texts[layer] (or NULL) as
 * created_by; an entry without a time takes that of a neighbour (IMG-10, IMG-11).
 */
void history_fit(struct image_config *c, const char *const *layer_texts);

#endif
