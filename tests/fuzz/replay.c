/*
 * Stands in for libFuzzer in normal test runs: every file of the directory goes through the target, then each of its
 * beginnings at a few lengths, then copies with one byte changed. Passes when nothing crashes; the sanitizer build makes that strict.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MUTATIONS = 64 };

/* The target gets an allocation of exactly n bytes, so that AddressSanitizer sees a read past the end. */
static void one(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void variations(uint8_t *bytes, size_t n)
{
	uint32_t random = 2463534242; /* xorshift32: the same inputs in every run */

	one(bytes, n);
	for (size_t i = 0; i < MUTATIONS && n; i++) {
		random ^= random << 13, random ^= random >> 17, random ^= random << 5;
		size_t at = random % n;
		uint8_t was = bytes[at];

		one(bytes, at);
		bytes[at] = (uint8_t)(bytes[at] ^ 1u << (random >> 29));
		one(bytes, n);
		bytes[at] = was;
	}
}

static int replay(const char *dir, const char *name)
{
	char path[4096];
	struct stat st;
	FILE *f;
	int ret = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (!f || fstat(fileno(f), &st) < 0) {
		perror(path);
		if (f)
			fclose(f);
		return -1;
	}
	size_t n = (size_t)st.st_size;
	uint8_t *bytes = malloc(n + 1);

	if (bytes && fread(bytes, 1, n, f) == n) {
		variations(bytes, n);
		ret = 0;
	}
	free(bytes);
	fclose(f);
	return ret;
}

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++) {
		struct dirent *entry;
		DIR *d = opendir(argv[i]);

		if (!d) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
			return 1;
		}
		while ((entry = readdir(d))) {
			if (entry->d_name[0] == '.')
				continue;
			if (replay(argv[i], entry->d_name) < 0)
				return 1;
			count++;
		}
		closedir(d);
	}
	printf("%d inputs\n", count);
	return count ? 0 : 1;
}
