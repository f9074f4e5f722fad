/* The arguments of the builder, which /proc/1/cmdline would show to every step: build arguments, paths of the host. */
#ifndef NACRE_SANDBOX_CMDLINE_PRIV_H
#define NACRE_SANDBOX_CMDLINE_PRIV_H

#include <stddef.h>

struct cmdline {
	char *start;
	size_t len;
};

/* Where they are in our memory; the same in every fork. Empty when the kernel does not say. */
struct cmdline cmdline_find(void);
/* In a fork that is shown to others: overwrites them with `name`. */
void cmdline_replace(struct cmdline c, const char *name);

#endif
