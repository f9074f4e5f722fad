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
#include "base/str.h"
#include "base/vec.h"
#include "registry/secret.h"
#include "helper_priv.h"

enum { FILE_MAX_BYTES = 4 << 20 };

#define HUB "docker.io"

/* Secrets are two levels down. */
void credentials_wipe(struct json *j)
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

bool credential_same_registry(const char *host, const char *registry)
{
	if (str_case_eq(host, registry))
		return true;
	return str_eq(registry, HUB) && (str_case_eq(host, "index." HUB) || str_case_eq(host, "registry-1." HUB));
}

char *credential_key_host(const char *key)
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
	AUTO(free_drop) char *legacy = credential_key_host(key);
	if (legacy)
		return credential_same_registry(legacy, registry) ? 1 : 0;
	size_t n = strcspn(key, "/");
	AUTO(free_drop) char *host = x_strndup(key, n);
	if (!credential_same_registry(host, registry))
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

/* ---- helpers ---- */

static int ask_helpers(const struct json *file, const char *registry, struct credential *c, struct err *e)
{
	bool general;
	const char *name = helper_for(file, registry, &general);
	if (!name)
		return 1;
	int r = helper_get(name, registry, c, e);
	if (r >= 0 || e->kind != ERR_NOTFOUND)
		return r;
	e->kind = ERR_AUTH; /* no program, not no image */
	if (!general)
		return -1;
	/* A store copied along with the file from another machine must not stand in the way of a public image. */
	log_debug("%s", e->msg);
	return 1;
}

/* ---- files ---- */

void credential_files(struct strv *out)
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

int credential_file_read(const char *path, struct json *ret, bool *ret_exposed, struct err *e)
{
	AUTO(secret_str_fini) struct str text = { 0 };
	int r = read_file(path, &text, ret_exposed, e);
	if (r != 0)
		return r;
	return text.len == 0 ? 1 : json_parse(text.buf, text.len, path, ret, e);
}

static int find_in_file(const char *path, const char *registry, const char *repository, struct credential *c,
			struct err *e)
{
	AUTO(credentials_wipe) struct json file = { 0 };
	bool exposed = false;
	int r = credential_file_read(path, &file, &exposed, e);
	if (r != 0)
		return r;
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
	credential_files(&files);
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
