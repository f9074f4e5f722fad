/*
 * One command in namespaces: paths and descriptors in, exit status out. Rung 1: fresh user, mount, pid, ipc, uts and
 * cgroup namespaces (net too for NET_NONE) nested in the build's outer user namespace, kernel overlay with `userxattr`.
 *
 * All that is needed is in struct sandbox_plan before the clone. The child is pid 1 of its namespace: an init that
 * reaps, forwards signals, and reports the command's status; the kernel kills everything else with it. It dies with the
 * caller too (a pipe whose other end the caller holds).
 */
#ifndef NACRE_SANDBOX_SANDBOX_H
#define NACRE_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/vec.h"
#include "sandbox/foreign.h"
#include "sandbox/userns.h"

enum sandbox_net { SANDBOX_NET_HOST, SANDBOX_NET_NONE };

enum sandbox_mount_kind {
	SANDBOX_MOUNT_BIND, /* source_fd: O_PATH of a file or directory; mounted by descriptor, never by name. Given to
			       uid, gid when they are not 0 */
	SANDBOX_MOUNT_TREE, /* an overlay of lower_fds of its own, writes thrown away (RUN --mount=type=bind,from=…) */
	SANDBOX_MOUNT_TMPFS, /* size, mode */
	SANDBOX_MOUNT_FILE,  /* content in a tmpfs of its own, mode, uid, gid (secrets, /etc/hosts) */
};

struct sandbox_mount {
	enum sandbox_mount_kind kind;
	char *target; /* absolute inside the root; links resolved inside the root; owned */
	bool readonly;
	bool exec;            /* FILE: may be executed, as the script of a heredoc is */
	int source_fd;        /* BIND; borrowed */
	const int *lower_fds; /* TREE: topmost first; borrowed */
	size_t n_lower;
	char *subpath;       /* TREE: what of it, resolved inside it; NULL = all. owned */
	const void *content; /* FILE; borrowed */
	size_t content_len;
	uint32_t mode, uid, gid;
	uint64_t size; /* TMPFS; 0 = no limit of its own */
	bool optional; /* a target that cannot be made is skipped (resolv.conf in an image where /etc is a file) */
};

struct sandbox_limit {
	int what; /* RLIMIT_* */
	uint64_t soft, hard; /* UINT64_MAX: none */
};

struct sandbox_plan {
	const struct userns *userns; /* borrowed */
	const int *lower_fds;        /* O_PATH directories, topmost first; borrowed. n_lower may be 0 */
	size_t n_lower;
	int upper_fd, work_fd; /* empty directories on one file system; borrowed */

	const char *const *argv; /* NULL-terminated; argv[0] is looked up in the PATH of env inside the root */
	const struct strv *env;  /* NAME=VALUE; HOME comes from the user's passwd entry when missing ("/" without) */
	const char *cwd;         /* absolute; created 0755 owned by the user when missing (RUN-03) */
	const char *user;        /* "", "name", "uid", "name:group", "uid:gid" … (RUN-04), resolved inside the root */
	const char *hostname;
	enum sandbox_net net;
	const struct foreign *foreign; /* the image's architecture is another one; NULL: this machine runs it. Borrowed */
	bool insecure; /* all capabilities of the namespace for any user, no filter, nothing of /proc masked or read-only */
	uint64_t shm_size;                  /* of /dev/shm; 0 = 64 MiB */
	const struct sandbox_limit *limits; /* instead of the usual ones; borrowed */
	size_t n_limits;
	const struct sandbox_mount *mounts;
	size_t n_mounts;                    /* in the order they are made; besides /proc /dev /sys, which always are */
	int stdin_fd, stdout_fd, stderr_fd; /* borrowed; -1 = /dev/null */
	bool tty;                           /* stdin is a terminal the command shall have as its controlling one */
};

struct sandbox {
	pid_t pid;     /* our child to wait for */
	int pidfd;     /* readable when it has ended */
	int report_fd; /* one struct err when the start or the end failed */
	int life_fd;   /* closing it kills the sandbox */
};

int sandbox_start(const struct sandbox_plan *p, struct sandbox *ret, struct err *e);
/*
 * Once pidfd is readable: reaps. 0 and *ret_status, the wait(2) status of the command; -1 with the error of a start or
 * end that failed (ERR_SANDBOX, ERR_BUILD for an unknown user or a command that is not there …). Mount-point stubs made
 * only to mount on are gone from the upper directory then, and their parents have the times they had (RUN-09); /proc,
 * /dev and /sys stay, as with runc.
 */
int sandbox_finish(struct sandbox *s, int *ret_status, struct err *e);
void sandbox_signal(const struct sandbox *s, int sig); /* to the command, through init */
void sandbox_kill(struct sandbox *s);                  /* at once, and reaps */

/* Everything that is wrong or right for rung 1 here, by trying in a forked child; 0 or ERR_SANDBOX as userns_open. */
int sandbox_probe(struct err *e);

#endif
