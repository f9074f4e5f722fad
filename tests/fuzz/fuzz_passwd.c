/* A USER value, passwd and group, separated by NUL bytes: ids are always in range, groups without the primary one. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/user.h"

/* What is left of the input up to a NUL; the caller owns it. */
static char *next_part(const char **p, const char *end)
{
	size_t left = (size_t)(end - *p);
	size_t len = strnlen(*p, left);
	char *part = x_strndup(*p, len);
	*p += len + (len < left);
	return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *p = (const char *)bytes, *end = p + n;
	struct err e = { 0 };
	AUTO(free_drop) char *spec = next_part(&p, end);
	AUTO(free_drop) char *passwd = next_part(&p, end);
	AUTO(free_drop) char *group = next_part(&p, end);
	AUTO(free_drop) struct user_ids *ids = x_alloc(sizeof *ids);
	if (user_resolve_text(*passwd ? passwd : NULL, *group ? group : NULL, spec, ids, &e) < 0)
		return 0;
	if (ids->uid > 0x7fffffff || ids->gid > 0x7fffffff || ids->n_groups > ARRAY_LEN(ids->groups))
		abort();
	for (size_t i = 0; i < ids->n_groups; i++)
		if (ids->groups[i] > 0x7fffffff || ids->groups[i] == ids->gid)
			abort();
	/* Root is only who is asked for as root, by number, name or default, or who an entry's uid 0 makes it. */
	if (ids->uid == 0 && *spec && *spec != ':' && !strchr(spec, '0') && strncmp(spec, "root", 4) != 0 &&
	    !strstr(passwd, ":0"))
		abort();
	return memchr(ids->home, '\0', sizeof ids->home) ? 0 : (abort(), 0);
}
