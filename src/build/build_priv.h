/*
 * One build while it runs: what the files of this folder share.
 *
 * A stage is carried out instruction by instruction; each instruction becomes a step. A step that needs long work
 * starts a job (a worker process or a RUN command) and its stage waits; other stages go on meanwhile. The one loop is
 * in schedule.c.
 */
#ifndef NACRE_BUILD_BUILD_PRIV_H
#define NACRE_BUILD_BUILD_PRIV_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/vec.h"
#include "build/image.h"
#include "build/options.h"
#include "dockerfile/parse.h"
#include "oci/chain.h"
#include "oci/config.h"
#include "oci/fsview.h"
#include "oci/layer.h"
#include "oci/platform.h"
#include "output_priv.h"
#include "rerun_priv.h"
#include "run_options_priv.h"
#include "secret_priv.h"
#include "ssh_priv.h"
#include "sandbox/sandbox.h"
#include "store/claim.h"
#include "store/follow.h"
#include "store/store.h"

struct build;
struct build_room;
struct graph;
struct changes;
struct share;
struct share_place;
struct share_source;
struct stage;
struct step;
struct job;

/*
 * One layer of a stage's stack. Shared by the stages that build on it. `tree_fd` is a directory that serves as overlay
 * lower: a snapshot of the store, or the upper directory of a RUN of this build that has yet to be packed.
 */
struct layer_slot {
	unsigned refs;
	bool resolved;           /* layer and chain are known */
	struct layer layer;      /* owned */
	struct chainid chain;    /* of the stack up to and including this layer */
	int tree_fd;             /* owned; -1: no tree yet */
	bool tree_ready;         /* the tree is complete (a RUN's is before it is packed) */
	bool listed;             /* its listing is in the store */
	bool of_base;            /* of a base image: keys do without digests of its files */
	unsigned work_id;        /* directory of the build's tmp that holds `tree`, 0: none, or published */
	struct job *job;         /* unpacking or packing, or waiting for who unpacks it; NULL: none */
	struct claim claim;      /* on its snapshot, until that is published */
	int ended_fd;            /* borrowed from its image, which is being fetched: see blob_follow; -1: it is not */
	bool follows;            /* the job reads what comes: if it fails, one that reads the whole blob may not */
	bool missed;             /* such a job failed; the next begins when the image is there */
	struct strv implied;     /* directories of the tree that no entry named, see tree_fix_implied */
	const struct share_place *origin; /* where the layer is still to be fetched; NULL: the store has it. Borrowed */
	struct share_source *source; /* the shared cache that told of the layer, or NULL; borrowed */
	struct share_source *lister; /* the one that told what is in it, or NULL; borrowed */
	struct str borrowed;     /* the listing it gave, until that has been compared with the layer */
};

enum job_kind { JOB_WORKER, JOB_COMMAND };

/* Something the loop waits for. done() is called once, then the job is freed; e is NULL on success. */
struct job {
	enum job_kind kind;
	struct step *step;         /* whose output this is; NULL for background work */
	struct worker worker;      /* WORKER */
	struct sandbox sandbox;    /* COMMAND */
	int output_fd;             /* COMMAND: what it prints; -1 after its end */
	bool ended;                /* COMMAND: the process is gone */
	int status;                /* COMMAND: wait status */
	int (*done)(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e);
	void *ctx;                 /* borrowed by done */
	struct layer_slot *slot;   /* what it makes, if that is a layer or tree */
	bool idle;                 /* it waits for another process, and costs next to nothing meanwhile */
};

enum step_state {
	STEP_NEW,
	STEP_WAITING,  /* for a job, another stage or a tree */
	STEP_APPLIED,  /* its effect on the stage is there; its layer may still be packing */
	STEP_DONE,     /* intermediate image and record are written */
};

/* The key of a step: every input by name, in the order of writing. */
struct cache_key {
	struct json_out fields; /* an open object while it is made */
	char *text;             /* the finished object; owned */
	struct digest digest;   /* of text */
};

/* The documents of an intermediate image (made_priv.h). */
struct made {
	struct digest of;         /* what they were made of */
	struct digest config;
	uint64_t size, config_size;
	bool anew;                /* they were written in this build */
};

