/* manifest.json of a docker archive: the paths in it become names that are looked up. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/path.h"
#include "oci/docker_archive.h"

static void check_path(const char *path)
{
	if (!path || !path[0] || path[0] == '/' || path_has_dotdot(path))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct docker_images l = {0};
	struct err e = {0};

	if (docker_archive_parse((const char *)bytes, n, "input", &l, &e) == 0) {
		if (l.n == 0)
			abort();
		for (size_t i = 0; i < l.n; i++) {
			check_path(l.v[i].config);
			for (size_t k = 0; k < l.v[i].layers.n; k++)
				check_path(l.v[i].layers.v[k]);
		}
	}
	docker_images_fini(&l);
	return 0;
}
