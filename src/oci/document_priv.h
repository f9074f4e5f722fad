/*
 * Reading the members of a document whose shape we know. "Not set" follows Go's encoding/json, in which these documents
 * are defined: a missing member and null are the same.
 */
#ifndef NACRE_OCI_DOCUMENT_PRIV_H
#define NACRE_OCI_DOCUMENT_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"

/* Parses a whole document that must be an object of at most `limit` bytes. */
int doc_parse(const char *bytes, size_t n, size_t limit, const char *name, struct json *ret, struct err *e);
/*
 * ERR_SPEC when a member is one of `known` but for case: Go programs would take it for the known one, others not
 * (THREATS T-H6).
 */
int doc_check_keys(const struct json *object, const char *const *known, size_t n, const char *name, struct err *e);

/* The member if it is set and has the type, NULL when not set, ERR_SPEC for another type. */
int doc_get(const struct json *object, const char *key, enum json_type type, const char *name, const struct json **ret,
	    struct err *e);
/* The caller owns *ret; NULL when not set or "". */
int doc_str(const struct json *object, const char *key, const char *name, char **ret, struct err *e);
/* *ret_set (may be NULL): there is a list, be it empty. */
int doc_strv(const struct json *object, const char *key, const char *name, struct strv *ret, bool *ret_set,
	     struct err *e);
/* A Go map[string]struct{}: the keys, sorted. */
int doc_keys(const struct json *object, const char *key, const char *name, struct strv *ret, struct err *e);
/* 0 when not set; ERR_SPEC for anything but an exact integer of 64 bits. */
int doc_int(const struct json *object, const char *key, const char *name, int64_t *ret, struct err *e);
int doc_bool(const struct json *object, const char *key, const char *name, bool *ret, struct err *e);
/* RFC 3339, or not set. */
int doc_time(const struct json *object, const char *key, const char *name, char **ret, struct err *e);

/* Sorts by byte value, as Go writes the keys of a map. */
void strv_sort(struct strv *l);

#endif
