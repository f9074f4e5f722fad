#include "table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/tree.h"
#include "oci/media_type.h"
#include "oci/platform.h"
#include "registry/pull.h"
#include "store/blob.h"
#include "store/store.h"

/* Each test has a directory with a store and a layout in it; the parts of the layout are put there one by one. */
static char dir[] = "/var/tmp/nacre-layout.XXXXXX";
static int top = -1;
static struct store store;

/* What an earlier pull brought is not read again; without it the layout alone counts. */
static int fresh_store(void)
{
	struct err e;
	AUTO(free_drop) char *path = x_asprintf("%s/store", dir);
	store_fini(&store);
	tree_remove(top, "store");
	return store_open(path, &store, &e);
}

static int set_up(void **state)
{
	strcpy(strrchr(dir, '.'), ".XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(top, "layout", 0700);
	mkdirat(top, "layout/blobs", 0700);
	mkdirat(top, "layout/blobs/sha256", 0700);
	return fresh_store();
}

static int tear_down(void **state)
{
	store_fini(&store);
	fd_drop(&top);
	return tree_remove(AT_FDCWD, dir);
}

static void put(const char *name, const char *text)
{
	AUTO(free_drop) char *path = x_asprintf("layout/%s", name);
	struct err e;
	unlinkat(top, path, 0);
	assert_int_equal(file_put(top, path, text, strlen(text), false, &e), 0);
}

/* A blob of the layout; its descriptor as JSON without the closing brace, for the caller to free. */
static char *put_blob(const char *type, const char *text)
{
	struct digest d = digest_of(text, strlen(text));
	AUTO(free_drop) char *name = x_asprintf("blobs/sha256/%s", digest_hex(&d).s);
	put(name, text);
	return x_asprintf("{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu", type, digest_text(&d).s,
			  strlen(text));
}

static char *put_image(const char *arch)
{
	static const char layer[] = "these bytes are not looked into";
	struct digest d = digest_of(layer, strlen(layer));
	AUTO(free_drop) char *layer_desc = put_blob(MT_LAYER, layer);
	AUTO(free_drop) char *config =
		x_asprintf("{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"type\":\"layers\","
			   "\"diff_ids\":[\"%s\"]}}",
			   arch, digest_text(&d).s);
	AUTO(free_drop) char *config_desc = put_blob(MT_CONFIG, config);
	AUTO(free_drop) char *manifest =
		x_asprintf("{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":%s},\"layers\":[%s}]}", MT_MANIFEST,
			   config_desc, layer_desc);
	return put_blob(MT_MANIFEST, manifest);
}

/* index.json with these entries, each a descriptor and the rest of its object; NULL ends. */
static void put_index(const char *first, const char *rest, const char *second, const char *rest2)
{
	AUTO(free_drop) char *text =
		x_asprintf("{\"schemaVersion\":2,\"manifests\":[%s%s%s%s%s]}", first, rest, second ? "," : "",
			   second ? second : "", second ? rest2 : "");
	put("index.json", text);
}

#define NAMED(name) ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}}"

static void whole_layout(void)
{
	AUTO(free_drop) char *image = put_image("amd64");
	put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	put_index(image, NAMED("app"), NULL, NULL);
}

static struct err last;