enum why_cause {
	WHY_OPTION,     /* an option says so */
	WHY_PARENT,     /* it follows a step that runs */
	WHY_NO_RECORD,
	WHY_OLD,        /* there is one, older than --fresh */
};

struct step {
	struct stage *stage;
	const struct df_instruction *in;
	unsigned number;          /* as shown: #N */
	unsigned position;        /* "2" of 2/7 */
	char *title;              /* "[build 2/7] RUN make"; owned */
	enum step_state state;
	bool cached, shown;
	struct share_source *shared; /* the cache where it was found, and the store has no record yet; borrowed */
	int64_t ran;              /* when, if not in this build */
	char *note;               /* said when the step is shown; owned */
	struct str partial;       /* a line of its output whose end has not come */
	struct changes *why;      /* why it is not cached; owned */
	bool has_layer;           /* makes a layer: slot */
	bool alone;               /* that layer is the same on any other: COPY --link */
	struct layer_slot *slot;  /* referenced */
	struct cache_key key;
	bool has_key;
	struct claim claim;       /* on the key, until the record is written */
	struct job *waiting;      /* for who has the claim */
	struct step *twin;        /* of another stage: what it gives is ours too */
	bool unclaimed;           /* it runs, and its key is not known yet */
	bool late;                /* what it reads gets its digest while its layer is written: there is no key before */
	bool undigested;          /* and has none yet */
	struct claim early;       /* on what is known of the key of such a step, until the record is written */
	enum why_cause cause;     /* of `why` */
	/* Writes the key, given the chain below the step's layer; also for a step that ran before that chain was known.
	 */
	void (*write_key)(struct build *b, struct step *s, const struct chainid *parent);
	/* Of a step that is late: what its worker tells in front of the layer. */
	int (*told)(struct build *b, struct step *s, const char **p, const char *end, struct err *e);
	/* It is not in the cache: what tells why is to be kept now. May be NULL. */
	void (*missed)(struct build *b, struct step *s);
	struct job *job;
	struct strv caches;       /* names of its cache mounts, once it had them: mount/NAME */
	struct history history;   /* owned */
	bool has_history;
	struct image_config config; /* as it is after this step, without history and diff_ids; owned */
	struct digest image;      /* of the intermediate image, once DONE */
	struct made made;
	int64_t started_ms, ended_ms;
	void *work;               /* an instruction's own state; freed by work_free */
	void (*work_free)(void *work);
};

struct stage {
	struct build *build;
	struct graph *graph;       /* whose it is; borrowed from the build */
	const struct df_stage *df;
	char *label;               /* name for titles: "build", "stage-1"; owned */
	char *log_label;           /* in logs; of several platforms "linux/arm64 build"; owned */
	bool needed, started, finished;
	bool replaced;             /* a named context has its name: it is that context, and its instructions do not count */
	bool linked;               /* base_stage is known, and what it needs is marked */
	struct stage *base_stage;  /* FROM another stage */
	struct df_instruction *triggers; /* ONBUILD of the base; in the build's arena */
	size_t n_triggers;
	size_t pc;                 /* next instruction: triggers first, then those of the Dockerfile */
	unsigned n_steps;          /* for "2/7" */
	struct platform platform;
	VEC(struct step *) steps;  /* owned, in order */
	size_t n_done;             /* steps[0..n_done) are DONE */
	struct digest made;        /* of what the last of them is made */
	bool made_anew;            /* the build before had no such step */
	VEC(struct layer_slot *) slots; /* the stack, bottom first; referenced */
	struct image_config config;     /* present state, without history of our own and diff_ids of our own */
	bool from_scratch;         /* itself, or the stage it is FROM */
	size_t n_base_layers;      /* of the image or stage it is FROM */
	VEC(struct history) base_history; /* owned */
	struct strv env;           /* what expansion and RUN see: ENV and ARG, last one wins */
	struct strv args;          /* K=V of what ARG declared, in order; what `env` says goes before it */
	bool cmd_set;              /* by this stage: ENTRYPOINT then keeps it */
	bool chain_missed;         /* a step of the stack ran in this build: what follows is looked up only when the
				      chain below it is packed by then */
	bool chain_forced;         /* an option made it run: what follows runs too */
	struct digest meta_key;    /* identity of everything so far, while there is no step with a layer */
	char *last_created;        /* of the last step with a layer; what follows it without one has the same. owned */
	struct fsview *view;       /* of slots[0..view_layers), made on first need; owned */
	size_t view_layers;
};

