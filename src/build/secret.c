#include "secret_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "dockerfile/csv.h"

enum { SECRET_MAX = 500 * 1024 };

static void spec_fini(struct secret_spec *s)
{
	free(s->id);
	free(s->env);
	free(s->path);
	*s = (struct secret_spec){ 0 };
}

/* ---- the words of the command line ---- */

static void set_text(char **field, const char *value)
{
	free(*field);
	*field = *value ? x_strdup(value) : NULL;
}

static int parse_field(struct secret_spec *s, char **type, const char *field, struct err *e)
{
	static const char *const keys[] = { "id", "src", "source", "env", "type" };
	AUTO(free_drop) char *key = x_strndup(field, strcspn(field, "="));
	if (!field[strlen(key)])
		return err_set(e, ERR_USAGE, "invalid field '%s' must be a key=value pair", field);
	const char *value = field + strlen(key) + 1;
	str_lower(key);
	if (str_eq(key, "id")) {
		set_text(&s->id, value);
	} else if (str_eq(key, "src") || str_eq(key, "source")) {
		set_text(&s->path, value);
	} else if (str_eq(key, "env")) {
		set_text(&s->env, value);
	} else if (str_eq(key, "type")) {
		if (strcmp(value, "file") != 0 && strcmp(value, "env") != 0)
			return err_set(e, ERR_USAGE, "unsupported secret type \"%s\"; file and env are known", value);
		set_text(type, value);
	} else {
		const char *near = str_nearest(key, keys, ARRAY_LEN(keys));
		err_set(e, ERR_USAGE, "unexpected key '%s' in '%s'", key, field);
		return near ? err_hint(e, "did you mean %s?", near) : -1;
	}
	return 0;
}

static int parse_fields(const char *text, struct secret_spec *s, struct err *e)
{
	AUTO(strv_fini) struct strv fields = { 0 };
	AUTO(free_drop) char *type = NULL;
	if (csv_parse(text, &fields, e) < 0) {
		e->kind = ERR_USAGE;
		return -1;
	}
	for (size_t i = 0; i < fields.n; i++)
		if (parse_field(s, &type, fields.v[i], e) < 0)
			return -1;
	if (str_eq(type, "env") && !s->env)
		s->env = ptr_take(&s->path);
	if (!s->id)
		return err_set(e, ERR_USAGE, "secret missing ID; id=NAME is wanted");
	if (s->env && (s->path || str_eq(type, "file")))
		return err_set(e, ERR_USAGE, "a secret comes from a file or from a variable, not from both");
	/* The id alone: a variable of that name, else a file. */
	if (!s->env && !s->path)
		*(getenv(s->id) ? &s->env : &s->path) = x_strdup(s->id);
	return 0;
}

/* Before the build: a RUN an hour later is a bad place to learn of a typing mistake. */
static int check_file(const struct secret_spec *s, struct err *e)
{
	struct stat st;
	if (!s->path)
		return 0;
	if (stat(s->path, &st) < 0) {
		err_sys(e, "failed to stat %s", s->path);
		e->kind = ERR_USAGE;
		return -1;
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "%s is not a regular file", s->path);
	if (st.st_size > SECRET_MAX)
		return err_set(e, ERR_USAGE, "secret %s too big: %s has more than %d bytes", s->id, s->path,
			       SECRET_MAX);
	return 0;
}

int secrets_read(const struct strv *texts, struct secrets *ret, struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		AUTO(spec_fini) struct secret_spec s = { 0 };
		if (parse_fields(texts->v[i], &s, e) < 0 || check_file(&s, e) < 0)
			return err_in(e, "--secret %s", texts->v[i]);
		vec_push(&ret->v, s);
		s = (struct secret_spec){ 0 };
	}
	return 0;
}

void secrets_fini(struct secrets *s)
{
	for (size_t i = 0; i < s->v.n; i++)
		spec_fini(&s->v.v[i]);
	vec_fini(&s->v);
}

/* ---- the value ---- */

/* The user's own path: links are followed (Kubernetes mounts secrets as links), but nothing that blocks is read (T-A9).
 */
static int read_file(const char *path, struct str *out, struct err *e)
{
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (fd_check_regular(fd, path, e) < 0)
		return -1;
	return fd_read_all(fd, SECRET_MAX, path, out, e);
}

int secret_value(const struct secrets *s, const char *id, struct str *out, struct err *e)
{
	/* The last one of a name counts. */
	for (size_t i = s->v.n; i > 0; i--) {
		const struct secret_spec *spec = &s->v.v[i - 1];
		if (strcmp(spec->id, id) != 0)
			continue;
		if (spec->path)
			return read_file(spec->path, out, e) < 0 ? err_in(e, "secret %s", id) : 0;
		const char *value = getenv(spec->env);
		if (value && strlen(value) > SECRET_MAX)
			return err_set(e, ERR_LIMIT, "secret %s: the variable %s has more than %d bytes", id, spec->env,
				       SECRET_MAX);
		str_add(out, value ? value : "");
		return 0;
	}
	return 1;
}
