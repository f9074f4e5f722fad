#include "rlimits_priv.h"

#include <sys/resource.h>

#include "base/mem.h"

/*
 * Soft limits go up to what we may have, but for three whose high values hurt, which get the kernel's: programs close
 * or reserve by RLIMIT_NOFILE, threads take stacks of RLIMIT_STACK, and a core file would land in the layer.
 */
static const struct {
	int what;
	rlim_t soft;
} limits[] = {
	{ RLIMIT_CPU, RLIM_INFINITY }, { RLIMIT_FSIZE, RLIM_INFINITY }, { RLIMIT_DATA, RLIM_INFINITY },
	{ RLIMIT_AS, RLIM_INFINITY },  { RLIMIT_NPROC, RLIM_INFINITY }, { RLIMIT_LOCKS, RLIM_INFINITY },
	{ RLIMIT_NOFILE, 1024 },       { RLIMIT_STACK, 8u << 20 },      { RLIMIT_CORE, 0 },
};

int rlimits_apply(const struct sandbox_limit *asked, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct rlimit r = { .rlim_cur = asked[i].soft, .rlim_max = asked[i].hard };
		if (setrlimit((__rlimit_resource_t)asked[i].what, &r) < 0)
			return err_sys(e, "set resource limit %d", asked[i].what);
	}
	return 0;
}

void rlimits_reset(void)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit r;
		if (getrlimit((__rlimit_resource_t)limits[i].what, &r) < 0)
			continue;
		rlim_t soft = limits[i].soft < r.rlim_max ? limits[i].soft : r.rlim_max;
		if (soft == r.rlim_cur)
			continue;
		r.rlim_cur = soft;
		(void)setrlimit((__rlimit_resource_t)limits[i].what, &r);
	}
}
