/* Marks by which CI systems fold a part of a log into one line. */
#ifndef NACRE_SRC_BUILD_PROGRESS_FOLD_PRIV_H
#define NACRE_SRC_BUILD_PROGRESS_FOLD_PRIV_H

#include "base/str.h"

enum fold {
	FOLD_NONE,
	FOLD_GITHUB, /* "::group::TITLE" and "::endgroup::", when GITHUB_ACTIONS is "true" */
	FOLD_GITLAB, /* section_start and section_end with times and names, when GITLAB_CI is "true" */
};
enum fold fold_of_environment(void);

/* Groups do not nest: the one of `number` begins, and ends, before another begins. */
void fold_begin(enum fold f, unsigned number, const char *title, struct str *out);
void fold_end(enum fold f, unsigned number, struct str *out);

#endif
