/*
 * --ssh: agents that RUN --mount=type=ssh may use (MNT-20): a socket of the user's agent, any socket with raw=true, or
 * key files, which go into an agent of our own that lives as long as the build.
 */
#ifndef NACRE_BUILD_SSH_PRIV_H
#define NACRE_BUILD_SSH_PRIV_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/vec.h"

struct build;

struct ssh_agent {
	char *id;          /* owned */
	bool raw;          /* everything is forwarded, whatever it says */
	int socket_fd;     /* O_PATH; owned; -1 until the agent for the keys has started */
	struct strv paths; /* as given */
	struct strv keys;  /* PEM texts; wiped once an agent has them */
	pid_t pid;         /* of our own agent; 0: none */
};

struct ssh_agents {
	VEC(struct ssh_agent) v;
};

/* "default|ID[=SOCKET|KEY[,KEY…]][,raw=true]" each; sockets are opened and keys read: ERR_USAGE. */
int ssh_read(const struct strv *texts, struct ssh_agents *ret, struct err *e);
/* Starts an agent for each that has keys. */
int ssh_start(struct build *b, struct ssh_agents *s, struct err *e);
/* NULL when the user gave none of that name. */
const struct ssh_agent *ssh_find(const struct ssh_agents *s, const char *id);
void ssh_fini(struct ssh_agents *s);

/* Why a PEM text cannot be used as a private key, or NULL. */
const char *ssh_key_problem(const char *pem);

#endif
