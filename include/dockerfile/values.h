/* Small values in instructions: durations, ports, signals, sizes, file modes. */
#ifndef NACRE_DOCKERFILE_VALUES_H
#define NACRE_DOCKERFILE_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "dockerfile/parse.h"

/* Go's time.ParseDuration ("1m30s", "1.5h") into nanoseconds. */
int df_duration(const char *text, int64_t *ret_ns, struct err *e);
/* EXPOSE word: "80", "80-82/udp", "127.0.0.1:80:8080/tcp" gives "8080/tcp" …, appended; *ret_warn a rule or DF_RULES.
 */
int df_expose(const char *word, struct strv *ret, enum df_rule *ret_warn, struct err *e);
/* STOPSIGNAL: name with or without SIG, RTMIN+n, or a number. */
bool df_signal_is_valid(const char *text);

/* "64m", "1.5 GiB", "7b": digits with an optional fraction, then k m g t p with an optional b or ib; below 2^63. */
bool df_size(const char *text, uint64_t *ret);

struct df_chmod {
	bool octal;
	uint32_t mode;               /* octal */
	const char *symbolic;        /* borrowed; checked */
};
int df_chmod_parse(const char *text, struct df_chmod *ret, struct err *e);
/* New permission bits for an object whose bits are `mode` (07777); X needs to know directories. */
uint32_t df_chmod_apply(const struct df_chmod *c, uint32_t mode, bool is_dir);

#endif