enum context_kind {
	CONTEXT_DIR,
	CONTEXT_STDIN,  /* an archive, or a Dockerfile and no files */
	CONTEXT_GIT,
	CONTEXT_HTTP,   /* an archive, or one file */
	CONTEXT_IMAGE,  /* docker-image:// and oci-layout://; has no files of its own */
};

/*
 * A tree of files that COPY reads: the build context or a named one. A directory is read where it is, a checkout in a
 * work directory. Of an archive the view is whole at once, and `fd` holds its contents as files named by their digests.
 */
struct context {
	enum context_kind kind;
	char *name;                /* NULL: the build context; owned */
	char *path;                /* a directory, "-" or a URL; owned */
	int fd;
	dev_t device;              /* of fd */
	bool packed;               /* fd holds contents by digest */
	bool is_dockerfile;        /* the content was no archive: one file, in the view as context_file_name */
	struct df_ignore *ignore;  /* owned; NULL: nothing ignored */
	char *ignore_path;         /* where it was read, for messages; owned */
	struct fsview view;        /* read on demand */
	struct stat_index *index;  /* owned */
	char *buffer;              /* what files are read into; owned */
	struct context_budget *budget; /* borrowed; NULL: read without bounds */
	bool has_time;
	int64_t time;              /* of the commit; Last-Modified; the newest file of an archive (SDE-01) */
	bool opened;
	bool time_only;            /* nothing but that is wanted */
	unsigned work_id;          /* where it is checked out or unpacked */
	struct context_fetch *fetch; /* owned */
	struct job *job;           /* fetching it */
};

/* What may be read of a context before it is dearer than a process of its own. */
struct context_budget {
	size_t entries, bytes;
	bool exceeded;
};

/* --build-context NAME[::PLATFORM]=VALUE */
struct named_context {
	char *name;                /* as named_context_find compares it; owned */
	bool has_platform;
	struct platform platform;
	char *value;               /* owned */
	const char *reference;     /* an image: what names it; borrowed from value */
	struct context dir;        /* else its files */
	bool is_dir;               /* it has files: a directory, git or HTTP; false: an image */
};

/* An image that FROM or --from names, fetched once per build and platform. */
struct base_image {
	char *reference;           /* as expanded; owned */
	struct platform want;
	bool has_want;
	bool ready;
	struct digest manifest;
	struct job *job;
	VEC(struct layer_slot *) slots; /* made when first used; referenced */
	bool loaded;
	bool coming;               /* the layers are being fetched; the rest is known */
	int ended_fd;              /* owned while they are, see blob_follow */
	struct image image;
	struct fsview *view;       /* owned */
	size_t view_layers;
	struct share_place *place; /* where layers are that were not fetched; owned, or NULL */
};

/* The stages of the file for one platform. Those of several platforms are carried out in one loop. */
struct graph {
	struct build *build;
	struct platform target;
	struct strv platform_args;           /* automatic ones, K=V */
	struct strv global_args;             /* K=V: automatic and evaluated global ARGs */
	VEC(struct stage *) stages;          /* one per stage of the file; borrowed from the build */
	struct stage *goal;
};

