/* What registries.conf says about one reference. */
#ifndef NACRE_REGISTRY_REGISTRIES_PRIV_H
#define NACRE_REGISTRY_REGISTRIES_PRIV_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"
#include "registry/reference.h"
#include "registry/registries.h"

struct url;

struct pull_source {
	struct reference ref; /* where it is to be had */
	bool insecure;        /* without verified TLS */
};
struct pull_sources { struct pull_source *v; size_t n, cap; };

/* Where a reference may be pulled from, in the order in which to try. ERR_AUTH when it is blocked. */
int registries_sources(const struct reference *ref, struct pull_sources *ret, struct err *e);
/* For a push, which goes to the registry that is named and no other. */
int registries_destination(const struct reference *ref, bool *ret_insecure, struct err *e);
void pull_sources_fini(struct pull_sources *l);

/* Whether this server need not prove who it is: only one that registries_trust was told of. */
bool registries_trusts(const struct url *u);

/* The file, and those of the directories, as one list of parsed documents; the later ones win. */
struct registries_conf {
	VEC(struct json) files;
};
int registries_load(struct registries_conf *ret, struct err *e);
void registries_conf_fini(struct registries_conf *c);

#endif
