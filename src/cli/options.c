#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const struct option_def *find(const struct command *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->n_options; i++)
		if (strlen(c->options[i].name) == len && strncmp(c->options[i].name, name, len) == 0)
			return &c->options[i];
	return NULL;
}

static const struct option_def *find_letter(const struct command *c, char letter)
{
	for (size_t i = 0; i < c->n_options; i++)
		if (c->options[i].letter == letter)
			return &c->options[i];
	return NULL;
}

static int unknown(const struct command *c, const char *text, struct err *e)
{
	VEC(const char *) names = { 0 };
	for (size_t i = 0; i < c->n_options; i++)
		vec_push(&names, c->options[i].name);
	AUTO(free_drop) char *word = x_strndup(text + strspn(text, "-"), strcspn(text + strspn(text, "-"), "="));
	const char *near = str_nearest(word, names.v, names.n);
	err_set(e, ERR_USAGE, "unknown option %s", text);
	if (near)
		err_hint(e, "did you mean --%s?", near);
	else
		err_hint(e, "`nacre %s --help` lists the options", c->name);
	vec_fini(&names);
	return -1;
}

static int set_flag(const struct option_def *o, const char *value, bool *field, struct err *e)
{
	if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return err_set(e, ERR_USAGE, "--%s=%s: true or false is wanted", o->name, value);
	*field = !value || strcmp(value, "true") == 0;
	return 0;
}

static void set_value(const struct option_def *o, char *value, void *options)
{
	void *field = (char *)options + o->offset;
	if (o->kind == OPTION_LIST)
		strv_push(field, value);
	else
		*(const char **)field = value;
}

/* --name, --name=value, --name value. Returns the number of words used. */
static int parse_long(const struct command *c, int argc, char **argv, void *options, struct err *e)
{
	char *text = argv[0] + 2;
	size_t len = strcspn(text, "=");
	char *value = text[len] ? text + len + 1 : NULL;
	const struct option_def *o = find(c, text, len);
	if (!o)
		return unknown(c, argv[0], e);
	if (o->kind == OPTION_FLAG)
		return set_flag(o, value, (bool *)((char *)options + o->offset), e) < 0 ? -1 : 1;
	if (!value && argc < 2)
		return err_set(e, ERR_USAGE, "--%s needs a value: %s", o->name, o->value);
	set_value(o, value ? value : argv[1], options);
	return value ? 1 : 2;
}

/* -t value, -tvalue, -qt value. */
static int parse_short(const struct command *c, int argc, char **argv, void *options, struct err *e)
{
	for (char *p = argv[0] + 1; *p; p++) {
		const struct option_def *o = find_letter(c, *p);
		if (!o)
			return unknown(c, argv[0], e);
		if (o->kind == OPTION_FLAG) {
			*(bool *)((char *)options + o->offset) = true;
			continue;
		}
		if (!p[1] && argc < 2)
			return err_set(e, ERR_USAGE, "-%c needs a value: %s", o->letter, o->value);
		set_value(o, p[1] ? p + 1 : argv[1], options);
		return p[1] ? 1 : 2;
	}
	return 1;
}

int options_parse(const struct command *c, int argc, char **argv, void *options, struct strv *args, struct err *e)
{
	int i = 0;
	while (i < argc) {
		const char *word = argv[i];
		if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
			return 1;
		if (strcmp(word, "--") == 0) {
			i++;
			break;
		}
		if (word[0] != '-' || !word[1]) {
			strv_push(args, word);
			i++;
			if (c->stop_at_word)
				break;
			continue;
		}
		int n = word[1] == '-' ? parse_long(c, argc - i, argv + i, options, e)
				       : parse_short(c, argc - i, argv + i, options, e);
		if (n < 0)
			return -1;
		i += n;
	}
	for (; i < argc; i++)
		strv_push(args, argv[i]);
	return 0;
}

void options_fini(const struct command *c, void *options)
{
	for (size_t i = 0; i < c->n_options; i++)
		if (c->options[i].kind == OPTION_LIST)
			strv_fini((struct strv *)(void *)((char *)options + c->options[i].offset));
}

/* Of the words that a usage line demands, which are those without brackets, the one after the first `given`. */
static const char *demanded_word(const char *usage, size_t given, size_t *ret_len)
{
	for (;; usage++) {
		*ret_len = strcspn(usage, " ");
		if (*usage != '[' && given-- == 0)
			break;
		usage += *ret_len;
		if (!*usage)
			break;
	}
	if (*ret_len > 3 && str_starts(usage + *ret_len - 3, "..."))
		*ret_len -= 3;
	return usage;
}

int args_count(const struct command *c, const struct strv *args, size_t min, size_t max, struct err *e)
{
	size_t len;
	if (args->n >= min && args->n <= max)
		return 0;
	if (args->n > max)
		return err_set(e, ERR_USAGE, "\"%s\" is one word too many; usage: nacre %s %s", args->v[max], c->name,
			       c->usage);
	const char *word = demanded_word(c->usage, args->n, &len);
	return err_set(e, ERR_USAGE, "%.*s is missing; usage: nacre %s %s", (int)len, word, c->name, c->usage);
}
