/*
 * Commands and their options. A command is one `const struct command` at the top of its file; its option table is the
 * only source of parsing and --help. To add one: write cmd_x.c, list it in command.c and meson.build, and describe it
 * in man/.
 */
#ifndef NACRE_CLI_COMMAND_H
#define NACRE_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"

enum option_kind {
	OPTION_FLAG,    /* sets a bool */
	OPTION_STRING,  /* sets a const char *; the last one wins */
	OPTION_LIST,    /* appends to a struct strv */
};

struct option_def {
	const char *name;     /* long name without "--" */
	char letter;          /* or 0 */
	enum option_kind kind;
	size_t offset;        /* of the field in the command's option struct */
	const char *value;    /* what the value is, for --help: "FILE" */
	const char *help;
};

struct command {
	const char *name;
	const char *usage;    /* what follows the name: "[OPTIONS] CONTEXT" */
	const char *summary;  /* one line */
	const struct option_def *options;
	size_t n_options;
	size_t options_size;  /* of the option struct, which begins zeroed */
	bool stop_at_word;    /* options end at the first word (run IMAGE CMD…) */
	/* args: the words after the options. Returns 0, -1 with e, or an exit status > 0. */
	int (*run)(void *options, const struct strv *args, struct err *e);
};

extern const struct command cmd_build, cmd_cache, cmd_context, cmd_du, cmd_export, cmd_help, cmd_history, cmd_images,
	cmd_inspect, cmd_load, cmd_login, cmd_logout, cmd_prune, cmd_pull, cmd_push, cmd_rmi, cmd_run, cmd_save, cmd_tag,
	cmd_verify, cmd_version, cmd_why;
extern const struct command *const commands[];
extern const size_t n_commands;

/* Every command has it, and `nacre --store DIR command` too. */
const char *global_store(void);

/* What main() does: finds the command, parses its options, runs it. The exit status, error printed. */
int cli_main(int argc, char **argv);

/* The help page of a command, NULL: of nacre. On stdout. */
void command_help(const struct command *c);

/* Parses argv[0..argc) into *options and *args; 1 when --help was asked for. ERR_USAGE. */
int options_parse(const struct command *c, int argc, char **argv, void *options, struct strv *args, struct err *e);
/* Frees the lists in it. */
void options_fini(const struct command *c, void *options);

/* Fails unless there are min..max words. */
int args_count(const struct command *c, const struct strv *args, size_t min, size_t max, struct err *e);

#endif
