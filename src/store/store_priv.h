/* What the files of the store share among themselves. */
#ifndef NACRE_STORE_PRIV_H
#define NACRE_STORE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

struct store;

enum { TMP_NAME = 40 }; /* "tmp/" or "trash/", 32 hex digits, NUL */

/* A new file tmp/ID, mode 0644, locked by *ret_fd so that no recovery takes it for a dead one. */
int aside_open(struct store *s, char name[TMP_NAME], int *ret_fd, struct err *e);
/* Renames to `final` unless that exists: 0, 1 when it does, -1 and errno. */
int aside_publish(struct store *s, const char *aside, const char *final);
/* Writes a whole file, aside and renamed over what is there; `sync`: file and directory are on disk when it returns. */
int aside_put(struct store *s, const char *name, const void *bytes, size_t n, bool sync, struct err *e);

/* `text` as store_json_put writes it. */
void record_text(const char *text, struct str *ret);

/* Says that this process has the store open from now on (store/use.h). */
int live_begin(struct store *s, struct err *e);

/* Ends the name of a file that stands beside an object of another id and says when that was used. */
#define STORE_MARK ".used"
struct mark_name {
	char s[128];
};
void mark_remove(struct store *s, const char *name);

/* Moves it to trash/, where store_recover removes it. -1 and errno. */
int trash_put(struct store *s, int dir_fd, const char *name);
/* Moves the directory or file `name` of dir_fd to trash/ and removes what may be removed. */
void trash_move(struct store *s, int dir_fd, const char *name);

/* mkdirat with mode 0700 whatever the umask; one that is there is fine. -1 and errno. */
int dir_make(int dir_fd, const char *name);

struct boot_time {
	char boot[40]; /* the kernel's boot_id; "" where /proc does not tell */
	int64_t at;    /* nanoseconds of CLOCK_BOOTTIME */
};
void boot_time_now(struct boot_time *ret);
/* Whether what was written at `t` can not have been lost in a power cut since. */
bool boot_time_is_safe(struct store *s, const struct boot_time *t);

struct blob_name {
	char s[sizeof "blobs/sha256/" + DIGEST_TEXT];
};
struct blob_name blob_name(const struct digest *d); /* "blobs/sha256/HEX" */

#endif
