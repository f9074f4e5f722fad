#include "store/snap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/mem.h"
#include "store/record.h"
#include "store/store.h"
#include "store/use.h"
#include "store_priv.h"

/*
 * snap/CHAINHEX.json  {"boot":"ID","at":N,"tree":"INODE-BIRTH"}
 *
 * When its tree was complete, without which that was already on disk; and which directory that was. In a copy of the
 * store it is another one, and may be without the files and owners that the one who copied had no right to.
 */
struct snap_names {
	char dir[sizeof "snap/" + DIGEST_TEXT];
	char tree[sizeof "snap//tree" + DIGEST_TEXT];
	char record[sizeof "snap/.json" + DIGEST_TEXT];
};

static struct snap_names names_of(const struct chainid *c)
{
	struct snap_names n;
	struct digest_text hex = digest_hex(&c->d);
	snprintf(n.dir, sizeof n.dir, "snap/%s", hex.s);
	snprintf(n.tree, sizeof n.tree, "snap/%s/tree", hex.s);
	snprintf(n.record, sizeof n.record, "snap/%s.json", hex.s);
	return n;
}

/* An inode number alone may come up again in a copy; some file systems have no more. */
static bool identify(struct store *s, const char *tree, char *buf, size_t size)
{
	struct statx st;
	if (statx(s->fd, tree, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &st) < 0)
		return false;
	long long born = st.stx_mask & STATX_BTIME ? st.stx_btime.tv_sec * 1000000000 + st.stx_btime.tv_nsec : 0;
	snprintf(buf, size, "%llu-%lld", (unsigned long long)st.stx_ino, born);
	return true;
}

/* Whether a record is of another tree than the one that is there. */
static bool is_of_another(struct store *s, const struct snap_names *n, const struct json *record)
{
	char tree[64];
	const char *made = json_str(record, "tree");
	return made && (!identify(s, n->tree, tree, sizeof tree) || !str_eq(made, tree));
}

/* Whether the record says that this tree is complete and can not have lost anything since. */
static bool record_is_good(struct store *s, const struct snap_names *n)
{
	AUTO(json_fini) struct json j = { 0 };
	struct err e;
	struct boot_time t = { 0 };
	if (store_json_get(s, n->record, &j, &e) != 0 || j.type != JSON_OBJECT)
		return false;
	if (is_of_another(s, n, &j))
		return false;
	const char *boot = json_str(&j, "boot");
	if (!boot)
		return true;
	if (strlen(boot) >= sizeof t.boot || strspn(boot, "0123456789abcdef-") != strlen(boot))
		return false;
	strcpy(t.boot, boot);
	t.at = json_int(&j, "at", INT64_MAX);
	return boot_time_is_safe(s, &t);
}

bool snap_exists(struct store *s, const struct chainid *c)
{
	struct snap_names n = names_of(c);
	struct stat st;
	return store_use(s, n.dir, NULL) && fstatat(s->fd, n.tree, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode) && record_is_good(s, &n);
}

bool snap_is_copy(struct store *s, const struct chainid *c)
{
	struct snap_names n = names_of(c);
	AUTO(json_fini) struct json j = { 0 };
	struct err e;
	return store_json_get(s, n.record, &j, &e) == 0 && is_of_another(s, &n, &j);
}

int snap_open(struct store *s, const struct chainid *c, int *ret_fd, struct err *e)
{
	struct snap_names n = names_of(c);
	store_use(s, n.dir, NULL);
	AUTO(fd_drop) int fd = openat(s->fd, n.tree, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return err_sys(e, "open %s/%s", s->path, n.tree);
	if (fd < 0 || !record_is_good(s, &n))
		return err_set(e, ERR_NOTFOUND, "snapshot %s is not in store %s", digest_text(&c->d).s, s->path);
	*ret_fd = fd_take(&fd);
	return 0;
}

static int write_record(struct store *s, const struct snap_names *n, struct err *e)
{
	struct boot_time now;
	char text[192], tree[64];
	boot_time_now(&now);
	if (!identify(s, n->tree, tree, sizeof tree))
		return err_sys(e, "stat %s/%s", s->path, n->tree);
	if (now.boot[0]) {
		snprintf(text, sizeof text, "{\"boot\":\"%s\",\"at\":%lld,\"tree\":\"%s\"}\n", now.boot,
			 (long long)now.at, tree);
	} else {
		/* Without a boot_id nobody could tell later whether the tree was lost in a power cut. */
		if (fd_sync_fs(s->fd) < 0)
			return err_sys(e, "sync the file system of %s", s->path);
		snprintf(text, sizeof text, "{\"tree\":\"%s\"}\n", tree);
	}
	return store_json_put(s, n->record, text, e);
}

int snap_publish(struct store *s, const struct chainid *c, int dir_fd, const char *name, struct err *e)
{
	struct snap_names n = names_of(c);
	AUTO(fd_drop) int lock = -1;
	if (lock_file(s->fd, "lock/snap", true, true, &lock, e) < 0)
		return -1;
	if (snap_exists(s, c))
		return 0;
	/* What stands here without a good record was left by a crash: under the lock nobody else is half way. */
	unlinkat(s->fd, n.record, 0);
	if (faccessat(s->fd, n.dir, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		trash_move(s, s->fd, n.dir);
	if (renameat(dir_fd, name, s->fd, n.dir) < 0)
		return err_sys(e, "publish %s/%s", s->path, n.dir);
	return write_record(s, &n, e);
}
