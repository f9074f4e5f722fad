/*
 * What a step's command may call, by topic. Everything that is in none of the lists answers ENOSYS, so that programs
 * that probe for something newer than these lists fall back: clone3 too, whose flags a filter cannot see.
 */
#ifndef NACRE_SANDBOX_SECCOMP_CALLS_H
#define NACRE_SANDBOX_SECCOMP_CALLS_H

#define CALLS_FILES \
	"access", "chdir", "chmod", "chown", "chown32", "close", "close_range", "creat", "dup", "dup2", "dup3", \
		"faccessat", "faccessat2", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32", \
		"fchownat", "fcntl", "fcntl64", "flock", "fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64", \
		"ftruncate", "ftruncate64", "futimesat", "getcwd", "getdents", "getdents64", "lchown", "lchown32", \
		"link", "linkat", "lstat", "lstat64", "mkdir", "mkdirat", "mknod", "mknodat", "name_to_handle_at", \
		"newfstatat", "open", "openat", "openat2", "oldfstat", "oldlstat", "oldstat", "readlink", \
		"readlinkat", "rename", "renameat", "renameat2", "rmdir", "stat", "stat64", "statfs", "statfs64", \
		"statx", "symlink", "symlinkat", "truncate", "truncate64", "umask", "unlink", "unlinkat", "utime", \
		"utimensat", "utimensat_time64", "utimes"

#define CALLS_XATTR \
	"fgetxattr", "flistxattr", "fremovexattr", "fsetxattr", "getxattr", "getxattrat", "lgetxattr", "listxattr", \
		"listxattrat", "llistxattr", "lremovexattr", "lsetxattr", "removexattr", "removexattrat", "setxattr", \
		"setxattrat", "file_getattr", "file_setattr"

#define CALLS_BYTES \
	"_llseek", "copy_file_range", "fadvise64", "fadvise64_64", "arm_fadvise64_64", "fallocate", "fdatasync", \
		"fsync", "lseek", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read", \
		"readahead", "readv", "sendfile", "sendfile64", "splice", "sync", "sync_file_range", \
		"sync_file_range2", "arm_sync_file_range", "syncfs", "tee", "vmsplice", "write", "writev", "cachestat"

#define CALLS_AIO \
	"io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64", "io_setup", "io_submit"

#define CALLS_WAITING \
	"_newselect", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2", \
		"epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "fanotify_mark", "inotify_add_watch", \
		"inotify_init", "inotify_init1", "inotify_rm_watch", "pipe", "pipe2", "poll", "ppoll", "ppoll_time64", \
		"pselect6", "pselect6_time64", "select", "signalfd", "signalfd4"

#define CALLS_SOCKETS \
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recv", \
		"recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto", \
		"setsockopt", "shutdown", "socketpair"

/* 32-bit x86 multiplexes sockets, with arguments in memory, where no filter looks. Refusing it breaks such images. */
#define CALLS_MULTIPLEXED "ipc", "socketcall"

#define CALLS_MEMORY \
	"brk", "fork", "get_robust_list", "madvise", "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret", \
		"mincore", "mlock", "mlock2", "mlockall", "mmap", "mmap2", "modify_ldt", "mprotect", "mremap", \
		"mseal", "msync", "munlock", "munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect", \
		"process_mrelease", "remap_file_pages"

#define CALLS_PROCESSES \
	"arch_prctl", "capget", "capset", "chroot", "execve", "execveat", "exit", "exit_group", "get_thread_area", \
		"getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32", \
		"getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getresgid", "getresgid32", "getresuid", \
		"getresuid32", "getrlimit", "getrusage", "getsid", "gettid", "getuid", "getuid32", "ioprio_get", \
		"ioprio_set", "kill", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", \
		"nice", "pidfd_open", "pidfd_send_signal", "prctl", "prlimit64", "process_vm_readv", \
		"process_vm_writev", "ptrace", "restart_syscall", "rseq", "seccomp", "set_robust_list", \
		"set_thread_area", "set_tid_address", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", \
		"setgid32", "setgroups", "setgroups32", "setpgid", "setpriority", "setregid", "setregid32", \
		"setresgid", "setresgid32", "setresuid", "setresuid32", "setreuid", "setreuid32", "setrlimit", \
		"setsid", "setuid", "setuid32", "tgkill", "times", "tkill", "ugetrlimit", "vfork", "wait4", "waitid", \
		"waitpid"

