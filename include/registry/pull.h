/*
 * Pulling from a registry: OCI distribution specification 1.1 as a client, over HTTPS; plain HTTP only for loopback
 * addresses written as such (decided by the literal host before any lookup, T-G6).
 *
 * These functions open connections, so they run in worker processes only.
 */
#ifndef NACRE_REGISTRY_PULL_H
#define NACRE_REGISTRY_PULL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "oci/descriptor.h"
#include "oci/platform.h"
#include "registry/reference.h"

struct store;

struct pull_progress {
	/* Called now and then; text: one line for the user. */
	void (*line)(void *ctx, const char *text);
	/* May be NULL. Called before layers, or a file, are fetched: how many bytes they have that the store has not. */
	void (*coming)(void *ctx, uint64_t bytes);
	void *ctx;
	/* It is not worth a wait: what fails is not tried again. */
	bool once;
};

struct pulled {
	struct descriptor manifest;      /* of the image for the platform, not of the index */
	struct platform platform;        /* the image's own */
	struct digest index;             /* the document the reference named; equals manifest.digest without an index */
};
void pulled_fini(struct pulled *p);

/*
 * Fetches manifest, config and all layers that the store does not have; every byte verified against its digest, nothing
 * published that is not. want NULL: the host's platform, but a single-platform image of another one is accepted
 * (FROM-07). want_layers false: manifest and config only. Interrupted downloads are retried and resumed (THREATS
 * N1-N5).
 */
int pull_image(struct store *s, const struct reference *r, const struct platform *want, bool want_layers,
	       const struct pull_progress *progress, struct pulled *ret, struct err *e);
/* The layers of an image whose documents were pulled before by this reference; `manifest` is its own, not the index. */
int pull_layers(struct store *s, const struct reference *r, const struct digest *manifest,
		const struct pull_progress *progress, struct err *e);

/*
 * The same of an index and of all images in it, also of what another program says about them there; *ret_top is the
 * document the reference named. It comes last into the store. An index of indexes is ERR_SPEC.
 */
int pull_all(struct store *s, const struct reference *r, const struct pull_progress *progress, struct digest *ret_top,
	     struct err *e);

/*
 * The same as pull_image, from an OCI layout directory (oci-layout://DIR[:TAG|@DIGEST], T-H8): blobs are copied into the store,
 * verified; links and special files in the layout are refused. tag NULL and digest NULL: the only image.
 */
int pull_layout(struct store *s, int layout_fd, const char *name, const char *tag, const struct digest *digest,
		const struct platform *want, const struct pull_progress *progress /* may be NULL */,
		struct pulled *ret, struct err *e);

#endif
