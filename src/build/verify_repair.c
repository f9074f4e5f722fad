#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/ref.h"
#include "verify_priv.h"

int repair_object(struct store *s, const struct problem *p, int64_t since, struct err *e)
{
	struct object o = { .kind = p->speaker.kind, .name = p->speaker.name };
	return object_remove(s, &o, since, e);
}

/*
 * No image can be completed from what the store has: its manifest says with which bytes. Without the name, a build or
 * pull makes it anew, as it would have done for one that was never there.
 */
int repair_name(struct store *s, const struct problem *p, int64_t since, struct err *e)
{
	bool was_there;
	(void)since;
	return ref_remove_entry(s->fd, p->speaker.name, &p->speaker.image, &was_there, e);
}

/* What leads to a blob that goes. */
static void drop_leads(struct verify *v)
{
	for (size_t i = 0; i < v->leads.n; i++) {
		const struct lead *l = &v->leads.v[i];
		const struct blob_check *b = verify_blob(v, &l->blob);
		struct object o = { .kind = l->speaker.kind, .name = l->speaker.name };
		struct err why;
		if (!b || b->state != BLOB_BAD || l->speaker.kind == OBJECT_KINDS)
			continue;
		if (object_remove(v->store, &o, v->since, &why) < 0)
			log_debug("%s", why.msg);
	}
}

void verify_repair(struct verify *v)
{
	struct err why;
	for (size_t i = 0; i < v->problems.n; i++) {
		struct problem *p = &v->problems.v[i];
		int r = p->repair ? p->repair(v->store, p, v->since, &why) : -1;
		p->state = r < 0 ? PROBLEM_KEPT : r ? PROBLEM_IN_USE : PROBLEM_REPAIRED;
		if (p->repair && r < 0)
			log_warn("%s: %s", p->object, why.msg);
	}
	drop_leads(v);
	store_recover(v->store);
}
