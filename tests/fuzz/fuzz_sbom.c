/* What package managers left in an image; the first byte says whose file it is. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "src/build/sbom_priv.h"

static void check_value(const char *text)
{
	if (text && strlen(text) > LIMIT_SBOM_VALUE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct sbom sbom = {0};
	struct err e = {0};

	if (!n)
		return 0;
	char *text = strndup((const char *)bytes + 1, n - 1);
	size_t len = strlen(text);
	sbom_parse_release(text, len, &sbom.system, &sbom.system_version);
	(void)sbom_parse((enum sbom_source)(bytes[0] % (SBOM_GO + 1)), "a/file", text, len, &sbom.packages, &e);
	for (size_t i = 0; i < sbom.packages.n; i++) {
		const struct sbom_package *p = &sbom.packages.v[i];
		char *purl = sbom_purl(&sbom, p);

		if (!*p->name || !*p->version || strncmp(purl, "pkg:", 4) != 0 || strpbrk(purl, " \n\"#"))
			abort();
		check_value(p->name);
		check_value(p->version);
		check_value(p->arch);
		free(purl);
	}
	sbom_fini(&sbom);
	free(text);
	return 0;
}
