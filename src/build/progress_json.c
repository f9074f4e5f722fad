/*
 * One JSON object a line, for programs: the fields of BuildKit's solve status, as `docker buildx build
 * --progress=rawjson` prints them. A step is a vertex; its digest is an identity within this build and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/json.h"
#include "progress_priv.h"

struct json_view {
	struct progress_view base;
	int64_t epoch_ms; /* the wall clock when now_ms() was 0: one clock for all events of a build */
};

static void put_time(const struct progress_view *v, struct json_out *o, const char *key, int64_t ms)
{
	const struct json_view *j = (const struct json_view *)v;
	time_t seconds = (time_t)((j->epoch_ms + ms) / 1000);
	struct tm tm;
	char text[64], all[96];
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(all, sizeof all, "%s.%03dZ", text, (int)((j->epoch_ms + ms) % 1000));
	json_kv_str(o, key, all);
}

static struct digest_text identity(const struct step *s)
{
	AUTO(free_drop) char *text = x_asprintf("%u %s", s->number, s->title);
	struct digest d = digest_of(text, strlen(text));
	return digest_text(&d);
}

static void begin(struct json_out *o, const char *kind)
{
	json_out_init(o);
	json_begin(o, '{');
	json_put_key(o, kind);
	json_begin(o, '[');
	json_begin(o, '{');
}

static void end(struct json_out *o)
{
	json_end(o, '}');
	json_end(o, ']');
	json_end(o, '}');
	AUTO(free_drop) char *text = json_out_take(o);
	AUTO(str_fini) struct str line = { 0 };
	str_addf(&line, "%s\n", text);
	progress_put(&line);
}

static void vertex(const struct progress_view *v, struct json_out *o, const struct step *s)
{
	begin(o, "vertexes");
	json_kv_str(o, "digest", identity(s).s);
	json_kv_str(o, "name", s->title);
	put_time(v, o, "started", s->started_ms);
}

static void json_start(struct progress_view *v, const struct step *s)
{
	struct json_out o;
	vertex(v, &o, s);
	end(&o);
}

static void put_base64(struct json_out *o, const char *key, const char *text, size_t n, const char *after)
{
	AUTO(str_fini) struct str bytes = { 0 };
	AUTO(str_fini) struct str encoded = { 0 };
	str_addn(&bytes, text, n);
	str_add(&bytes, after);
	base64_encode(str_text(&bytes), bytes.len, &encoded);
	json_kv_str(o, key, str_text(&encoded));
}

enum { STREAM_OUTPUT = 1, STREAM_REMARK = 2 };

static void put_log(const struct progress_view *v, const struct step *s, int stream, const char *text, size_t n)
{
	struct json_out o;
	begin(&o, "logs");
	json_kv_str(&o, "vertex", identity(s).s);
	json_kv_int(&o, "stream", stream);
	put_base64(&o, "data", text, n, "\n");
	put_time(v, &o, "timestamp", now_ms());
	end(&o);
}

static void json_remark(struct progress_view *v, const struct step *s, const char *text)
{
	put_log(v, s, STREAM_REMARK, text, strlen(text));
}

static void json_output(struct progress_view *v, const struct step *s, const char *text, size_t n)
{
	put_log(v, s, STREAM_OUTPUT, text, n);
}

static void json_done(struct progress_view *v, const struct step *s, const struct digest *image)
{
	struct json_out o;
	(void)image;
	vertex(v, &o, s);
	put_time(v, &o, "completed", s->ended_ms);
	if (s->cached)
		json_kv_bool(&o, "cached", true);
	end(&o);
}

static void json_failed(struct progress_view *v, const struct step *s, const struct err *e)
{
	struct json_out o;
	vertex(v, &o, s);
	put_time(v, &o, "completed", now_ms());
	json_kv_str(&o, "error", e->msg);
	end(&o);
}

static void json_note(struct progress_view *v, const char *text)
{
	struct json_out o;
	(void)v;
	begin(&o, "warnings");
	json_kv_int(&o, "level", 1);
	put_base64(&o, "short", text, strlen(text), "");
	end(&o);
}

static void json_free(struct progress_view *v)
{
	free(v);
}

struct progress_view *progress_rawjson(void)
{
	struct json_view *v = x_alloc(sizeof *v);
	struct timespec t;
	v->base = (struct progress_view){
		.start = json_start,
		.remark = json_remark,
		.output = json_output,
		.done = json_done,
		.failed = json_failed,
		.note = json_note,
		.free = json_free,
	};
	clock_gettime(CLOCK_REALTIME, &t);
	v->epoch_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 - now_ms();
	return &v->base;
}
