/* Operating system, architecture and variant; normalised and matched as containerd does. */
#ifndef NACRE_OCI_PLATFORM_H
#define NACRE_OCI_PLATFORM_H

#include <stdbool.h>

#include "base/err.h"

struct platform {
	char os[32], arch[32], variant[32]; /* "" when not stated */
	char os_version[64];
};
/* "linux/arm64/v8", "arm64", "linux"; normalised as containerd does: x86_64 is amd64, aarch64 arm64, arm arm/v7. */
int platform_parse(const char *text, struct platform *ret, struct err *e);
void platform_host(struct platform *ret);
char *platform_text(const struct platform *p); /* the caller owns it */
bool platform_eq(const struct platform *a, const struct platform *b);
/* Whether this machine, the host, runs its programs as they are; an image that does not say is taken for one that does. */
bool platform_runs_on(const struct platform *p, const struct platform *host);
/* How well an image for `have` runs on `want`: 0 not at all, higher is better (arm/v7 host runs v6, v5 …). */
int platform_match(const struct platform *want, const struct platform *have);

#endif
