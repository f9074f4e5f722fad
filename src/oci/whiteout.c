#include "oci/listing.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

/* image-spec layer.md, "Whiteouts", "Opaque Whiteout"; aufs(5) keeps its own files under names that begin with META. */
static const char prefix[] = ".wh.", meta[] = ".wh..wh.", opaque[] = ".wh..wh..opq";
enum { PREFIX = sizeof prefix - 1 };

/* A directory on the way with a reserved name: aufs kept files in such; any other can not be. */
static int check_parents(const char *path, size_t n, bool *ret_skip, struct err *e)
{
	for (const char *p = path; p < path + n; p += strcspn(p, "/") + 1) {
		if (str_starts(p, meta))
			*ret_skip = true;
		else if (str_starts(p, prefix))
			return err_set(e, ERR_SPEC, "%.200s: below a deleted name", path);
	}
	return 0;
}

static int parse_name(const char *path, const char *name, enum list_kind *ret, bool *ret_skip, struct err *e)
{
	*ret = LIST_ENTRY;
	if (!str_starts(name, prefix))
		return 0;
	if (str_eq(name, opaque)) {
		*ret = LIST_OPAQUE;
		return 0;
	}
	if (str_starts(name, meta)) {
		*ret_skip = true;
		return 0;
	}
	const char *deleted = name + PREFIX;
	if (!*deleted || str_eq(deleted, ".") || str_eq(deleted, "..") || strlen(deleted) > LIMIT_NAME)
		return err_set(e, ERR_SPEC, "%.200s: a whiteout of no possible name", path);
	*ret = LIST_WHITEOUT;
	return 0;
}

int whiteout_parse(const char *path, enum list_kind *ret, char **ret_path, bool *ret_skip, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t dir = slash ? (size_t)(slash - path) : 0;
	enum list_kind kind;
	bool skip = false;
	if (check_parents(path, dir, &skip, e) < 0 || parse_name(path, name, &kind, &skip, e) < 0)
		return -1;
	switch (kind) {
	case LIST_ENTRY:
		*ret_path = x_strdup(path);
		break;
	case LIST_OPAQUE:
		*ret_path = dir ? x_strndup(path, dir) : x_strdup(".");
		break;
	case LIST_WHITEOUT:
		*ret_path = x_asprintf("%.*s%s%s", (int)dir, path, dir ? "/" : "", name + PREFIX);
		break;
	}
	*ret = kind;
	*ret_skip = skip;
	return 0;
}
