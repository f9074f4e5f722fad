#include "origin_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/mem.h"
#include "base/str.h"

#define ATTRIBUTE "user.nacre.origin"

enum { ORIGIN_MAX_BYTES = 1024 };

void origin_note(int fd, const struct reference *from)
{
	AUTO(free_drop) char *text = x_asprintf("%s/%s", from->registry, from->repository);
	(void)fsetxattr(fd, ATTRIBUTE, text, strlen(text), 0);
}

char *origin_find(int fd, const struct reference *to)
{
	char text[ORIGIN_MAX_BYTES + 1];
	ssize_t n = fgetxattr(fd, ATTRIBUTE, text, ORIGIN_MAX_BYTES);
	AUTO(reference_fini) struct reference from = { 0 };
	struct err ignored;
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	if (reference_parse(text, &from, &ignored) < 0 || !str_eq(from.registry, to->registry) ||
	    str_eq(from.repository, to->repository))
		return NULL;
	return x_strdup(from.repository);
}
