/*
 * A relay between RUN --mount=type=ssh and the user's agent (MNT-18): a socket of our own, with the mode the mount asks
 * for, whose clients may list keys and sign, and nothing else: keys can be neither added nor removed through it.
 *
 * draft-ietf-sshm-ssh-agent, section 3: a message is a length of four bytes and that many bytes, the first of them its
 * type.
 */
#ifndef NACRE_BUILD_AGENT_PRIV_H
#define NACRE_BUILD_AGENT_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/proc.h"

struct agent_relay {
	struct worker worker; /* pid 0: not started */
	int socket_fd;        /* O_PATH of the socket in the file system; -1 */
};

/* Listens as `name` in dir_fd; agent_fd is O_PATH of the user's socket. raw: whatever is said goes both ways, it need
 * not be an agent. Ends with agent_stop, or with us. */
int agent_start(struct agent_relay *a, int dir_fd, const char *name, uint32_t mode, int agent_fd, bool raw,
		struct err *e);
void agent_stop(struct agent_relay *a);
/* A connection to the socket agent_fd is O_PATH of; -1 and errno. */
int agent_connect(int agent_fd);

#endif
