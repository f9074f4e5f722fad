/*
 * COPY and ADD: what is selected, where it lands, and the layer that comes of it (SEMANTICS sections 12 and 13).
 *
 * Everything is planned on trees of nodes: sources are nodes of the context's or an image's view, the destination is a
 * view of the image being built, changed by the plan; what was changed is then written as a layer. No tree on disk is
 * needed on either side, so it works where no namespace does.
 */
#ifndef NACRE_BUILD_COPY_PRIV_H
#define NACRE_BUILD_COPY_PRIV_H

#include "build_priv.h"
#include "dockerfile/ignore.h"
#include "dockerfile/values.h"
#include "git_priv.h"

struct layer_reuse;

/* Where sources are read. */
struct copy_from {
	struct context *context;    /* a directory; or NULL: */
	const struct strv *named;   /* the words by which the build names its files; NULL: all are there */
	struct layer_slot **slots;  /* the layers of an image or stage; borrowed */
	size_t n_slots;
	struct fsview *view;        /* borrowed */
	int spool_fd;               /* contents fetched from layers without a tree; -1 */
	struct spool_map *spool;
	bool remote;                /* fetched files: blobs of the store under their nodes' digests */
	struct archive_spool *archive; /* contents of unpacked archives; owned, NULL until there are some */
};

struct copy_match {
	struct copy_from *from;
	size_t word;                /* which source of the instruction, as written */
	struct fsnode *node;        /* links followed */
	const char *name;           /* base name as it was named; the file's name inside a directory */
	char *kept;                 /* --parents: path to keep below the destination; "": only that is made. owned */
	struct fsnode *base;        /* --parents: where the kept path starts */
	const char *content;        /* inline file (heredoc); node is NULL. borrowed */
	size_t rank;                /* for copy_selection_sort */
};

struct copy_file { const char *name; char *text; /* owned */ };

struct copy_spec {
	struct strv sources;        /* expanded, without heredocs and URLs */
	struct strv urls;           /* ADD */
	struct strv words;          /* both, in the order they were written */
	VEC(struct git_source) git; /* ADD */
	char *checksum;             /* ADD --checksum, expanded, or NULL; owned */
	char *dest;                 /* absolute, with its trailing slash; owned */
	VEC(struct copy_file) files; /* heredocs */
	char *chown;                /* expanded --chown or NULL; owned */
	char *chmod_text;           /* owned */
	bool has_chmod;
	struct df_chmod chmod;
	struct strv excludes;
	bool link, parents, add;
	bool literal;               /* sources are paths as they stand, without wildcards */
	bool no_unpack, unpack_remote; /* ADD --unpack=false, --unpack=true */
	bool from_image;            /* sources keep their owners */
};

struct df_scope;

/*
 * What the instruction says. cwd: what a relative destination is below. *ret_dest: the destination as it was written;
 * owned by the caller. copy_spec_fini either way; an error has no line yet.
 */
int copy_spec_read(const struct df_instruction *in, const struct df_scope *scope, const char *cwd,
		   struct copy_spec *ret, char **ret_dest, struct err *e);
void copy_spec_fini(struct copy_spec *s);

/* Kinds of sources; those of each are numbered on their own. */
enum copy_kind { COPY_LOCAL, COPY_URL, COPY_GIT };
/* The place of the i-th source of its kind among all as written. */
size_t copy_word(const struct copy_spec *s, enum copy_kind kind, size_t i);
/* The first of the kind at or after `from`. */
size_t copy_word_next(const struct copy_spec *s, enum copy_kind kind, size_t from);

struct copy_selection {
	struct copy_match *v;
	size_t n, cap;
	VEC(struct fsnode *) listed; /* directories whose names decided what a wildcard means */
};

/* What the plan hangs on a destination node. */
struct copy_mark {
	bool self;                  /* the node itself is to be written */
	bool below;                 /* something below it is */
	bool archived;              /* FILE: content is in from->archive, at offset */
	uint32_t kept_by;           /* DIR: 1 + the word whose --parents made it */
	struct copy_from *from;     /* FILE: where its content is read … */
	struct fsnode *src;         /* … from this node, which gains its digest if it has none */
	const char *content;        /* FILE: inline content instead */
	off_t offset;
	struct tar_entry *shared;   /* what the names of one file of an archive have in common; NULL: the node's own */
};

/* Finds what the sources name. A literal that is missing is ERR_BUILD; a wildcard may match nothing (CP-06). */
int copy_select(struct copy_from *from, const struct copy_spec *spec, struct copy_selection *ret, struct err *e);
void copy_selection_fini(struct copy_selection *s);
/* As they are carried out: in the order they were written, inline files last. */
void copy_selection_sort(struct copy_selection *s);

/* Length, with its slash, of the path that --exclude's patterns do not see. */
size_t copy_match_skip(const struct copy_match *m);

/*
 * Visits all that is selected: of each match the node itself with the name "", then what is below it with its path from
 * there (--parents: from the base), without what --exclude leaves out. An inline file, and a base, come without a node.
 * `contents`: the visitor will ask for digests, which then are taken of many files at once.
 */
typedef int copy_visit_fn(void *ctx, const struct copy_match *m, const struct copy_spec *spec, struct fsnode *n,
			  const char *name, struct err *e);
int copy_walk(const struct copy_selection *s, const struct copy_spec *spec, bool contents, copy_visit_fn *visit,
	      void *ctx, struct err *e);

