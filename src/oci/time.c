#include "oci/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/mem.h"

/* Years 0000 and 9999 are the ends of what RFC 3339 can write; Go refuses to encode a time outside. */
static const int64_t first_second = -62167219200, last_second = 253402300799;

char *time_rfc3339(int64_t seconds)
{
	time_t t = (time_t)(seconds < first_second ? first_second : seconds > last_second ? last_second : seconds);
	struct tm tm;
	gmtime_r(&t, &tm);
	return x_asprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			  tm.tm_min, tm.tm_sec);
}

/* Exactly n digits, at most max; moves *p behind them. */
static bool digits(const char **p, int n, int max, int *ret)
{
	int v = 0;
	for (int i = 0; i < n; i++) {
		if ((*p)[i] < '0' || (*p)[i] > '9')
			return false;
		v = v * 10 + ((*p)[i] - '0');
	}
	*p += n;
	*ret = v;
	return v <= max;
}

static bool literal(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March so that leap days come last. */
static int64_t days_since_epoch(int year, int month, int day)
{
	int64_t y = year - (month <= 2) + 400; /* 400 years are a whole cycle: no negative numbers for the year 0 */
	int64_t m = (month + 9) % 12;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468 - 146097;
}

static bool parse_offset(const char **p, int64_t *ret)
{
	int hours, minutes;
	if (literal(p, 'Z')) {
		*ret = 0;
		return true;
	}
	int sign = **p == '+' ? 1 : **p == '-' ? -1 : 0;
	if (!sign)
		return false;
	(*p)++;
	if (!digits(p, 2, 23, &hours) || !literal(p, ':') || !digits(p, 2, 59, &minutes))
		return false;
	*ret = sign * (hours * 3600 + minutes * 60);
	return true;
}

int time_parse(const char *text, int64_t *ret)
{
	const char *p = text;
	int year, month, day, hour, minute, second;
	int64_t offset;
	if (!digits(&p, 4, 9999, &year) || !literal(&p, '-') || !digits(&p, 2, 12, &month) || !literal(&p, '-') ||
	    !digits(&p, 2, 31, &day) || !literal(&p, 'T') || !digits(&p, 2, 23, &hour) || !literal(&p, ':') ||
	    !digits(&p, 2, 59, &minute) || !literal(&p, ':') || !digits(&p, 2, 59, &second))
		return -1;
	if (literal(&p, '.')) {
		const char *fraction = p;
		while (*p >= '0' && *p <= '9')
			p++;
		if (p == fraction)
			return -1;
	}
	if (!parse_offset(&p, &offset) || *p || !month || !day || day > month_days(year, month))
		return -1;
	*ret = days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
	return 0;
}
