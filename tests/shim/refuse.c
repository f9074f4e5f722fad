/*
 * refuse CALL=ERRNO... -- PROGRAM ARGUMENTS...
 *
 * Runs a program for which the named system calls fail, as on an older kernel (ENOSYS) or under an older seccomp
 * profile (EPERM), so that each fallback runs on a new one.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	long number;
} calls[] = {
	{ "clone3", SYS_clone3 },
	{ "close_range", SYS_close_range },
	{ "copy_file_range", SYS_copy_file_range },
	{ "fsopen", SYS_fsopen },
	{ "linkat", SYS_linkat },
	{ "mount", SYS_mount },
	{ "mount_setattr", SYS_mount_setattr },
	{ "move_mount", SYS_move_mount },
	{ "open_tree", SYS_open_tree },
	{ "openat2", SYS_openat2 },
	{ "pidfd_open", SYS_pidfd_open },
	{ "pidfd_send_signal", SYS_pidfd_send_signal },
	{ "renameat2", SYS_renameat2 },
	{ "setns", SYS_setns },
	{ "statx", SYS_statx },
	{ "unshare", SYS_unshare },
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "ENOSYS", ENOSYS }, { "EPERM", EPERM }, { "EINVAL", EINVAL }, { "ENOSPC", ENOSPC }, { "EACCES", EACCES },
};

static long call_number(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (strlen(calls[i].name) == n && strncmp(calls[i].name, name, n) == 0)
			return calls[i].number;
	fprintf(stderr, "refuse: unknown call %s\n", name);
	exit(2);
}

static int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].number;
	fprintf(stderr, "refuse: unknown error %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	struct sock_filter filter[2 * 32 + 2];
	unsigned short n = 0;
	int i = 1;
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (; i < argc && strcmp(argv[i], "--") != 0 && n < 2 * 32; i++) {
		const char *equals = strchr(argv[i], '=');
		if (!equals)
			return 2;
		unsigned call = (unsigned)call_number(argv[i], (size_t)(equals - argv[i]));
		unsigned answer = SECCOMP_RET_ERRNO | (unsigned)error_number(equals + 1);
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (i + 1 >= argc)
		return 2;
	struct sock_fprog program = { .len = n, .filter = filter };
	/* Without privilege a filter needs no_new_privs; with it set-user-id programs below would stop working. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)) {
		perror("refuse: seccomp");
		return 77;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
