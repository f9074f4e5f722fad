/* What builds remember of their steps, for `nacre why`. */
#ifndef NACRE_BUILD_WHY_H
#define NACRE_BUILD_WHY_H

#include "base/err.h"
#include "base/json.h"
#include "store/store.h"

/*
 * The steps of the last build: an array of {"number":…,"title":…,"stage":…,"position":…,"line":…,"instruction":…,
 * "cached":…,"why":[{"what":…,"name":…,"from":…,"to":…}]}; why: of those that ran. ERR_NOTFOUND before the first build.
 */
int why_last(struct store *s, struct json *ret, struct err *e);
/*
 * The same of build `to` (NULL: the last that succeeded), as if `from` had been the build before it; `cached` says that
 * the step is the same in both. Builds go by the beginning of their ids.
 */
int why_compare(struct store *s, const char *from, const char *to, struct json *ret, struct err *e);
/* The builds that are kept, newest first: [{"id":…,"started":…,"context":…,"dockerfile":…,"target":…,"image":…}] */
int why_builds(struct store *s, struct json *ret, struct err *e);
/* Whether `word` means this step: "#4" or "4", "2/7", its stage, "line 12". */
bool why_means(const struct json *step, const char *word);

#endif
