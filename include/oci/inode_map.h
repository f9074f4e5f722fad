/*
 * (device, inode) -> a number, for finding files again: hard links of a tree or a view, directories whose times are set
 * last. Where there is one device only it is 0.
 */
#ifndef NACRE_OCI_INODE_MAP_H
#define NACRE_OCI_INODE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inode_map {
	struct inode_slot *slots; /* owned; a power of two of them, or NULL */
	size_t n, cap;
};

bool inode_map_get(const struct inode_map *m, uint64_t dev, uint64_t ino, size_t *ret);
void inode_map_put(struct inode_map *m, uint64_t dev, uint64_t ino, size_t value); /* replaces */
void inode_map_fini(struct inode_map *m);

#endif
