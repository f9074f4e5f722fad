#include "archive/tar_write.h"
#include "base/mem.h"
#include "oci/layer_reuse.h"

static void run_begin(struct frame_plan *p)
{
	struct frame_run *run = vec_add(&p->runs);
	const struct frame_run *before = p->runs.n > 1 ? run - 1 : NULL;
	run->first = p->n;
	run->known = true;
	run->first_frame = before ? before->first_frame + before->n_frames : 0;
	sha_init(&p->sha);
}

void frame_plan_end(struct frame_plan *p)
{
	if (!p->sha.ctx)
		return;
	struct frame_run *run = &p->runs.v[p->runs.n - 1];
	run->n = p->n - run->first;
	run->n_frames = (size_t)((run->bytes + FRAME_MAX - 1) / FRAME_MAX);
	run->key = sha_end(&p->sha);
}

int frame_plan_add(struct frame_plan *p, const struct list_entry *entry, struct err *e)
{
	const struct tar_entry *t = &entry->tar;
	uint64_t bytes;
	if (tar_entry_size(t, &p->line, &bytes, e) < 0)
		return -1;
	if (frame_cut_before(&p->cut, t->path, bytes))
		frame_plan_end(p);
	if (!p->sha.ctx)
		run_begin(p);
	/* The line says all that there is, the header included. */
	str_clear(&p->line);
	listing_add_line(&p->line, entry);
	sha_add(&p->sha, p->line.buf, p->line.len);
	struct frame_run *run = &p->runs.v[p->runs.n - 1];
	run->bytes += bytes;
	run->known &= t->type != TAR_FILE || entry->has_digest;
	p->n++;
	return 0;
}

void frame_plan_fini(struct frame_plan *p)
{
	vec_fini(&p->runs);
	sha_drop(&p->sha);
	str_fini(&p->line);
}
