/* When to try again: THREATS N1-N3. */
#ifndef NACRE_REGISTRY_RETRY_PRIV_H
#define NACRE_REGISTRY_RETRY_PRIV_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RETRY_TRIES = 6,                 /* in a row without progress */
	RETRY_BUDGET_MS = 5 * 60 * 1000, /* without progress */
	RETRY_AFTER_MAX_MS = 120 * 1000, /* no server makes us wait longer */
	RETRY_PROGRESS_BYTES = 64 << 10, /* what counts as progress, or a sixteenth of the whole when that is less */
};

int64_t clock_ms(void); /* monotonic */
/* Before try number `failed` + 1: 1 s doubling to 30 s, of which up to a quarter is taken off at random. */
int64_t retry_delay_ms(unsigned failed, uint32_t random);
/* Retry-After: seconds or a date; false when it is neither. Capped. now: seconds since 1970. */
bool retry_after_ms(const char *value, int64_t now, int64_t *ret);
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7); false for other forms. */
bool http_date_parse(const char *text, int64_t *ret);

/* $NACRE_NET_TIMEOUT in seconds: how long a peer may be silent. 60 unless it is set. */
int64_t http_timeout_ms(void);

#endif
