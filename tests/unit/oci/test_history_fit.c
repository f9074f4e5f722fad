/* History and layers that do not fit: what a base image may bring (IMG-10, IMG-11). */
#include "documents.h"

#include "oci/config.h"

/* An entry is a letter, small when it has no layer, and the digit of its time, or "-". */
static const struct {
	const char *in;
	size_t layers;
	const char *want;
} rows[] = {
	{ "", 0, "" },
	{ "A1b2C3", 2, "A1b2C3" },
	/* more entries than layers */
	{ "A1B2C3", 2, "A1B2c3" },
	{ "A1b2C3", 0, "a1b2c3" },
	/* fewer: appended, and as old as what is there */
	{ "", 1, "X-" },
	{ "b2A1", 3, "b2A1Y1Z1" },
	/* no times */
	{ "A-B2C3", 3, "A2B2C3" },
	{ "A1B-C3", 3, "A1B3C3" },
	{ "A1B2C-", 3, "A1B2C2" },
	{ "A-B2c-D3", 3, "A2B2c2D3" },
	{ "A-b-", 1, "A-b-" },
};

static void read_row(struct image_config *c, const char *in, size_t layers)
{
	for (size_t i = 0; i < layers; i++)
		vec_push(&c->diff_ids, ((struct diffid){ 0 }));
	for (; *in; in += 2) {
		struct history *h = vec_add(&c->history);
		*h = (struct history){
			.created_by = x_strndup(in, 1),
			.created = in[1] == '-' ? NULL : x_strndup(in + 1, 1),
			.empty_layer = *in >= 'a',
		};
	}
}

static void test_rows(void **state)
{
	static const char *const texts[] = { "X", "Y", "Z" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image_config c = { 0 };
		AUTO(str_fini) struct str got = { 0 };
		read_row(&c, rows[i].in, rows[i].layers);
		history_fit(&c, texts);
		for (size_t k = 0; k < c.history.n; k++) {
			const struct history *h = &c.history.v[k];
			int letter = *h->created_by | (h->empty_layer ? 0x20 : 0);
			str_addf(&got, "%c%s", letter, h->created ? h->created : "-");
			if (letter == 'X' || letter == 'Y' || letter == 'Z')
				assert_string_equal(h->comment, "buildkit.exporter.image.v0");
		}
		if (!str_eq(str_text(&got), rows[i].want))
			fail_msg("%s with %zu layers: %s", rows[i].in, rows[i].layers, str_text(&got));
		config_fini(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
