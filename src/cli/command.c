#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_codes.h"
#include "base/log.h"
#include "base/str.h"

const struct command *const commands[] = {
	&cmd_build,
	&cmd_cache,
	&cmd_context,
	&cmd_du,
	&cmd_export,
	&cmd_help,
	&cmd_history,
	&cmd_images,
	&cmd_inspect,
	&cmd_load,
	&cmd_login,
	&cmd_logout,
	&cmd_prune,
	&cmd_pull,
	&cmd_push,
	&cmd_rmi,
	&cmd_run,
	&cmd_save,
	&cmd_tag,
	&cmd_verify,
	&cmd_version,
	&cmd_why,
};
const size_t n_commands = ARRAY_LEN(commands);

static const char *store_path;

const char *global_store(void)
{
	return store_path;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

enum { HELP_COLUMN = 32 };

static void print_options(const struct command *c)
{
	for (size_t i = 0; i < c->n_options; i++) {
		const struct option_def *o = &c->options[i];
		AUTO(str_fini) struct str left = { 0 };
		if (o->letter)
			str_addf(&left, "-%c, ", o->letter);
		else
			str_add(&left, "    ");
		str_addf(&left, "--%s%s%s", o->name, o->kind == OPTION_FLAG ? "" : " ",
			 o->kind == OPTION_FLAG ? "" : o->value);
		/* What is wider than its column has a line of its own. */
		if (left.len > HELP_COLUMN)
			printf("  %s\n  %-*s", left.buf, HELP_COLUMN, "");
		else
			printf("  %-*s", HELP_COLUMN, left.buf);
		printf(" %s%s\n", o->help, o->kind == OPTION_LIST ? " (repeatable)" : "");
	}
}

void command_help(const struct command *c)
{
	if (c) {
		printf("Usage: nacre %s%s%s\n\n%s\n", c->name, *c->usage ? " " : "", c->usage, c->summary);
		printf("\nOptions:\n");
		print_options(c);
		printf("  %-32s %s\n", "    --help", "this page");
		return;
	}
	printf("Usage: nacre [--store DIR] COMMAND [OPTIONS]\n\nBuilds container images from Dockerfiles: no daemon, "
	       "no root.\n\nCommands:\n");
	for (size_t i = 0; i < n_commands; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("\nOptions:\n  %-32s %s\n  %-32s %s\n  %-32s %s\n", "    --store DIR",
	       "where images and cache are kept (also $NACRE_STORE)", "    --version", "the version", "    --help",
	       "this page");
	printf("\n`nacre COMMAND --help` tells more; nacre(1) lists exit codes.\n");
}

static int fail(struct err *e)
{
	/* It may be the disk of an output, but the store is what can be made smaller from here. */
	if (err_exit_code(e) == EXIT_CODE_NO_SPACE)
		err_hint(e, "if the store is on that disk, `nacre du` says what it holds and `nacre prune` makes room");
	if (e->id[0])
		log_error("%s [%s]", e->msg, e->id);
	else
		log_error("%s", e->msg);
	return err_exit_code(e);
}

static int flush_output(struct err *e)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	if (errno)
		return err_sys(e, "write standard output");
	/* An earlier write failed, when the buffer was full. */
	return err_set(e, ERR_SYS, "write standard output: a part of it is lost");
}

static int unknown_command(const char *name, struct err *e)
{
	VEC(const char *) names = { 0 };
	for (size_t i = 0; i < n_commands; i++)
		vec_push(&names, commands[i]->name);
	const char *near = str_nearest(name, names.v, names.n);
	err_set(e, ERR_USAGE, "unknown command \"%s\"", name);
	if (near)
		err_hint(e, "did you mean \"%s\"?", near);
	else
		err_hint(e, "`nacre --help` lists the commands");
	vec_fini(&names);
	return fail(e);
}

static int run_command(const struct command *c, int argc, char **argv)
{
	struct err e = { 0 };
	struct strv args = { 0 };
	void *options = x_alloc(c->options_size);
	int r = options_parse(c, argc, argv, options, &args, &e);
	if (r == 1) {
		command_help(c);
		r = 0;
	} else if (r == 0) {
		r = c->run(options, &args, &e);
	}
	if (r < 0)
		r = fail(&e);
	if (flush_output(&e) < 0) {
		int status = fail(&e);
		r = r ? r : status;
	}
	options_fini(c, options);
	free(options);
	strv_fini(&args);
	return r;
}

int cli_main(int argc, char **argv)
{
	struct err e;
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			command_help(NULL);
			return flush_output(&e) < 0 ? fail(&e) : 0;
		}
		if (strcmp(argv[i], "--version") == 0)
			return run_command(&cmd_version, 0, argv);
		if (str_starts(argv[i], "--store=")) {
			store_path = argv[i] + strlen("--store=");
		} else if (strcmp(argv[i], "--store") == 0) {
			if (i + 1 == argc) {
				err_set(&e, ERR_USAGE, "--store needs a value: DIR");
				return fail(&e);
			}
			store_path = argv[++i];
		} else {
			err_set(&e, ERR_USAGE, "unknown option %s before the command", argv[i]);
			err_hint(&e, "`nacre --help` shows the usage");
			return fail(&e);
		}
	}
	if (i == argc) {
		command_help(NULL);
		return 2;
	}
	const struct command *c = find(argv[i]);
	if (!c)
		return unknown_command(argv[i], &e);
	return run_command(c, argc - i - 1, argv + i + 1);
}
