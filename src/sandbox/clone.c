#include "clone_priv.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/syscalls.h"

pid_t clone_into(unsigned flags)
{
	pid_t pid = sys_clone3(flags, NULL);
	/*
	 * A container's seccomp filter cannot look into the argument of clone3 (Linux 5.3) and answers ENOSYS, so that
	 * programs use clone, whose flags it can see and may allow. On s390 the first two arguments change places.
	 */
	if (pid < 0 && errno == ENOSYS)
#ifdef __s390__
		pid = (pid_t)syscall(SYS_clone, NULL, (unsigned long)flags | SIGCHLD, NULL, NULL, 0ul);
#else
		pid = (pid_t)syscall(SYS_clone, (unsigned long)flags | SIGCHLD, NULL, NULL, NULL, 0ul);
#endif
	return pid;
}
