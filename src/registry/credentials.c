#include "credentials_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/vec.h"
#include "registry/secret.h"

enum {
	FILE_MAX_BYTES = 4 << 20,
	HELPER_MAX_BYTES = 1 << 20,
	HELPER_TIMEOUT_MS = 30 * 1000,
	HELPER_NAME_MAX = 100,
};

#define HUB "docker.io"
#define HUB_KEY "https://index.docker.io/v1/" /* what docker calls Docker Hub in its files and to its helpers */

/* Overwrites the values of entries two levels down, where the secrets are, then frees all. */
static void wipe_json(struct json *j)
{
	for (size_t i = 0; i < j->items.n; i++) {
		struct json *entry = &j->items.v[i];
		if (entry->text)
			explicit_bzero(entry->text, strlen(entry->text));
		for (size_t k = 0; k < entry->items.n; k++) {
			struct json *inner = &entry->items.v[k];
			for (size_t m = 0; m < inner->items.n; m++)
				if (inner->items.v[m].text)
					explicit_bzero(inner->items.v[m].text, strlen(inner->items.v[m].text));
		}
	}
	json_fini(j);
}

void credential_fini(struct credential *c)
{
	secret_drop(&c->secret);
	secret_drop(&c->identity_token);
	free(c->user);
	free(c->source);
	*c = (struct credential){ 0 };
}

/* ---- which entry ---- */

/* Docker Hub has had several names; its key in docker's files is none of the name in references. */
static bool same_registry(const char *host, const char *registry)
{
	if (str_case_eq(host, registry))
		return true;
	return str_eq(registry, HUB) && (str_case_eq(host, "index." HUB) || str_case_eq(host, "registry-1." HUB));
}

/* The host of "https://HOST/v1/" and "HOST/v2/", which old versions of docker wrote; else NULL. The caller owns it. */
static char *legacy_host(const char *key)
{
	bool scheme = true;
	if (str_case_starts(key, "https://"))
		key += strlen("https://");
	else if (str_case_starts(key, "http://"))
		key += strlen("http://");
	else
		scheme = false;
	size_t n = strcspn(key, "/");
	const char *path = key + n;
	bool versioned = str_eq(path, "/v1/") || str_eq(path, "/v2/");
	bool plain = str_eq(path, "") || str_eq(path, "/") || str_eq(path, "/v1") || str_eq(path, "/v2");
	return versioned || (scheme && plain) ? x_strndup(key, n) : NULL;
}

unsigned credential_key_match(const char *key, const char *registry, const char *repository)
{
	AUTO(free_drop) char *legacy = legacy_host(key);
	if (legacy)
		return same_registry(legacy, registry) ? 1 : 0;
	size_t n = strcspn(key, "/");
	AUTO(free_drop) char *host = x_strndup(key, n);
	if (!same_registry(host, registry))
		return 0;
	if (!key[n])
		return str_case_eq(host, registry) ? 3 : 2;
	const char *path = key + n + 1;
	size_t m = strlen(path);
	if (m == 0 || strncmp(path, repository, m) != 0 || (repository[m] != '/' && repository[m] != '\0'))
		return 0;
	return 3 + (unsigned)m;
}

static const struct json *find_entry(const struct json *auths, const char *registry, const char *repository)
{
	const struct json *best = NULL;
	unsigned best_rank = 0;
	for (size_t i = 0; i < json_len(auths); i++) {
		const struct json *entry = json_at(auths, i);
		unsigned rank = entry->key ? credential_key_match(entry->key, registry, repository) : 0;
		if (rank > best_rank) {
			best = entry;
			best_rank = rank;
		}
	}
	return best;
}

/* ---- what is in it ---- */

static int take_user_and_password(const char *auth, struct credential *c, struct err *e)
{
	AUTO(secret_str_fini) struct str plain = { 0 };
	str_reserve(&plain, strlen(auth)); /* so that it never moves and leaves a copy behind */
	if (!base64_decode(auth, &plain))
		return err_set(e, ERR_SPEC, "\"auth\" is not base64");
	char *text = plain.buf, *colon = text ? strchr(text, ':') : NULL;
	if (!colon || colon == text)
		return err_set(e, ERR_SPEC, "\"auth\" does not hold user:password");
	*colon = '\0';
	c->user = x_strdup(text);
	c->secret = x_strdup(colon + 1);
	return 0;
}

/* 0; 1 when the entry says nothing: docker leaves {} where a helper has the secret. */
static int take_entry(const struct json *entry, struct credential *c, struct err *e)
{
	const char *token = json_str(entry, "identitytoken"), *auth = json_str(entry, "auth");
	if (token && token[0]) {
		c->identity_token = x_strdup(token);
		return 0;
	}
	if (!auth || !auth[0])
		return 1;
	return take_user_and_password(auth, c, e) < 0 ? err_in(e, "entry \"%s\"", entry->key) : 0;
}

/* ---- helpers: docker-credential-NAME ---- */

