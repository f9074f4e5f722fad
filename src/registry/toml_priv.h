/*
 * As much of TOML 1.0 as registries.conf files are written in, read into the tree that base/json has: tables and arrays
 * of tables, dotted and quoted keys, strings on one line, integers, booleans, arrays of these. Anything else (inline
 * tables, strings of several lines, floats, dates) is refused with its line.
 */
#ifndef NACRE_REGISTRY_TOML_PRIV_H
#define NACRE_REGISTRY_TOML_PRIV_H

#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

/* `name` is for messages. On success the caller frees *ret with json_fini. ERR_SPEC. */
int toml_parse(const char *bytes, size_t n, const char *name, struct json *ret, struct err *e);

#endif
