#include "table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/tree.h"
#include "src/registry/credentials_priv.h"

/* A key of "auths", the registry and repository of a reference; whether it is for it (T-G5). */
static const struct { const char *key, *registry, *repository; bool match; } keys[] = {
	{ "quay.io", "quay.io", "a/b", true },
	{ "QUAY.io", "quay.io", "a/b", true },
	{ "quay.io/a", "quay.io", "a/b", true },
	{ "quay.io/a/b", "quay.io", "a/b", true },
	{ "quay.io/a/b/c", "quay.io", "a/b", false },
	{ "quay.io/a/bb", "quay.io", "a/b", false },
	{ "quay.io/a/", "quay.io", "a/b", false },
	{ "quay.io/b", "quay.io", "a/b", false },
	{ "quay.io/A", "quay.io", "a/b", false },
	{ "quay.io/", "quay.io", "a/b", false },
	{ "quay.io", "quay.io.evil.com", "a/b", false },
	{ "quay.io.evil.com", "quay.io", "a/b", false },
	{ "quay.io", "evil.com", "quay.io/b", false },
	{ "evil.com/quay.io", "quay.io", "a/b", false },
	{ "evil.com/quay.io", "evil.com", "quay.io/b", true },
	{ "quay.io.", "quay.io", "a/b", false },
	{ ".quay.io", "quay.io", "a/b", false },
	{ "xquay.io", "quay.io", "a/b", false },
	{ "uay.io", "quay.io", "a/b", false },
	{ "quay.i", "quay.io", "a/b", false },
	{ "*.io", "quay.io", "a/b", false },
	{ "*", "quay.io", "a/b", false },
	{ "", "quay.io", "a/b", false },
	{ "quay.io:443", "quay.io", "a/b", false },
	{ "quay.io", "quay.io:443", "a/b", false },
	{ "quay.io:443", "quay.io:443", "a/b", true },
	{ "quay.io:443", "quay.io:4433", "a/b", false },
	{ "quay.io:4433", "quay.io:443", "a/b", false },
	{ "localhost:5000", "localhost:5000", "a", true },
	{ "localhost:5000", "localhost:5001", "a", false },
	{ "localhost", "localhost:5000", "a", false },
	{ "localhost:5000", "127.0.0.1:5000", "a", false },
	{ "127.0.0.1:5000", "127.0.0.1:5000", "a", true },
	{ "[::1]:5000", "[::1]:5000", "a", true },
	{ "[::1]", "[::1]:5000", "a", false },
	{ "qu\xc3\xa4y.io", "quay.io", "a/b", false },
	{ "qu\xd0\xb0y.io", "quay.io", "a/b", false },
	{ "quay.io ", "quay.io", "a/b", false },
	{ "user@quay.io", "quay.io", "a/b", false },
	{ "https://quay.io", "quay.io", "a/b", true },
	{ "https://quay.io/", "quay.io", "a/b", true },
	{ "http://quay.io/v1/", "quay.io", "a/b", true },
	{ "https://quay.io/v2/", "quay.io", "a/b", true },
	{ "quay.io/v1/", "quay.io", "a/b", true },
	{ "https://quay.io/v3/", "quay.io", "a/b", false },
	{ "https://quay.io/a", "quay.io", "a/b", false },
	{ "https://quay.io:443/v1/", "quay.io", "a/b", false },
	{ "https://quay.io.evil.com/v1/", "quay.io", "a/b", false },
	{ "https://evil.com/quay.io/v1/", "quay.io", "a/b", false },
	{ "https://quay.io@evil.com/v1/", "quay.io", "a/b", false },
	{ "ftp://quay.io/v1/", "quay.io", "a/b", false },
	{ "https://index.docker.io/v1/", "docker.io", "library/alpine", true },
	{ "https://index.docker.io/v1", "docker.io", "library/alpine", true },
	{ "index.docker.io/v1/", "docker.io", "library/alpine", true },
	{ "docker.io", "docker.io", "library/alpine", true },
	{ "docker.io/library", "docker.io", "library/alpine", true },
	{ "index.docker.io", "docker.io", "library/alpine", true },
	{ "registry-1.docker.io", "docker.io", "library/alpine", true },
	{ "auth.docker.io", "docker.io", "library/alpine", false },
	{ "hub.docker.io", "docker.io", "library/alpine", false },
	{ "docker.com", "docker.io", "library/alpine", false },
	{ "https://index.docker.io/v1/", "quay.io", "a/b", false },
	{ "https://index.docker.io/v1/", "docker.io.evil.com", "alpine", false },
	{ "https://index.docker.io/v1/", "evil.com", "docker.io/alpine", false },
	{ "https://index.docker.io.evil.com/v1/", "docker.io", "library/alpine", false },
	{ "https://index.docker.io:444/v1/", "docker.io", "library/alpine", false },
	{ "mine.azurecr.io", "mine.azurecr.io.attacker.com", "a", false },
	{ "mine.azurecr.io", "other.azurecr.io", "a", false },
	{ "docker.io", "index.docker.io", "a", false },
};

