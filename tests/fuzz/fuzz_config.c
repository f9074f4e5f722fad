/* An image config. What parses is written, and the written form is stable. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "oci/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct image_config first = {0}, second = {0};
	struct err e = {0};

	if (config_parse((const char *)bytes, n, "input", &first, &e) == 0) {
		char *text = config_write(&first);

		if (config_parse(text, strlen(text), "output", &second, &e) < 0)
			abort();
		char *again = config_write(&second);

		if (strcmp(text, again))
			abort();
		free(again);
		free(text);
	}
	config_fini(&first);
	config_fini(&second);
	return 0;
}
