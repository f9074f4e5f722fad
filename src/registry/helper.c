#include "helper_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "registry/secret.h"

enum {
	HELPER_MAX_BYTES = 1 << 20,
	HELPER_TIMEOUT_MS = 30 * 1000,
	HELPER_NAME_MAX = 100,
};

#define HUB "docker.io"
#define HUB_KEY "https://index.docker.io/v1/" /* what docker calls Docker Hub in its files and to its helpers */

static const char *server_of(const char *registry)
{
	return str_eq(registry, HUB) ? HUB_KEY : registry;
}

const char *helper_for(const struct json *file, const char *registry, bool *ret_is_general)
{
	const struct json *helpers = json_get(file, "credHelpers");
	const char *store = json_str(file, "credsStore");
	*ret_is_general = false;
	for (size_t i = 0; i < json_len(helpers); i++) {
		const struct json *h = json_at(helpers, i);
		AUTO(free_drop) char *host = h->key ? credential_key_host(h->key) : NULL;
		if (h->key && h->text && credential_same_registry(host ? host : h->key, registry))
			return h->text;
	}
	*ret_is_general = true;
	return store && store[0] ? store : NULL;
}

static bool helper_name_is_valid(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= HELPER_NAME_MAX &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static int parse_helper_answer(const struct str *out, const char *program, struct credential *c, struct err *e)
{
	AUTO(credentials_wipe) struct json answer = { 0 };
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

/* 0; 1 when it says, with exit status 1 and a phrase, that it has no such login. */
static int run_helper(const char *name, const char *verb, const char *input, const char *registry, struct str *out,
		      char **ret_program, struct err *e)
{
	if (!helper_name_is_valid(name))
		return err_set(e, ERR_SPEC, "credential helper name \"%.60s\" is refused: only letters, digits, . _ -",
			name);
	AUTO(free_drop) char *program = x_asprintf("docker-credential-%s", name);
	const char *const argv[] = { program, verb, NULL };
	str_reserve(out, 65536); /* so that it does not move and leave a copy behind */
	if (proc_run(argv, input, out, HELPER_MAX_BYTES, HELPER_TIMEOUT_MS, e) < 0) {
		if (e->kind == ERR_CHILD && strstr(str_text(out), "credentials not found"))
			return 1;
		if (e->kind == ERR_CHILD)
			e->kind = ERR_AUTH; /* ERR_CHILD is for commands of a build */
		return err_in(e, "credentials for %s", registry);
	}
	*ret_program = ptr_take(&program);
	return 0;
}

int helper_get(const char *name, const char *registry, struct credential *ret, struct err *e)
{
	AUTO(secret_str_fini) struct str out = { 0 };
	AUTO(free_drop) char *program = NULL;
	int r = run_helper(name, "get", server_of(registry), registry, &out, &program, e);
	if (r != 0)
		return r;
	r = parse_helper_answer(&out, program, ret, e);
	if (r == 0)
		ret->source = ptr_take(&program);
	return r;
}

int helper_store(const char *name, const char *registry, const char *user, const char *secret, struct err *e)
{
	AUTO(secret_str_fini) struct str out = { 0 };
	AUTO(free_drop) char *program = NULL;
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_str(&o, "ServerURL", server_of(registry));
	json_kv_str(&o, "Username", user);
	json_kv_str(&o, "Secret", secret);
	json_end(&o, '}');
	AUTO(secret_drop) char *input = json_out_take(&o);
	int r = run_helper(name, "store", input, registry, &out, &program, e);
	return r == 1 ? err_set(e, ERR_AUTH, "docker-credential-%s did not keep the login for %s", name, registry) : r;
}

int helper_erase(const char *name, const char *registry, struct err *e)
{
	AUTO(secret_str_fini) struct str out = { 0 };
	AUTO(free_drop) char *program = NULL;
	return run_helper(name, "erase", server_of(registry), registry, &out, &program, e);
}
