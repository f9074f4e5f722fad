/* An index, and the choice of a platform from it. */
#include "fuzz.h"

#include "oci/index.h"
#include "oci/platform.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct index x = {0};
	struct platform want = {0};
	struct err e = {0};

	if (index_parse((const char *)bytes, n, "input", &x, &e) == 0) {
		if (platform_parse("linux/arm64", &want, &e) == 0)
			index_select(&x, &want);
	}
	index_fini(&x);
	return 0;
}
