#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "fsview_priv.h"

/*
 * One hash table for the whole view, keyed by directory and name. Names come from strangers, who must not be able to
 * choose many with one hash value: SipHash-1-3 with a random key (Aumasson and Bernstein 2012; the rounds as in Rust's
 * and Python's dictionaries).
 */
struct sip {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(struct sip *s)
{
	s->a += s->b;
	s->b = rotate(s->b, 13) ^ s->a;
	s->a = rotate(s->a, 32);
	s->c += s->d;
	s->d = rotate(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = rotate(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = rotate(s->b, 17) ^ s->c;
	s->c = rotate(s->c, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->d ^= word;
	sip_round(s);
	s->a ^= word;
}

static uint32_t hash_of(const struct fsview *v, const struct fsnode *dir, const char *name, size_t n)
{
	struct sip s = {
		.a = v->hash_key[0] ^ 0x736f6d6570736575u,
		.b = v->hash_key[1] ^ 0x646f72616e646f6du,
		.c = v->hash_key[0] ^ 0x6c7967656e657261u,
		.d = v->hash_key[1] ^ 0x7465646279746573u,
	};
	sip_word(&s, (uint64_t)(uintptr_t)dir);
	for (; n >= 8; name += 8, n -= 8) {
		uint64_t word;
		memcpy(&word, name, 8);
		sip_word(&s, word);
	}
	uint64_t last = (uint64_t)n << 56;
	memcpy(&last, name, n);
	sip_word(&s, last);
	s.c ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	return (uint32_t)(s.a ^ s.b ^ s.c ^ s.d);
}

static struct fsnode **bucket(const struct fsview *v, uint32_t hash)
{
	return &v->table[hash & (v->table_size - 1)];
}

static void grow(struct fsview *v)
{
	size_t old_size = v->table_size;
	struct fsnode **old = v->table;
	if (!old)
		random_bytes(v->hash_key, sizeof v->hash_key);
	v->table_size = old_size ? old_size * 2 : 1024;
	v->table = x_alloc(v->table_size * sizeof *v->table);
	for (size_t i = 0; i < old_size; i++) {
		for (struct fsnode *node = old[i], *next; node; node = next) {
			struct fsnode **head = bucket(v, node->hash);
			next = node->hash_next;
			node->hash_next = *head;
			*head = node;
		}
	}
	free(old);
}

/* A view that is read on demand has its directories in order and needs no table. */
static struct fsnode *find_sorted(struct fsnode *dir, const char *name, size_t n)
{
	if (dir->type != TAR_DIR)
		return NULL;
	fsnode_sort(dir);
	size_t low = 0, high = dir->n_kids;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct fsnode *kid = dir->kids[middle];
		int order = strncmp(name, kid->name, n);
		if (order == 0 && !kid->name[n])
			return kid;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct fsnode *table_find(const struct fsview *v, struct fsnode *dir, const char *name, size_t n)
{
	if (v->load)
		return find_sorted(dir, name, n);
	if (!v->table)
		return NULL;
	uint32_t hash = hash_of(v, dir, name, n);
	for (struct fsnode *node = *bucket(v, hash); node; node = node->hash_next)
		if (node->hash == hash && node->parent == dir && strncmp(node->name, name, n) == 0 && !node->name[n])
			return node;
	return NULL;
}

void table_add(struct fsview *v, struct fsnode *node)
{
	/*
	 * Nodes below a removed directory stay in the table, unreachable because their directory is: no address is used
	 * twice.
	 */
	if (v->load)
		return;
	if (++v->n_nodes > v->table_size)
		grow(v);
	node->hash = hash_of(v, node->parent, node->name, strlen(node->name));
	struct fsnode **head = bucket(v, node->hash);
	node->hash_next = *head;
	*head = node;
}

void table_remove(struct fsview *v, struct fsnode *node)
{
	if (v->load)
		return;
	struct fsnode **at = bucket(v, node->hash);
	while (*at != node)
		at = &(*at)->hash_next;
	*at = node->hash_next;
	v->n_nodes--;
}
