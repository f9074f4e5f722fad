/* When to try again: THREATS N1-N3. */
#ifndef NACRE_REGISTRY_RETRY_PRIV_H
#define NACRE_REGISTRY_RETRY_PRIV_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RETRY_TRIES_UNREACHED = 3,       /* of who never answered */
	RETRY_BUDGET_MS = 5 * 60 * 1000, /* without progress */
	RETRY_AFTER_MAX_MS = 120 * 1000, /* no server makes us wait longer */
	RETRY_PROGRESS_BYTES = 64 << 10, /* what counts as progress, or a sixteenth of the whole when that is less */
};

int64_t clock_ms(void); /* monotonic */
/*
 * Before try number `failed` + 1: 1 s, or $NACRE_NET_RETRY_MS, doubling to 30 s, of which up to a quarter is taken off
 * at random.
 */
int64_t retry_delay_ms(unsigned failed, uint32_t random);
/* Retry-After: seconds or a date; false when it is neither. Capped. now: seconds since 1970. */
bool retry_after_ms(const char *value, int64_t now, int64_t *ret);
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7); false for other forms. */
bool http_date_parse(const char *text, int64_t *ret);

/*
 * What the environment says, or else: how long a peer may be silent ($NACRE_NET_TIMEOUT, seconds), how many tries in a
 * row without progress there are ($NACRE_NET_RETRIES, one less), how large a part of a blob is sent at once
 * ($NACRE_NET_CHUNK, bytes).
 */
int64_t http_timeout_ms(void);
unsigned retry_tries(void);
uint64_t upload_chunk_bytes(void);

#endif
