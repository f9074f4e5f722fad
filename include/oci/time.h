/* Times in documents: RFC 3339. */
#ifndef NACRE_OCI_TIME_H
#define NACRE_OCI_TIME_H

#include <stdint.h>

/* The time as RFC 3339 in UTC, seconds only: "2026-11-20T18:00:00Z". The caller owns it. */
char *time_rfc3339(int64_t seconds);
/* 0 and seconds; -1 when it cannot be read. */
int time_parse(const char *text, int64_t *ret);

#endif
