#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "oci/config.h"

/* Entries beyond the last layer are said to have none. */
static size_t mark_surplus(struct image_config *c)
{
	size_t layers = 0;
	for (size_t i = 0; i < c->history.n; i++) {
		struct history *h = &c->history.v[i];
		if (!h->empty_layer && layers == c->diff_ids.n)
			h->empty_layer = true;
		layers += !h->empty_layer;
	}
	return layers;
}

/* The time next to the first entry that has none: after it, else before it. */
static const char *first_fill(const struct image_config *c)
{
	const char *fill = NULL;
	bool gap = false;
	for (size_t i = 0; i < c->history.n; i++) {
		const char *created = c->history.v[i].created;
		if (created)
			fill = created;
		if (created && gap)
			break;
		gap |= !created;
	}
	return fill;
}

static void fill_times(struct image_config *c)
{
	const char *fill = first_fill(c);
	bool gap = false;
	for (size_t i = 0; fill && i < c->history.n; i++) {
		struct history *h = &c->history.v[i];
		if (h->created && gap)
			fill = h->created;
		if (h->created)
			continue;
		gap = true;
		h->created = x_strdup(fill);
	}
}

void history_fit(struct image_config *c, const char *const *layer_texts)
{
	for (size_t layers = mark_surplus(c); layers < c->diff_ids.n; layers++) {
		struct history *h = vec_add(&c->history);
		*h = (struct history){ .comment = x_strdup("buildkit.exporter.image.v0") };
		if (layer_texts[layers])
			h->created_by = x_strdup(layer_texts[layers]);
	}
	fill_times(c);
}
