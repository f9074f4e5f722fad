#include "dockerfile/csv.h"

#include <string.h>

#include "base/str.h"

/* *p stands behind the opening quote, and behind the closing one afterwards. */
static int quoted_field(const char **p, struct str *field, struct err *e)
{
	for (;;) {
		size_t n = strcspn(*p, "\"");
		str_addn(field, *p, n);
		*p += n;
		if (!**p)
			return err_set(e, ERR_PARSE, "a quoted field is not closed");
		(*p)++;
		if (**p != '"')
			break;
		str_addc(field, '"');
		(*p)++;
	}
	if (**p && **p != ',')
		return err_set(e, ERR_PARSE, "a closing quote must end its field");
	return 0;
}

static int plain_field(const char **p, struct str *field, struct err *e)
{
	size_t n = strcspn(*p, ",");
	if (memchr(*p, '"', n))
		return err_set(e, ERR_PARSE, "a quote must begin its field: \"%.*s\"", (int)(n < 100 ? n : 100), *p);
	str_addn(field, *p, n);
	*p += n;
	return 0;
}

int csv_parse(const char *text, struct strv *ret, struct err *e)
{
	const char *p = text;
	for (;;) {
		AUTO(str_fini) struct str field = { 0 };
		bool quoted = *p == '"';
		p += quoted;
		if (quoted ? quoted_field(&p, &field, e) : plain_field(&p, &field, e))
			return -1;
		strv_push(ret, str_text(&field));
		if (!*p)
			return 0;
		p++;
	}
}
