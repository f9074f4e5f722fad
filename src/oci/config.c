#include "oci/config.h"

#include <stdlib.h>

#include "base/mem.h"

static char *copy_or_null(const char *s)
{
	return s ? x_strdup(s) : NULL;
}

static void copy_strv(struct strv *to, const struct strv *from)
{
	*to = (struct strv){ 0 };
	strv_copy(to, from);
}

void history_copy(struct history *to, const struct history *from)
{
	*to = (struct history){
		.created = copy_or_null(from->created),
		.created_by = copy_or_null(from->created_by),
		.author = copy_or_null(from->author),
		.comment = copy_or_null(from->comment),
		.empty_layer = from->empty_layer,
	};
}

void config_copy(struct image_config *to, const struct image_config *from)
{
	*to = *from; /* numbers and flags; every pointer is replaced below */
	to->created = copy_or_null(from->created);
	to->author = copy_or_null(from->author);
	to->user = copy_or_null(from->user);
	to->working_dir = copy_or_null(from->working_dir);
	to->stop_signal = copy_or_null(from->stop_signal);
	copy_strv(&to->env, &from->env);
	copy_strv(&to->cmd, &from->cmd);
	copy_strv(&to->entrypoint, &from->entrypoint);
	copy_strv(&to->exposed_ports, &from->exposed_ports);
	copy_strv(&to->volumes, &from->volumes);
	copy_strv(&to->labels, &from->labels);
	copy_strv(&to->onbuild, &from->onbuild);
	copy_strv(&to->shell, &from->shell);
	copy_strv(&to->health.test, &from->health.test);
	json_copy(&to->odd_labels, &from->odd_labels);
	json_copy(&to->other, &from->other);
	json_copy(&to->cache, &from->cache);
	to->diff_ids.v = NULL;
	to->diff_ids.n = to->diff_ids.cap = 0;
	for (size_t i = 0; i < from->diff_ids.n; i++)
		vec_push(&to->diff_ids, from->diff_ids.v[i]);
	to->history.v = NULL;
	to->history.n = to->history.cap = 0;
	for (size_t i = 0; i < from->history.n; i++)
		history_copy(vec_add(&to->history), &from->history.v[i]);
}

void history_fini(struct history *h)
{
	free(h->created);
	free(h->created_by);
	free(h->author);
	free(h->comment);
}

void config_fini(struct image_config *c)
{
	free(c->created);
	free(c->author);
	free(c->user);
	free(c->working_dir);
	free(c->stop_signal);
	strv_fini(&c->env);
	strv_fini(&c->cmd);
	strv_fini(&c->entrypoint);
	strv_fini(&c->exposed_ports);
	strv_fini(&c->volumes);
	strv_fini(&c->labels);
	strv_fini(&c->onbuild);
	strv_fini(&c->shell);
	strv_fini(&c->health.test);
	json_fini(&c->odd_labels);
	json_fini(&c->other);
	json_fini(&c->cache);
	vec_fini(&c->diff_ids);
	for (size_t i = 0; i < c->history.n; i++)
		history_fini(&c->history.v[i]);
	vec_fini(&c->history);
	*c = (struct image_config){ 0 };
}
