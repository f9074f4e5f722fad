/*
 * A package's header as rpm keeps it in its database: https://rpm.org/docs/latest/manual/format_header.html
 *
 *     index length (n) | data length | n entries: tag, type, offset, count | data
 *
 * Numbers have 32 bits, big-endian; offsets count from where the data begins.
 */
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sbom_priv.h"

enum rpm_tag {
	TAG_NAME = 1000,
	TAG_VERSION = 1001,
	TAG_RELEASE = 1002,
	TAG_EPOCH = 1003,
	TAG_VENDOR = 1011,
	TAG_LICENSE = 1014,
	TAG_ARCH = 1022,
};
enum rpm_type { TYPE_INT32 = 4, TYPE_STRING = 6, TYPE_STRING_ARRAY = 8, TYPE_I18NSTRING = 9 };

#define ENTRY_BYTES 16u

struct header {
	const char *entries, *data;
	size_t n, data_len;
};
struct entry {
	uint32_t tag, type, offset, count;
};

static uint32_t number(const char *at)
{
	uint32_t v;
	memcpy(&v, at, sizeof v);
	return be32toh(v);
}

static bool header_open(const char *bytes, size_t n, struct header *ret)
{
	if (n < 8)
		return false;
	struct header h = { .n = number(bytes), .data_len = number(bytes + 4), .entries = bytes + 8 };
	if (h.n > (n - 8) / ENTRY_BYTES || h.data_len > n - 8 - h.n * ENTRY_BYTES)
		return false;
	h.data = h.entries + h.n * ENTRY_BYTES;
	*ret = h;
	return true;
}

/* The first entry of a tag; false also when its data would lie outside. */
static bool find(const struct header *h, enum rpm_tag tag, struct entry *ret)
{
	for (size_t i = 0; i < h->n; i++) {
		const char *at = h->entries + i * ENTRY_BYTES;
		if (number(at) != (uint32_t)tag)
			continue;
		*ret = (struct entry){ number(at), number(at + 4), number(at + 8), number(at + 12) };
		return ret->count && ret->offset < h->data_len;
	}
	return false;
}

/* Of several strings the first one, which of translations is the untranslated; the caller owns it. */
static char *string_of(const struct header *h, enum rpm_tag tag)
{
	struct entry t;
	if (!find(h, tag, &t) || (t.type != TYPE_STRING && t.type != TYPE_STRING_ARRAY && t.type != TYPE_I18NSTRING))
		return NULL;
	const char *text = h->data + t.offset, *end = memchr(text, '\0', h->data_len - t.offset);
	return end ? sbom_value(text, (size_t)(end - text)) : NULL;
}

static char *number_of(const struct header *h, enum rpm_tag tag)
{
	struct entry t;
	if (!find(h, tag, &t) || t.type != TYPE_INT32 || h->data_len - t.offset < sizeof(uint32_t))
		return NULL;
	return x_asprintf("%u", (unsigned)number(h->data + t.offset));
}

int sbom_parse_rpm(const char *path, const void *bytes, size_t n, struct sbom_packages *ret, struct err *e)
{
	struct header h;
	if (!header_open(bytes, n, &h))
		return 0;
	AUTO(free_drop) char *name = string_of(&h, TAG_NAME), *version = string_of(&h, TAG_VERSION);
	AUTO(free_drop) char *release = string_of(&h, TAG_RELEASE);
	/* Keys that packages were signed with are in the table as if they were packages. */
	if (!name || strcmp(name, "gpg-pubkey") == 0 || !version || !*version || !release || !*release)
		return 0;
	AUTO(free_drop) char *both = x_asprintf("%s-%s", version, release);
	struct sbom_package p = {
		.name = ptr_take(&name),
		.version = sbom_value(both, strlen(both)),
		.epoch = number_of(&h, TAG_EPOCH),
		.arch = string_of(&h, TAG_ARCH),
		.license = string_of(&h, TAG_LICENSE),
		.maintainer = string_of(&h, TAG_VENDOR),
	};
	return sbom_add(ret, &p, SBOM_RPM, path, e);
}
