#include "cli/age.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "dockerfile/values.h"

int age_parse(const char *option, const char *text, int64_t *ret, struct err *e)
{
	enum { DAY = 24 * 3600 };
	size_t n = strlen(text);
	uint64_t days;
	AUTO(free_drop) char *number = x_strndup(text, n ? n - 1 : 0);
	struct err why;
	int64_t ns;
	if (n > 1 && strchr("dw", text[n - 1]) && str_to_u64(number, 100000, &days)) {
		*ret = (int64_t)days * DAY * (text[n - 1] == 'w' ? 7 : 1);
		return 0;
	}
	if (df_duration(text, &ns, &why) == 0 && ns >= 0) {
		*ret = ns / 1000000000;
		return 0;
	}
	return err_set(e, ERR_USAGE, "%s %s: a time like 90m, 12h, 7d or 2w is wanted", option, text);
}
