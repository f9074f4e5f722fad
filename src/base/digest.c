#include "base/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/str.h"

/* The value of a digit and one more; 0 for what is none. */
static const uint8_t hex_value[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
	['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static bool parse(const char *text, struct digest *ret)
{
	if (!str_starts(text, "sha256:") || strlen(text) != DIGEST_TEXT)
		return false;
	text += 7;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		unsigned hi = hex_value[(uint8_t)text[2 * i]], lo = hex_value[(uint8_t)text[2 * i + 1]];
		if (!hi || !lo)
			return false;
		ret->b[i] = (uint8_t)((hi - 1) << 4 | (lo - 1));
	}
	return true;
}

int digest_parse(const char *text, struct digest *ret, struct err *e)
{
	struct digest d;
	if (!parse(text, &d))
		return err_set(e, ERR_SPEC, "\"%.80s\" is not a digest of the form sha256:<64 lower-case hex digits>",
			       text);
	*ret = d;
	return 0;
}

bool digest_is_valid(const char *text)
{
	struct digest d;
	return parse(text, &d);
}

static void put_hex(char *out, const uint8_t *b, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
}

struct digest_text digest_text(const struct digest *d)
{
	struct digest_text t;
	memcpy(t.s, "sha256:", 7);
	put_hex(t.s + 7, d->b, DIGEST_BYTES);
	return t;
}

struct digest_text digest_hex(const struct digest *d)
{
	struct digest_text t = {0};
	put_hex(t.s, d->b, DIGEST_BYTES);
	return t;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
	return memcmp(a->b, b->b, DIGEST_BYTES) == 0;
}

bool digest_is_zero(const struct digest *d)
{
	static const struct digest zero;
	return digest_eq(d, &zero);
}

static EVP_MD *sha256;

static void find_sha256(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/*
 * libcrypto picks the CPU's SHA instructions by itself; only memory can run out here. The algorithm is looked up once:
 * with EVP_sha256() OpenSSL 3 does so each time, which costs as much as a small file.
 */
void sha_init(struct sha *s)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, find_sha256);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx || EVP_DigestInit_ex(ctx, sha256, NULL) != 1)
		abort();
	s->ctx = ctx;
}

void sha_add(struct sha *s, const void *bytes, size_t n)
{
	if (EVP_DigestUpdate(s->ctx, bytes, n) != 1)
		abort();
}

void sha_add_str(struct sha *s, const char *text)
{
	sha_add(s, text, strlen(text) + 1);
}

static struct digest final(struct sha *s)
{
	struct digest d;
	unsigned n = 0;
	if (EVP_DigestFinal_ex(s->ctx, d.b, &n) != 1 || n != DIGEST_BYTES)
		abort();
	return d;
}

struct digest sha_end(struct sha *s)
{
	struct digest d = final(s);
	sha_drop(s);
	return d;
}

struct digest sha_next(struct sha *s)
{
	struct digest d = final(s);
	if (EVP_DigestInit_ex(s->ctx, NULL, NULL) != 1)
		abort();
	return d;
}

void sha_drop(struct sha *s)
{
	EVP_MD_CTX_free(s->ctx);
	s->ctx = NULL;
}

struct digest digest_of(const void *bytes, size_t n)
{
	struct sha s;
	sha_init(&s);
	sha_add(&s, bytes, n);
	return sha_end(&s);
}

void random_bytes(void *buf, size_t n)
{
	char *p = buf;
	while (n) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0)
			continue; /* EINTR; nothing else can happen once the pool is up */
		p += got;
		n -= (size_t)got;
	}
}

void random_hex(char *buf, size_t bytes)
{
	uint8_t raw[64];
	if (bytes > sizeof raw)
		abort();
	random_bytes(raw, bytes);
	put_hex(buf, raw, bytes);
}
