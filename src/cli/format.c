#include "cli/format.h"

#include <stddef.h>
#include <string.h>

int format_is_json(const char *format, bool *ret, struct err *e)
{
	*ret = format && strcmp(format, "json") == 0;
	if (format && !*ret && strcmp(format, "table") != 0)
		return err_set(e, ERR_USAGE, "--format %s: table or json is wanted", format);
	return 0;
}
