#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "carry_priv.h"

const char carry_marker[] = "nacre-cache";
const char carry_marker_text[] = "nacre-cache 1\n";

static const struct {
	enum object_kind kind;
	const char *dir, *suffix;
} kinds[] = {
	{ OBJECT_BLOB, "blobs/sha256", "" },  { OBJECT_LISTING, "list", "" },     { OBJECT_LAYER, "layer", ".json" },
	{ OBJECT_STEP, "step", ".json" },     { OBJECT_MOUNT, "mount", ".tar.zst" }, { OBJECT_BASE, "base", ".json" },
};

bool carry_kind(enum object_kind kind, const char **ret_dir)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].kind != kind)
			continue;
		*ret_dir = kinds[i].dir;
		return true;
	}
	return false;
}

char *carry_name(enum object_kind kind, const struct digest *id)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].kind == kind)
			return x_asprintf("%s/%s%s", kinds[i].dir, digest_hex(id).s, kinds[i].suffix);
	return NULL;
}

bool carry_name_parse(const char *name, enum object_kind *ret_kind, struct digest *ret_id)
{
	struct err ignored;
	char text[DIGEST_TEXT + 1];
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t dir = strlen(kinds[i].dir);
		if (!str_starts(name, kinds[i].dir) || name[dir] != '/' || strlen(name) < dir + 1 + DIGEST_HEX ||
		    !str_eq(name + dir + 1 + DIGEST_HEX, kinds[i].suffix))
			continue;
		snprintf(text, sizeof text, "sha256:%.64s", name + dir + 1);
		if (digest_parse(text, ret_id, &ignored) < 0)
			return false;
		*ret_kind = kinds[i].kind;
		return true;
	}
	return false;
}