/* Digest of all that is selected: names, types, modes, owners, contents, link targets; not times (CP-23). */
int copy_digest(const struct copy_selection *s, const struct copy_spec *spec, struct digest *ret, struct err *e);

struct copy_owner { bool set; uint32_t uid, gid; };

/* Changes `dest` as the instruction does and marks what was changed. image: what `dest` was made of, or NULL. */
int copy_plan(struct build *b, const struct copy_selection *s, const struct copy_spec *spec,
	      const struct copy_owner *owner, struct fsview *dest, struct copy_from *image, struct err *e);
/* A directory and its missing parents, for WORKDIR. */
int copy_plan_mkdir(struct build *b, struct fsview *dest, const char *path, uint32_t mode,
		    const struct copy_owner *owner, struct err *e);

/* ---- step_copy.c ---- */
/* The layers whose listings the key of a COPY or ADD was made with; none for other steps. */
struct layer_slot *const *step_copy_slots(const struct step *step, size_t *ret_n);

/* How many bytes the marked part of `dest` has, a header for each entry included. */
uint64_t copy_measure(struct fsview *dest);
/* Writes the marked part of `dest` as a layer. Of an earlier layer (may be NULL) what is the same is taken as it is; then
 * layer_writer_misfit may be true. */
int copy_emit(struct build *b, struct fsview *dest, struct layer_reuse *earlier, struct layer_writer *w, struct err *e);

/* In a worker inside the namespace: the directory `source` becomes the empty directory tree_fd. Owners are kept from
 * images; from a context all belongs to root. A source that is missing, or no directory, is ERR_BUILD. */
int copy_tree(struct build *b, struct copy_from *from, const char *source, int tree_fd, struct err *e);

/* ---- context_tree.c ---- */
/* A directory that shows the context as instructions see it: itself, when nothing is ignored, else a copy without what
 * is. */
int context_tree(struct build *b, struct context *c, int *ret_fd, struct err *e);
/* The words that name files of a directory, in all instructions that the build needs. name NULL: the build context. */
void context_words(const struct build *b, const char *name, struct strv *ret);

/* ---- copy_remote.c ---- */
struct pull_progress;
struct remote_file {
	struct digest digest; /* of a blob of the store */
	uint64_t size;
	bool has_mtime;
	int64_t mtime;        /* Last-Modified, or 0 */
};
bool remote_is_url(const char *source);
/* In a worker: one URL into the store; nothing is sent when what is there is current. */
int remote_fetch(struct build *b, const char *url, const struct pull_progress *progress, struct remote_file *ret,
		 struct err *e);
/* The name a fetched file has: the last element of the URL's path, its escapes undone (ADD-04). The caller owns it. */
char *remote_name(const char *url);
/* Fetches into the store; the job's result goes to remote_result, which makes `from` and `view` of it. */
struct job *remote_start(struct build *b, struct step *step, const struct strv *urls, struct err *e);
int remote_result(const struct str *text, const struct strv *urls, struct copy_from *from, struct fsview *view,
		  struct err *e);
/* All fetched files, in the order of their URLs. */
int remote_select(struct copy_from *from, const struct copy_spec *spec, struct copy_selection *ret, struct err *e);

/* ---- copy_git.c ---- */
struct git_tree;
/* In a job: every ref of the instruction to its commit, put into spec->git by git_commits_read. */
struct job *git_resolve_start(struct build *b, struct step *step, struct copy_spec *spec, struct err *e);
int git_commits_read(struct copy_spec *spec, const struct str *result, struct err *e);
void git_key(const struct git_source *g, struct cache_key *k);
/* Directories to check out into, one per git source; then, in the worker that copies, the checkouts, and their files as
 * matches. */
int git_trees_new(struct build *b, const struct copy_spec *spec, struct git_tree **ret, struct err *e);
int git_trees_fill(struct build *b, const struct copy_spec *spec, struct git_tree *trees, struct err *e);
int git_trees_select(struct git_tree *trees, const struct copy_spec *spec, struct copy_selection *ret, struct err *e);
void git_trees_free(struct git_tree *trees, size_t n);

/* ---- contents of files of images ---- */

/* A file of any kind of source, at its first byte. */
int source_open(struct build *b, struct copy_from *from, const struct fsnode *n, int *ret_fd, struct err *e);

/* Makes the contents of the FILE nodes readable: those in layers without a tree are read out of the layer into a
 * temporary file. */
int content_fetch(struct build *b, struct copy_from *from, struct fsnode *const *nodes, size_t n, struct err *e);
/* *ret_fd at the first byte; the caller closes it. */
int content_open(struct build *b, struct copy_from *from, const struct fsnode *node, int *ret_fd, struct err *e);
void content_drop(struct copy_from *from);
/* A small file of an image as text, links followed: 0, 1 absent, -1. */
int content_text(struct build *b, struct copy_from *from, const char *path, size_t limit, struct str *out,
		 struct err *e);

/* An unnamed temporary file in the store; the descriptor, or -1. */
int spool_file(struct build *b, struct err *e);
/* The content of an unpacked file, at its first byte. */
int archive_spool_open(const struct copy_mark *m, int *ret_fd, struct err *e);
void archive_spool_free(struct archive_spool *a);

/* uid and gid of `--chown` or USER, looked up in the image's own files; unknown names become 0 (CP-15). */
int owner_resolve(struct build *b, struct copy_from *image, const char *spec, struct copy_owner *ret, struct err *e);
/* True when a part of `spec` is a name that has to be looked up in an image. */
bool owner_has_name(const char *spec);

#endif
