/*
 * Every raw system call, with the kernel it came with. glibc 2.36 lacks some and hides others. Each returns -1 and
 * errno like the C library; ENOSYS on older kernels (or EPERM under an old seccomp filter) is for the caller to handle.
 */
#ifndef NACRE_BASE_SYSCALLS_H
#define NACRE_BASE_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SYS_RESOLVE_NO_MAGICLINKS 0x02u
#define SYS_RESOLVE_NO_SYMLINKS   0x04u
#define SYS_RESOLVE_BENEATH       0x08u
#define SYS_RESOLVE_IN_ROOT       0x10u

int sys_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve);     /* Linux 5.6 */
pid_t sys_clone3(uint64_t flags, int *pidfd); /* Linux 5.3; fork-like: no new stack; pidfd may be NULL */
int sys_close_range(unsigned first, unsigned last);                  /* Linux 5.9 */
int sys_pidfd_open(pid_t pid);                                       /* Linux 5.3 */
int sys_pidfd_send_signal(int pidfd, int sig);                       /* Linux 5.1 */
int sys_renameat2(int olddir, const char *old, int newdir, const char *new_, unsigned flags); /* Linux 3.15 */
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_fsopen(const char *fstype);                                  /* Linux 5.2, like the next three */
int sys_fsconfig(int fs, unsigned cmd, const char *key, const void *value, int aux);
int sys_fsmount(int fs, unsigned attr_flags);
int sys_move_mount(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, uint64_t set, uint64_t clear,
		      uint64_t propagation); /* Linux 5.12 */

#endif
