/* The stack of layers of a stage: which are packed, which have a tree, and how the missing ones are made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "build_priv.h"
#include "room_priv.h"
#include "oci/layer_apply.h"
#include "store/snap.h"
#include "store/use.h"

struct layer_slot *slot_new(void)
{
	struct layer_slot *s = x_alloc(sizeof *s);
	s->refs = 1;
	s->tree_fd = s->ended_fd = -1;
	return s;
}

struct layer_slot *slot_ref(struct layer_slot *s)
{
	s->refs++;
	return s;
}

void slot_unref(struct layer_slot *s)
{
	if (!s || --s->refs)
		return;
	fd_drop(&s->tree_fd);
	descriptor_fini(&s->layer.blob);
	strv_fini(&s->implied);
	str_fini(&s->borrowed);
	claim_drop(&s->claim);
	free(s);
}

bool slot_is_missed(const struct layer_slot *s)
{
	return s->missed && s->ended_fd >= 0;
}

const struct blob_follow *slot_follow(struct build *b, struct layer_slot *s, struct blob_follow *room)
{
	s->follows = s->ended_fd >= 0;
	*room = (struct blob_follow){
		.store = b->store,
		.digest = s->layer.blob.digest,
		.size = s->layer.blob.size,
		.ended_fd = s->ended_fd,
	};
	return s->follows ? room : NULL;
}

bool slot_forgives(struct layer_slot *s, const struct err *failed)
{
	if (!s->follows)
		return false;
	log_debug("%s; again when it is all there", failed->msg);
	s->missed = true;
	return true;
}

static int build_tmp(struct build *b, struct err *e)
{
	if (b->tmp_fd >= 0)
		return 0;
	return store_tmp_new(b->store, b->tmp_id, &b->tmp_fd, e);
}

int work_dir(struct build *b, unsigned *ret_id, int *ret_tree_fd, int *ret_work_fd, struct err *e)
{
	char name[16];
	if (build_tmp(b, e) < 0)
		return -1;
	snprintf(name, sizeof name, "%u", ++b->n_work);
	if (mkdirat(b->tmp_fd, name, 0700) < 0)
		return err_sys(e, "create a work directory in %s/tmp", b->store->path);
	AUTO(fd_drop) int dir = openat(b->tmp_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0 || mkdirat(dir, "tree", 0755) < 0 || (ret_work_fd && mkdirat(dir, "work", 0700) < 0))
		return err_sys(e, "create a work directory in %s/tmp", b->store->path);
	/* The tree's own mode shows as the mode of "/" in the sandbox; mkdir(2) has applied the umask. */
	AUTO(fd_drop) int tree = openat(dir, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	AUTO(fd_drop)
	int work = ret_work_fd ? openat(dir, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (tree < 0 || (ret_work_fd && work < 0) || fchmod(tree, 0755) < 0)
		return err_sys(e, "open a work directory in %s/tmp", b->store->path);
	*ret_id = b->n_work;
	*ret_tree_fd = fd_take(&tree);
	if (ret_work_fd)
		*ret_work_fd = fd_take(&work);
	return 0;
}

char *work_path(struct build *b, unsigned id, struct err *e)
{
	AUTO(free_drop) char *store = realpath(b->store->path, NULL);
	if (!store) {
		err_sys(e, "%s", b->store->path);
		return NULL;
	}
	return x_asprintf("%s/tmp/%s/%u/tree", store, b->tmp_id, id);
}

int build_userns(struct build *b, struct err *e)
{
	if (b->userns_open)
		return 0;
	if (userns_open(&b->userns, e) < 0)
		return -1;
	b->userns_open = true;
	return 0;
}

static bool chain_is_known(const struct layer_slot *s)
{
	return !digest_is_zero(&s->chain.d);
}

/* A tree of this build whose chain is known becomes a snapshot, which later builds start from. */
static int publish_tree(struct build *b, struct layer_slot *s, struct err *e)
{
	char name[16];
	if (!s->work_id || !s->tree_ready || s->implied.n)
		return 0;
	snprintf(name, sizeof name, "%u", s->work_id);
	s->work_id = 0;
	b->store_dirty = true;
	b->tree_bytes += s->layer.blob.size;
	b->moves++;
	int r = snap_publish(b->store, &s->chain, b->tmp_fd, name, e);
	claim_drop(&s->claim);
	return r;
}

/* Directories that a layer left unsaid take what they are in the layers below it. */
static int fix_implied(struct build *b, struct layer_slot **slots, size_t at, struct err *e);

int slots_settle(struct build *b, struct layer_slot **slots, size_t n, struct err *e)
{
	static const struct chainid none;
	const struct chainid *below = &none;
	for (size_t i = 0; i < n && slots[i]->resolved; i++) {
		struct layer_slot *s = slots[i];
		if (!chain_is_known(s)) {
			s->chain = chain_next(below, &s->layer.diffid);
			b->moves++;
		}
		below = &s->chain;
		if (s->implied.n && s->tree_ready && fix_implied(b, slots, i, e) < 0)
			return -1;
		if (publish_tree(b, s, e) < 0)
			return -1;
	}
	return 0;
}

int slots_need_layers(struct build *b, struct layer_slot **slots, size_t n)
{
	(void)b;
	for (size_t i = 0; i < n; i++)
		if (!slots[i]->resolved)
			return 1;
	return n && !chain_is_known(slots[n - 1]) ? 1 : 0;
}

/* ---- unpacking ---- */

struct unpack {
	struct build *build;
	struct layer layer; /* borrowed from the slot, which the job keeps alive */
	const struct blob_follow *follow; /* NULL: the store has it */
	int tree_fd;
	bool of_base;
};

/* In a worker. The result is the names of implied directories, each with its NUL. */
static int unpack_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct unpack *u = ctx;
	AUTO(strv_fini) struct strv implied = { 0 };
	AUTO(room_drop) struct room room = { .fd = -1 };
	struct diffid got;
	uint64_t size;
	room_take(u->build, r, 0, room_of_tree(u->build, &u->layer.blob), &room);
	struct layer_apply a = {
		.store = u->build->store,
		.blob = &u->layer.blob,
		.want = &u->layer.diffid,
		.follow = u->follow,
		.tree_fd = u->tree_fd,
		.implied = &implied,
		.ret_size = &size,
	};
	/* A listing is made too, as view.c makes it: who wants only that takes ours. */
	AUTO(free_drop) char *name = x_asprintf("list-%s", digest_hex(&u->layer.diffid.d).s);
	AUTO(free_drop) char *listing_name = x_asprintf("list/%s", digest_hex(&u->layer.diffid.d).s);
	a.digest_files = !u->of_base && !store_use(u->build->store, listing_name, NULL);
	AUTO(claim_drop) struct claim listing = { 0 };
	claim_try(u->build->store, name, &listing);
	if (u->tree_fd >= 0 && userns_join(&u->build->userns, e) < 0)
		return -1;
	if (layer_apply(&a, &got, e) < 0)
		return -1;
	room_end(&room, size);
	for (size_t i = 0; i < implied.n; i++)
		str_addn(result, implied.v[i], strlen(implied.v[i]) + 1);
	return 0;
}

