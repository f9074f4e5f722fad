#include "build_log_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/tree.h"
#include "changes_priv.h"
#include "git_priv.h"
#include "made_priv.h"
#include "oci/time.h"
#include "store/record.h"

/* ---- which build it was ---- */

/* Where the files are; of a URL without the password. */
static char *context_shown(const struct build *b)
{
	const char *path = b->context.path;
	if (b->context.kind != CONTEXT_DIR)
		return git_url_shown(path);
	if (*path == '/')
		return path_rooted(path);
	AUTO(free_drop) char *here = getcwd(NULL, 0);
	return path_join(here ? here : "/", path);
}

static char *dockerfile_shown(const struct build *b)
{
	if (!b->file_is_local || *b->file_path == '/')
		return git_url_shown(b->file_path ? b->file_path : b->file_name);
	AUTO(free_drop) char *here = getcwd(NULL, 0);
	return path_join(here ? here : "/", b->file_path);
}

static void put_id(struct sha *s, char ret[LOG_ID + 1])
{
	struct digest d = sha_end(s);
	memcpy(ret, digest_hex(&d).s, LOG_ID);
	ret[LOG_ID] = '\0';
}

void build_log_file(const struct build *b, char ret[LOG_ID + 1])
{
	AUTO(free_drop) char *context = context_shown(b), *dockerfile = dockerfile_shown(b);
	struct sha s;
	sha_init(&s);
	sha_add_str(&s, context);
	sha_add_str(&s, dockerfile);
	sha_add_str(&s, b->options->target ? b->options->target : "");
	put_id(&s, ret);
}

/* What the keys are. *ret_new: a step was not in the cache, or its image not in the log of the build before. */
static void id_of(const struct build *b, char ret[LOG_ID + 1], bool *ret_new)
{
	struct sha s;
	sha_init(&s);
	*ret_new = false;
	for (size_t i = 0; i < b->stages.n; i++)
		for (size_t k = 0; k < b->stages.v[i]->steps.n; k++) {
			const struct step *step = b->stages.v[i]->steps.v[k];
			sha_add_str(&s, step->in->text);
			if (step->key.text)
				sha_add_str(&s, step->key.text);
			*ret_new |= (step->has_layer && !step->cached) || step->made.anew;
		}
	put_id(&s, ret);
}

/* ---- writing ---- */

static int write_key_of(struct json_out *o, const struct step *s)
{
	AUTO(json_fini) struct json key = { 0 };
	struct err e;
	if (json_parse(s->key.text, strlen(s->key.text), "step key", &key, &e) < 0)
		return -1;
	json_put_key(o, "key");
	json_put_raw(o, &key);
	return 0;
}

static void write_step(struct json_out *o, const struct step *s, bool keys)
{
	json_begin(o, '{');
	json_kv_int(o, "number", s->number);
	json_kv_str(o, "title", s->title);
	json_kv_str(o, "stage", s->stage->log_label);
	json_kv_int(o, "position", s->position);
	json_kv_int(o, "line", s->in->line);
	json_kv_str(o, "instruction", s->in->text);
	json_kv_bool(o, "cached", s->cached);
	json_kv_int(o, "milliseconds", s->ended_ms > s->started_ms ? s->ended_ms - s->started_ms : 0);
	if (s->state == STEP_DONE && s->has_history && !digest_is_zero(&s->image))
		json_kv_str(o, "image", digest_text(&s->image).s);
	if (s->slot && s->slot->resolved)
		json_kv_int(o, "size", (int64_t)s->slot->layer.blob.size);
	if (s->history.created)
		json_kv_str(o, "created", s->history.created);
	if (s->has_key) {
		AUTO(free_drop) char *record = x_asprintf("step/%s.json", digest_hex(&s->key.digest).s);
		json_kv_str(o, "record", record);
	}
	if (s->why) {
		json_put_key(o, "why");
		changes_write(s->why, o);
	}
	if (keys && s->made.size) {
		json_put_key(o, "made");
		made_write(s, o);
	}
	if (keys && s->key.text)
		(void)write_key_of(o, s);
	json_end(o, '}');
}

static void write_base(struct json_out *o, const struct base_image *i)
{
	AUTO(free_drop) char *memo = base_image_memo(i);
	if (!memo || !i->ready)
		return;
	json_begin(o, '{');
	json_kv_str(o, "memo", memo);
	json_kv_str(o, "manifest", digest_text(&i->manifest).s);
	json_end(o, '}');
}

static char *log_text(struct build *b, const struct build_result *result, const char *id, bool keys)
{
	AUTO(free_drop) char *context = context_shown(b), *dockerfile = dockerfile_shown(b);
	AUTO(free_drop) char *started = time_rfc3339(b->start_time); /* not b->created, which an epoch changes */
	struct json_out o;
	json_out_init(&o);
	json_begin(&o, '{');
	if (result)
		json_kv_str(&o, "id", id);
	json_kv_str(&o, "started", started);
	json_kv_str(&o, "context", context);
	json_kv_str(&o, "dockerfile", dockerfile);
	if (b->options->target)
		json_kv_str(&o, "target", b->options->target);
	if (result) {
		json_kv_str(&o, "image", digest_text(&result->image.digest).s);
		json_kv_strv(&o, "names", &result->names);
	}
	json_put_key(&o, "steps");
	json_begin(&o, '[');
	for (size_t i = 0; i < b->stages.n; i++)
		for (size_t k = 0; k < b->stages.v[i]->steps.n; k++)
			write_step(&o, b->stages.v[i]->steps.v[k], keys);
	json_end(&o, ']');
	json_put_key(&o, "bases");
	json_begin(&o, '[');
	for (size_t i = 0; i < b->images.n; i++)
		write_base(&o, b->images.v[i]);
	json_end(&o, ']');
	json_end(&o, '}');
	return json_out_take(&o);
}