static int pull(const char *tag, const struct digest *digest, const char *platform, struct pulled *ret)
{
	AUTO(fd_drop) int fd = openat(top, "layout", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct platform want;
	last = (struct err){ 0 };
	if (platform)
		assert_int_equal(platform_parse(platform, &want, &last), 0);
	return pull_layout(&store, fd, "dir", tag, digest, platform ? &want : NULL, NULL, ret, &last);
}

static void assert_pulled(const char *tag, const struct digest *digest, const char *platform, const char *arch)
{
	struct pulled p = { 0 };
	if (pull(tag, digest, platform, &p) < 0)
		fail_msg("%s", last.msg);
	assert_true(blob_exists(&store, &p.manifest.digest, NULL));
	assert_string_equal(p.platform.arch, arch);
	pulled_fini(&p);
}

static void assert_refused(enum err_kind kind)
{
	struct pulled p = { 0 };
	assert_int_equal(fresh_store(), 0);
	assert_int_equal(pull(NULL, NULL, NULL, &p), -1);
	if (last.kind != kind)
		fail_msg("kind %d: %s", last.kind, last.msg);
}

static void takes_the_image_that_is_meant(void **state)
{
	struct digest second_digest;
	struct pulled p = { 0 };
	AUTO(free_drop) char *first = put_image("amd64");
	AUTO(free_drop) char *second = put_image("s390x");
	put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	put_index(first, NAMED("one"), second, NAMED("two"));
	assert_pulled("one", NULL, NULL, "amd64");
	assert_pulled("two", NULL, NULL, "s390x");
	AUTO(free_drop) char *text = x_strndup(strstr(second, "sha256:"), DIGEST_TEXT);
	assert_int_equal(digest_parse(text, &second_digest, &last), 0);
	assert_pulled(NULL, &second_digest, NULL, "s390x");
	assert_int_equal(pull(NULL, NULL, NULL, &p), -1);
	assert_non_null(strstr(last.msg, "one, two"));
	assert_int_equal(pull("three", NULL, NULL, &p), -1);
	assert_int_equal(last.kind, ERR_NOTFOUND);
	assert_int_equal(pull("one", NULL, "linux/s390x", &p), -1);
	assert_int_equal(last.kind, ERR_NOTFOUND);
}

static void several_platforms_of_one_name(void **state)
{
	AUTO(free_drop) char *first = put_image("amd64");
	AUTO(free_drop) char *second = put_image("s390x");
	put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	put_index(first, ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}", second,
		  ",\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}}");
	assert_pulled(NULL, NULL, "linux/amd64", "amd64");
	assert_pulled(NULL, NULL, "linux/s390x", "s390x");
}

static void an_index_within(void **state)
{
	AUTO(free_drop) char *image = put_image("s390x");
	AUTO(free_drop) char *inner =
		x_asprintf("{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s,\"platform\":{\"os\":\"linux\","
			   "\"architecture\":\"s390x\"}}]}", MT_INDEX, image);
	AUTO(free_drop) char *index = put_blob(MT_INDEX, inner);
	put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	put_index(index, NAMED("app"), NULL, NULL);
	assert_pulled("app", NULL, "linux/s390x", "s390x");
	assert_pulled("app", NULL, NULL, "s390x"); /* FROM-07: the only one there is */
}

/* index → index → … one more than LIMIT_INDEX_DEPTH (T-H7). */
static void too_many_indexes(void **state)
{
	char *inner = put_image("amd64");
	put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	for (int depth = 1; depth <= 3; depth++) {
		AUTO(free_drop) char *text =
			x_asprintf("{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s}]}", MT_INDEX, inner);
		free(inner);
		inner = put_blob(MT_INDEX, text);
		put_index(inner, "}", NULL, NULL);
		struct pulled p = { 0 };
		assert_int_equal(pull(NULL, NULL, NULL, &p), depth <= 2 ? 0 : -1);
		pulled_fini(&p);
	}
	free(inner);
	assert_int_equal(last.kind, ERR_LIMIT);
}

static void refuses_links_and_special_files(void **state)
{
	static const char *const names[] = { "oci-layout", "index.json", "blobs", "blobs/sha256" };
	whole_layout();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO(free_drop) char *path = x_asprintf("layout/%s", names[i]);
		AUTO(free_drop) char *aside = x_asprintf("aside%zu", i);
		AUTO(free_drop) char *target = x_asprintf("%s/%s", dir, aside);
		assert_int_equal(renameat(top, path, top, aside), 0);
		assert_int_equal(symlinkat(target, top, path), 0);
		assert_refused(ERR_SPEC);
		assert_int_equal(unlinkat(top, path, 0), 0);
		assert_int_equal(mkfifoat(top, path, 0600), 0);
		assert_refused(ERR_SPEC);
		assert_int_equal(unlinkat(top, path, 0), 0);
		assert_int_equal(renameat(top, aside, top, path), 0);
	}
}

