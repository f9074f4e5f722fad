#include "lazy_toc_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "oci/time.h"

void lazy_entries_fini(struct lazy_entries *l)
{
	for (size_t i = 0; i < l->n; i++) {
		tar_entry_fini(&l->v[i].tar);
		vec_fini(&l->v[i].pieces);
	}
	vec_fini(l);
}

static const char *type_name(enum tar_type type)
{
	switch (type) {
	case TAR_FILE:
		return "reg";
	case TAR_DIR:
		return "dir";
	case TAR_SYMLINK:
		return "symlink";
	case TAR_HARDLINK:
		return "hardlink";
	case TAR_FIFO:
		return "fifo";
	case TAR_CHAR:
		return "char";
	case TAR_BLOCK:
		return "block";
	}
	abort();
}

static void put_name(struct json_out *o, const struct tar_entry *t)
{
	AUTO(free_drop) char *name = x_asprintf("%s%s", t->path, t->type == TAR_DIR ? "/" : "");
	json_kv_str(o, "name", name);
}

/* RFC 3339, with what is behind the second where there is something, as Go prints it. */
static void put_time(struct json_out *o, const struct tar_entry *t)
{
	AUTO(free_drop) char *whole = time_rfc3339(t->mtime);
	char part[16] = "";
	size_t n = 0;
	if (t->mtime_ns)
		n = (size_t)snprintf(part, sizeof part, ".%09u", t->mtime_ns);
	while (n && part[n - 1] == '0')
		part[--n] = '\0';
	AUTO(free_drop) char *text = x_asprintf("%.*s%sZ", (int)strlen(whole) - 1, whole, part);
	json_kv_str(o, "modtime", text);
}

static void put_xattrs(struct json_out *o, const struct tar_xattrs *x)
{
	if (!x->n)
		return;
	json_put_key(o, "xattrs");
	json_begin(o, '{');
	for (size_t i = 0; i < x->n; i++) {
		AUTO(str_fini) struct str value = { 0 };
		base64_encode(x->v[i].value, x->v[i].len, &value);
		json_kv_str(o, x->v[i].name, str_text(&value));
	}
	json_end(o, '}');
}

static void put_head(struct json_out *o, const struct tar_entry *t)
{
	json_kv_str(o, "type", type_name(t->type));
	put_name(o, t);
	if (t->link)
		json_kv_str(o, "linkName", t->link);
	json_kv_int(o, "mode", (int64_t)t->mode);
	json_kv_int(o, "uid", t->uid);
	json_kv_int(o, "gid", t->gid);
	put_time(o, t);
	if (t->type == TAR_CHAR || t->type == TAR_BLOCK) {
		json_kv_int(o, "devMajor", t->major);
		json_kv_int(o, "devMinor", t->minor);
	}
	put_xattrs(o, &t->xattrs);
}

/* Where piece i is. The last one, and one alone, has no length in eStargz and, alone, none in zstd:chunked. */
static void put_piece(struct json_out *o, const struct lazy_entry *l, const struct frame_spans *where, size_t i,
		      enum lazy_format format)
{
	uint64_t from = (uint64_t)i * FRAME_MAX, left = l->tar.size - from;
	bool last = i + 1 == l->pieces.n, alone = l->pieces.n == 1;
	json_kv_int(o, "offset", (int64_t)where->v[l->frame + i].offset);
	if (i)
		json_kv_int(o, "chunkOffset", (int64_t)from);
	if (!alone && !(last && format == LAZY_ESTARGZ))
		json_kv_int(o, "chunkSize", (int64_t)(left < FRAME_MAX ? left : FRAME_MAX));
	if (!alone || format == LAZY_ESTARGZ)
		json_kv_str(o, "chunkDigest", digest_text(&l->pieces.v[i]).s);
}

static void put_content(struct json_out *o, const struct lazy_entry *l, const struct frame_spans *where,
			enum lazy_format format)
{
	const struct frame_span *last = &where->v[l->frame + l->pieces.n - 1];
	json_kv_int(o, "size", (int64_t)l->tar.size);
	json_kv_str(o, "digest", digest_text(&l->digest).s);
	if (format == LAZY_ZSTD_CHUNKED)
		json_kv_int(o, "endOffset", (int64_t)(last->offset + last->n));
	put_piece(o, l, where, 0, format);
}

static int end_object(struct json_out *o, bool comma, struct sink *out, struct err *e)
{
	json_end(o, '}');
	AUTO(free_drop) char *text = json_out_take(o);
	if (comma && sink_write(out, ",", 1, e) < 0)
		return -1;
	return sink_write(out, text, strlen(text), e);
}

static int put_entry(const struct lazy_entry *l, const struct frame_spans *where, enum lazy_format format, bool comma,
		     struct sink *out, struct err *e)
{
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	put_head(&o, &l->tar);
	if (l->pieces.n)
		put_content(&o, l, where, format);
	if (end_object(&o, comma, out, e) < 0)
		return -1;
	for (size_t i = 1; i < l->pieces.n; i++) {
		json_out_init(&o);
		json_begin(&o, '{');
		json_kv_str(&o, "type", "chunk");
		put_name(&o, &l->tar);
		put_piece(&o, l, where, i, format);
		if (end_object(&o, true, out, e) < 0)
			return -1;
	}
	return 0;
}

static int put_text(struct sink *out, const char *text, struct err *e)
{
	return sink_write(out, text, strlen(text), e);
}

int lazy_toc_write(const struct lazy_entries *l, const struct frame_spans *where, enum lazy_format format,
		   const struct digest *split, struct sink *out, struct err *e)
{
	/* Entry by entry: the whole may be larger than is good to have in memory. */
	if (put_text(out, "{\"version\":1,\"entries\":[", e) < 0)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		if (put_entry(&l->v[i], where, format, i > 0, out, e) < 0)
			return -1;
	if (!split)
		return put_text(out, "]}", e);
	AUTO(free_drop) char *end = x_asprintf("],\"tarSplitDigest\":\"%s\"}", digest_text(split).s);
	return put_text(out, end, e);
}
