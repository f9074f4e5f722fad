/* The list of modules in a program of an image. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "src/build/sbom_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char *text = sbom_go_text(bytes, n);

	/* A line of our own, and at most what is there: a string is taken twice where versions and modules lie on each other. */
	if (text && (strncmp(text, "go\t", 3) != 0 || strlen(text) > 2 * n + 4))
		abort();
	free(text);
	return 0;
}
