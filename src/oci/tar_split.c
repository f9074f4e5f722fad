#include "tar_split_priv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"

static uint64_t table[256];

static void make_table(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xd800000000000000 : crc >> 1;
		table[i] = crc;
	}
}

uint64_t crc64_iso(uint64_t crc, const void *bytes, size_t n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const uint8_t *p = bytes;
	pthread_once(&once, make_table);
	crc = ~crc;
	for (size_t i = 0; i < n; i++)
		crc = table[(uint8_t)crc ^ p[i]] ^ crc >> 8;
	return ~crc;
}

static int put(struct tar_split *t, struct json_out *o, const void *payload, size_t n, struct err *e)
{
	AUTO(str_fini) struct str encoded = { 0 };
	json_put_key(o, "payload");
	if (n) {
		base64_encode(payload, n, &encoded);
		json_put_str(o, str_text(&encoded));
	} else {
		json_put_null(o);
	}
	json_kv_int(o, "position", (int64_t)t->position++);
	json_end(o, '}');
	AUTO(free_drop) char *text = json_out_take(o);
	return sink_write(t->out, text, strlen(text), e) < 0 ? -1 : sink_write(t->out, "\n", 1, e);
}

int tar_split_segment(struct tar_split *t, const void *bytes, size_t n, struct err *e)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_int(&o, "type", 2);
	return put(t, &o, bytes, n, e);
}

int tar_split_file(struct tar_split *t, const char *name, uint64_t size, uint64_t crc, struct err *e)
{
	struct json_out o;
	uint8_t sum[8];
	for (int i = 0; i < 8; i++)
		sum[i] = (uint8_t)(crc >> (56 - 8 * i));
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_int(&o, "type", 1);
	json_kv_str(&o, "name", name);
	if (size)
		json_kv_int(&o, "size", (int64_t)size);
	return put(t, &o, sum, size ? sizeof sum : 0, e);
}