struct build {
	struct store *store;                 /* borrowed */
	const struct build_options *options; /* borrowed */
	struct arena arena;
	struct df_file file;
	char *file_name;                     /* for messages; owned */
	char *file_path;                     /* where it was read; owned */
	bool file_is_local;                  /* file_path names a file of this machine */
	struct strv build_args;              /* K=V */
	struct platform host;
	bool target_given;
	bool has_epoch;
	int64_t epoch;
	int64_t start_time;
	int64_t made_time; /* mtime of directories and inline files that have no other: the epoch, or the Dockerfile's
			      own */
	char *created;                       /* RFC 3339 of the build's start, or the epoch; owned */
	struct context context;
	VEC(struct named_context *) contexts;
	VEC(struct base_image *) images;
	VEC(struct graph *) graphs;          /* one per platform, in the order of --platform */
	VEC(struct stage *) stages;          /* of all graphs */
	VEC(struct job *) jobs;
	size_t jobs_max;                     /* steps at a time; 0: not needed yet */
	unsigned cpus;                       /* 0: not asked for yet */
	uint64_t moves;                      /* grows with all that some stage may wait for, beside the end of a job */
	unsigned n_numbers;                  /* step numbers given */
	bool userns_open;
	struct userns userns;
	char tmp_id[33];
	int tmp_fd;                          /* -1 until first needed */
	unsigned n_work;                     /* work directories made in tmp_fd */
	struct run_options run_options;
	struct rerun rerun;
	struct secrets secrets;
	struct ssh_agents ssh;
	char *hosts_text, *resolv_text[2];   /* owned; made on first RUN; the second by enum sandbox_net */
	bool checks_complete;                /* the last check_walk had the environment of every base image */
	struct progress *progress;
	struct json earlier;                 /* log of the last build of the same Dockerfile */
	bool earlier_read;
	size_t earlier_next;                 /* its step after the one that was last found there */
	bool store_dirty;                    /* something to sync before names are written */
	uint64_t tree_bytes;                 /* of the layers whose trees became snapshots, as they are compressed */
	struct layer_format format;          /* of new layers */
	struct outputs outputs;              /* what -o asks for */
	struct build_room *room;             /* owned; NULL: the store has no limit (room_priv.h) */
	struct share *share;                 /* owned; NULL: no cache of others is read (share_priv.h) */
};

/* ---- slots.c: layers and their trees ---- */
struct layer_slot *slot_new(void);
struct layer_slot *slot_ref(struct layer_slot *s);
void slot_unref(struct layer_slot *s);
/* Chains what can be chained: every resolved slot on resolved ones below gets its chainID; trees of this build that are
 * complete become snapshots. */
int slots_settle(struct build *b, struct layer_slot **slots, size_t n, struct err *e);
/* 0: every slot has a tree. 1: unpacking, come back. */
int slots_need_trees(struct build *b, struct step *step, struct layer_slot **slots, size_t n, struct err *e);
/* Whether its layer can be read only when its image is there. */
bool slot_is_missed(const struct layer_slot *s);
/* A job that reads the layer begins: what it has to follow, or NULL; *room is where that is kept. */
const struct blob_follow *slot_follow(struct build *b, struct layer_slot *s, struct blob_follow *room);
/* It failed. True: that does not count, for it followed a download. */
bool slot_forgives(struct layer_slot *s, const struct err *failed);
/* 0: every slot is resolved and the last has a chain. 1: still packing. */
int slots_need_layers(struct build *b, struct layer_slot **slots, size_t n);
/* share_layer.c. 0: the store has the layer of each. 1: being fetched, come back. */
int slots_need_blobs(struct build *b, struct step *step, struct layer_slot **slots, size_t n, struct err *e);
/* A fresh directory N in the build's tmp holding `tree` (and `work`); *ret_holder_fd may be NULL. */
int work_dir(struct build *b, unsigned *ret_id, int *ret_tree_fd, int *ret_work_fd, struct err *e);
/* The absolute path of its `tree`, for programs that want one; NULL and an error. The caller owns it. */
char *work_path(struct build *b, unsigned id, struct err *e);
int build_userns(struct build *b, struct err *e);

/* ---- schedule.c ---- */
struct job *job_worker(struct build *b, struct step *step, const char *name, worker_fn *fn, void *ctx, struct err *e);
/* Ends once nobody has the claim. */
struct job *job_wait(struct build *b, struct step *step, const char *claim, struct err *e);
struct job *job_command(struct build *b, struct step *step, const struct sandbox *s, int output_fd);
/* Enough is running: a step that could start waits for one of them. RUNs could otherwise outrun their packing without
 * end. */
bool jobs_full(struct build *b);
/* Processors this process may use, asked for once: workers have it from the builder. */
unsigned build_cpus(struct build *b);
int schedule_run(struct build *b, struct err *e);
/* Waits for the jobs there are, before any stage has begun. Their lines are shown. */
int schedule_wait(struct build *b, struct err *e);

