#include "store_job_priv.h"

#include "base/log.h"
#include "base/proc.h"
#include "sandbox/userns.h"

struct store_job {
	struct store *store;
	const struct userns *userns; /* NULL: this machine gives none */
	store_job_fn *fn;
	void *ctx;
};

static int work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct store_job *j = ctx;
	struct store observer = *j->store;
	(void)r;
	observer.began = (struct timespec){ 0 }; /* everything was used since, so nothing has to be marked */
	if (j->userns && userns_join(j->userns, e) < 0)
		return -1;
	return j->fn(&observer, j->ctx, result, e);
}

int store_job(struct store *s, const char *name, store_job_fn *fn, void *ctx, struct str *result, struct err *e)
{
	struct userns ns = { .fd = -1 };
	struct err refused;
	struct store_job j = { .store = s, .fn = fn, .ctx = ctx };
	struct worker w;
	/* Where there are no subordinate ids, no tree of theirs was made. */
	if (userns_open(&ns, &refused) == 0) {
		j.userns = &ns;
	} else if (refused.kind != ERR_SANDBOX) {
		*e = refused;
		return -1;
	} else {
		log_debug("%s", refused.msg);
	}
	int r = worker_start(&w, name, work, &j, e);
	if (r == 0)
		r = worker_wait(&w, NULL, NULL, result, e);
	if (j.userns)
		userns_fini(&ns);
	return r < 0 ? -1 : 0;
}
