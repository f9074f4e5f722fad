/* RUN --device (RUN-16), and sizes. */
#include "table.h"

#include "dockerfile/device.h"
#include "dockerfile/values.h"

static const struct {
	const char *in, *want; /* "NAME" or "NAME required", or the words of the error */
} rows[] = {
	{ "vendor.com/gpu=0", "vendor.com/gpu=0" },
	{ "gpu", "gpu" },
	{ "gpu,required", "gpu required" },
	{ "required,gpu", "gpu required" },
	{ "REQUIRED=1,name=gpu", "gpu required" },
	{ "gpu,required=false", "gpu" },
	{ "\"name=with,comma\"", "with,comma" },
	{ "required", " required" },
	{ "gpu,required=perhaps", "invalid value for required: perhaps" },
	{ "gpu,name=other", "device name already set to gpu" },
	{ "gpu,other", "invalid field 'other' must be a key=value pair" },
	{ "gpu,optional=true", "unexpected key 'optional' in 'optional=true'" },
};

static void devices(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct df_device d = { 0 };
		struct err e;
		if (df_device_parse(rows[i].in, &d, &e)) {
			assert_non_null(strstr(e.msg, rows[i].want));
			continue;
		}
		char *got = x_asprintf("%s%s", d.name, d.required ? " required" : "");
		assert_string_equal(got, rows[i].want);
		free(got);
		df_device_fini(&d);
	}
}

static void sizes(void **state)
{
	static const struct {
		const char *in;
		uint64_t want;
	} good[] = {
		{ "0", 0 },
		{ "64m", 64u << 20 },
		{ "1.5 KiB", 1536 },
		{ "7B", 7 },
		{ "8191p", 8191ull << 50 },
	};
	static const char *const bad[] = { "", "m", "-1", "1x", "1kx", "1.2.3", "8192p", "0x10", "1  k" };
	uint64_t size;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(df_size(good[i].in, &size));
		assert_int_equal(size, good[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(df_size(bad[i], &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices),
		cmocka_unit_test(sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
