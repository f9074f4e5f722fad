/* The processes of a step: guard (our child, outside) > init (process 1 inside) > command. */
#ifndef NACRE_SANDBOX_CHILD_PRIV_H
#define NACRE_SANDBOX_CHILD_PRIV_H

#include <signal.h>
#include <sys/types.h>

#include "base/str.h"
#include "cmdline_priv.h"
#include "sandbox/sandbox.h"
#include "sandbox/user.h"
#include "stubs_priv.h"

struct sock_fprog;

/* Everything a start needs, made before the first fork. */
struct launch {
	const struct sandbox_plan *plan; /* borrowed */
	const struct sock_fprog *filter; /* borrowed; NULL: no filter */
	struct str uid_map, gid_map;     /* of the inner user namespace. owned */
	struct cmdline cmdline;          /* of this program, to be hidden inside */
	int report_fd;                   /* write end: one struct err, or closed by the exec */
	int life_fd;                     /* read end: end-of-file when the caller is gone */
	int sync_fd;                     /* between guard and init, see sync_priv.h */
	int foreign_fd;                  /* keeps the handler of foreign programs; -1: there is none */
	bool own_terminal; /* stdin is not the terminal of the caller's session: the command gets it in a session of its
			      own */
};

/* A signal to the guard that means: end everything at once. All others go to the command. */
#define GUARD_KILL (SIGRTMAX)

_Noreturn void guard_main(struct launch *l);

/*
 * In a process that is root of the build's user namespace: clones process 1 of a step, which calls `inner` (that never
 * returns) and awaits SYNC_IDS_MAPPED first.
 */
typedef void inner_fn(struct launch *l);
int inner_start(struct launch *l, enum sandbox_net net, inner_fn *inner, pid_t *ret_pid, struct err *e);

_Noreturn void child_main(struct launch *l);
_Noreturn void init_main(struct launch *l, pid_t command, struct stubs *stubs);
_Noreturn void command_main(const struct launch *shared, const struct user_ids *ids);

/* The start has failed. */
_Noreturn void report_failure(const struct launch *l, const struct err *e);

/* Closes all descriptors but 0, 1, 2 and the n in `keep`, which is sorted in place. */
void close_all_but(int *keep, size_t n);

#endif
