/*
 * Who a USER value is. The rules are those of BuildKit: "uid:gid" (or root for 0) is taken as it stands and needs no
 * files; anything else asks passwd, then group, where digits always mean an id and never a name.
 *
 * Numbers outside 0..2^31-1 and entries whose ids are not numbers are errors: elsewhere they became root (T-D3).
 */
#include "sandbox/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "passwd_priv.h"

struct spec {
	struct field user, group;
	bool user_is_number, group_is_number;
	uint32_t uid, gid;
};

/* Digits, perhaps behind a sign: what was meant as a number and must not be looked up as a name. */
static bool looks_numeric(struct field f)
{
	if (f.len && (f.p[0] == '+' || f.p[0] == '-')) {
		f.p++;
		f.len--;
	}
	if (!f.len)
		return false;
	for (size_t i = 0; i < f.len; i++)
		if (f.p[i] < '0' || f.p[i] > '9')
			return false;
	return true;
}

static int parse_number(struct field f, const char *what, bool *is_number, uint32_t *ret, struct err *e)
{
	*is_number = field_id(f, ret);
	if (!*is_number && looks_numeric(f))
		return err_set(e, ERR_BUILD, "%s %.*s: ids must be in the range 0 to 2147483647", what, (int)f.len,
			       f.p);
	return 0;
}

static int parse_spec(const char *text, struct spec *s, struct err *e)
{
	const char *colon = strchr(text, ':');
	s->user = (struct field){ text, colon ? (size_t)(colon - text) : strlen(text) };
	s->group = colon ? (struct field){ colon + 1, strlen(colon + 1) } : (struct field){ text, 0 };
	if (s->user.len > LIMIT_NAME || s->group.len > LIMIT_NAME)
		return err_set(e, ERR_BUILD, "user %.40s… is longer than %u bytes", text, LIMIT_NAME);
	if (parse_number(s->user, "user", &s->user_is_number, &s->uid, e) < 0)
		return -1;
	return parse_number(s->group, "group", &s->group_is_number, &s->gid, e);
}

/* "uid:gid", either of which may be the word root. */
static bool is_plain_pair(struct spec *s)
{
	if (!s->user.len || !s->group.len)
		return false;
	bool root = field_is(s->user, "root"), root_group = field_is(s->group, "root");
	if (!(root || s->user_is_number) || !(root_group || s->group_is_number))
		return false;
	s->uid = root ? 0 : s->uid;
	s->gid = root_group ? 0 : s->gid;
	return true;
}

static bool find_user(const char *passwd, const struct spec *s, struct passwd_entry *ret)
{
	if (!passwd)
		return false;
	if (!s->user.len || s->user_is_number)
		return passwd_find_uid(passwd, s->user.len ? s->uid : 0, ret);
	while (passwd_next(&passwd, ret))
		if (ret->name.len == s->user.len && memcmp(ret->name.p, s->user.p, s->user.len) == 0)
			return true;
	return false;
}

static int take_user(const char *passwd, const struct spec *s, struct user_ids *ids, struct field *name, struct err *e)
{
	struct passwd_entry found;
	if (find_user(passwd, s, &found)) {
		*name = found.name;
		if (field_id(found.uid, &ids->uid) && field_id(found.gid, &ids->gid))
			return 0;
		return err_set(e, ERR_BUILD, "user %.*s: its line in /etc/passwd has no valid ids", (int)found.name.len,
			       found.name.p);
	}
	if (s->user.len && !s->user_is_number)
		return err_set(e, ERR_BUILD, "unable to find user %.*s: %s", (int)s->user.len, s->user.p,
			       passwd ? "no matching entries in passwd file" : "the image has no /etc/passwd");
	ids->uid = s->user.len ? s->uid : 0;
	ids->gid = 0;
	return 0;
}