static int unpack_done(struct build *b, struct job *j, const struct str *result, const struct err *failed,
		       struct err *e)
{
	(void)b;
	struct layer_slot *s = j->slot;
	s->job = NULL;
	if (failed) {
		bool forgiven = slot_forgives(s, failed);
		if (forgiven) {
			fd_drop(&s->tree_fd);
			s->work_id = 0;
			claim_drop(&s->claim);
		}
		*e = *failed;
		slot_unref(s);
		return forgiven ? 0 : -1;
	}
	for (size_t at = 0; at < result->len; at += strlen(result->buf + at) + 1)
		strv_push(&s->implied, result->buf + at);
	s->tree_ready = true;
	slot_unref(s);
	return 0;
}

/* ---- somebody else unpacks it ---- */

static int wait_done(struct build *b, struct job *j, const struct str *result, const struct err *failed, struct err *e)
{
	(void)b;
	(void)result;
	j->slot->job = NULL;
	slot_unref(j->slot);
	if (!failed)
		return 0;
	*e = *failed;
	return -1;
}

static int start_wait(struct build *b, struct step *step, struct layer_slot *s, const char *claim, struct err *e)
{
	struct job *j = job_wait(b, step, claim, e);
	if (!j)
		return -1;
	j->done = wait_done;
	j->slot = slot_ref(s);
	s->job = j;
	return 0;
}

