/*
 * What a shared cache brings: a manifest, or records. Records that are taken are written as a text that is taken as the
 * same, and survive being merged with themselves.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "src/build/share_priv.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void read_manifest(const char *bytes, size_t n)
{
	AUTO(json_fini) struct json j = { 0 };
	struct descriptor d = { 0 };
	struct err e = { 0 };
	if (json_parse(bytes, n, "input", &j, &e) == 0 && share_manifest_read(&j, "input", &d, &e) == 0)
		descriptor_fini(&d);
}

static void read_records(const char *bytes, size_t n)
{
	AUTO(share_records_fini) struct share_records first = { 0 }, second = { 0 };
	struct err e = { 0 };
	if (share_records_parse(bytes, n, "input", &first, &e) < 0)
		return;
	AUTO(free_drop) char *text = share_records_write(&first);
	must(share_records_parse(text, strlen(text), "written", &second, &e) == 0);
	AUTO(free_drop) char *again = share_records_write(&second);
	must(strcmp(text, again) == 0);
	size_t steps = first.steps.n;
	for (size_t i = 0; i < steps; i++)
		must(share_step_find(&first, &first.steps.v[i].key) == &first.steps.v[i]);
	share_records_merge(&first, &second, 1000000000);
	must(first.steps.n == steps);
	share_records_trim(&first, 1000000000);
	must(first.steps.n <= steps);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	read_manifest((const char *)bytes, n);
	read_records((const char *)bytes, n);
	return 0;
}
