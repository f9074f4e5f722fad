#include "layer_xattr_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/capability.h"

#define OVERLAY    "user.overlay."
#define ESCAPED    "user.overlay.overlay."
#define FUSE       "user.fuseoverlayfs." /* what fuse-overlayfs keeps for itself */

enum { LIST_MAX = 64 << 10 }; /* XATTR_LIST_MAX of linux/limits.h */

/* The name on disk of a layer's xattr; NULL for one that is not kept. */
static const char *name_in_tree(const char *name, struct str *buf)
{
	if (str_eq(name, XATTR_CAPABILITY))
		return name;
	if (!str_starts(name, "user.") || str_starts(name, FUSE))
		return NULL;
	if (!str_starts(name, OVERLAY))
		return name;
	str_clear(buf);
	str_add(buf, ESCAPED);
	str_add(buf, name + strlen(OVERLAY));
	return buf->buf;
}

bool layer_xattr_is_kept(const char *name)
{
	AUTO(str_fini) struct str buf = { 0 };
	return name_in_tree(name, &buf) != NULL;
}

/* The other way round. */
static const char *name_in_layer(const char *name, struct str *buf)
{
	if (!str_starts(name, OVERLAY))
		return str_eq(name, XATTR_CAPABILITY) || (str_starts(name, "user.") && !str_starts(name, FUSE)) ? name : NULL;
	if (!str_starts(name, ESCAPED))
		return NULL;
	str_clear(buf);
	str_add(buf, OVERLAY);
	str_add(buf, name + strlen(ESCAPED));
	return buf->buf;
}

static int set_one(int fd, const struct tar_xattr *x, const char *path, struct err *e)
{
	AUTO(str_fini) struct str buf = { 0 };
	const char *name = name_in_tree(x->name, &buf);
	if (!name) {
		log_debug("%s: xattr %s left out of the tree", path, x->name);
		return 0;
	}
	char cap[CAPABILITY_V3_SIZE];
	const char *value = x->value;
	size_t len = x->len;
	if (len == sizeof cap && str_eq(name, XATTR_CAPABILITY)) {
		memcpy(cap, value, sizeof cap);
		len = capability_to_v2(cap, sizeof cap);
		value = cap;
	}
	if (fsetxattr(fd, name, value, len, 0) == 0)
		return 0;
	/* EPERM: user.* on what is neither file nor directory (xattr(7)). ENOTSUP: tmpfs before Linux 6.6, some NFS. */
	if (errno != EPERM && errno != ENOTSUP)
		return err_sys(e, "set xattr %s of %s", x->name, path);
	log_debug("%s: xattr %s left out of the tree: %s", path, x->name, strerror(errno));
	return 0;
}

int layer_xattrs_set(int fd, const struct tar_xattrs *l, const char *path, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (set_one(fd, &l->v[i], path, e) < 0)
			return -1;
	return 0;
}

/* Names as listxattr gives them, each ended by a NUL; empty where the file system has none. */
static int list_names(int fd, struct str *names, const char *path, struct err *e)
{
	str_reserve(names, 512);
	for (;;) {
		ssize_t n = flistxattr(fd, names->buf, names->cap - 1);
		if (n >= 0) {
			names->len = (size_t)n;
			names->buf[n] = '\0';
			return 0;
		}
		if (errno == ENOTSUP)
			return 0;
		if (errno != ERANGE || names->cap > LIST_MAX)
			return err_sys(e, "list xattrs of %s", path);
		str_reserve(names, names->cap * 2);
	}
}

/* 0; 1 when the xattr has gone meanwhile; value has room for the largest the kernel knows. */
static int get_value(int fd, const char *name, struct str *value, const char *path, struct err *e)
{
	str_clear(value);
	str_reserve(value, LIMIT_XATTR_VALUE + 1);
	ssize_t n = fgetxattr(fd, name, value->buf, LIMIT_XATTR_VALUE);
	if (n < 0 && errno == ENODATA)
		return 1;
	if (n < 0)
		return err_sys(e, "read xattr %s of %s", name, path);
	value->len = (size_t)n;
	return 0;
}

int layer_xattrs_get(int fd, const char *path, struct tar_xattrs *ret, struct err *e)
{
	AUTO(str_fini) struct str names = { 0 }, value = { 0 }, buf = { 0 };
	tar_xattrs_fini(ret);
	if (list_names(fd, &names, path, e) < 0)
		return -1;
	for (size_t at = 0; at < names.len; at += strlen(names.buf + at) + 1) {
		const char *on_disk = names.buf + at;
		if (str_eq(on_disk, OVERLAY "redirect") || str_eq(on_disk, OVERLAY "metacopy"))
			return err_set(e, ERR_SPEC,
				       "%s has the xattr %s: written by an overlay mounted with redirect_dir or "
				       "metacopy, which a layer can not express",
				       path, on_disk);
		const char *name = name_in_layer(on_disk, &buf);
		if (!name)
			continue;
		int r = get_value(fd, on_disk, &value, path, e);
		if (r < 0)
			return -1;
		if (r > 0)
			continue;
		size_t len = str_eq(name, XATTR_CAPABILITY) ? capability_to_v2(value.buf, value.len) : value.len;
		tar_xattrs_add(ret, name, value.buf, len);
	}
	return 0;
}

int layer_xattrs_copy(int from_fd, int to_fd, const char *path, struct err *e)
{
	AUTO(str_fini) struct str names = { 0 }, value = { 0 }, buf = { 0 };
	if (list_names(from_fd, &names, path, e) < 0)
		return -1;
	for (size_t at = 0; at < names.len; at += strlen(names.buf + at) + 1) {
		const char *name = names.buf + at;
		if (!name_in_layer(name, &buf))
			continue;
		int r = get_value(from_fd, name, &value, path, e);
		if (r < 0 || (r == 0 && fsetxattr(to_fd, name, value.buf, value.len, 0) < 0))
			return r < 0 ? -1 : err_sys(e, "set xattr %s of %s", name, path);
	}
	return 0;
}