/* ---- stage.c: one stage, instruction by instruction ---- */
struct stage *stage_find(const struct graph *g, const char *name); /* any case */
const char *stage_near(const struct build *b, const char *name); /* the stage name that may be meant, or NULL */
int stage_unknown(const struct build *b, const char *option, const char *name, struct err *e); /* ERR_USAGE; -1 */
/* 0: something was done; 1: waits; 2: finished. */
int stage_advance(struct build *b, struct stage *st, struct err *e);
/* The argv of RUN, CMD, ENTRYPOINT: exec form as it is, else SHELL and the text (args[0] when NULL). */
void stage_command(const struct stage *st, const struct df_instruction *in, const char *text, struct strv *ret);
/* One past its last instruction that counts. */
size_t stage_end(const struct stage *st);
void stage_free(struct stage *st);
bool stage_layers_ready(const struct stage *st);
bool stage_is_void(const struct stage *st); /* scratch, and nothing put there yet */

/* ---- graph.c ---- */
/* Reads --platform: an empty graph for each. ERR_USAGE. */
int graphs_read(struct build *b, struct err *e);
/* Gives each its stages. */
int graphs_make(struct build *b, struct err *e);
void graphs_free(struct build *b);

/* ---- base_image.c ---- */
/* 0: *ret is ready and loaded. 1: pulling, come back. */
int base_image_need(struct build *b, struct step *step, const char *reference, const struct platform *want,
		    struct base_image **ret, struct err *e);
/* Reads the documents of i->manifest and makes its slots. */
int base_image_load(struct build *b, struct base_image *i, struct err *e);
void base_image_fini(struct base_image *i);
/* base/HEX.json of what it was fetched by; the caller owns it. NULL: such images are looked at anew by each build. */
char *base_image_memo(const struct base_image *i);

/* ---- view.c: root filesystems without trees ---- */
/* Merges the slots into *view (kept between calls; *done of them are in it). 0, or 1: a listing is being made, come
 * back. want: the paths that will be looked at, with all below them; NULL: all. The view shows these and where links
 * lead on the way to them; it begins anew when it has to show more than before. */
int view_update(struct build *b, struct step *step, struct layer_slot **slots, size_t n, const struct strv *want,
		struct fsview **view, size_t *done, struct err *e);
/* Adds what a step looks at that writes to dest (or NULL) as that owner (or NULL). */
void view_want(struct strv *want, const char *dest, const char *owner);

/* Starts what makes the listings that are not there. */
int view_prepare(struct build *b, struct step *step, struct layer_slot **slots, size_t n, struct err *e);

/* ---- scope.c: variables ---- */
/* A name set again moves to the end: the order RUN has its environment in. An image's Env keeps the place (ENV-01). */
void scope_set(struct strv *env, const char *name, const char *value);
int scope_expand(struct stage *st, const struct df_instruction *in, const char *word, char **ret, struct err *e);
/* Proxies among the build arguments that the environment does not have, each in upper and lower case (ARG-10). */
void scope_add_proxies(const struct build *b, struct strv *env);
bool arg_is_control(const char *name); /* taken by ARG but never in the environment (ARG-13) */
void scope_global(struct graph *g);
int scope_global_args(struct graph *g, struct err *e);

/* ---- cache.c: keys and records ---- */
void key_begin(struct cache_key *k, const char *op);
void key_str(struct cache_key *k, const char *name, const char *value); /* NULL: left out */
void key_digest(struct cache_key *k, const char *name, const struct digest *d);
void key_strv(struct cache_key *k, const char *name, const struct strv *values);
void key_end(struct cache_key *k);
void key_fini(struct cache_key *k);

