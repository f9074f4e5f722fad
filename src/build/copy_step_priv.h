/* A COPY or ADD as a step: what step_copy.c, which carries it out, and copy_content.c, which digests it, share. */
#ifndef NACRE_BUILD_COPY_STEP_PRIV_H
#define NACRE_BUILD_COPY_STEP_PRIV_H

#include "copy_priv.h"

struct copy {
	struct copy_spec spec;
	char *from_name;             /* --from, or NULL */
	struct copy_from from;
	struct copy_from fetched;    /* files of URLs */
	struct fsview fetched_view;
	bool doubted;                /* what is told of the layers may be wrong: they are wanted themselves */
	bool from_ready, fetch_done, git_done, content_known, selected_here, looked_up;
	bool too_many;               /* files to be looked at in the builder */
	struct git_tree *trees;      /* checkouts, one per git source; owned */
	struct strv named;           /* words that name files of the same directory */
	struct digest content;
	struct job *select, *fetch, *git;
};

/* All but the files of git sources. */
int copy_content_select(struct copy *c, struct copy_selection *s, struct err *e);

/* 0: the digest is known, or comes with the layer (step->late). 1: a worker reads the files, or it is not decided yet
 * whether one has to: come back. */
int copy_content_need(struct build *b, struct stage *st, struct step *step, struct err *e);
/* Writes the member of the key. */
void copy_content_key(const struct step *step, struct cache_key *k);
/* As struct step has them. */
void copy_content_missed(struct build *b, struct step *step);
int copy_content_told(struct build *b, struct step *step, const char **p, const char *end, struct err *e);

/* In the worker that copies. Before anything is planned: ERR_BUILD when the files are no longer what the key says. */
int copy_content_check(const struct step *step, const struct copy_selection *s, struct err *e);
/* The layer; of a step that is late also, in front of it, what copy_content_told takes. */
int copy_content_write(struct layer_job *l, const struct copy_selection *s, struct fsview *dest,
		       struct worker_report *report, struct str *result, struct err *e);

#endif
