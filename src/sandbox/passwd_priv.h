/* Lines of passwd(5) and group(5) files, which come from images. Nothing is allocated; fields point into the text. */
#ifndef NACRE_SANDBOX_PASSWD_PRIV_H
#define NACRE_SANDBOX_PASSWD_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field {
	const char *p;
	size_t len;
};

struct passwd_entry {
	struct field name, uid, gid, home; /* uid and gid as they stand there: not checked */
};

struct group_entry {
	struct field name, gid, members; /* members separated by commas */
};

/* Ids an image may use: what runc and containerd accept, and what keeps 2^32-1 and overflows away (T-D3). */
#define USER_ID_MAX 0x7fffffffu

/* The next entry; false at the end of the text. Blank lines, comments and NIS lines ("+", "-") are passed over. */
bool passwd_next(const char **text, struct passwd_entry *ret);
bool group_next(const char **text, struct group_entry *ret);

bool field_is(struct field f, const char *text);
/* Decimal digits only, at most USER_ID_MAX. */
bool field_id(struct field f, uint32_t *ret);

bool passwd_find_uid(const char *text, uint32_t uid, struct passwd_entry *ret);
bool group_has_member(const struct group_entry *g, struct field name);

#endif
