#include "lookup_priv.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { STATUS_NOT_EXECUTABLE = 126 << 8, STATUS_NOT_FOUND = 127 << 8 };

int command_refused(struct err *e, const char *name, const char *call, int why)
{
	char text[128];
	snprintf(text, sizeof text, "%s", strerror(why));
	text[0] = (char)tolower((unsigned char)text[0]);
	err_set(e, ERR_BUILD, "exec: \"%s\": %s%s", name, call, text);
	e->sysno = why;
	e->status = why == ENOENT || why == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
	return -1;
}

/* 0 when `file` can be executed, else an errno. */
static int executable(const char *file)
{
	struct stat st;
	if (stat(file, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	/* By the effective ids: faccessat2, Linux 5.8. */
	return faccessat(AT_FDCWD, file, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

int command_lookup(const char *name, const char *path, char **ret, struct err *e)
{
	if (strchr(name, '/')) {
		int why = executable(name);
		if (why == 0) {
			*ret = x_strdup(name);
			return 0;
		}
		AUTO(free_drop) char *call = x_asprintf("stat %s: ", name);
		return command_refused(e, name, why == ENOENT || why == ENOTDIR ? call : "", why);
	}
	/* Relative directories in PATH are passed over: what a step runs must not depend on where it stands. */
	for (const char *p = *name && path ? path : ""; *p;) {
		size_t len = strcspn(p, ":");
		AUTO(free_drop) char *file = x_asprintf("%.*s/%s", (int)len, p, name);
		if (*p == '/' && executable(file) == 0) {
			*ret = ptr_take(&file);
			return 0;
		}
		p += len + (p[len] == ':');
	}
	err_set(e, ERR_BUILD, "exec: \"%s\": executable file not found in $PATH", name);
	e->status = STATUS_NOT_FOUND;
	return -1;
}
