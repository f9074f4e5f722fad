#include "passwd_priv.h"

#include <string.h>

enum { PASSWD_FIELDS = 7, GROUP_FIELDS = 4 };

/* Cuts the next line that may be an entry at its colons; fields that are missing are empty. */
static bool next_line(const char **text, struct field *fields, size_t n)
{
	while (**text) {
		const char *p = *text;
		size_t len = strcspn(p, "\n");
		*text = p + len + (p[len] == '\n');
		while (len && (*p == ' ' || *p == '\t')) {
			p++;
			len--;
		}
		while (len && (p[len - 1] == '\r' || p[len - 1] == ' ' || p[len - 1] == '\t'))
			len--;
		if (!len || *p == '#' || *p == '+' || *p == '-' || *p == ':')
			continue;
		for (size_t i = 0; i < n; i++) {
			const char *colon = i + 1 < n ? memchr(p, ':', len) : NULL;
			size_t used = colon ? (size_t)(colon - p) : len;
			fields[i] = (struct field){ p, used };
			used += colon != NULL;
			p += used;
			len -= used;
		}
		return true;
	}
	return false;
}

bool passwd_next(const char **text, struct passwd_entry *ret)
{
	struct field f[PASSWD_FIELDS];
	if (!next_line(text, f, PASSWD_FIELDS))
		return false;
	*ret = (struct passwd_entry){ .name = f[0], .uid = f[2], .gid = f[3], .home = f[5] };
	return true;
}

bool group_next(const char **text, struct group_entry *ret)
{
	struct field f[GROUP_FIELDS];
	if (!next_line(text, f, GROUP_FIELDS))
		return false;
	*ret = (struct group_entry){ .name = f[0], .gid = f[2], .members = f[3] };
	return true;
}

bool field_is(struct field f, const char *text)
{
	return strlen(text) == f.len && memcmp(f.p, text, f.len) == 0;
}

bool field_id(struct field f, uint32_t *ret)
{
	uint64_t n = 0;
	if (!f.len)
		return false;
	for (size_t i = 0; i < f.len; i++) {
		if (f.p[i] < '0' || f.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(f.p[i] - '0');
		if (n > USER_ID_MAX)
			return false;
	}
	*ret = (uint32_t)n;
	return true;
}

bool passwd_find_uid(const char *text, uint32_t uid, struct passwd_entry *ret)
{
	uint32_t id;
	while (passwd_next(&text, ret))
		if (field_id(ret->uid, &id) && id == uid)
			return true;
	return false;
}

bool group_has_member(const struct group_entry *g, struct field name)
{
	const char *p = g->members.p;
	size_t left = g->members.len;
	while (left) {
		const char *comma = memchr(p, ',', left);
		size_t len = comma ? (size_t)(comma - p) : left;
		if (len == name.len && memcmp(p, name.p, len) == 0)
			return true;
		len += comma != NULL;
		p += len;
		left -= len;
	}
	return false;
}
