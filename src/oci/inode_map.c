#include "oci/inode_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct inode_slot {
	uint64_t dev, ino;
	size_t value;
	bool used;
};

/* Open addressing, at most half full. Inode numbers are handed out by the kernel or counted by a view, so
 * that nobody can make them collide. */
static struct inode_slot *find(const struct inode_map *m, uint64_t dev, uint64_t ino)
{
	uint64_t h = (ino ^ dev << 32) * 0x9e3779b97f4a7c15u;
	for (size_t i = (size_t)(h >> 20);; i++) {
		struct inode_slot *s = &m->slots[i & (m->cap - 1)];
		if (!s->used || (s->ino == ino && s->dev == dev))
			return s;
	}
}

bool inode_map_get(const struct inode_map *m, uint64_t dev, uint64_t ino, size_t *ret)
{
	if (!m->n)
		return false;
	const struct inode_slot *s = find(m, dev, ino);
	if (s->used)
		*ret = s->value;
	return s->used;
}

static void grow(struct inode_map *m)
{
	struct inode_map bigger = { .n = m->n, .cap = m->cap ? m->cap * 2 : 64 };
	bigger.slots = x_realloc(NULL, bigger.cap, sizeof *bigger.slots);
	memset(bigger.slots, 0, bigger.cap * sizeof *bigger.slots);
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].used)
			*find(&bigger, m->slots[i].dev, m->slots[i].ino) = m->slots[i];
	free(m->slots);
	*m = bigger;
}

void inode_map_put(struct inode_map *m, uint64_t dev, uint64_t ino, size_t value)
{
	if (m->n * 2 >= m->cap)
		grow(m);
	struct inode_slot *s = find(m, dev, ino);
	m->n += s->used ? 0 : 1;
	*s = (struct inode_slot){ .dev = dev, .ino = ino, .value = value, .used = true };
}

void inode_map_fini(struct inode_map *m)
{
	free(m->slots);
	*m = (struct inode_map){ 0 };
}
