/* Growing byte strings, and small questions about C strings. */
#ifndef NACRE_BASE_STR_H
#define NACRE_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* buf is NULL while nothing was added, else always ends in a NUL that len does not count. {0} is a valid empty value.
 */
struct str {
	char *buf; /* owned */
	size_t len, cap;
};

void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const void *bytes, size_t n);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_reserve(struct str *s, size_t more);
void str_clear(struct str *s);      /* len becomes 0; the memory stays */
const char *str_text(const struct str *s); /* "" when empty; borrowed */
char *str_take(struct str *s);      /* the caller owns the result, never NULL; *s is empty again */
void str_fini(struct str *s);

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_case_eq(const char *a, const char *b);   /* ASCII only, whatever the locale */
bool str_case_starts(const char *s, const char *prefix);
void str_lower(char *s);                          /* ASCII only, in place */

/* Whole string must be digits of base 10 (or 8), no sign, no blanks; false on overflow beyond max. */
bool str_to_u64(const char *s, uint64_t max, uint64_t *ret);
bool str_octal_to_u64(const char *s, uint64_t max, uint64_t *ret);

/* The word of `known` nearest to `word` by edit distance, NULL when none is near enough to suggest. */
const char *str_nearest(const char *word, const char *const *known, size_t n);

/* The character that UTF-8 bytes begin with and its length; 0 when they are not UTF-8. n is at least 1. */
size_t str_char(const char *bytes, size_t n, uint32_t *ret);

/* Appends `bytes` to `out` for a human: printable UTF-8 stays, everything else becomes \xNN. */
void str_add_printable(struct str *out, const char *bytes, size_t n);

/* Appends `bytes` as valid UTF-8: what is not becomes U+FFFD, byte by byte, as Go's encoding/json does. */
void str_add_utf8(struct str *out, const char *bytes, size_t n);
bool str_is_utf8(const char *bytes, size_t n);

/* "1.5 MB": decimal units, three significant digits. */
void str_add_size(struct str *out, uint64_t bytes);

#endif
