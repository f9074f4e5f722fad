/*
 * ADD of HTTP(S) sources (ADD-04, ADD-06): fetched in a worker into a blob of the store, and asked for again with its
 * ETag in later builds. What is known of a URL is kept in url/HEX.json:
 *   {"url":…,"etag":…|absent,"digest":…,"size":…,"modified":…|absent}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "copy_priv.h"
#include "registry/fetch.h"
#include "registry/secret.h"
#include "room_priv.h"
#include "source_auth_priv.h"
#include "store/blob.h"
#include "store/record.h"

enum { URL_MAX_BYTES = 1 << 30 };

bool remote_is_url(const char *source)
{
	return str_starts(source, "http://") || str_starts(source, "https://");
}

static int hex_value(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* Undoes "%20" in place; false for what is no escape, or stands for a NUL. */
static bool unescape(char *text)
{
	char *out = text;
	for (const char *p = text; *p; p++) {
		if (*p == '%') {
			int high = hex_value(p[1]), low = high < 0 ? -1 : hex_value(p[2]);
			if (low < 0 || !(high | low))
				return false;
			*out++ = (char)(high << 4 | low);
			p += 2;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
	return true;
}

char *remote_name(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	const char *path = host + strcspn(host, "/#?");
	AUTO(free_drop) char *plain = x_strndup(path, strcspn(path, "#?"));
	bool good = unescape(plain);
	/* The last element, however many slashes follow it. */
	for (size_t n = strlen(plain); n && plain[n - 1] == '/'; n--)
		plain[n - 1] = '\0';
	const char *name = path_base(plain);
	bool none = !good || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
	return x_strdup(none ? "__unnamed__" : name);
}

static char *memo_name(const char *url)
{
	struct digest d = digest_of(url, strlen(url));
	return x_asprintf("url/%s.json", digest_hex(&d).s);
}

struct memo {
	char *etag; /* owned */
	struct remote_file file;
};

/* What was fetched before, if it is still there. */
static bool memo_get(struct store *s, const char *url, struct memo *ret)
{
	struct err ignored;
	AUTO(json_fini) struct json j = { 0 };
	AUTO(free_drop) char *name = memo_name(url);
	if (store_json_get(s, name, &j, &ignored) != 0 || !json_str(&j, "digest") || !json_str(&j, "etag"))
		return false;
	if (digest_parse(json_str(&j, "digest"), &ret->file.digest, &ignored) < 0 ||
	    !blob_exists(s, &ret->file.digest, &ret->file.size))
		return false;
	ret->file.has_mtime = json_get(&j, "modified") != NULL;
	ret->file.mtime = json_int(&j, "modified", 0);
	ret->etag = x_strdup(json_str(&j, "etag"));
	return true;
}

static int memo_put(struct store *s, const char *url, const struct fetched *f, struct err *e)
{
	struct json_out o;
	AUTO(free_drop) char *name = memo_name(url);
	json_out_init(&o);
	json_begin(&o, '{');
	json_kv_str(&o, "url", url);
	if (f->etag)
		json_kv_str(&o, "etag", f->etag);
	json_kv_str(&o, "digest", digest_text(&f->digest).s);
	json_kv_int(&o, "size", (int64_t)f->size);
	if (f->has_last_modified)
		json_kv_int(&o, "modified", f->last_modified);
	json_end(&o, '}');
	AUTO(free_drop) char *text = json_out_take(&o);
	return store_json_put(s, name, text, e);
}

int remote_fetch(struct build *b, const char *url, const struct pull_progress *progress, struct remote_file *ret,
		 struct err *e)
{
	struct memo memo = { 0 };
	struct blob_writer w;
	struct fetched got = { 0 };
	AUTO(secret_drop) char *auth = NULL;
	if (http_auth(&b->secrets, url, &auth, e) < 0)
		return -1;
	bool known = memo_get(b->store, url, &memo);
	if (blob_writer_open(b->store, &w, e) < 0)
		return -1;
	struct fetch_request q = {
		.url = url, .fd = w.fd, .limit = URL_MAX_BYTES, .etag = known ? memo.etag : NULL, .progress = progress,
		.authorization = auth,
	};
	int r = http_fetch(&q, &got, e);
	if (r == 0 && got.not_modified) {
		*ret = memo.file;
		blob_writer_drop(&w);
	} else if (r == 0) {
		*ret = (struct remote_file){ .digest = got.digest, .size = got.size,
					     .has_mtime = got.has_last_modified,
					     .mtime = got.has_last_modified ? got.last_modified : 0 };
		r = blob_writer_commit(&w, &got.digest, e);
		if (r == 0)
			r = memo_put(b->store, url, &got, e);
	} else {
		blob_writer_drop(&w);
	}
	fetched_fini(&got);
	free(memo.etag);
	return r;
}

struct remote_job {
	struct build *build;
	const struct strv *urls;
};

/* The result: a line "DIGEST SIZE MTIME" per URL. */
static int remote_work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	struct remote_job *j = ctx;
	struct room_fetch way;
	room_fetch_init(&way, j->build, r);
	for (size_t i = 0; i < j->urls->n; i++) {
		struct remote_file f;
		int rc = remote_fetch(j->build, j->urls->v[i], &way.progress, &f, e);
		room_fetch_end(&way, rc == 0);
		if (rc < 0)
			return -1;
		str_addf(result, "%s %llu %lld\n", digest_text(&f.digest).s, (unsigned long long)f.size,
			 (long long)f.mtime);
	}
	return 0;
}

struct job *remote_start(struct build *b, struct step *step, const struct strv *urls, struct err *e)
{
	struct remote_job ctx = { .build = b, .urls = urls };
	return job_worker(b, step, "nacre-fetch", remote_work, &ctx, e);
}

int remote_result(const struct str *text, const struct strv *urls, struct copy_from *from, struct fsview *view,
		  struct err *e)
{
	const char *p = text->buf;
	fsview_init(view);
	from->view = view;
	from->remote = true;
	for (size_t i = 0; i < urls->n; i++) {
		char digest[80];
		unsigned long long size;
		long long mtime;
		if (!p || sscanf(p, "%79s %llu %lld", digest, &size, &mtime) != 3)
			return err_set(e, ERR_SYS, "a worker sent a broken report");
		/* Each in a directory of its own: two URLs may end in one name. */
		struct fsnode *dir = fsview_add(view, view->root, arena_printf(&view->arena, "%06zu", i));
		dir->type = TAR_DIR;
		dir->kids_loaded = true;
		AUTO(free_drop) char *name = remote_name(urls->v[i]);
		struct fsnode *n = fsview_add(view, dir, name);
		n->type = TAR_FILE;
		n->kids_loaded = true;
		n->mode = 0600;
		n->size = size;
		n->mtime = mtime;
		n->has_digest = true;
		if (digest_parse(digest, &n->digest, e) < 0)
			return -1;
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return 0;
}

int remote_select(struct copy_from *from, const struct copy_spec *spec, struct copy_selection *ret, struct err *e)
{
	if (fsview_kids(from->view, from->view->root, e) < 0)
		return -1;
	for (size_t i = 0; i < from->view->root->n_kids; i++) {
		struct fsnode *n = from->view->root->kids[i]->kids[0];
		struct copy_match *m = vec_add(ret);
		*m = (struct copy_match){
			.from = from, .word = copy_word(spec, COPY_URL, i), .node = n, .name = n->name,
		};
	}
	return 0;
}
