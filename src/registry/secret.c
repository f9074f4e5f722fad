#include "registry/secret.h"

#include <stdlib.h>
#include <string.h>

void secret_drop(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

void secret_str_fini(struct str *s)
{
	if (s->buf)
		explicit_bzero(s->buf, s->cap);
	str_fini(s);
}