static int start_unpack(struct build *b, struct step *step, struct layer_slot *s, struct err *e)
{
	struct unpack u = { .build = b, .layer = s->layer, .of_base = s->of_base };
	if (build_userns(b, e) < 0 || work_dir(b, &s->work_id, &s->tree_fd, NULL, e) < 0)
		return -1;
	struct blob_follow follow;
	u.follow = slot_follow(b, s, &follow);
	u.tree_fd = s->tree_fd;
	struct job *j = job_worker(b, step, "nacre-unpack", unpack_work, &u, e);
	if (!j)
		return -1;
	j->done = unpack_done;
	j->idle = s->follows;
	j->slot = slot_ref(s);
	s->job = j;
	return 0;
}

/* 0: the tree is there. 1: it is being unpacked, here or by somebody else. */
static int tree_get(struct build *b, struct step *step, struct layer_slot *s, struct err *e)
{
	AUTO(free_drop) char *name = x_asprintf("snap-%s", digest_hex(&s->chain.d).s);
	if (s->job || slot_is_missed(s))
		return 1;
	bool there = snap_exists(b->store, &s->chain);
	if (!there && s->origin)
		return slots_need_blobs(b, step, &s, 1, e) < 0 ? -1 : 1;
	if (!there && !claim_try(b->store, name, &s->claim))
		return start_wait(b, step, s, name, e) < 0 ? -1 : 1;
	/* It may have been published between our look and our claim. */
	if (!there && !snap_exists(b->store, &s->chain))
		return start_unpack(b, step, s, e) < 0 ? -1 : 1;
	claim_drop(&s->claim);
	if (snap_open(b->store, &s->chain, &s->tree_fd, e) < 0)
		return -1;
	s->tree_ready = true;
	b->moves++;
	return 0;
}

int slots_need_trees(struct build *b, struct step *step, struct layer_slot **slots, size_t n, struct err *e)
{
	if (build_userns(b, e) < 0 || slots_settle(b, slots, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		/* Below one whose chain is not known something is still being packed. */
		if (slots[i]->tree_fd < 0 && chain_is_known(slots[i]) && tree_get(b, step, slots[i], e) < 0)
			return -1;
	/* A tree that was just found may be what implied directories above it were waiting for; no job would tell. */
	if (slots_settle(b, slots, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (slots[i]->tree_fd < 0 || !slots[i]->tree_ready || slots[i]->implied.n)
			return 1;
	return 0;
}

struct fix {
	struct build *build;
	struct layer_slot **slots;
	size_t at;
};

static int fix_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct fix *f = ctx;
	(void)r;
	(void)result;
	if (userns_join(&f->build->userns, e) < 0)
		return -1;
	AUTO(free_drop) int *lower = x_alloc(f->at * sizeof *lower + 1);
	for (size_t i = 0; i < f->at; i++)
		lower[i] = f->slots[f->at - 1 - i]->tree_fd;
	return tree_fix_implied(f->slots[f->at]->tree_fd, &f->slots[f->at]->implied, lower, f->at, e);
}

static int fix_implied(struct build *b, struct layer_slot **slots, size_t at, struct err *e)
{
	struct fix f = { .build = b, .slots = slots, .at = at };
	struct worker w;
	for (size_t i = 0; i < at; i++)
		if (!slots[i]->tree_ready || slots[i]->implied.n)
			return 0; /* not all there yet: the next call tries again */
	if (worker_start(&w, "nacre-fix", fix_work, &f, e) < 0 || worker_wait(&w, NULL, NULL, NULL, e) < 0)
		return -1;
	strv_fini(&slots[at]->implied);
	b->moves++;
	return 0;
}
