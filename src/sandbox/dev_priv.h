/* /dev of a step: a tmpfs of our own with the host's harmless devices bound into it. runtime-spec, config-linux.md. */
#ifndef NACRE_SANDBOX_DEV_PRIV_H
#define NACRE_SANDBOX_DEV_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { DEV_NODES = 6 };

struct dev {
	int tmpfs;           /* owned, like all here */
	int node[DEV_NODES]; /* null zero full random urandom tty */
	int console;         /* the terminal, or -1 */
};

/* Before the pivot, while the host's /dev is there. tty_fd is the terminal for /dev/console or -1. */
int dev_prepare(struct dev *d, int tty_fd, struct err *e);
/* After it: target_fd is the empty place for /dev. shm_size of /dev/shm, 0 = 64 MiB. */
int dev_attach(struct dev *d, int target_fd, uint64_t shm_size, struct err *e);

#endif
