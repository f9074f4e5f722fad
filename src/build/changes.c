#include "changes_priv.h"

#include <string.h>

/* The members of keys that have a better name for people; the others go by their own. */
static const struct {
	const char *key, *what, *name;
} members[] = {
	{ "argv", "instruction", "the command" },      { "text", "instruction", "the instruction" },
	{ "script", "instruction", "the script" },     { "cwd", "workdir", "the working directory" },
	{ "user", "user", "the user" },                { "network", "network", "the network" },
	{ "insecure", "security", "--security" },      { "platform", "platform", "the platform" },
	{ "dest", "instruction", "the destination" },  { "path", "instruction", "the directory" },
	{ "chown", "instruction", "--chown" },         { "chmod", "instruction", "--chmod" },
	{ "exclude", "instruction", "--exclude" },     { "link", "instruction", "--link" },
	{ "parents", "instruction", "--parents" },     { "unpack", "instruction", "--unpack" },
	{ "op", "instruction", "the instruction" },    { "order", "instruction", "the order of sources" },
	{ "hostname", "argument", "BUILDKIT_SANDBOX_HOSTNAME" },
	{ "epoch", "argument", "SOURCE_DATE_EPOCH" },  { "hosts", "option", "the names of --add-host" },
	{ "shm", "option", "--shm-size" },             { "limits", "option", "--ulimit" },
	{ "git", "source", "the commit" },             { "after", "parent", "what is above it" },
	{ "digest", "base", "the base image" },        { "image", "base", "FROM" },
	{ "clamped", "option", "--reproducible" },
};

void change_add(struct changes *c, const char *what, const char *name, const char *from, const char *to)
{
	struct change *n = vec_add(&c->list);
	n->what = what;
	n->name = x_strdup(name);
	n->from = from ? x_strdup(from) : NULL;
	n->to = to ? x_strdup(to) : NULL;
}

void changes_fini(struct changes *c)
{
	for (size_t i = 0; i < c->list.n; i++) {
		free(c->list.v[i].name);
		free(c->list.v[i].from);
		free(c->list.v[i].to);
	}
	vec_fini(&c->list);
	c->more = 0;
}

enum { SHORT = 60 }; /* a value that has room on a line */

static void change_text(const struct change *c, struct str *out)
{
	str_add_printable(out, c->name, strlen(c->name));
	if (c->from && c->to && strlen(c->from) <= SHORT && strlen(c->to) <= SHORT) {
		str_add(out, ": ");
		str_add_printable(out, c->from, strlen(c->from));
		str_add(out, " -> ");
		str_add_printable(out, c->to, strlen(c->to));
	} else if (c->from || c->to) {
		str_add(out, !c->from ? " added" : !c->to ? " removed" : " changed");
	}
}

void changes_text(const struct changes *c, struct str *out)
{
	size_t more = c->list.n - 1 + c->more;
	change_text(&c->list.v[0], out);
	if (more)
		str_addf(out, " (and %zu more)", more);
}

void changes_write(const struct changes *c, struct json_out *o)
{
	json_begin(o, '[');
	for (size_t i = 0; i < c->list.n; i++) {
		const struct change *one = &c->list.v[i];
		json_begin(o, '{');
		json_kv_str(o, "what", one->what);
		json_kv_str(o, "name", one->name);
		if (one->from)
			json_kv_str(o, "from", one->from);
		if (one->to)
			json_kv_str(o, "to", one->to);
		json_end(o, '}');
	}
	if (c->more) {
		AUTO(str_fini) struct str text = { 0 };
		str_addf(&text, "%zu more files", c->more);
		json_begin(o, '{');
		json_kv_str(o, "what", "more");
		json_kv_str(o, "name", text.buf);
		json_end(o, '}');
	}
	json_end(o, ']');
}

/* ---- two values ---- */

static char *text_of(const struct json *j)
{
	AUTO(strv_fini) struct strv words = { 0 };
	if (!j)
		return NULL;
	if (j->type == JSON_BOOL)
		return x_strdup(j->boolean ? "true" : "false");
	if (j->text)
		return x_strdup(j->text);
	for (size_t i = 0; i < json_len(j); i++) {
		const struct json *one = json_at(j, i);
		const char *text = json_len(one) ? json_at(one, 0)->text : one->text;
		strv_push(&words, text ? text : "…");
	}
	return strv_join(&words, " ");
}

/* The exact form, for comparing. */
static char *exact(const struct json *j)
{
	struct json_out o;
	if (!j)
		return NULL;
	json_out_init(&o);
	json_put_raw(&o, j);
	return json_out_take(&o);
}

static bool same(const struct json *a, const struct json *b)
{
	AUTO(free_drop) char *x = exact(a), *y = exact(b);
	return str_eq(x, y);
}

static void add_values(struct changes *c, const char *what, const char *name, const struct json *before,
		       const struct json *now)
{
	AUTO(free_drop) char *from = text_of(before), *to = text_of(now);
	change_add(c, what, name, from, to);
}

static void add_member(struct changes *c, const char *key, const struct json *before, const struct json *now)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (strcmp(members[i].key, key) == 0) {
			add_values(c, members[i].what, members[i].name, before, now);
			return;
		}
	add_values(c, "input", key, before, now);
}

/* ---- variables, mounts and contents ---- */

