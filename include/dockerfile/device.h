/* The value of RUN --device (RUN-16). */
#ifndef NACRE_DOCKERFILE_DEVICE_H
#define NACRE_DOCKERFILE_DEVICE_H

#include <stdbool.h>

#include "base/err.h"

struct df_device {
	char *name;    /* "vendor.com/class=name" or less; "" when not given. owned */
	bool required;
};
/* "NAME[,required[=BOOL]]", or name=NAME. */
int df_device_parse(const char *value, struct df_device *ret, struct err *e);
void df_device_fini(struct df_device *d);

#endif
