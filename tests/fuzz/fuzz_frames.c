/* A file that may be a series of frames: where they are, and what is in each. The first byte says of which format. */
#include "fuzz.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/frames.h"
#include "base/fd.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static char raw[FRAME_MAX + 1];
	struct frame_spans spans = { 0 };
	if (!n)
		return 0;
	enum compression how = bytes[0] & 1 ? COMPRESSION_GZIP : COMPRESSION_ZSTD;
	AUTO(fd_drop) int fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes + 1, n - 1) != (ssize_t)(n - 1) || frames_find(fd, how, 1000, &spans) != 0)
		return 0;
	AUTO(packer_drop) struct packer *p = packer_new(how, 1);
	uint64_t end = 0;
	for (size_t i = 0; i < spans.n; i++) {
		if (spans.v[i].offset != end || spans.v[i].n > n - 1 - end)
			abort();
		packer_unpack(p, bytes + 1 + end, spans.v[i].n, raw, i % 2 ? FRAME_MAX : 6);
		end += spans.v[i].n;
	}
	if (end != n - 1)
		abort();
	vec_fini(&spans);
	return 0;
}
