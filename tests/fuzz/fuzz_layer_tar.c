/* A layer as it is unpacked: decompressed by content, then read as tar to its end. */
#include "fuzz.h"

#include "archive/tar_read.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	AUTO(source_drop) struct source *in =
		source_limit(source_decompress(source_mem(bytes, n), "input"), 64u << 20, "input");
	AUTO(tar_reader_drop) struct tar_reader *reader = tar_reader_new(in, "input");
	const struct tar_entry *entry;
	struct err e = {0};
	char buf[4096];
	int more;

	while ((more = tar_reader_next(reader, &entry, &e)) > 0)
		if (tar_reader_read(reader, buf, sizeof(buf), &e) < 0)
			break;
	return 0;
}
