#include "refuse_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "base/mem.h"

bool is_fault(const struct err *e)
{
	switch (e->sysno) {
	case EIO:
	case ENOSPC:
	case EDQUOT:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return true;
	}
	return false;
}

int refuse_as(struct err *e, const char *id)
{
	e->kind = ERR_SANDBOX;
	e->status = 0;
	snprintf(e->id, sizeof e->id, "%s", id);
	return -1;
}

int refuse_sys(struct err *e, const char *id, const char *fmt, ...)
{
	int why = errno;
	char text[300];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	errno = why;
	err_sys(e, "%s", text);
	return refuse_as(e, id);
}

/* The number in a sysctl file, or -1 when this kernel has no such file. */
static int sysctl_number(const char *path)
{
	AUTO(str_fini) struct str text = { 0 };
	struct err ignored;
	if (file_read(AT_FDCWD, path, 64, &text, &ignored) < 0 || !text.len)
		return -1;
	text.buf[strcspn(text.buf, "\n")] = '\0';
	uint64_t n;
	return str_to_u64(text.buf, 1u << 30, &n) ? (int)n : -1;
}

/*
 * What a kernel without the feature, a policy or a filter answers. Anything else (memory or descriptors used up, a disk
 * error) says nothing about the machine.
 */
static bool is_denial(int why)
{
	switch (why) {
	case EPERM:
	case EACCES:
	case ENOSYS:
	case EINVAL:
	case ENODEV:
	case EOPNOTSUPP:
		return true;
	}
	return false;
}

int refuse_namespace(struct err *e, const char *what)
{
	int why = errno;
	err_sys(e, "%s", what);
	if (!is_denial(why))
		return -1;
	/* Debian's patch, in its kernels before 6.x and in some derived distributions. */
	if (sysctl_number("/proc/sys/kernel/unprivileged_userns_clone") == 0) {
		err_hint(e, "allow user namespaces with: sysctl -w kernel.unprivileged_userns_clone=1");
		return refuse_as(e, "E-USERNS-SYSCTL");
	}
	/* Ubuntu 23.10: the namespace is made, but without capabilities in it, so what fails is the first mount. */
	if (sysctl_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1) {
		err_hint(e, "AppArmor restricts user namespaces; install a profile for nacre with the rule userns, or: "
			    "sysctl -w "
			    "kernel.apparmor_restrict_unprivileged_userns=0");
		return refuse_as(e, "E-USERNS-APPARMOR");
	}
	err_hint(e, "a seccomp filter, a chroot or a container around nacre denies user namespaces");
	return refuse_as(e, "E-USERNS-DENIED");
}

int refuse_new_namespace(struct err *e, const char *what)
{
	int why = errno;
	/* user_namespaces(7): a limit of 0 (or one that is used up) is reported as "No space left on device". */
	if (why != ENOSPC && why != EUSERS)
		return refuse_namespace(e, what);
	err_set(e, ERR_SANDBOX, "%s: the kernel's limit on user namespaces is reached (user.max_user_namespaces is %d)", what,
		sysctl_number("/proc/sys/user/max_user_namespaces"));
	e->sysno = why;
	err_hint(e, "allow them with: sysctl -w user.max_user_namespaces=15000");
	return refuse_as(e, "E-USERNS-SYSCTL");
}
