/* A package's header of an rpm database in an image. */
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
	struct sbom sbom = { 0 };
	struct err e = { 0 };

	if (sbom_parse_rpm("a/file", bytes, n, &sbom.packages, &e) < 0 || sbom.packages.n > 1)
		abort();
	for (size_t i = 0; i < sbom.packages.n; i++) {
		const struct sbom_package *p = &sbom.packages.v[i];
		char *purl = sbom_purl(&sbom, p);

		if (!*p->name || !*p->version || strncmp(purl, "pkg:rpm/", 8) != 0 || strpbrk(purl, " \n\"#"))
			abort();
		check_value(p->name);
		check_value(p->version);
		check_value(p->arch);
		check_value(p->license);
		free(purl);
	}
	sbom_fini(&sbom);
	return 0;
}
