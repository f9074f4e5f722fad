/* Media types: what each is, and its OCI form. */
#include "documents.h"

#include "oci/media_type.h"

static const struct {
	const char *mt;
	char kind;       /* 'i'ndex, 'm'anifest, 'l'ayer, or '-' */
	const char *oci; /* NULL: itself */
} types[] = {
	{ "application/vnd.oci.image.index.v1+json", 'i', NULL },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", 'i', "application/vnd.oci.image.index.v1+json" },
	{ "application/vnd.oci.image.manifest.v1+json", 'm', NULL },
	{ "application/vnd.docker.distribution.manifest.v2+json", 'm', "application/vnd.oci.image.manifest.v1+json" },
	{ "application/vnd.docker.distribution.manifest.v1+json", '-', NULL },
	{ "application/vnd.oci.image.config.v1+json", '-', NULL },
	{ "application/vnd.docker.container.image.v1+json", '-', "application/vnd.oci.image.config.v1+json" },
	{ "application/vnd.oci.image.layer.v1.tar", 'l', NULL },
	{ "application/vnd.oci.image.layer.v1.tar+gzip", 'l', NULL },
	{ "application/vnd.oci.image.layer.v1.tar+zstd", 'l', NULL },
	{ "application/vnd.oci.image.layer.v1.tar+xz", '-', NULL },
	{ "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", '-', NULL },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", 'l', NULL },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", 'l', NULL },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", 'l', NULL },
	{ "application/vnd.docker.image.rootfs.diff.tar", 'l', "application/vnd.oci.image.layer.v1.tar" },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", 'l', "application/vnd.oci.image.layer.v1.tar+gzip" },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", 'l', "application/vnd.oci.image.layer.v1.tar+zstd" },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", 'l',
	  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" },
	{ "application/vnd.in-toto+json", '-', NULL },
	{ "application/vnd.oci.image.layer.v1.tar+gzip ", '-', NULL },
	{ "APPLICATION/VND.OCI.IMAGE.INDEX.V1+JSON", '-', NULL },
	{ "", '-', NULL },
};

static void test_kinds(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		assert_int_equal(media_type_is_index(types[i].mt), types[i].kind == 'i');
		assert_int_equal(media_type_is_manifest(types[i].mt), types[i].kind == 'm');
		assert_int_equal(media_type_is_layer(types[i].mt), types[i].kind == 'l');
		assert_string_equal(media_type_oci(types[i].mt), types[i].oci ? types[i].oci : types[i].mt);
	}
}

static void test_layer_types(void **state)
{
	assert_string_equal(media_type_layer(COMPRESSION_NONE), "application/vnd.oci.image.layer.v1.tar");
	assert_string_equal(media_type_layer(COMPRESSION_GZIP), "application/vnd.oci.image.layer.v1.tar+gzip");
	assert_string_equal(media_type_layer(COMPRESSION_ZSTD), "application/vnd.oci.image.layer.v1.tar+zstd");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_kinds), cmocka_unit_test(test_layer_types) };
	return cmocka_run_group_tests_name("oci/media_type", tests, NULL, NULL);
}
