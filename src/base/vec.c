#include "base/vec.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

void strv_push_taken(struct strv *l, char *s)
{
	vec_push(l, s);
}

void strv_push(struct strv *l, const char *s)
{
	strv_push_taken(l, x_strdup(s));
}

void strv_pushf(struct strv *l, const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	strv_push_taken(l, s);
}

void strv_copy(struct strv *to, const struct strv *from)
{
	for (size_t i = 0; i < from->n; i++)
		strv_push(to, from->v[i]);
}

bool strv_has(const struct strv *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

char **strv_argv(struct strv *l)
{
	vec_reserve(l, 1);
	l->v[l->n] = NULL;
	return l->v;
}

char *strv_join(const struct strv *l, const char *between)
{
	struct str s = { 0 };
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			str_add(&s, between);
		str_add(&s, l->v[i]);
	}
	return str_take(&s);
}

void strv_clear(struct strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	l->n = 0;
}

void strv_fini(struct strv *l)
{
	strv_clear(l);
	vec_fini(l);
}

static char **env_find(const struct strv *env, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], name, n) == 0 && env->v[i][n] == '=')
			return &env->v[i];
	return NULL;
}

const char *env_get(const struct strv *env, const char *name)
{
	char **p = env_find(env, name);
	return p ? *p + strlen(name) + 1 : NULL;
}

void env_set(struct strv *env, const char *name, const char *value)
{
	char *text = x_asprintf("%s=%s", name, value);
	char **p = env_find(env, name);
	if (!p) {
		strv_push_taken(env, text);
		return;
	}
	free(*p);
	*p = text;
}

void env_unset(struct strv *env, const char *name)
{
	char **p = env_find(env, name);
	if (!p)
		return;
	free(*p);
	size_t i = (size_t)(p - env->v);
	memmove(p, p + 1, (env->n - i - 1) * sizeof *p);
	env->n--;
}
