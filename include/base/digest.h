/*
 * SHA-256 and the text form "sha256:HEX". There is one parser, used before a digest touches a path, URL or allocation
 * (THREATS T-H4). Blob digest, diffID and chainID are three types so that the compiler keeps them apart.
 */
#ifndef NACRE_BASE_DIGEST_H
#define NACRE_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { DIGEST_BYTES = 32, DIGEST_HEX = 64, DIGEST_TEXT = 7 + DIGEST_HEX };

struct digest { uint8_t b[DIGEST_BYTES]; };   /* of stored bytes: a blob's name */
struct diffid { struct digest d; };           /* of an uncompressed layer tar */
struct chainid { struct digest d; };          /* of a stack of layers; all zero = the empty stack */

/* Exactly "sha256:" and 64 lower-case hex digits; anything else is ERR_SPEC. */
int digest_parse(const char *text, struct digest *ret, struct err *e);
bool digest_is_valid(const char *text);

struct digest_text { char s[DIGEST_TEXT + 1]; };
struct digest_text digest_text(const struct digest *d);  /* "sha256:HEX", by value: digest_text(&d).s */
struct digest_text digest_hex(const struct digest *d);   /* "HEX" */

bool digest_eq(const struct digest *a, const struct digest *b);
bool digest_is_zero(const struct digest *d);

struct digest digest_of(const void *bytes, size_t n);

/* A running SHA-256; sha_init, any number of sha_add, one sha_end (which also frees). sha_drop for an unfinished one.
 */
struct sha {
	void *ctx; /* owned */
};
void sha_init(struct sha *s);
void sha_add(struct sha *s, const void *bytes, size_t n);
void sha_add_str(struct sha *s, const char *text);       /* with its NUL, so that fields can not run together */
struct digest sha_end(struct sha *s);
struct digest sha_next(struct sha *s);                   /* as sha_end, and begins another: cheaper for many small ones */
void sha_drop(struct sha *s);

/* Fills from the kernel's random source; ids and temporary names. */
void random_bytes(void *buf, size_t n);
void random_hex(char *buf, size_t bytes); /* 2 * bytes digits and a NUL */

#endif
