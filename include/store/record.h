/* Small named records of the store: step/KEY.json, layer/DIFFID.json, snap/CHAINID.json, list/DIFFID, log/ID.json */
#ifndef NACRE_STORE_RECORD_H
#define NACRE_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

struct store;

/*
 * 0 found, 1 absent, -1. `name` is "step/HEX.json" and the like, made by us, never from input. Damaged = absent,
 * logged.
 */
int store_json_get(struct store *s, const char *name, struct json *ret, struct err *e);
/*
 * Written aside and renamed over what is there. Missing directories are made. An object gains a last member
 * "sum":"HEX", 16 hex digits, made of the bytes before it: a bit that is wrong on the disk may still be JSON.
 */
int store_json_put(struct store *s, const char *name, const char *text, struct err *e);
/* The same for bytes read elsewhere: ERR_INTEGRITY when they have another sum. A record without one is taken as it is. */
int store_json_parse(const struct str *text, const char *name, struct json *ret, struct err *e);
/*
 * The same for any bytes. The file ends with a line "#end LENGTH SUM", both 16 hex digits, of which the caller sees
 * nothing.
 */
int store_file_put(struct store *s, const char *name, const void *bytes, size_t n, struct err *e);
/* 0, 1 absent, -1 */
int store_file_get(struct store *s, const char *name, size_t limit, struct str *out, struct err *e);
/* Whether bytes read elsewhere are such a file, whole; cuts off the last line. */
bool store_file_open(struct str *text);

#endif