/* ---- the kept ones ---- */

static bool is_log_name(const char *name)
{
	static const char hex[] = "0123456789abcdef";
	return strlen(name) == LOG_NAME - 1 && strspn(name, hex) == LOG_ID && name[LOG_ID] == '-' &&
	       strspn(name + LOG_ID + 1, hex) == LOG_ID && strcmp(name + 2 * LOG_ID + 1, ".json") == 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct log_entry *x = a, *y = b;
	if (x->time != y->time)
		return x->time < y->time ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* *ret_fd is -1 when there is no such directory. */
static int open_names(struct store *s, const char *dir, int *ret_fd, struct strv *ret, struct err *e)
{
	*ret_fd = openat(s->fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s/%s", s->path, dir);
	return dir_names(*ret_fd, ret, e) < 0 ? err_in(e, "%s/%s", s->path, dir) : 0;
}

int build_logs(struct store *s, struct log_list *ret, struct err *e)
{
	AUTO(fd_drop) int dir = -1;
	AUTO(strv_fini) struct strv names = { 0 };
	if (open_names(s, "log", &dir, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		struct stat st;
		if (!is_log_name(names.v[i]) || fstatat(dir, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		struct log_entry *entry = vec_add(&ret->list);
		memcpy(entry->name, names.v[i], LOG_NAME);
		entry->time = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	}
	if (ret->list.n)
		qsort(ret->list.v, ret->list.n, sizeof *ret->list.v, newest_first);
	return 0;
}

int build_log_read(struct store *s, const char *name, struct json *ret, struct err *e)
{
	AUTO(free_drop) char *path = x_asprintf("log/%s", name);
	return store_json_get(s, path, ret, e);
}

/* Read once, when it is first asked for. */
const struct json *build_log_earlier(struct build *b)
{
	struct log_list logs = { 0 };
	char file[LOG_ID + 1];
	struct err e = { 0 };
	int r = 1;
	if (b->earlier_read)
		return json_get(&b->earlier, "steps");
	b->earlier_read = true;
	build_log_file(b, file);
	if (build_logs(b->store, &logs, &e) < 0)
		r = -1;
	for (size_t i = 0; i < logs.list.n && r == 1; i++)
		if (str_starts(logs.list.v[i].name, file))
			r = build_log_read(b->store, logs.list.v[i].name, &b->earlier, &e);
	if (r < 0)
		log_debug("earlier builds: %s", e.msg);
	vec_fini(&logs.list);
	return json_get(&b->earlier, "steps");
}

static void add_content(const struct json *object, struct strv *ret)
{
	const char *content = json_str(object, "content");
	if (content && str_starts(content, "sha256:"))
		strv_push(ret, content + strlen("sha256:"));
}

/* The file lists that a log leads to. */
static void lists_of(const struct json *log, struct strv *ret)
{
	const struct json *steps = json_get(log, "steps");
	for (size_t i = 0; i < json_len(steps); i++) {
		const struct json *key = json_get(json_at(steps, i), "key"), *mounts = json_get(key, "mounts");
		add_content(key, ret);
		for (size_t k = 0; k < json_len(mounts); k++)
			add_content(json_at(mounts, k), ret);
	}
}

static int trim_lists(struct store *s, const struct strv *wanted, struct err *e)
{
	AUTO(fd_drop) int dir = -1;
	AUTO(strv_fini) struct strv names = { 0 };
	if (open_names(s, "source", &dir, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i][0] != '.' && !strv_has(wanted, names.v[i]))
			(void)unlinkat(dir, names.v[i], 0);
	return 0;
}

/* A list that another build is just about to lead to may go with them: it loses the names of some files. */
static int trim(struct store *s, struct err *e)
{
	struct log_list logs = { 0 };
	AUTO(strv_fini) struct strv wanted = { 0 };
	int r = build_logs(s, &logs, e);
	bool many = logs.list.n > LOGS_KEPT;
	for (size_t i = 0; i < logs.list.n && many && r == 0; i++) {
		AUTO(free_drop) char *path = x_asprintf("log/%s", logs.list.v[i].name);
		AUTO(json_fini) struct json log = { 0 };
		if (i >= LOGS_KEPT)
			(void)unlinkat(s->fd, path, 0);
		else if (build_log_read(s, logs.list.v[i].name, &log, e) == 0)
			lists_of(&log, &wanted);
	}
	vec_fini(&logs.list);
	return r == 0 && many ? trim_lists(s, &wanted, e) : r;
}

static int keep(struct build *b, const struct build_result *result, const char *id, bool is_new, struct err *e)
{
	char file[LOG_ID + 1];
	build_log_file(b, file);
	AUTO(free_drop) char *name = x_asprintf("log/%s-%s.json", file, id);
	if (!is_new && utimensat(b->store->fd, name, NULL, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	AUTO(free_drop) char *text = log_text(b, result, id, true);
	if (strlen(text) > LOG_MAX)
		return 0;
	if (store_json_put(b->store, name, text, e) < 0)
		return -1;
	return trim(b->store, e);
}

void build_log_write(struct build *b, const struct build_result *result)
{
	char id[LOG_ID + 1];
	bool is_new;
	struct err e;
	if (!b->created)
		return; /* it did not come as far as a build */
	id_of(b, id, &is_new);
	AUTO(free_drop) char *text = log_text(b, result, id, false);
	if (store_json_put(b->store, "log/last.json", text, &e) < 0 ||
	    (result && keep(b, result, id, is_new, &e) < 0))
		log_debug("build log: %s", e.msg);
}
