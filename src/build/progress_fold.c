#include "progress_fold_priv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum fold fold_of_environment(void)
{
	if (str_eq(getenv("GITHUB_ACTIONS"), "true"))
		return FOLD_GITHUB;
	return str_eq(getenv("GITLAB_CI"), "true") ? FOLD_GITLAB : FOLD_NONE;
}

void fold_begin(enum fold f, unsigned number, const char *title, struct str *out)
{
	if (f == FOLD_NONE)
		return;
	if (f == FOLD_GITHUB)
		str_add(out, "::group::");
	else
		str_addf(out, "\x1b[0Ksection_start:%lld:nacre_%u\r\x1b[0K", (long long)time(NULL), number);
	str_addf(out, "#%u ", number);
	str_add_printable(out, title, strlen(title));
	str_addc(out, '\n');
}

void fold_end(enum fold f, unsigned number, struct str *out)
{
	if (f == FOLD_GITHUB)
		str_add(out, "::endgroup::\n");
	else if (f == FOLD_GITLAB)
		str_addf(out, "\x1b[0Ksection_end:%lld:nacre_%u\r\x1b[0K\n", (long long)time(NULL), number);
}
