#include <string.h>

#include "dockerfile/values.h"

struct unit {
	const char *name;
	uint64_t ns;
};

static const struct unit *take_unit(const char **p)
{
	/* Longer names first: "ms" is not "m" followed by "s". */
	static const struct unit units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "\xc2\xb5s", 1000 }, { "\xce\xbcs", 1000 }, { "ms", 1000000 },
		{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
	};
	size_t n = strcspn(*p, "0123456789.");
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strlen(units[i].name) == n && strncmp(*p, units[i].name, n) == 0) {
			*p += n;
			return &units[i];
		}
	}
	return NULL;
}

/* Fraction digits beyond what fits are dropped, a whole part that does not fit is refused. */
static bool take_number(const char **p, uint64_t *ret_whole, uint64_t *ret_fraction, double *ret_scale)
{
	const char *start = *p;
	bool digits = false;
	*ret_whole = *ret_fraction = 0;
	*ret_scale = 1;
	for (; **p >= '0' && **p <= '9'; (*p)++, digits = true)
		if (__builtin_mul_overflow(*ret_whole, 10u, ret_whole) ||
		    __builtin_add_overflow(*ret_whole, (uint64_t)(**p - '0'), ret_whole))
			return false;
	if (**p != '.')
		return *p > start;
	for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, digits = true) {
		if (*ret_fraction > (INT64_MAX - 9) / 10)
			continue;
		*ret_fraction = *ret_fraction * 10 + (uint64_t)(**p - '0');
		*ret_scale *= 10;
	}
	return digits;
}

static bool add_term(const char **p, uint64_t *total)
{
	uint64_t whole, fraction, ns;
	double scale;
	if (!take_number(p, &whole, &fraction, &scale))
		return false;
	const struct unit *u = take_unit(p);
	if (!u || __builtin_mul_overflow(whole, u->ns, &ns))
		return false;
	ns += (uint64_t)((double)fraction * ((double)u->ns / scale));
	return !__builtin_add_overflow(*total, ns, total) && *total <= (uint64_t)INT64_MAX;
}

int df_duration(const char *text, int64_t *ret_ns, struct err *e)
{
	const char *p = text;
	bool negative = *p == '-';
	uint64_t total = 0;
	if (*p == '-' || *p == '+')
		p++;
	if (strcmp(p, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	do {
		if (!add_term(&p, &total))
			return err_set(e, ERR_PARSE, "\"%.60s\" is not a duration such as 30s or 1m30s", text);
	} while (*p);
	*ret_ns = negative ? -(int64_t)total : (int64_t)total;
	return 0;
}
