#include "idmap_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/vec.h"
#include "passwd_priv.h"
#include "refuse_priv.h"
#include "subid_priv.h"

enum { SUBID_FILE_MAX = 1 << 20, HELPER_TIMEOUT_MS = 20000 };

/*
 * Our name, for /etc/subuid. Not through getpwuid: a static program must not load the host's NSS modules. A user who is
 * only in a directory service is believed by $USER; newuidmap asks the service itself and refuses the ranges of
 * somebody else.
 */
static int own_name(char **ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	struct err why;
	struct passwd_entry entry;
	if (file_read(AT_FDCWD, "/etc/passwd", LIMIT_PASSWD, &text, &why) < 0 && why.sysno && why.sysno != ENOENT &&
	    why.sysno != EACCES) {
		*e = why;
		return -1;
	}
	const char *name = getenv("USER");
	if (passwd_find_uid(str_text(&text), geteuid(), &entry))
		*ret = x_strndup(entry.name.p, entry.name.len);
	else
		*ret = name ? x_strdup(name) : NULL;
	return 0;
}

/* The ids that exist in our own namespace: what root in it may hand on. */
static int own_extents(const char *file, struct id_extent *map, size_t *n, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	if (file_read(AT_FDCWD, file, 4096, &text, e) < 0)
		return -1;
	*n = 0;
	for (const char *p = str_text(&text); *p && *n < ID_EXTENTS_MAX;) {
		unsigned inside, outside, count;
		if (sscanf(p, "%u %u %u", &inside, &outside, &count) != 3)
			break;
		map[(*n)++] = (struct id_extent){ inside, inside, count };
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return *n ? 0 : err_set(e, ERR_SANDBOX, "%s is empty", file);
}

static bool is_whole_range(const struct id_extent *map, size_t n)
{
	return n == 1 && map[0].inside == 0 && map[0].count == UINT32_MAX;
}

static int add_subids(const char *file, const char *name, uint32_t own, struct id_extent *map, size_t *n, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	struct err why;
	map[0] = (struct id_extent){ 0, own, 1 };
	*n = 1;
	if (file_read(AT_FDCWD, file, SUBID_FILE_MAX, &text, &why) < 0 && why.sysno != ENOENT) {
		*e = why;
		return why.sysno == EACCES || !why.sysno ? refuse_as(e, "E-SUBUID-NONE") : -1;
	}
	subid_add(str_text(&text), name, geteuid(), 1, map, n);
	return 0;
}

int idmap_find(struct id_map *ret, struct err *e)
{
	AUTO(free_drop) char *name = NULL;
	struct id_map m = { 0 }, own = { 0 };
	bool root = geteuid() == 0;
	if (own_name(&name, e) < 0)
		return -1;
	if (root && (own_extents("/proc/self/uid_map", own.uid, &own.n_uid, e) < 0 ||
		     own_extents("/proc/self/gid_map", own.gid, &own.n_gid, e) < 0))
		return refuse_as(e, "E-PROC-MASKED");
	if (add_subids("/etc/subuid", name, geteuid(), m.uid, &m.n_uid, e) < 0 ||
	    add_subids("/etc/subgid", name, getegid(), m.gid, &m.n_gid, e) < 0)
		return -1;
	bool have_subids = m.n_uid > 1 && m.n_gid > 1;
	/* Root inside a container sees an /etc/subuid that speaks of ids it may not have; what it has is in its own
	 * map. */
	if (root && own.n_uid == 1 && own.uid[0].count == 1) {
		err_set(e, ERR_SANDBOX, "the user namespace around nacre has a single id");
		err_hint(e, "start it with subordinate ids, as with unshare --map-auto");
		return refuse_as(e, "E-SUBUID-NONE");
	}
	if (root && !(have_subids && is_whole_range(own.uid, own.n_uid)))
		m = own;
	else if (!have_subids) {
		err_set(e, ERR_SANDBOX, "user %s (%u) has no subordinate ids in %s", name ? name : "?", geteuid(),
			m.n_uid > 1 ? "/etc/subgid" : "/etc/subuid");
		err_hint(e, "add some as root with: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s",
			 name ? name : "USER");
		return refuse_as(e, "E-SUBUID-NONE");
	}
	*ret = m;
	return 0;
}

int idmap_write_file(pid_t pid, const char *file, const struct str *lines, struct err *e)
{
	char path[64], what[96];
	ssize_t put = -1;
	snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	snprintf(what, sizeof what, "write the id map %s", path);
	AUTO(fd_drop) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		do
			put = write(fd, lines->buf, lines->len);
		while (put < 0 && errno == EINTR);
	if (put < 0)
		return refuse_namespace(e, what);
	return put == (ssize_t)lines->len ? 0 : err_set(e, ERR_SYS, "%s: only a part was taken", what);
}

static void add_lines(const struct id_extent *map, size_t n, struct str *out)
{
	for (size_t i = 0; i < n; i++)
		str_addf(out, "%u %u %u\n", map[i].inside, map[i].outside, map[i].count);
}

void idmap_nested(const struct id_extent *extents, size_t n, struct str *out)
{
	for (size_t i = 0; i < n; i++)
		str_addf(out, "%u %u %u\n", extents[i].inside, extents[i].inside, extents[i].count);
}

static int run_helper(const char *helper, pid_t pid, const struct id_extent *map, size_t n, struct err *e)
{
	AUTO(strv_fini) struct strv argv = { 0 };
	strv_push(&argv, helper);
	strv_pushf(&argv, "%d", pid);
	for (size_t i = 0; i < n; i++) {
		strv_pushf(&argv, "%u", map[i].inside);
		strv_pushf(&argv, "%u", map[i].outside);
		strv_pushf(&argv, "%u", map[i].count);
	}
	if (proc_run((const char *const *)strv_argv(&argv), NULL, NULL, 0, HELPER_TIMEOUT_MS, e) == 0)
		return 0;
	if (e->kind == ERR_NOTFOUND) {
		err_hint(e, "install the package uidmap or shadow-utils");
		return refuse_as(e, "E-NEWUIDMAP-MISSING");
	}
	if (is_fault(e))
		return -1;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		err_hint(e, "no_new_privs is set, so it cannot be setuid: allow privilege escalation for this service "
			    "or pod");
	else
		err_hint(e, "it must be setuid root or have the file capability cap_setuid");
	return refuse_as(e, "E-NEWUIDMAP-FAILED");
}

int idmap_write(pid_t pid, const struct id_map *m, struct err *e)
{
	if (geteuid() == 0) {
		AUTO(str_fini) struct str uid = { 0 };
		AUTO(str_fini) struct str gid = { 0 };
		add_lines(m->uid, m->n_uid, &uid);
		add_lines(m->gid, m->n_gid, &gid);
		if (idmap_write_file(pid, "gid_map", &gid, e) == 0 && idmap_write_file(pid, "uid_map", &uid, e) == 0)
			return 0;
		/* newuidmap may have more power than this root; against an error of another kind it helps nothing. */
		if (m->n_uid < 2 || e->kind != ERR_SANDBOX)
			return -1;
	}
	if (run_helper("newuidmap", pid, m->uid, m->n_uid, e) < 0)
		return -1;
	return run_helper("newgidmap", pid, m->gid, m->n_gid, e);
}