/* Every blob of the layout in turn is a link to a file with the right bytes, or a FIFO. */
static void refuses_blobs_that_are_no_files(void **state)
{
	AUTO(strv_fini) struct strv names = { 0 };
	struct err e;
	whole_layout();
	AUTO(fd_drop) int blobs = openat(top, "layout/blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(dir_names(blobs, &names, &e), 0);
	assert_int_equal(names.n, 3);
	for (size_t i = 0; i < names.n; i++) {
		AUTO(free_drop) char *target = x_asprintf("%s/aside", dir);
		assert_int_equal(renameat(blobs, names.v[i], top, "aside"), 0);
		assert_int_equal(symlinkat(target, blobs, names.v[i]), 0);
		assert_refused(ERR_SPEC);
		assert_int_equal(unlinkat(blobs, names.v[i], 0), 0);
		assert_int_equal(mkfifoat(blobs, names.v[i], 0600), 0);
		assert_refused(ERR_SPEC);
		assert_int_equal(unlinkat(blobs, names.v[i], 0), 0);
		assert_refused(ERR_NOTFOUND);
		assert_int_equal(renameat(top, "aside", blobs, names.v[i]), 0);
	}
	assert_pulled("app", NULL, NULL, "amd64");
}

/* Every blob in turn with one bit changed, one byte more, one byte less (T-H5). */
static void refuses_wrong_bytes(void **state)
{
	AUTO(strv_fini) struct strv names = { 0 };
	struct err e;
	whole_layout();
	AUTO(fd_drop) int blobs = openat(top, "layout/blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(dir_names(blobs, &names, &e), 0);
	for (size_t i = 0; i < names.n; i++) {
		AUTO(str_fini) struct str text = { 0 };
		struct digest d;
		AUTO(free_drop) char *digest = x_asprintf("sha256:%s", names.v[i]);
		AUTO(free_drop) char *path = x_asprintf("blobs/sha256/%s", names.v[i]);
		assert_int_equal(digest_parse(digest, &d, &e), 0);
		assert_int_equal(file_read(blobs, names.v[i], 4096, &text, &e), 0);
		text.buf[text.len / 2] ^= 1;
		put(path, text.buf);
		assert_refused(ERR_INTEGRITY);
		text.buf[text.len / 2] ^= 1;
		str_addc(&text, ' ');
		put(path, text.buf);
		assert_refused(ERR_INTEGRITY);
		text.buf[text.len - 2] = '\0';
		put(path, text.buf);
		assert_refused(ERR_INTEGRITY);
		assert_false(blob_exists(&store, &d, NULL));
		unlinkat(top, path, 0);
		whole_layout();
	}
	assert_pulled("app", NULL, NULL, "amd64");
}

static void refuses_documents_that_disagree(void **state)
{
	AUTO(free_drop) char *image = put_image("amd64");
	AUTO(free_drop) char *as_index = x_asprintf("{\"mediaType\":\"%s\",%s", MT_INDEX, strstr(image, "\"digest\""));
	AUTO(free_drop) char *wrong_size = x_strdup(image);
	put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	put_index(as_index, "}", NULL, NULL);
	assert_refused(ERR_SPEC);
	wrong_size[strlen(wrong_size) - 1] ^= 1;
	put_index(wrong_size, "}", NULL, NULL);
	assert_refused(ERR_INTEGRITY);
	put_index(image, "}", NULL, NULL);
	put("oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
	assert_refused(ERR_SPEC);
	put("oci-layout", "{}");
	assert_refused(ERR_SPEC);
	put("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	put("index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
	assert_refused(ERR_NOTFOUND);
	put("index.json",
	    "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x\",\"digest\":\"sha256:../../../x\",\"size\":1}]}");
	assert_refused(ERR_SPEC);
	AUTO(free_drop) char *artifact_config = put_blob("application/vnd.cncf.helm.config.v1+json", "{}");
	AUTO(free_drop) char *artifact =
		x_asprintf("{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":%s},\"layers\":[]}", MT_MANIFEST,
			   artifact_config);
	AUTO(free_drop) char *desc = put_blob(MT_MANIFEST, artifact);
	put_index(desc, "}", NULL, NULL);
	assert_refused(ERR_SPEC);
	assert_non_null(strstr(last.msg, "not a container image"));
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(takes_the_image_that_is_meant),
		IN_DIR(several_platforms_of_one_name),
		IN_DIR(an_index_within),
		IN_DIR(too_many_indexes),
		IN_DIR(refuses_links_and_special_files),
		IN_DIR(refuses_blobs_that_are_no_files),
		IN_DIR(refuses_wrong_bytes),
		IN_DIR(refuses_documents_that_disagree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