static bool helper_name_is_valid(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= HELPER_NAME_MAX &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static int parse_helper_answer(const struct str *out, const char *program, struct credential *c, struct err *e)
{
	AUTO(wipe_json) struct json answer = { 0 };
	if (json_parse(str_text(out), out->len, program, &answer, e) < 0)
		return -1;
	const char *user = json_str(&answer, "Username"), *secret = json_str(&answer, "Secret");
	if (!user || !secret)
		return err_set(e, ERR_SPEC, "%s answers without Username and Secret", program);
	if (str_eq(user, "<token>")) {
		c->identity_token = x_strdup(secret);
	} else {
		c->user = x_strdup(user);
		c->secret = x_strdup(secret);
	}
	return 0;
}

/* As docker/docker-credential-helpers has it: server on stdin, JSON on stdout, exit 1 and a phrase for "none". */
static int ask_helper(const char *name, const char *registry, struct credential *c, struct err *e)
{
	if (!helper_name_is_valid(name))
		return err_set(e, ERR_SPEC, "credential helper name \"%.60s\" is refused: only letters, digits, . _ -",
			name);
	AUTO(free_drop) char *program = x_asprintf("docker-credential-%s", name);
	AUTO(secret_str_fini) struct str out = { 0 };
	const char *const argv[] = { program, "get", NULL };
	str_reserve(&out, 65536);
	const char *server = str_eq(registry, HUB) ? HUB_KEY : registry;
	if (proc_run(argv, server, &out, HELPER_MAX_BYTES, HELPER_TIMEOUT_MS, e) < 0) {
		if (e->kind == ERR_CHILD && strstr(str_text(&out), "credentials not found"))
			return 1;
		if (e->kind == ERR_CHILD)
			e->kind = ERR_AUTH; /* ERR_CHILD is for commands of a build */
		return err_in(e, "credentials for %s", registry);
	}
	c->source = x_strdup(program);
	return parse_helper_answer(&out, program, c, e);
}

static int ask_helpers(const struct json *file, const char *registry, struct credential *c, struct err *e)
{
	const struct json *helpers = json_get(file, "credHelpers");
	const char *store = json_str(file, "credsStore");
	for (size_t i = 0; i < json_len(helpers); i++) {
		const struct json *h = json_at(helpers, i);
		AUTO(free_drop) char *legacy = h->key ? legacy_host(h->key) : NULL;
		if (!h->key || !h->text || !same_registry(legacy ? legacy : h->key, registry))
			continue;
		int r = ask_helper(h->text, registry, c, e);
		if (r < 0 && e->kind == ERR_NOTFOUND)
			e->kind = ERR_AUTH; /* no program, not no image */
		return r;
	}
	if (!store || !store[0])
		return 1;
	int r = ask_helper(store, registry, c, e);
	/* A store copied along with the file from another machine must not stand in the way of a public image. */
	if (r < 0 && e->kind == ERR_NOTFOUND) {
		log_debug("%s", e->msg);
		return 1;
	}
	return r;
}

/* ---- files ---- */

static void list_files(struct strv *out)
{
	const char *chosen = getenv("REGISTRY_AUTH_FILE"), *run = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
	const char *config = getenv("XDG_CONFIG_HOME"), *docker = getenv("DOCKER_CONFIG");
	if (chosen && chosen[0]) {
		strv_push(out, chosen);
		return;
	}
	if (run && run[0])
		strv_pushf(out, "%s/containers/auth.json", run);
	if (config && config[0])
		strv_pushf(out, "%s/containers/auth.json", config);
	else if (home && home[0])
		strv_pushf(out, "%s/.config/containers/auth.json", home);
	if (docker && docker[0])
		strv_pushf(out, "%s/config.json", docker);
	else if (home && home[0])
		strv_pushf(out, "%s/.docker/config.json", home);
}

/* 0 read; 1 there is none that we could read. *ret_exposed: others can read it too. */
static int read_file(const char *path, struct str *out, bool *ret_exposed, struct err *e)
{
	struct stat st;
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			log_debug("login file %s is left out: %s", path, strerror(errno));
		return 1;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_SPEC, "login file %s is not a regular file", path);
	*ret_exposed = st.st_mode & (S_IRGRP | S_IROTH);
	return fd_read_all(fd, FILE_MAX_BYTES, path, out, e);
}

static int find_in_file(const char *path, const char *registry, const char *repository, struct credential *c,
			struct err *e)
{
	AUTO(secret_str_fini) struct str text = { 0 };
	AUTO(wipe_json) struct json file = { 0 };
	bool exposed = false;
	int r = read_file(path, &text, &exposed, e);
	if (r != 0)
		return r;
	if (text.len == 0)
		return 1;
	if (json_parse(text.buf, text.len, path, &file, e) < 0)
		return -1;
	r = ask_helpers(&file, registry, c, e);
	if (r <= 0)
		return r;
	const struct json *entry = find_entry(json_get(&file, "auths"), registry, repository);
	r = entry ? take_entry(entry, c, e) : 1;
	if (r == 0) {
		c->source = x_strdup(path);
		c->exposed = exposed;
	}
	return r < 0 ? err_in(e, "%s", path) : r;
}

int credential_find(const char *registry, const char *repository, struct credential *ret, struct err *e)
{
	AUTO(strv_fini) struct strv files = { 0 };
	list_files(&files);
	for (size_t i = 0; i < files.n; i++) {
		AUTO(credential_fini) struct credential c = { 0 };
		int r = find_in_file(files.v[i], registry, repository, &c, e);
		if (r < 0)
			return -1;
		if (r == 0) {
			*ret = c;
			c = (struct credential){ 0 };
			return 0;
		}
	}
	return 1;
}