static int take_group(const char *group, const struct spec *s, struct user_ids *ids, struct err *e)
{
	if (s->group_is_number) {
		ids->gid = s->gid;
		return 0;
	}
	struct group_entry g;
	for (const char *p = group; p && group_next(&p, &g);) {
		if (g.name.len != s->group.len || memcmp(g.name.p, s->group.p, g.name.len) != 0)
			continue;
		if (field_id(g.gid, &ids->gid))
			return 0;
		return err_set(e, ERR_BUILD, "group %.*s: its line in /etc/group has no valid id", (int)g.name.len,
			       g.name.p);
	}
	return err_set(e, ERR_BUILD, "unable to find group %.*s: %s", (int)s->group.len, s->group.p,
		       group ? "no matching entries in group file" : "the image has no /etc/group");
}

static bool has_group(const struct user_ids *ids, uint32_t gid)
{
	if (gid == ids->gid)
		return true;
	for (size_t i = 0; i < ids->n_groups; i++)
		if (ids->groups[i] == gid)
			return true;
	return false;
}

static int take_supplementary(const char *group, struct field name, struct user_ids *ids, struct err *e)
{
	struct group_entry g;
	uint32_t gid;
	while (group && group_next(&group, &g)) {
		if (!group_has_member(&g, name))
			continue;
		if (!field_id(g.gid, &gid))
			return err_set(e, ERR_BUILD, "group %.*s: its line in /etc/group has no valid id",
				       (int)g.name.len, g.name.p);
		if (has_group(ids, gid))
			continue;
		if (ids->n_groups == ARRAY_LEN(ids->groups))
			return err_set(e, ERR_LIMIT, "user %.*s is in more than %zu groups", (int)name.len, name.p,
				       ARRAY_LEN(ids->groups));
		ids->groups[ids->n_groups++] = gid;
	}
	return 0;
}

/* The home of the first entry with the uid, whatever name was asked for, as runc does it. */
static void take_home(const char *passwd, struct user_ids *ids)
{
	struct passwd_entry found;
	ids->home[0] = '\0';
	if (!passwd || !passwd_find_uid(passwd, ids->uid, &found) || found.home.len >= sizeof ids->home)
		return;
	memcpy(ids->home, found.home.p, found.home.len);
	ids->home[found.home.len] = '\0';
}

int user_resolve_text(const char *passwd, const char *group, const char *spec, struct user_ids *ret, struct err *e)
{
	struct spec s = { 0 };
	struct field name = { 0 };
	struct user_ids *ids = ret;
	memset(ids, 0, sizeof *ids);
	if (parse_spec(spec, &s, e) < 0)
		return -1;
	if (is_plain_pair(&s)) {
		ids->uid = s.uid;
		ids->gid = s.gid;
	} else {
		if (take_user(passwd, &s, ids, &name, e) < 0)
			return -1;
		if (s.group.len ? take_group(group, &s, ids, e) < 0
				: name.p && take_supplementary(group, name, ids, e) < 0)
			return -1;
	}
	take_home(passwd, ids);
	return 0;
}

/* The text of a file of the image; *ret NULL when it is missing or (needed false) cannot be used. */
static int read_in_root(int root_fd, const char *path, bool needed, char **ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	*ret = NULL;
	AUTO(fd_drop) int fd = root_open(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	int r = 0;
	if (fd < 0)
		r = err_sys(e, "open %s of the image", path);
	else if (!fd_is_regular(fd))
		r = err_set(e, ERR_BUILD, "%s of the image is not a regular file", path);
	else
		r = fd_read_all(fd, LIMIT_PASSWD, path, &text, e);
	if (r < 0)
		return needed ? -1 : 0;
	*ret = str_take(&text);
	return 0;
}

int user_resolve(int root_fd, const char *spec, struct user_ids *ret, struct err *e)
{
	AUTO(free_drop) char *passwd = NULL;
	AUTO(free_drop) char *group = NULL;
	struct spec s = { 0 };
	if (parse_spec(spec, &s, e) < 0)
		return -1;
	/* The files do not decide about "uid:gid"; passwd is still looked at for the home. */
	bool needed = !is_plain_pair(&s);
	if (read_in_root(root_fd, "/etc/passwd", needed && spec[0], &passwd, e) < 0)
		return -1;
	if (needed && read_in_root(root_fd, "/etc/group", spec[0] != '\0', &group, e) < 0)
		return -1;
	return user_resolve_text(passwd, group, spec, ret, e);
}
