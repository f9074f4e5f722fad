/* How the image of an output differs from the one that was built. */
#ifndef NACRE_BUILD_OUTPUT_FORM_PRIV_H
#define NACRE_BUILD_OUTPUT_FORM_PRIV_H

#include "annotation_priv.h"
#include "oci/descriptor.h"
#include "oci/layer.h"
#include "oci/layer_writer.h"
#include "oci/lazy_layer.h"

struct store;

struct output_form {
	bool compressed;               /* the build's own layers as `format` says … */
	bool all;                      /* … and those of base images */
	struct layer_format format;
	bool lazy;                     /* as lazy_format says; format.how is what decompresses it */
	enum lazy_format lazy_format;
	bool squash;                   /* the ranges of output_source become one layer each, in `format`, and no more is done */
	bool docker_types;
	bool clamped;                  /* no time of an own layer is later than SOURCE_DATE_EPOCH */
	struct annotations annotations;
};

/* Layers of an image: from one up to, without, another; several of them from the top down. */
struct layer_range {
	size_t from, to;
};
struct layer_ranges { struct layer_range *v; size_t n, cap; };

/* What is known of the build. */
struct output_source {
	struct descriptor image;       /* borrowed */
	const size_t *n_base;          /* for each platform: how many layers are the base image's */
	const int64_t *epoch;          /* NULL: none */
	struct layer_format format;    /* of the build's layers */
	const struct layer_ranges *squash; /* for each platform */
};

/* Whether it changes anything but descriptors. */
bool output_form_is_plain(const struct output_form *f);
/* *ret is the image, or index, in that form, in the store; its strings are the caller's. Done in a worker. */
int output_form_run(struct store *s, const struct output_form *f, const struct output_source *from,
		    struct descriptor *ret, struct err *e);

struct image;
struct build_options;
struct graph;
/* What --squash and --squash-stage mean for the image of a graph that is built. ERR_USAGE for a stage that is not part of it. */
int squash_ranges(const struct build_options *o, const struct graph *g, struct layer_ranges *ret, struct err *e);
/* The image with one layer in place of these. */
int squash_image(struct store *s, const struct image *image, const struct layer_range *r, const struct layer_format *f,
		 struct descriptor *ret, struct err *e);

/* latest NULL: times stay. The tar is then the same. *ret's strings are the caller's. */
int layer_recode(struct store *s, const struct layer *from, const struct layer_format *f, const int64_t *latest,
		 struct layer *ret, struct err *e);
/* So that a runtime can fetch single files; *annotations, the caller's, are for its descriptor. */
int layer_make_lazy(struct store *s, const struct layer *from, const struct output_form *f, struct layer *ret,
		    struct strv *annotations, struct err *e);

#endif
