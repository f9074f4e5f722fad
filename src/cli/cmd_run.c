#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/str.h"
#include "build/container.h"
#include "cli/command.h"

struct options {
	const char *store, *entrypoint, *workdir, *user, *network, *hostname;
	struct strv env;
	bool rm, interactive, tty;
};

#define AT(field) offsetof(struct options, field)

static const struct option_def table[] = {
	{ "entrypoint", 0, OPTION_STRING, AT(entrypoint), "PROGRAM", "instead of the image's entrypoint" },
	{ "env", 'e', OPTION_LIST, AT(env), "K[=V]", "set a variable; without a value, from the environment" },
	{ "hostname", 0, OPTION_STRING, AT(hostname), "NAME", "what the host is called inside" },
	{ "interactive", 'i', OPTION_FLAG, AT(interactive), NULL,
	  "accepted for docker's habits: standard input is always passed on" },
	{ "network", 0, OPTION_STRING, AT(network), "MODE", "host (default) or none" },
	{ "rm", 0, OPTION_FLAG, AT(rm), NULL, "accepted for docker's habits: nothing is ever kept" },
	{ "store", 0, OPTION_STRING, AT(store), "DIR", "where images and cache are kept (also $NACRE_STORE)" },
	{ "tty", 't', OPTION_FLAG, AT(tty), NULL,
	  "accepted for docker's habits: a terminal is used when there is one" },
	{ "user", 'u', OPTION_STRING, AT(user), "USER[:GROUP]", "instead of the image's user" },
	{ "workdir", 'w', OPTION_STRING, AT(workdir), "DIR", "instead of the image's working directory" },
};

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct container_options c = {
		.entrypoint = o->entrypoint,
		.env = o->env,
		.workdir = o->workdir,
		.user = o->user,
		.hostname = o->hostname,
	};
	struct store store;
	int status = 0;
	if (args_count(&cmd_run, args, 1, SIZE_MAX, e) < 0)
		return -1;
	if (o->network && strcmp(o->network, "none") == 0)
		c.net = SANDBOX_NET_NONE;
	else if (o->network && strcmp(o->network, "host") != 0)
		return err_set(e, ERR_USAGE, "--network %s: host or none is wanted", o->network);
	if (store_open_there(o->store ? o->store : global_store(), &store, e) < 0)
		return -1;
	c.image = args->v[0];
	for (size_t i = 1; i < args->n; i++)
		strv_push(&c.command, args->v[i]);
	int r = container_run(&store, &c, &status, e);
	strv_fini(&c.command);
	store_fini(&store);
	/* A command that cannot be started: 127 or 126, as from a shell. */
	if (r < 0 && e->kind == ERR_BUILD && WIFEXITED(e->status) && e->status) {
		log_error("%s", e->msg);
		return WEXITSTATUS(e->status);
	}
	if (r < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const struct command cmd_run = {
	.name = "run",
	.usage = "[OPTIONS] IMAGE [COMMAND...]",
	.summary = "Run a command in an image and throw its writes away",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.stop_at_word = true,
	.run = run,
};