static void keys_match_exactly(void **state)
{
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		row_check(wrong,
			  (credential_key_match(keys[i].key, keys[i].registry, keys[i].repository) > 0) ==
				  keys[i].match,
			  "\"%s\" for %s/%s", keys[i].key, keys[i].registry, keys[i].repository);
	assert_int_equal(wrong, 0);
}

static void longer_keys_win(void **state)
{
	assert_true(credential_key_match("q.io/a/b", "q.io", "a/b/c") >
		    credential_key_match("q.io/a", "q.io", "a/b/c"));
	assert_true(credential_key_match("q.io/a", "q.io", "a/b/c") > credential_key_match("q.io", "q.io", "a/b/c"));
	assert_true(credential_key_match("q.io", "q.io", "a") > credential_key_match("https://q.io/v1/", "q.io", "a"));
	assert_true(credential_key_match("docker.io", "docker.io", "a") >
		    credential_key_match("index.docker.io", "docker.io", "a"));
}

/* ---- files: each test has a directory, which is HOME, XDG_RUNTIME_DIR and the front of PATH at once */

static char dir[] = "/tmp/nacre-credentials.XXXXXX";
static char old_path[8192];

static void put(const char *name, const char *text, mode_t mode)
{
	AUTO(free_drop) char *path = x_asprintf("%s/%s", dir, name);
	AUTO(free_drop) char *parent = x_strdup(path);
	*strrchr(parent, '/') = '\0';
	mkdir(parent, 0700);
	unlink(path);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

static int set_up(void **state)
{
	snprintf(old_path, sizeof old_path, "%s", getenv("PATH"));
	strcpy(strrchr(dir, '.'), ".XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	AUTO(free_drop) char *path = x_asprintf("%s:%s", dir, old_path);
	setenv("PATH", path, 1);
	setenv("HOME", dir, 1);
	setenv("XDG_RUNTIME_DIR", dir, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("DOCKER_CONFIG");
	unsetenv("REGISTRY_AUTH_FILE");
	AUTO(free_drop) char *config = x_asprintf("%s/.config", dir);
	return mkdir(config, 0700);
}

static int tear_down(void **state)
{
	setenv("PATH", old_path, 1);
	return tree_remove(AT_FDCWD, dir);
}

/* "user:secret", "token:…", "none" or the kind and text of the error. */
static const char *find(const char *registry, const char *repository)
{
	static char buf[600];
	struct credential c = { 0 };
	struct err e = { 0 };
	int r = credential_find(registry, repository, &c, &e);
	if (r < 0)
		snprintf(buf, sizeof buf, "error: %s", e.msg);
	else if (r == 1)
		snprintf(buf, sizeof buf, "none");
	else if (c.identity_token)
		snprintf(buf, sizeof buf, "token:%s", c.identity_token);
	else
		snprintf(buf, sizeof buf, "%s:%s", c.user, c.secret);
	credential_fini(&c);
	return buf;
}

#define AUTH(key, base64) "{\"auths\":{\"" key "\":{\"auth\":\"" base64 "\"}}}"

static void files_in_their_order(void **state)
{
	assert_string_equal(find("q.io", "a"), "none");
	put(".docker/config.json", AUTH("q.io", "ZG9ja2VyOjE="), 0600);
	assert_string_equal(find("q.io", "a"), "docker:1");
	AUTO(free_drop) char *containers = x_asprintf("%s/.config/containers", dir);
	mkdir(containers, 0700);
	put(".config/containers/auth.json", AUTH("q.io", "Y29uZmlnOjI="), 0600);
	assert_string_equal(find("q.io", "a"), "config:2");
	put("containers/auth.json", AUTH("q.io", "cnVuOjM="), 0600);
	assert_string_equal(find("q.io", "a"), "run:3");
	put("containers/auth.json", AUTH("other.io", "cnVuOjM="), 0600);
	assert_string_equal(find("q.io", "a"), "config:2");
	put("chosen.json", AUTH("q.io", "Y2hvc2VuOjQ="), 0600);
	AUTO(free_drop) char *chosen = x_asprintf("%s/chosen.json", dir);
	setenv("REGISTRY_AUTH_FILE", chosen, 1);
	assert_string_equal(find("q.io", "a"), "chosen:4");
	assert_string_equal(find("other.io", "a"), "none");
}

static void docker_config_elsewhere(void **state)
{
	AUTO(free_drop) char *elsewhere = x_asprintf("%s/elsewhere", dir);
	put(".docker/config.json", AUTH("q.io", "ZG9ja2VyOjE="), 0600);
	put("elsewhere/config.json", AUTH("q.io", "ZWxzZTo1"), 0600);
	setenv("DOCKER_CONFIG", elsewhere, 1);
	assert_string_equal(find("q.io", "a"), "else:5");
}

static void entries(void **state)
{
	static const struct { const char *entry, *want; } rows[] = {
		{ "{\"auth\":\"dXNlcjpwYXNz\"}", "user:pass" },
		{ "{\"auth\":\"dXNlcjpwYTpzcw==\"}", "user:pa:ss" },
		{ "{\"auth\":\"dXNlcjpwYTpzcw\"}", "user:pa:ss" },
		{ "{\"auth\":\"dXNlcjo=\"}", "user:" },
		{ "{\"auth\":\"dXNlcjpwYXNz\",\"identitytoken\":\"tok\"}", "token:tok" },
		{ "{\"auth\":\"dXNlcjpwYXNz\",\"identitytoken\":\"\"}", "user:pass" },
		{ "{}", "none" },
		{ "{\"auth\":\"\"}", "none" },
		{ "null", "none" },
		{ "{\"auth\":7}", "none" },
	};
	static const char *const bad[] = { "{\"auth\":\"dXNlcg==\"}", "{\"auth\":\"OnBhc3M=\"}", "{\"auth\":\"%%%\"}",
					   "{\"auth\":\"dXNlc\"}", "{\"auth\":\"dXNl cjpw\"}" };
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows) + ARRAY_LEN(bad); i++) {
		const char *entry = i < ARRAY_LEN(rows) ? rows[i].entry : bad[i - ARRAY_LEN(rows)];
		AUTO(free_drop) char *text = x_asprintf("{\"auths\":{\"q.io\":%s}}", entry);
		put(".docker/config.json", text, 0600);
		const char *got = find("q.io", "a");
		row_check(wrong, i < ARRAY_LEN(rows) ? str_eq(got, rows[i].want) : str_starts(got, "error:"), "%s: %s",
			  entry, got);
		row_check(wrong, !str_starts(got, "error:") || !strstr(got, "dXNl"), "%s: %s shows the secret", entry,
			  got);
	}
	assert_int_equal(wrong, 0);
}

static void the_most_exact_entry_is_taken(void **state)
{
	put("containers/auth.json",
	    "{\"auths\":{\"q.io\":{\"auth\":\"YTpob3N0\"},\"q.io/team\":{\"auth\":\"YTp0ZWFt\"},"
	    "\"q.io/team/app\":{\"auth\":\"YTphcHA=\"},\"https://index.docker.io/v1/\":{\"auth\":\"YTpodWI=\"}}}",
	    0600);
	assert_string_equal(find("q.io", "x"), "a:host");
	assert_string_equal(find("q.io", "team/x"), "a:team");
	assert_string_equal(find("q.io", "team/app"), "a:app");
	assert_string_equal(find("q.io", "team/app/x"), "a:app");
	assert_string_equal(find("q.io", "team/apps"), "a:team");
	assert_string_equal(find("docker.io", "library/alpine"), "a:hub");
	assert_string_equal(find("docker.io.evil.com", "alpine"), "none");
}

static void damaged_files_are_named(void **state)
{
	put("containers/auth.json", "{", 0600);
	assert_non_null(strstr(find("q.io", "a"), "containers/auth.json"));
	put("containers/auth.json", "", 0600);
	assert_string_equal(find("q.io", "a"), "none");
	AUTO(free_drop) char *fifo = x_asprintf("%s/containers/auth.json", dir);
	unlink(fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_non_null(strstr(find("q.io", "a"), "not a regular file"));
}

static void files_others_can_read_are_noticed(void **state)
{
	static const struct { mode_t mode; bool exposed; } rows[] = {
		{ 0600, false }, { 0400, false }, { 0640, true }, { 0604, true }, { 0644, true }, { 0620, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct credential c = { 0 };
		struct err e = { 0 };
		put(".docker/config.json", AUTH("q.io", "ZG9ja2VyOjE="), rows[i].mode);
		assert_int_equal(credential_find("q.io", "a", &c, &e), 0);
		assert_int_equal(c.exposed, rows[i].exposed);
		assert_non_null(strstr(c.source, "/.docker/config.json"));
		credential_fini(&c);
	}
}

/* ---- helpers */

#define HELPER "#!/bin/sh\n[ \"$1\" = get ] || exit 9\nread -r server || [ -n \"$server\" ]\n"

static void helpers_are_asked(void **state)
{
	put("docker-credential-one",
	    HELPER "printf '{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"%s\"}' \"$server\" \"$server\"\n",
	    0700);
	put("docker-credential-token", HELPER "echo '{\"Username\":\"<token>\",\"Secret\":\"t\"}'\n", 0700);
	put("docker-credential-none", HELPER "echo 'credentials not found in native keychain'; exit 1\n", 0700);
	put(".docker/config.json",
	    "{\"credsStore\":\"one\",\"credHelpers\":{\"tok.io\":\"token\",\"none.io\":\"none\"},"
	    "\"auths\":{\"none.io\":{\"auth\":\"ZmlsZTo2\"},\"q.io\":{}}}",
	    0600);
	assert_string_equal(find("q.io", "a"), "u:q.io");
	assert_string_equal(find("docker.io", "library/a"), "u:https://index.docker.io/v1/");
	assert_string_equal(find("tok.io", "a"), "token:t");
	assert_string_equal(find("tok.io.evil.com", "a"), "u:tok.io.evil.com");
	assert_string_equal(find("none.io", "a"), "file:6");
}

static void helpers_that_fail(void **state)
{
	put("docker-credential-bad", HELPER "echo 'no keyring' >&2; exit 1\n", 0700);
	put("docker-credential-noise", HELPER "echo hello\n", 0700);
	put("docker-credential-half", HELPER "echo '{\"Username\":\"u\"}'\n", 0700);
	put("docker-credential-long", HELPER "head -c 1100000 /dev/zero\n", 0700);
	put(".docker/config.json",
	    "{\"credHelpers\":{\"bad.io\":\"bad\",\"noise.io\":\"noise\",\"half.io\":\"half\",\"long.io\":\"long\","
	    "\"missing.io\":\"nowhere-to-be-found\"}}",
	    0600);
	assert_non_null(strstr(find("bad.io", "a"), "docker-credential-bad failed"));
	assert_non_null(strstr(find("bad.io", "a"), "no keyring"));
	assert_true(str_starts(find("noise.io", "a"), "error:"));
	assert_non_null(strstr(find("half.io", "a"), "without Username and Secret"));
	assert_non_null(strstr(find("long.io", "a"), "more than"));
	assert_non_null(strstr(find("missing.io", "a"), "docker-credential-nowhere-to-be-found"));
	/* A store for everything that is not installed here must not stop public pulls. */
	put(".docker/config.json", "{\"credsStore\":\"nowhere-to-be-found\"}", 0600);
	assert_string_equal(find("q.io", "a"), "none");
}

static void helper_names(void **state)
{
	static const char *const bad[] = { "../../x", "a b", "/bin/sh", "a/b", "a;b", "$(x)", "a\\nb", "\xc3\xa4" };
	int wrong = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(free_drop) char *text = x_asprintf("{\"credsStore\":\"%s\"}", bad[i]);
		put(".docker/config.json", text, 0600);
		row_check(wrong, strstr(find("q.io", "a"), "is refused"), "%s: %s", bad[i], find("q.io", "a"));
	}
	assert_int_equal(wrong, 0);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_match_exactly),
		cmocka_unit_test(longer_keys_win),
		IN_DIR(files_in_their_order),
		IN_DIR(docker_config_elsewhere),
		IN_DIR(entries),
		IN_DIR(the_most_exact_entry_is_taken),
		IN_DIR(damaged_files_are_named),
		IN_DIR(files_others_can_read_are_noticed),
		IN_DIR(helpers_are_asked),
		IN_DIR(helpers_that_fail),
		IN_DIR(helper_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
