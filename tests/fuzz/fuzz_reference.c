/* An image name as typed. What parses is written and must parse to the same again. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "registry/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct reference first = {0}, second = {0};
	struct err e = {0};
	char *typed = strndup((const char *)bytes, n);

	if (typed && reference_parse(typed, &first, &e) == 0) {
		char *text = reference_text(&first);

		if (reference_parse(text, &second, &e) < 0)
			abort();
		char *again = reference_text(&second);

		if (strcmp(text, again))
			abort();
		free(again);
		free(text);
		free(reference_familiar(&first));
	}
	reference_fini(&first);
	reference_fini(&second);
	free(typed);
	return 0;
}
