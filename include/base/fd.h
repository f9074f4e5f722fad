/* File descriptors: ownership, whole reads and writes. Every descriptor is born close-on-exec. */
#ifndef NACRE_BASE_FD_H
#define NACRE_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

struct err;

void fd_drop(int *fd);      /* for AUTO: closes if >= 0, keeps errno */
#define fd_take(fd) ({ int take_ = *(fd); *(fd) = -1; take_; })
int fd_dup(int fd);         /* F_DUPFD_CLOEXEC from 3 up; -1 and errno */

bool fd_is_regular(int fd);
/* 0 for a regular file; ERR_SPEC for anything else. */
int fd_check_regular(int fd, const char *name, struct err *e);

/* Appends to `out` everything up to end of file, at most `limit` bytes; ERR_LIMIT when there is more. */
int fd_read_all(int fd, size_t limit, const char *name, struct str *out, struct err *e);
/* Exactly n bytes or an error; `name` is the object for the message. */
int fd_write_all(int fd, const void *bytes, size_t n, const char *name, struct err *e);
/*
 * A growing file has `end` bytes, n of them new: the kernel begins to write them to disk in pieces of eight MiB, so that
 * the fsync at its end is short. Errors are left to that one.
 */
void fd_write_behind(int fd, uint64_t end, uint64_t n);
/* Like read(2), fsync(2) and syncfs(2), but never EINTR. */
ssize_t fd_read(int fd, void *buf, size_t n);
int fd_sync(int fd);
int fd_sync_fs(int fd);

/*
 * Opens a file that must be regular, whatever stands there: never blocks on a FIFO, never follows a link in the last
 * component, never becomes a controlling terminal. ERR_SYS, or ERR_SPEC naming the type that was found.
 */
int fd_open_regular(int dirfd, const char *path, int *ret_fd, struct err *e);
/* The two together. */
int file_read(int dirfd, const char *path, size_t limit, struct str *out, struct err *e);

/* Copies from's bytes from its present offset to its end into `to`: reflink, copy_file_range, else read and write. */
int fd_copy(int from, int to, const char *name, struct err *e);

#endif
