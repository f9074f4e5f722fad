/* Trees of files, by descriptor. */
#ifndef NACRE_BASE_TREE_H
#define NACRE_BASE_TREE_H

#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

/* Names in a directory, sorted by byte value, without "." and "..". The descriptor may be O_PATH; its offset is not
 * used. */
int dir_names(int dir_fd, struct strv *ret, struct err *e);

/*
 * Removes `name` below dir_fd and all that is in it, following no link, of any depth, without recursion. Directories
 * without permission are opened up first where we may. Goes on after a failure and returns the first: -1 and errno.
 * Missing is fine.
 */
int tree_remove(int dir_fd, const char *name);

/*
 * How many bytes `name` and all in it have, as stat says (du --apparent-size). Goes on after a failure, with what could
 * be counted in *ret, and returns the first: -1 and errno.
 */
int tree_bytes(int dir_fd, const char *name, uint64_t *ret);

/* Writes bytes to dir_fd/name: aside, fsync when `sync`, rename over what is there, fsync of the directory when `sync`.
 * mode 0600. */
int file_put(int dir_fd, const char *name, const void *bytes, size_t n, bool sync, struct err *e);

#endif