#define CALLS_SIGNALS \
	"alarm", "pause", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", \
		"rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sigaction", \
		"sigaltstack", "signal", "sigpending", "sigprocmask", "sigreturn", "sigsuspend"

#define CALLS_SCHEDULING \
	"getcpu", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr", \
		"sched_getparam", "sched_getscheduler", "sched_rr_get_interval", "sched_rr_get_interval_time64", \
		"sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield", "futex", \
		"futex_requeue", "futex_time64", "futex_wait", "futex_waitv", "futex_wake"

#define CALLS_TIME \
	"adjtimex", "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64", "clock_gettime", \
		"clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "getitimer", "gettimeofday", \
		"nanosleep", "setitimer", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", \
		"timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime", \
		"timerfd_gettime64", "timerfd_settime", "timerfd_settime64"

#define CALLS_IPC \
	"mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend", \
		"mq_timedsend_time64", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", \
		"semop", "semtimedop", "semtimedop_time64", "shmat", "shmctl", "shmdt", "shmget"

#define CALLS_SYSTEM \
	"getrandom", "lsm_get_self_attr", "lsm_list_modules", "lsm_set_self_attr", "olduname", "oldolduname", \
		"riscv_flush_icache", "riscv_hwprobe", "s390_pci_mmio_read", "s390_pci_mmio_write", \
		"s390_runtime_instr", "swapcontext", "switch_endian", "sysinfo", "uname", "uretprobe"

/*
 * Known, and refused with EPERM: mounts and namespaces, kernel modules and reboot, the clock, keyrings, raw devices,
 * tracing of the system, io_uring (its calls pass by every filter), and handles that open files behind a root's back.
 */
#define CALLS_REFUSED \
	"_sysctl", "acct", "add_key", "bpf", "clock_settime", "clock_settime64", "create_module", "delete_module", \
		"fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "get_kernel_syms", \
		"get_mempolicy", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", \
		"iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "listmount", "lookup_dcookie", "mbind", \
		"migrate_pages", "mount", "mount_setattr", "move_mount", "move_pages", "nfsservctl", \
		"open_by_handle_at", "open_tree", "open_tree_attr", "perf_event_open", "pidfd_getfd", "pivot_root", \
		"process_madvise", "query_module", "quotactl", "quotactl_fd", "reboot", "request_key", \
		"set_mempolicy", "set_mempolicy_home_node", "setdomainname", "sethostname", "setns", "settimeofday", \
		"statmount", "stime", "swapoff", "swapon", "sysfs", "syslog", "umount", "umount2", "unshare", \
		"uselib", "userfaultfd", "ustat", "vhangup", "vm86", "vm86old"

/* Calls younger than the libseccomp we may run with. Since 424 a call has the same number on every architecture. */
#define CALLS_YOUNG(X) \
	X("process_mrelease", 448) \
	X("futex_waitv", 449) X("set_mempolicy_home_node", 450) X("cachestat", 451) X("fchmodat2", 452) \
		X("map_shadow_stack", 453) X("futex_wake", 454) X("futex_wait", 455) X("futex_requeue", 456) \
			X("statmount", 457) X("listmount", 458) X("lsm_get_self_attr", 459) \
				X("lsm_set_self_attr", 460) X("lsm_list_modules", 461) X("mseal", 462) \
					X("setxattrat", 463) X("getxattrat", 464) X("listxattrat", 465) \
						X("removexattrat", 466) X("open_tree_attr", 467) \
							X("file_getattr", 468) X("file_setattr", 469)

#endif
