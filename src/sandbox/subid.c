#include "subid_priv.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Ids run to 2^32-2; 2^32-1 means "no id" to chown(2). */
static const uint64_t id_max = UINT32_MAX - 1u;

/* "owner:start:count", cut into its fields in place. */
static bool parse_line(char *line, const char **owner, uint64_t *start, uint64_t *count)
{
	char *first = strchr(line, ':');
	char *second = first ? strchr(first + 1, ':') : NULL;
	if (!second || first == line)
		return false;
	*first = *second = '\0';
	*owner = line;
	return str_to_u64(first + 1, id_max, start) && str_to_u64(second + 1, id_max, count) && *count &&
	       *start + *count - 1 <= id_max;
}

static bool overlaps(const struct id_extent *map, size_t n, uint64_t start, uint64_t count)
{
	for (size_t i = 0; i < n; i++)
		if (start < (uint64_t)map[i].outside + map[i].count && map[i].outside < start + count)
			return true;
	return false;
}

void subid_add(const char *text, const char *name, uint32_t id, uint32_t inside, struct id_extent *map, size_t *n)
{
	char number[16];
	snprintf(number, sizeof number, "%u", id);
	uint64_t next = inside;
	for (const char *p = text; *p && *n < ID_EXTENTS_MAX;) {
		size_t len = strcspn(p, "\n");
		AUTO(free_drop) char *line = x_strndup(p, len);
		p += len + (p[len] == '\n');
		const char *owner;
		uint64_t start, count;
		if (!parse_line(line, &owner, &start, &count) || !(str_eq(owner, name) || str_eq(owner, number)))
			continue;
		/* What does not overlap can not add up to more ids than there are. */
		if (overlaps(map, *n, start, count))
			continue;
		map[(*n)++] = (struct id_extent){ (uint32_t)next, (uint32_t)start, (uint32_t)count };
		next += count;
	}
}
