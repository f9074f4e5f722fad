#include "oci/chain.h"

#include <string.h>

struct chainid chain_next(const struct chainid *below, const struct diffid *layer)
{
	if (digest_is_zero(&below->d))
		return (struct chainid){ .d = layer->d };
	struct sha s;
	sha_init(&s);
	sha_add(&s, digest_text(&below->d).s, DIGEST_TEXT);
	sha_add(&s, " ", 1);
	sha_add(&s, digest_text(&layer->d).s, DIGEST_TEXT);
	return (struct chainid){ .d = sha_end(&s) };
}
