#include "dockerfile/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "dockerfile/csv.h"
#include "text_priv.h"

void df_device_fini(struct df_device *d)
{
	free(d->name);
	*d = (struct df_device){ 0 };
}

/* A CDI name has a "=" of its own, so the first field that is no key is the name, whatever it holds. */
static int parse_field(struct df_device *d, const char *field, struct err *e)
{
	AUTO(free_drop) char *key = x_strndup(field, strcspn(field, "="));
	const char *value = field[strlen(key)] ? field + strlen(key) + 1 : NULL;
	str_lower(key);
	if (str_eq(key, "required")) {
		d->required = true;
		if (value && !span_to_bool(span_of(value), &d->required))
			return err_set(e, ERR_PARSE, "invalid value for required: %.60s", value);
		return 0;
	}
	bool named = value && str_eq(key, "name");
	if (d->name && named)
		return err_set(e, ERR_PARSE, "device name already set to %.100s", d->name);
	if (d->name && !value)
		return err_set(e, ERR_PARSE, "invalid field '%.100s' must be a key=value pair", field);
	if (d->name)
		return err_set(e, ERR_PARSE, "unexpected key '%.60s' in '%.100s'", key, field);
	d->name = x_strdup(named ? value : field);
	return 0;
}

int df_device_parse(const char *value, struct df_device *ret, struct err *e)
{
	AUTO(strv_fini) struct strv fields = { 0 };
	AUTO(df_device_fini) struct df_device d = { 0 };
	if (csv_parse(value, &fields, e))
		return err_in(e, "--device=%.100s", value);
	for (size_t i = 0; i < fields.n; i++)
		if (parse_field(&d, fields.v[i], e))
			return err_in(e, "--device=%.100s", value);
	ret->name = d.name ? ptr_take(&d.name) : x_strdup("");
	ret->required = d.required;
	return 0;
}
