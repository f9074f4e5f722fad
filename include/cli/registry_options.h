/* Options of commands that speak to a registry. */
#ifndef NACRE_CLI_REGISTRY_OPTIONS_H
#define NACRE_CLI_REGISTRY_OPTIONS_H

#include "base/err.h"
#include "cli/command.h"

struct registry_options {
	const char *authfile, *tls_verify;
};

/* Lines of an option table, for a member of the command's option struct. */
#define REGISTRY_OPTIONS(type, member)                                                                                 \
	{ "authfile", 0, OPTION_STRING, offsetof(type, member.authfile), "FILE",                                       \
	  "the login file (also $REGISTRY_AUTH_FILE)" },                                                               \
	{ "tls-verify", 0, OPTION_STRING, offsetof(type, member.tls_verify), "BOOL",                                   \
	  "false: this registry need not prove who it is, and may speak plain http" }

/* For this process and its workers, concerning this registry. ERR_USAGE. */
int registry_options_apply(const struct registry_options *o, const char *registry, struct err *e);

#endif
