/* Sizes as docker reads them: powers of 1024, whatever the unit is called. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "dockerfile/values.h"

bool df_size(const char *text, uint64_t *ret)
{
	static const char units[] = "kmgtp";
	size_t n = strspn(text, "0123456789."), whole = strspn(text, "0123456789");
	const char *suffix = text + n + (text[n] == ' ');
	double size = strtod(text, NULL);
	if (!whole || n - whole > 18 || strchr(text + whole, '.') != strrchr(text, '.'))
		return false;
	if (*suffix && !str_case_eq(suffix, "b")) {
		const char *unit = strchr(units, *suffix | 32);
		if (!unit || (suffix[1] && !str_case_eq(suffix + 1, "b") && !str_case_eq(suffix + 1, "ib")))
			return false;
		for (const char *u = units; u <= unit; u++)
			size *= 1024;
	}
	if (size >= 9223372036854775807.0)
		return false;
	*ret = (uint64_t)size;
	return true;
}
