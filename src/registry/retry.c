#include "retry_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

enum {
	TIMEOUT_S = 60,
	TIMEOUT_MAX_S = 24 * 60 * 60,
	RETRIES = 5,
	RETRIES_MAX = 1000,
	DELAY_MS = 1000,
	DELAY_MAX_MS = 30 * 1000,
	CHUNK_BYTES = 64 << 20, /* so much is sent again at most */
};

int64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t setting(const char *name, uint64_t max, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t value;
	return text && str_to_u64(text, max, &value) ? value : otherwise;
}

int64_t http_timeout_ms(void)
{
	uint64_t seconds = setting("NACRE_NET_TIMEOUT", TIMEOUT_MAX_S, TIMEOUT_S);
	return (int64_t)(seconds ? seconds : TIMEOUT_S) * 1000;
}

unsigned retry_tries(void)
{
	return (unsigned)setting("NACRE_NET_RETRIES", RETRIES_MAX, RETRIES) + 1;
}

uint64_t upload_chunk_bytes(void)
{
	uint64_t bytes = setting("NACRE_NET_CHUNK", INT64_MAX, CHUNK_BYTES);
	return bytes ? bytes : CHUNK_BYTES;
}

int64_t retry_delay_ms(unsigned failed, uint32_t random)
{
	int64_t full = (int64_t)setting("NACRE_NET_RETRY_MS", DELAY_MAX_MS, DELAY_MS);
	for (unsigned i = 1; i < failed && full < DELAY_MAX_MS; i++)
		full *= 2;
	if (full > DELAY_MAX_MS)
		full = DELAY_MAX_MS;
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
