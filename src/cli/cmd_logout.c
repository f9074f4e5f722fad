#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "registry/login.h"

struct options {
	const char *store, *authfile;
};

static const struct option_def table[] = {
	{ "authfile", 0, OPTION_STRING, offsetof(struct options, authfile), "FILE",
	  "the login file (also $REGISTRY_AUTH_FILE)" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR", "accepted, as by all commands; not used" },
};

static int logout(const struct login_place *place, struct err *e)
{
	AUTO(free_drop) char *where = NULL;
	int r = login_forget(place, &where, e);
	if (r < 0)
		return -1;
	if (r == 0) {
		printf("Removed the login to %s from %s\n", place->key, where);
		return 0;
	}
	err_set(e, ERR_NOTFOUND, "there is no login to %s", place->key);
	if (where)
		err_hint(e, "one that another program made is in %s: use its logout", where);
	return -1;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct login_place place;
	if (args_count(&cmd_logout, args, 0, 1, e) < 0 ||
	    login_place_parse(args->n ? args->v[0] : "docker.io", &place, e) < 0)
		return -1;
	if (o->authfile)
		setenv("REGISTRY_AUTH_FILE", o->authfile, 1);
	int r = logout(&place, e);
	login_place_fini(&place);
	return r;
}

const struct command cmd_logout = {
	.name = "logout",
	.usage = "[OPTIONS] [REGISTRY]",
	.summary = "Forget the login to a registry",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
