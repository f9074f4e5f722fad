/* An image manifest as a registry sends it. What parses is written and must parse again. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "oci/manifest.h"
#include "oci/media_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct manifest first = {0}, second = {0};
	struct err e = {0};

	if (manifest_parse((const char *)bytes, n, NULL, "input", &first, &e) == 0) {
		char *text = manifest_write(&first);

		if (manifest_parse(text, strlen(text), NULL, "output", &second, &e) < 0)
			abort();
		free(text);
	}
	manifest_fini(&first);
	manifest_fini(&second);
	return 0;
}