struct step_record {
	bool has_layer;
	struct layer layer;      /* owned */
	char *created;           /* owned */
	int64_t ran;             /* when the step ran, by the clock */
	struct share_source *from; /* who said so: a shared cache; NULL: the store */
	bool elsewhere;          /* the layer is there still */
};
void step_record_fini(struct step_record *r);
/* From the members of a record; false when its layer can be none. */
bool step_record_read(const struct json *j, struct step_record *ret);
void step_record_write(struct json_out *o, const struct step_record *r); /* into an open object */
/* 0 usable, 1 none. A record whose layer is no longer to be had is none. */
int record_get(struct build *b, const struct cache_key *k, struct step_record *ret, struct err *e);
int record_put(struct build *b, const struct step *step, struct err *e);
/* Whether there may be a record whose key is like this one but for the content. */
bool record_is_like(struct build *b, const struct cache_key *k);
int layer_by_diffid(struct store *s, const struct diffid *d, struct layer *ret, struct err *e); /* 0, 1 none, -1 */

/* ---- layer_job.c: steps whose layer is written by a worker ---- */
struct layer_job {
	struct build *build;
	struct step *step;
	struct layer_format format;
	struct layer_slot *slot;
	/* In the worker: */
	bool looked_back;
	struct layer_opening *earlier; /* owned; NULL: there is none, or it was taken */
};
/*
 * In a worker that has more to do before layer_job_write: a thread opens the layer of the last build meanwhile, for its
 * frames. From here on nothing is forked, until layer_job_write or layer_job_forget.
 */
void layer_job_look_back(struct layer_job *l);
void layer_job_forget(struct layer_job *l);
/* In the worker: what it hands back. */
void layer_job_result(const struct layer *layer, struct str *result);
/* Starts fn(struct layer_job *) for a slot that is already on the stack; resolves the slot when it is done. */
int layer_job_start(struct build *b, struct step *step, struct layer_slot *slot, const char *name, worker_fn *fn,
		    struct err *e);
/* In the worker: the marked part of `dest` as a layer, and as a tree if the slot has one. */
int layer_job_write(struct layer_job *l, struct fsview *dest, struct worker_report *report, struct str *result,
		    struct err *e);
/* Puts a new slot on the stack and starts fn for it, with a tree when a later RUN wants one. */
int layer_job_launch(struct build *b, struct stage *st, struct step *step, const char *name, worker_fn *fn,
		     struct err *e);
/* Looks the step up under its key: 0 found and used, 1 not, 2 the chain below is not known yet. */
int layer_job_cached(struct build *b, struct stage *st, struct step *step, struct err *e);
/* Nothing will be looked up: an option says so, of this step or of one below. */
bool layer_job_is_forced(struct build *b, const struct stage *st, const struct step *step);
/* The step's effect is on the stage. */
void layer_job_applied(struct stage *st, struct step *step);

/* ---- the families of instructions: 0 applied, 1 waits ---- */
int step_from(struct build *b, struct stage *st, struct step *step, struct err *e);
int step_run(struct build *b, struct stage *st, struct step *step, struct err *e);
int step_copy(struct build *b, struct stage *st, struct step *step, struct err *e);
int step_workdir(struct build *b, struct stage *st, struct step *step, struct err *e);
int step_meta(struct build *b, struct stage *st, struct step *step, struct err *e);
/* Whether a value of VOLUME or STOPSIGNAL can be one. */
int meta_check(const struct df_instruction *in, const char *value, struct err *e);

/* Puts the layer of a cached step on the stack. */
void step_use_record(struct stage *st, struct step *step, struct step_record *r);
/* When the step was done: as its record says, the epoch, or now. */
void step_created(const struct build *b, struct step *step);
void step_history(struct stage *st, struct step *step, char *created_by /* taken */, bool empty);

/* ---- commit.c ---- */
/* Writes records and intermediate images of steps whose layers are there; in order. */
int stage_commit(struct build *b, struct stage *st, struct err *e);
int build_finish(struct build *b, struct descriptor *ret, struct err *e);

/* ---- context.c ---- */
/*
 * `dockerfile` (may be NULL): its own ignore file beats the context's (CTX-01). Only directories have ignore files
 * (CTX-05). A context of another kind is fetched, and waited for; context_need does not wait.
 */
