/* What is remembered of the last builds: log/last.json, read by `nacre history`. */
#ifndef NACRE_BUILD_BUILD_LOG_PRIV_H
#define NACRE_BUILD_BUILD_LOG_PRIV_H

#include "build/build.h"
#include "build_priv.h"

/* result NULL: the build failed. Losing the log loses nothing else, so a failure is only logged. */
void build_log_write(struct build *b, const struct build_result *result);

#endif
