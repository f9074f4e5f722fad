#include "oci/frame_cut.h"

#include "archive/frames.h"

/* Even for names that differ in one letter: FNV-1a, then the mixing of MurmurHash3's end. */
static uint32_t hash(const char *path)
{
	uint64_t h = 0xcbf29ce484222325;
	for (; *path; path++)
		h = (h ^ (unsigned char)*path) * 0x100000001b3;
	h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
	return (uint32_t)(h >> 32);
}

/* bytes < FRAME_ALONE */
static bool says_so(const char *path, uint64_t bytes)
{
	return hash(path) < (bytes << 32) / FRAME_SPREAD;
}

bool frame_cut_before(struct frame_cut *c, const char *path, uint64_t bytes)
{
	bool alone = bytes >= FRAME_ALONE;
	bool cut = c->held && (alone || c->alone || c->held + bytes > FRAME_MAX ||
			       (c->held >= FRAME_SMALLEST && says_so(path, bytes)));
	c->held = (cut ? 0 : c->held) + bytes;
	c->alone = alone;
	return cut;
}
