/* What the rules about FROM and those about what follows share. */
#ifndef NACRE_BUILD_CHECK_WALK_PRIV_H
#define NACRE_BUILD_CHECK_WALK_PRIV_H

#include "build_priv.h"

struct df_check;
struct outline;
struct context_reads;

/* What is known of a stage after its instructions up to some point. */
struct scene {
	struct strv env;      /* as expansion sees it: ENV, and ARG with a value */
	struct strv declared; /* names of ARG, with a value or not */
	struct strv triggers; /* ONBUILD of the base image */
	bool env_known;       /* false below an image that is not to be had */
	bool shell_set;       /* by the base image */
	bool workdir_set;     /* by this file */
};

struct walk {
	struct build *b;
	struct graph *graph;      /* the one in hand */
	const struct df_check *check;
	bool fetch;
	struct outline *outline;  /* borrowed, or NULL */
	struct context_reads *reads; /* borrowed, or NULL */
	const struct stage *stage; /* the one in hand */
	VEC(struct scene) scenes; /* of each stage of the graph, at its end so far */
};

/* The name of `env` (K=V or K) nearest to `name`, as " (did you mean …?)", or "". The caller owns it. */
char *check_suggest(const struct build *b, const char *name, const struct strv *env, const char *sigil);

/* The rules about every FROM of the file, reachable or not. */
void check_froms(struct walk *w);
/* What a needed stage begins with. */
int check_base(struct walk *w, struct stage *st, struct scene *s, struct err *e);

#endif
