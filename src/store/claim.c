#include "store/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tree.h"
#include "base/vec.h"
#include "store/store.h"

struct claim_path {
	char s[sizeof "lock/" + sizeof((struct claim *)0)->name];
};

static struct claim_path path_of(const char *name)
{
	struct claim_path p;
	snprintf(p.s, sizeof p.s, "lock/%s", name);
	return p;
}

/* The file is removed by its holder, so a lock on a file that has lost its name is none. */
static bool is_removed(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

static bool take(struct store *s, const char *name, bool wait, struct claim *ret)
{
	for (;;) {
		AUTO(fd_drop) int fd = -1;
		struct err e;
		int r = lock_file(s->fd, path_of(name).s, true, wait, &fd, &e);
		if (r == 1)
			return false;
		if (r < 0)
			log_debug("%s; going on without", e.msg);
		if (r == 0 && is_removed(fd))
			continue;
		*ret = (struct claim){ .store = s, .fd = fd_take(&fd) };
		snprintf(ret->name, sizeof ret->name, "%s", name);
		return true;
	}
}

bool claim_try(struct store *s, const char *name, struct claim *ret)
{
	return take(s, name, false, ret);
}

void claim_take(struct store *s, const char *name, struct claim *ret)
{
	take(s, name, true, ret);
}

void claim_wait(struct store *s, const char *name)
{
	struct err e;
	AUTO(lock_drop) int fd = openat(s->fd, path_of(name).s, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	/* Shared: all who wait go on at once. */
	if (fd >= 0 && lock_fd(fd, false, true, name, &e) < 0)
		log_debug("%s", e.msg);
}

void claim_drop(struct claim *c)
{
	if (!c->store)
		return;
	int saved = errno;
	if (c->fd >= 0)
		unlinkat(c->store->fd, path_of(c->name).s, 0);
	lock_drop(&c->fd);
	*c = (struct claim){ 0 };
	errno = saved;
}

void claim_tell(const struct claim *c, const char *text)
{
	const ssize_t len = (ssize_t)strlen(text);
	if (c->store && c->fd >= 0 && (ftruncate(c->fd, len) < 0 || pwrite(c->fd, text, (size_t)len, 0) != len))
		log_debug("%s: %s", c->name, strerror(errno));
}

bool claim_told(struct store *s, const char *name, struct str *ret)
{
	enum { MOST = 80 };
	struct err absent;
	return file_read(s->fd, path_of(name).s, MOST, ret, &absent) == 0 && ret->len;
}

void claims_sweep(struct store *s)
{
	AUTO(strv_fini) struct strv names = { 0 };
	struct err e;
	AUTO(fd_drop) int dir = openat(s->fd, "lock", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || dir_names(dir, &names, &e) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		struct claim c = { 0 };
		/* The other files of lock/ have no "-" and stay. */
		if (strchr(names.v[i], '-') && strlen(names.v[i]) < sizeof c.name && claim_try(s, names.v[i], &c))
			claim_drop(&c);
	}
}