int context_open(struct build *b, struct context *c, const char *dockerfile, struct err *e);
/* The rest of opening, for a directory whose descriptor is in c->fd already. No ignore file. */
void context_attach(struct build *b, struct context *c);
/* The same for an archive: the contents are in c->fd, `listing` tells what there is. */
int context_attach_packed(struct context *c, const char *listing, size_t n, struct err *e);
void context_fini(struct context *c);
/* Drops what was read: the next look sees the directory as it is then. */
void context_forget(struct context *c);
/* Takes from the budget, if there is one; ERR_LIMIT when it does not suffice. */
int context_spend(struct context *c, size_t entries, uint64_t bytes, struct err *e);
/* Gives a file of the context its digest, from the stat index or by reading it. */
int context_digest(struct context *c, struct fsnode *n, struct err *e);
/* The file `n`, open as fd, was read by another and has this digest. `before` and `settled` (stat_index_priv.h) are as they
 * were when the reading began; the file has the same looks since. */
void context_learn(struct context *c, struct fsnode *n, int fd, const struct stat *before, bool settled,
		   const struct digest *d);
/*
 * What a worker tells of files that it read (the context may be NULL: those of an image): their digest, and what its
 * stat index learned since context_learned said `known`. context_take reads one report at *p, before `end`, and moves on.
 */
size_t context_learned(const struct context *c);
void context_report(const struct context *c, size_t known, const struct digest *d, struct str *out);
int context_take(struct context *c, const char **p, const char *end, struct digest *ret, struct err *e);
/* O_RDONLY of a file of the context. */
int context_open_file(struct context *c, const struct fsnode *n, int *ret_fd, struct err *e);

/* ---- context_fetch.c ---- */
/* 0: open. 1: being fetched, come back. */
int context_need(struct build *b, struct step *step, struct context *c, const char *dockerfile, struct err *e);
/* Starts the job that fetches a context that is no directory. */
int context_fetch(struct build *b, struct step *step, struct context *c, struct err *e);
extern const char context_file_name[];

/* ---- context_kind.c ---- */
/* What the text of a context means. ERR_USAGE for what nothing here can read. */
int context_kind_of(const char *text, enum context_kind *ret, struct err *e);
/* What names the build context. */
int context_main(struct build *b, struct err *e);
/* Reads --build-context. */
int named_contexts_read(struct build *b, struct err *e);
/* The one of that name, however an image's name is written (FROM-03), for a platform, or for the graph's. */
struct named_context *named_context_for(struct build *b, const char *name, const struct platform *p);
struct named_context *named_context_find(const struct graph *g, const char *name);

/* ---- dockerfile_source.c ---- */
int dockerfile_read(struct build *b, struct str *text, struct err *e);

/* ---- epoch.c ---- */
/* SOURCE_DATE_EPOCH in all its forms (SDE-01). */
int epoch_read(struct build *b, struct err *e);

/* ---- build.c ---- */
/* Removes what this build has in tmp/, from inside its namespace. */
void build_clean(struct build *b);

/* ---- progress.c ---- */
struct progress *progress_new(enum progress_mode mode);
void progress_free(struct progress *p);
void progress_step_start(struct progress *p, struct step *s);
/* Why the step runs: said with its title. */
void progress_step_missed(struct progress *p, struct step *s, const char *text);
/* A line about it from a worker. */
void progress_step_line(struct progress *p, const struct step *s, const char *text, size_t n);
/* What its command printed, in pieces as they come; then that no more will come. */
void progress_step_output(struct progress *p, struct step *s, const char *text, size_t n);
void progress_step_silent(struct progress *p, struct step *s);
void progress_step_done(struct progress *p, struct step *s, const struct digest *image);
void progress_step_failed(struct progress *p, struct step *s, const struct err *e);
void progress_note(struct progress *p, const char *text);
/* Shows what is due; the milliseconds until something is due again, -1: nothing is. */
int progress_tick(struct progress *p);
/* Nothing runs any more; what follows are notes. */
void progress_end(struct progress *p);

int64_t now_ms(void);

/* ---- go_text.c: texts as Go's fmt writes them ---- */
void go_quote(struct str *out, const char *text);                       /* %q */
void go_list(struct str *out, const struct strv *l, bool quoted);       /* [a b] or ["a" "b"] */
void go_duration(struct str *out, int64_t ns);                          /* 1m30s */

#endif
