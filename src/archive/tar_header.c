#include "tar_priv.h"

uint32_t tar_checksum(const void *block, int32_t *signed_sum)
{
	enum { START = offsetof(struct tar_header, chksum), END = START + sizeof((struct tar_header *)0)->chksum };
	const unsigned char *p = block;
	uint32_t sum = ' ' * (END - START), above = 0; /* above: bytes that are negative as signed char */
	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++) {
		sum += p[i];
		above += p[i] >> 7;
	}
	for (size_t i = START; i < END; i++) {
		sum -= p[i];
		above -= p[i] >> 7;
	}
	if (signed_sum)
		*signed_sum = (int32_t)sum - 256 * (int32_t)above;
	return sum;
}

/* Two's complement, big-endian; the first bit of all only says that the field is binary. */
static bool base256(const unsigned char *p, size_t size, int64_t *ret)
{
	bool negative = p[0] & 0x40;
	uint64_t v = negative ? UINT64_MAX : 0;
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = i == 0 ? (uint8_t)((p[0] & 0x7f) | (negative ? 0x80 : 0)) : p[i];
		/* What is shifted out at the top, and the sign bit itself, must only repeat the sign. */
		if (v >> 55 != (negative ? 0x1ff : 0))
			return false;
		v = v << 8 | byte;
	}
	*ret = (int64_t)v;
	return true;
}

bool tar_number(const char *field, size_t size, int64_t *ret)
{
	if ((unsigned char)field[0] & 0x80)
		return base256((const unsigned char *)field, size, ret);
	size_t i = 0;
	uint64_t v = 0;
	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(field[i] - '0'); /* at most 12 digits */
	for (; i < size; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return false;
	*ret = (int64_t)v;
	return true;
}

bool tar_checksum_is_right(const struct tar_header *h)
{
	int64_t want;
	int32_t with_sign;
	uint32_t sum = tar_checksum(h, &with_sign);
	return tar_number(h->chksum, sizeof h->chksum, &want) && (want == sum || want == with_sign);
}
