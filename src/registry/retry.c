#include "retry_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

enum { TIMEOUT_MAX_S = 24 * 60 * 60 };

int64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t http_timeout_ms(void)
{
	const char *text = getenv("NACRE_NET_TIMEOUT");
	uint64_t seconds;
	return text && str_to_u64(text, TIMEOUT_MAX_S, &seconds) && seconds ? (int64_t)seconds * 1000 : 60 * 1000;
}

int64_t retry_delay_ms(unsigned failed, uint32_t random)
{
	int64_t full = failed >= 6 ? 30000 : (int64_t)1000 << (failed ? failed - 1 : 0);
	if (full > 30000)
		full = 30000;
	return full - full / 4 * (int64_t)(random & 0xffff) / 0xffff;
}

bool http_date_parse(const char *text, int64_t *ret)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm = { 0 };
	char month[4];
	int end = 0;
	/* strptime would read month names of the user's language. */
	int n = sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &tm.tm_year,
		       &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end);
	if (n != 6 || !end || text[end])
		return false;
	for (tm.tm_mon = 0; tm.tm_mon < 12 && !str_eq(month, months[tm.tm_mon]); tm.tm_mon++)
		;
	bool in_range = tm.tm_mon < 12 && tm.tm_mday >= 1 && tm.tm_mday <= 31 && tm.tm_year >= 1900 &&
			tm.tm_hour >= 0 && tm.tm_hour < 24 && tm.tm_min >= 0 && tm.tm_min < 60 && tm.tm_sec >= 0 &&
			tm.tm_sec <= 60;
	if (!in_range)
		return false;
	tm.tm_year -= 1900;
	*ret = timegm(&tm);
	return true;
}

bool retry_after_ms(const char *value, int64_t now, int64_t *ret)
{
	uint64_t seconds;
	int64_t date, ms;
	if (value[0] && value[strspn(value, "0123456789")] == '\0')
		ms = str_to_u64(value, RETRY_AFTER_MAX_MS, &seconds) ? (int64_t)seconds * 1000 : RETRY_AFTER_MAX_MS;
	else if (http_date_parse(value, &date))
		ms = date > now ? (date - now) * 1000 : 0;
	else
		return false;
	*ret = ms < RETRY_AFTER_MAX_MS ? ms : RETRY_AFTER_MAX_MS;
	return true;
}
