/*
 * What -o asks for. Each output is parsed and checked before anything is built and written after the build went well, in the
 * order of the command line.
 */
#ifndef NACRE_BUILD_OUTPUT_PRIV_H
#define NACRE_BUILD_OUTPUT_PRIV_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "oci/descriptor.h"
#include "output_form_priv.h"

struct build_options;
struct store;

enum output_kind {
	OUTPUT_OCI,      /* an image layout: as tar, or unpacked */
	OUTPUT_DOCKER,   /* what `docker load` takes */
	OUTPUT_LOCAL,    /* the root filesystem as files */
	OUTPUT_TAR,      /* or as tar */
	OUTPUT_IMAGE,    /* in the store, where it is anyway */
	OUTPUT_REGISTRY, /* pushed, without a name in the store */
	OUTPUT_NOTHING,  /* not even a name there */
};

struct output {
	const char *text;       /* as it was given; borrowed */
	enum output_kind kind;
	bool unpacked;          /* OCI, DOCKER: an image layout directory */
	bool push;              /* IMAGE: and pushed */
	bool split;             /* LOCAL, TAR: below a directory named after the platform */
	char *dest;             /* NULL: standard output. owned */
	struct strv names;      /* in what is written, or where to push */
	struct output_form form;
	struct descriptor image; /* in that form, once it is made; its media type NULL: as it was built. owned */
};
struct outputs {
	struct output *v;
	size_t n, cap;
	struct output_form result; /* of the image in the store */
	bool squash;               /* ranges of layers become one each, before all else */
};

/* What --output, --push and the names of -t come to. ERR_USAGE. */
int outputs_parse(const struct build_options *o, struct outputs *ret, struct err *e);
void outputs_fini(struct outputs *l);

/* Whether it goes to standard output, where nothing else may then be printed. */
bool output_is_stream(const struct output *o);

bool output_is_pushed(const struct output *o);

/* Before anything is built: whether each can be written, as far as can be told. ERR_SYS, ERR_USAGE. */
int outputs_check(const struct outputs *l, struct err *e);

/* What only images of several platforms have is not asked of one. ERR_USAGE. */
int outputs_check_platforms(const struct outputs *l, size_t n_platforms, struct err *e);

bool outputs_have_stream(const struct outputs *l);
/* How layers are best written when outputs that want a compression agree on it: none is then written twice. */
struct layer_format outputs_format(const struct outputs *l, const struct build_options *o);
/* Whether the image is to have its names in the store. */
bool outputs_want_names(const struct outputs *l);

/*
 * Brings the image into the form that each asks for, in workers. *result: the image that was built, and afterwards the one
 * that the store's names are to lead to. *made: something was written to the store.
 */
int outputs_make(struct store *s, struct outputs *l, const struct output_source *from, struct descriptor *result,
		 bool *made, struct err *e);

/* Writes them in a worker. The error says which could not be. line: told what is pushed. */
int outputs_write(struct store *s, const struct outputs *l, const struct descriptor *image,
		  void (*line)(void *ctx, const char *text), void *ctx, struct err *e);

#endif
