#include "oci/capability.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* linux/capability.h, struct vfs_cap_data and vfs_ns_cap_data: 32-bit little-endian words, the first holds the
 * revision. */
enum { CAPABILITY_V2_SIZE = 20 };
#define CAP_REVISION_MASK 0xff000000u
#define CAP_REVISION_2    0x02000000u
#define CAP_REVISION_3    0x03000000u

size_t capability_to_v2(char *value, size_t len)
{
	uint32_t magic;
	if (len != CAPABILITY_V3_SIZE)
		return len;
	memcpy(&magic, value, sizeof magic);
	magic = le32toh(magic);
	if ((magic & CAP_REVISION_MASK) != CAP_REVISION_3)
		return len;
	magic = htole32((magic & ~CAP_REVISION_MASK) | CAP_REVISION_2);
	memcpy(value, &magic, sizeof magic);
	return CAPABILITY_V2_SIZE;
}
