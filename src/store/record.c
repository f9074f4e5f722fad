#include "store/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/store.h"
#include "store/use.h"
#include "store_priv.h"

/* 0 read, 1 absent or of a kind that no record has, -1. */
static int read_record(struct store *s, const char *name, size_t limit, struct str *out, struct err *e)
{
	struct err why;
	if (file_read(s->fd, name, limit, out, &why) == 0) {
		store_use(s, name, NULL);
		return 0;
	}
	if (why.kind == ERR_SYS && (why.sysno == ENOENT || why.sysno == ENOTDIR))
		return 1;
	if (why.kind == ERR_SYS) {
		*e = why;
		return err_in(e, "store %s", s->path);
	}
	log_debug("%s/%s does not count: %s", s->path, name, why.msg);
	return 1;
}

/*
 * Finds what a power cut or a bad disk does to a file (a tail missing, blocks of zeros, a wrong bit), not what an enemy
 * does. Eight bytes at a time, because listings have megabytes and are read at every start of a build.
 */
static uint64_t sum_of(const char *bytes, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u ^ n;
	for (size_t i = 0; i < n; i += 8) {
		uint64_t word = 0;
		memcpy(&word, bytes + i, n - i < 8 ? n - i : 8);
		h = (h ^ word) * 0x100000001b3u;
		h ^= h >> 32;
	}
	return h;
}

enum { SUM = 26 }; /* ,"sum":"HEX"} */

static void sum_member(const char *bytes, size_t n, char ret[SUM + 1])
{
	snprintf(ret, SUM + 1, ",\"sum\":\"%016" PRIx64 "\"}", sum_of(bytes, n));
}

/* The length without blank space at the end. */
static size_t text_end(const char *text, size_t n)
{
	while (n && strchr(" \t\r\n", text[n - 1]))
		n--;
	return n;
}

static bool has_wrong_sum(const struct str *text)
{
	const char *bytes = str_text(text);
	size_t n = text_end(bytes, text->len), name = strlen(",\"sum\":\"");
	char want[SUM + 1];
	if (n < SUM)
		return false;
	sum_member(bytes, n - SUM, want);
	return memcmp(bytes + n - SUM, want, name) == 0 && memcmp(bytes + n - SUM, want, SUM) != 0;
}

int store_json_parse(const struct str *text, const char *name, struct json *ret, struct err *e)
{
	if (has_wrong_sum(text))
		return err_set(e, ERR_INTEGRITY, "%s is damaged: its bytes have another sum", name);
	return json_parse(str_text(text), text->len, name, ret, e);
}

int store_json_get(struct store *s, const char *name, struct json *ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	struct err why;
	int r = read_record(s, name, LIMIT_STORE_JSON, &text, e);
	if (r != 0)
		return r;
	if (store_json_parse(&text, name, ret, &why) == 0)
		return 0;
	log_debug("%s/%s does not count: %s", s->path, name, why.msg);
	return 1;
}

void record_text(const char *text, struct str *ret)
{
	size_t end = text_end(text, strlen(text)), n = end ? text_end(text, end - 1) : 0;
	char sum[SUM + 1];
	/* Neither a list nor {} has a place for it. */
	if (!n || text[end - 1] != '}' || text[n - 1] == '{') {
		str_add(ret, text);
		return;
	}
	sum_member(text, n, sum);
	str_addn(ret, text, n);
	str_addf(ret, "%s\n", sum);
}

int store_json_put(struct store *s, const char *name, const char *text, struct err *e)
{
	AUTO(str_fini) struct str whole = { 0 };
	record_text(text, &whole);
	return aside_put(s, name, str_text(&whole), whole.len, false, e);
}

enum { TRAILER = 39 };

static void trailer_of(const char *bytes, size_t n, char ret[TRAILER + 1])
{
	snprintf(ret, TRAILER + 1, "#end %016zx %016" PRIx64 "\n", n, sum_of(bytes, n));
}

int store_file_put(struct store *s, const char *name, const void *bytes, size_t n, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	char end[TRAILER + 1];
	trailer_of(bytes, n, end);
	str_reserve(&text, n + TRAILER);
	str_addn(&text, bytes, n);
	str_add(&text, end);
	return aside_put(s, name, text.buf, text.len, false, e);
}

bool store_file_open(struct str *text)
{
	char end[TRAILER + 1];
	size_t n = text->len < TRAILER ? 0 : text->len - TRAILER;
	trailer_of(str_text(text), n, end);
	if (text->len < TRAILER || memcmp(text->buf + n, end, TRAILER) != 0)
		return false;
	text->len = n;
	text->buf[n] = '\0';
	return true;
}

int store_file_get(struct store *s, const char *name, size_t limit, struct str *out, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	int r = read_record(s, name, limit + TRAILER, &text, e);
	if (r != 0)
		return r;
	if (!store_file_open(&text)) {
		log_debug("%s/%s does not count: it is damaged", s->path, name);
		return 1;
	}
	if (!out->len) {
		str_fini(out);
		*out = text;
		text = (struct str){ 0 };
	} else {
		str_addn(out, text.buf, text.len);
	}
	return 0;
}
