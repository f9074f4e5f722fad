/* What the tests of documents share. */
#ifndef NACRE_TESTS_DOCUMENTS_H
#define NACRE_TESTS_DOCUMENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define HEX0 "0000000000000000000000000000000000000000000000000000000000000000"
#define HEX1 "1111111111111111111111111111111111111111111111111111111111111111"
#define HEX2 "2222222222222222222222222222222222222222222222222222222222222222"
#define SHA0 "sha256:" HEX0
#define SHA1 "sha256:" HEX1
#define SHA2 "sha256:" HEX2

/* Texts that are no digest, as they stand inside a JSON string (THREATS T-H4). */
static const char *const bad_digests[] = {
	"",
	":",
	"sha256",
	"sha256:",
	"sha256:abc",
	"sha256:../../../../etc/passwd",
	"sha256:" HEX0 "0",
	"sha256:000000000000000000000000000000000000000000000000000000000000000",
	"SHA256:" HEX0,
	"sha256::" HEX0,
	"sha256:" HEX0 ":",
	" sha256:" HEX0,
	"sha256:" HEX0 " ",
	"sha256:" HEX0 "/..",
	"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"sha256:g000000000000000000000000000000000000000000000000000000000000000",
	"sha512:" HEX0,
	"sha512:" HEX0 HEX0,
	"md5:00000000000000000000000000000000",
	HEX0,
};

/* "%s" in `template` stands for `value`; the caller owns the result. */
static inline char *fill_in(const char *template, const char *value)
{
	struct str s = { 0 };
	const char *at = strstr(template, "%s");
	str_addn(&s, template, (size_t)(at - template));
	str_add(&s, value);
	str_add(&s, at + 2);
	return str_take(&s);
}

#endif
