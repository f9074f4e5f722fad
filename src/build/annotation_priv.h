/* Annotations: what -o and --annotation put on manifests, indexes and the descriptors that lead to them. */
#ifndef NACRE_BUILD_ANNOTATION_PRIV_H
#define NACRE_BUILD_ANNOTATION_PRIV_H

#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"
#include "oci/platform.h"

enum annotation_level { ON_MANIFEST, ON_INDEX, ON_MANIFEST_DESCRIPTOR, ON_INDEX_DESCRIPTOR, ANNOTATION_LEVELS };

struct annotation {
	enum annotation_level level;
	bool has_platform;
	struct platform platform;  /* the only one it is for */
	char *key, *value;         /* owned */
};
struct annotations { struct annotation *v; size_t n, cap; };
void annotations_fini(struct annotations *l);

/* "annotation[-LEVEL][[PLATFORM]].KEY" of an output: 0, 1 it is no annotation. */
int annotation_add_field(struct annotations *l, const char *field_key, const char *value, struct err *e);
/* "[LEVEL[[PLATFORM]][,…]:]KEY=VALUE" of --annotation. */
int annotation_add_option(struct annotations *l, const char *text, struct err *e);

bool annotations_have(const struct annotations *l, enum annotation_level level);
/* Those of a level into an object (or JSON_NULL), keys in order. platform NULL: of none. */
void annotations_put(const struct annotations *l, enum annotation_level level, const struct platform *platform,
		     struct json *ret);

#endif
