/* Whose files COPY --chown and WORKDIR make: names looked up in the image's own files (CP-15, CFG-01). */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "copy_priv.h"

/* By number; "root" and nothing at all are 0 without a look-up. */
static bool by_number(const char *name, uint32_t *ret)
{
	uint64_t n = 0;
	if (*name && strcmp(name, "root") != 0 && !str_to_u64(name, INT32_MAX, &n))
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* The line of passwd or group that has the name; *ret_gid: passwd's. False when there is none. */
static bool look_up(const char *name, const char *text, uint32_t *ret, uint32_t *ret_gid)
{
	uint64_t n;
	size_t len = strlen(name);
	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (strncmp(at, name, len) != 0 || at[len] != ':')
			continue;
		/* NAME:PASSWORD:ID[:GID:…], within this line */
		AUTO(free_drop) char *line = x_strndup(at, strcspn(at, "\n"));
		char *id = strchr(line + len + 1, ':');
		char *gid = id ? strchr(id + 1, ':') : NULL;
		if (!id)
			continue;
		if (gid)
			*gid++ = '\0';
		if (!str_to_u64(id + 1, UINT32_MAX - 1, &n))
			continue;
		*ret = (uint32_t)n;
		*ret_gid = 0;
		if (gid) {
			gid[strcspn(gid, ":")] = '\0';
			if (str_to_u64(gid, UINT32_MAX - 1, &n))
				*ret_gid = (uint32_t)n;
		}
		return true;
	}
	return false;
}

bool owner_has_name(const char *spec)
{
	AUTO(free_drop) char *user = x_strndup(spec, strcspn(spec, ":"));
	const char *colon = strchr(spec, ':');
	uint32_t ignored;
	return !by_number(user, &ignored) || (colon && !by_number(colon + 1, &ignored));
}

int owner_resolve(struct build *b, struct copy_from *image, const char *spec, struct copy_owner *ret, struct err *e)
{
	AUTO(str_fini) struct str passwd = { 0 };
	AUTO(str_fini) struct str group = { 0 };
	AUTO(free_drop) char *user = x_strndup(spec, strcspn(spec, ":"));
	const char *colon = strchr(spec, ':');
	uint32_t ignored;
	*ret = (struct copy_owner){ .set = true };
	if (owner_has_name(spec) && (content_text(b, image, "/etc/passwd", LIMIT_PASSWD, &passwd, e) < 0 ||
				     content_text(b, image, "/etc/group", LIMIT_PASSWD, &group, e) < 0))
		return -1;
	if (by_number(user, &ret->uid))
		ret->gid = ret->uid;
	else if (!look_up(user, str_text(&passwd), &ret->uid, &ret->gid))
		ret->uid = ret->gid = 0;
	/* "user:" names the group 0, not the user's own. */
	if (colon && !by_number(colon + 1, &ret->gid) && !look_up(colon + 1, str_text(&group), &ret->gid, &ignored))
		ret->gid = 0;
	return 0;
}
