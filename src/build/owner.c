/* Whose files COPY --chown and WORKDIR make: names looked up in the image's own files (CP-15, CFG-01). */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "copy_priv.h"

/* One side of "user:group" by number or by its line in passwd or group; false when neither. *ret_gid: passwd's. */
static bool look_up(const char *name, const char *text, uint32_t *ret, uint32_t *ret_gid)
{
	uint64_t n;
	size_t len = strlen(name);
	if (str_to_u64(name, UINT32_MAX - 1, &n)) {
		*ret = *ret_gid = (uint32_t)n;
		return true;
	}
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

int owner_resolve(struct build *b, struct copy_from *image, const char *spec, bool lenient, struct copy_owner *ret,
		  struct err *e)
{
	AUTO(str_fini) struct str passwd = { 0 };
	AUTO(str_fini) struct str group = { 0 };
	AUTO(free_drop) char *user = x_strndup(spec, strcspn(spec, ":"));
	const char *colon = strchr(spec, ':');
	uint32_t ignored;
	uint64_t n;
	*ret = (struct copy_owner){ .set = true };
	bool names = (*user && !str_to_u64(user, UINT32_MAX, &n)) ||
		     (colon && colon[1] && !str_to_u64(colon + 1, UINT32_MAX, &n));
	/* WORKDIR's user has the group of its passwd entry even when given by number. */
	if (names || !lenient) {
		if (content_text(b, image, "/etc/passwd", LIMIT_PASSWD, &passwd, e) < 0 ||
		    content_text(b, image, "/etc/group", LIMIT_PASSWD, &group, e) < 0)
			return -1;
	}
	if (*user && !look_up(user, str_text(&passwd), &ret->uid, &ret->gid)) {
		if (!lenient)
			return err_set(e, ERR_BUILD,
				       "unable to find user %s: no matching entry in the image's /etc/passwd", user);
		ret->uid = ret->gid = 0;
	}
	if (colon && colon[1] && !look_up(colon + 1, str_text(&group), &ret->gid, &ignored)) {
		if (!lenient)
			return err_set(e, ERR_BUILD,
				       "unable to find group %s: no matching entry in the image's /etc/group",
				       colon + 1);
		ret->gid = 0;
	}
	return 0;
}
