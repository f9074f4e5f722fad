/* gzip, zstd or plain bytes by content. The first byte says in what portions the input comes and the output is asked for. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "archive/stream.h"
#include "base/mem.h"

enum { TOTAL_MAX = 16 << 20 };

struct portions {
	struct source base;
	struct source *below; /* owned */
	size_t portion;
};

static ssize_t portions_read(struct source *s, void *buf, size_t n, struct err *e)
{
	struct portions *p = (struct portions *)s;

	return source_read(p->below, buf, n < p->portion ? n : p->portion, e);
}

static void portions_free(struct source *s)
{
	struct portions *p = (struct portions *)s;

	source_free(p->below);
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const size_t sizes[] = {1, 2, 7, 64, 1000, 65536, 200000, 1 << 20};
	static char buf[1 << 20];
	struct err e = {0};
	size_t total = 0;
	ssize_t got;

	if (!n)
		return 0;
	struct portions *in = x_alloc(sizeof(*in));
	in->base = (struct source){portions_read, portions_free};
	in->below = source_mem(bytes + 1, n - 1);
	in->portion = sizes[bytes[0] & 7];
	AUTO(source_drop) struct source *s = source_decompress(&in->base, "input");
	while (total < TOTAL_MAX && (got = source_read(s, buf, sizes[bytes[0] >> 3 & 7], &e)) > 0)
		total += (size_t)got;
	return 0;
}
