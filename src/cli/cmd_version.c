#include <stdio.h>

#include "cli/command.h"

struct version_options { bool none; };

static int run(void *options, const struct strv *args, struct err *e)
{
	(void)options;
	if (args_count(&cmd_version, args, 0, 0, e) < 0)
		return -1;
	printf("nacre %s\n", NACRE_VERSION);
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.usage = "",
	.summary = "Print the version",
	.options_size = sizeof(struct version_options),
	.run = run,
};

static int run_help(void *options, const struct strv *args, struct err *e)
{
	(void)options;
	if (args_count(&cmd_help, args, 0, 1, e) < 0)
		return -1;
	if (!args->n) {
		command_help(NULL);
		return 0;
	}
	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(commands[i]->name, args->v[0]) == 0) {
			command_help(commands[i]);
			return 0;
		}
	return err_set(e, ERR_USAGE, "unknown command \"%s\"", args->v[0]);
}

const struct command cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "Show the usage of a command",
	.options_size = sizeof(struct version_options),
	.run = run_help,
};
