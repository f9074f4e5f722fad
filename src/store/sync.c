#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/record.h"
#include "store/store.h"
#include "store_priv.h"

/*
 * sync/BOOTID  {"at":N}    everything written before N (nanoseconds of CLOCK_BOOTTIME) of that boot is on disk
 *
 * A snapshot is thousands of files, too many to sync when it is published. Its record carries the boot and the time
 * instead: the page cache survives the death of any process, so within one boot there is nothing to lose.
 */
void boot_time_now(struct boot_time *ret)
{
	struct timespec now;
	AUTO(str_fini) struct str text = { 0 };
	struct err e;
	clock_gettime(CLOCK_BOOTTIME, &now);
	*ret = (struct boot_time){ .at = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec };
	if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", sizeof ret->boot - 1, &text, &e) < 0)
		return;
	size_t n = strspn(str_text(&text), "0123456789abcdef-");
	memcpy(ret->boot, str_text(&text), n);
}

static int64_t synced_until(struct store *s, const char *boot)
{
	AUTO(json_fini) struct json j = { 0 };
	struct err e;
	char name[64];
	snprintf(name, sizeof name, "sync/%s", boot);
	return store_json_get(s, name, &j, &e) == 0 ? json_int(&j, "at", -1) : -1;
}

bool boot_time_is_safe(struct store *s, const struct boot_time *t)
{
	struct boot_time now;
	boot_time_now(&now);
	return str_eq(now.boot, t->boot) || synced_until(s, t->boot) >= t->at;
}

int store_sync(struct store *s, struct err *e)
{
	struct boot_time start;
	boot_time_now(&start);
	if (fd_sync_fs(s->fd) < 0)
		return err_sys(e, "sync the file system of %s", s->path);
	if (!start.boot[0])
		return 0;
	AUTO(fd_drop) int lock = -1;
	if (lock_file(s->fd, "lock/sync", true, true, &lock, e) < 0)
		return -1;
	if (synced_until(s, start.boot) >= start.at)
		return 0;
	char name[64], text[64];
	snprintf(name, sizeof name, "sync/%s", start.boot);
	AUTO(str_fini) struct str whole = { 0 };
	snprintf(text, sizeof text, "{\"at\":%lld}", (long long)start.at);
	record_text(text, &whole);
	return aside_put(s, name, whole.buf, whole.len, true, e);
}
