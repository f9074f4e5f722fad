/* Which files of directories of this machine the instructions of a Dockerfile read: `nacre context ls`. */
#ifndef NACRE_BUILD_CONTEXT_READS_PRIV_H
#define NACRE_BUILD_CONTEXT_READS_PRIV_H

#include "build_priv.h"

struct df_check;
struct df_mount;
struct df_scope;

struct file_count { uint64_t files, size; };

/* One instruction and one directory. */
struct context_read {
	const struct stage *stage;
	const struct df_instruction *in;
	struct context *context;    /* borrowed */
	VEC(struct fsnode *) files; /* all but directories, each once, in the order they are read */
	struct file_count count;
	char *error;                /* why the instruction would fail, or NULL; owned */
};

struct context_reads {
	VEC(struct context_read) v;
	struct file_count count;    /* what several instructions read, once */
	struct strv unknown;        /* base images of which nothing is known */
};

/* Adds what an ADD or COPY, or a mount of a RUN, reads of directories; what stops it is kept in the entry's `error`. */
int context_reads_copy(struct context_reads *r, const struct stage *st, const struct df_instruction *in,
		       const struct df_scope *scope, struct err *e);
int context_reads_mount(struct context_reads *r, const struct stage *st, const struct df_instruction *in,
			const struct df_mount *m, struct err *e);
void context_reads_fini(struct context_reads *r);

/* Something that the ignore file hides; a directory of which nothing comes back stands for all that is in it. */
struct context_drop {
	char *path;                 /* owned */
	bool is_dir, incomplete;    /* incomplete: not all of it could be read */
	struct file_count count;
	int line;                   /* of the ignore file */
};

/* What of a context no instruction reads. */
struct context_rest {
	VEC(struct context_drop) drops; /* by path */
	struct file_count dropped;
	struct file_count unread;   /* neither dropped nor read */
};
int context_rest_find(struct build *b, struct context *c, struct context_rest *ret, struct err *e);
void context_rest_fini(struct context_rest *r);

/* Writes the listing. *ret_failing: how many instructions could not be carried out. */
int context_list(struct build *b, const struct df_check *check, bool json, struct str *out, size_t *ret_failing,
		 struct err *e);

#endif