static void compare_env(const struct json *before, const struct json *now, struct changes *ret)
{
	AUTO(strv_fini) struct strv old = { 0 };
	AUTO(strv_fini) struct strv new = { 0 };
	AUTO(strv_fini) struct strv all = { 0 };
	size_t had = ret->list.n;
	json_strv(before, &old);
	json_strv(now, &new);
	strv_copy(&all, &new);
	for (size_t i = 0; i < old.n; i++) {
		AUTO(free_drop) char *name = x_strndup(old.v[i], strcspn(old.v[i], "="));
		if (!env_get(&new, name))
			strv_push(&all, old.v[i]);
	}
	for (size_t i = 0; i < all.n; i++) {
		AUTO(free_drop) char *name = x_strndup(all.v[i], strcspn(all.v[i], "="));
		AUTO(free_drop) char *shown = x_asprintf("variable %s", name);
		const char *from = env_get(&old, name), *to = env_get(&new, name);
		if (!str_eq(from, to))
			change_add(ret, "variable", shown, from, to);
	}
	if (ret->list.n == had)
		change_add(ret, "variable", "the order of variables changed", NULL, NULL);
}

static void compare_content(struct store *s, const char *name, const struct json *before, const struct json *now,
			    struct changes *ret)
{
	if (now && !now->text)
		return; /* what will be read; its digest is yet to come */
	if (before && now && changes_of_files(s, before->text, now->text, ret) == 0)
		return;
	add_values(ret, "content", name, before, now);
}

static void compare_mount(struct store *s, const struct json *before, const struct json *now, struct changes *ret)
{
	const char *type = json_str(now, "type"), *target = json_str(now, "target");
	AUTO(free_drop) char *name = x_asprintf("%s mount on %s", type ? type : "", target ? target : "(a variable)");
	for (size_t i = 0; i < json_len(now); i++) {
		const struct json *new = json_at(now, i), *old = json_get(before, new->key);
		AUTO(free_drop) char *shown = x_asprintf("%s of the %s", new->key, name);
		if (same(old, new))
			continue;
		if (strcmp(new->key, "content") == 0)
			compare_content(s, shown, old, new, ret);
		else
			add_values(ret, "mount", shown, old, new);
	}
	for (size_t i = 0; i < json_len(before); i++) {
		const struct json *old = json_at(before, i);
		AUTO(free_drop) char *shown = x_asprintf("%s of the %s", old->key, name);
		if (!json_get(now, old->key))
			add_values(ret, "mount", shown, old, NULL);
	}
}

static const struct json *mount_on(const struct json *mounts, const struct json *like)
{
	for (size_t i = 0; i < json_len(mounts); i++) {
		const struct json *m = json_at(mounts, i);
		if (same(json_get(m, "type"), json_get(like, "type")) &&
		    same(json_get(m, "target"), json_get(like, "target")))
			return m;
	}
	return NULL;
}

static void add_mount(const struct json *m, bool added, struct changes *ret)
{
	const char *type = json_str(m, "type"), *target = json_str(m, "target");
	AUTO(free_drop) char *name = x_asprintf("%s mount on %s", type ? type : "", target ? target : "(a variable)");
	AUTO(free_drop) char *value = exact(m);
	change_add(ret, "mount", name, added ? NULL : value, added ? value : NULL);
}

static void compare_mounts(struct store *s, const struct json *before, const struct json *now, struct changes *ret)
{
	size_t had = ret->list.n;
	for (size_t i = 0; i < json_len(now); i++) {
		const struct json *m = json_at(now, i), *old = mount_on(before, m);
		if (old)
			compare_mount(s, old, m, ret);
		else
			add_mount(m, true, ret);
	}
	for (size_t i = 0; i < json_len(before); i++)
		if (!mount_on(now, json_at(before, i)))
			add_mount(json_at(before, i), false, ret);
	if (ret->list.n == had)
		change_add(ret, "mount", "the order of mounts changed", NULL, NULL);
}

static void compare(struct store *s, const char *key, const struct json *before, const struct json *now,
		    struct changes *ret)
{
	if (same(before, now))
		return;
	if (strcmp(key, "env") == 0)
		compare_env(before, now, ret);
	else if (strcmp(key, "mounts") == 0)
		compare_mounts(s, before, now, ret);
	else if (strcmp(key, "content") == 0)
		compare_content(s, "the sources", before, now, ret);
	else if (strcmp(key, "parent") == 0)
		change_add(ret, "parent", "what is below it changed", NULL, NULL);
	else
		add_member(ret, key, before, now);
}

void changes_of_keys(struct store *s, const struct json *before, const struct json *now, bool parent,
		     struct changes *ret)
{
	for (size_t i = 0; i < json_len(now); i++) {
		const struct json *new = json_at(now, i);
		if (strcmp(new->key, "parent") != 0)
			compare(s, new->key, json_get(before, new->key), new, ret);
	}
	for (size_t i = 0; i < json_len(before); i++) {
		const struct json *old = json_at(before, i);
		if (strcmp(old->key, "parent") != 0 && !json_get(now, old->key))
			compare(s, old->key, old, NULL, ret);
	}
	if (parent)
		compare(s, "parent", json_get(before, "parent"), json_get(now, "parent"), ret);
}
