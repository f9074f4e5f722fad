/*
 * What is remembered of builds.
 *
 *   log/last.json      the last one, read by `nacre history` and `nacre why`
 *   log/FILE-ID.json   of each Dockerfile the last builds that succeeded, with the keys of their steps: what later ones
 *                      are compared with
 *
 *   {"id":…,"started":…,"context":…,"dockerfile":…,"target":…,"image":…|absent,"names":[…],
 *    "steps":[{"number":…,"title":…,"stage":…,"position":…,"line":…,"instruction":…,"cached":…,"milliseconds":…,
 *              "image":…,"size":…,"created":…,"why":[{"what":…,"name":…,"from":…,"to":…}, …],
 *              "made":{"of":…,"size":…,"config":…,"configSize":…},"key":{…}}, …]}
 *
 * "made" (made_priv.h) and "key" are in the second kind only.
 *
 * FILE says which Dockerfile, context and target it was, ID what the keys are: a build that changes nothing has the log
 * of the build before, and only its time is set. The oldest are removed, and with them the file lists they lead to.
 */
#ifndef NACRE_BUILD_BUILD_LOG_PRIV_H
#define NACRE_BUILD_BUILD_LOG_PRIV_H

#include "build/build.h"
#include "build_priv.h"

enum {
	LOG_ID = 12,            /* hex digits of FILE and of ID */
	LOG_NAME = 2 * LOG_ID + sizeof "-.json",
	LOGS_KEPT = 20,
	LOG_MAX = 4 << 20,      /* bytes of one; a larger one is not kept */
};

struct log_entry {
	char name[LOG_NAME];    /* "FILE-ID.json" */
	int64_t time;           /* when a build last had it, nanoseconds */
};
struct log_list { VEC(struct log_entry) list; };

/* result NULL: the build failed. Losing the log loses nothing else, so a failure is only logged. */
void build_log_write(struct build *b, const struct build_result *result);
/* The steps of the last build that succeeded with this Dockerfile; NULL when there is none. */
const struct json *build_log_earlier(struct build *b);
/* The logs that are kept, newest first. */
int build_logs(struct store *s, struct log_list *ret, struct err *e);
/* Which Dockerfile, context and target: FILE above. */
void build_log_file(const struct build *b, char ret[LOG_ID + 1]);
/* 0, 1 absent, -1; `name` as in struct log_entry. */
int build_log_read(struct store *s, const char *name, struct json *ret, struct err *e);

#endif
