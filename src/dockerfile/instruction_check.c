/* The rules of each instruction about its flags and arguments: what needs neither variables nor the file system. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "dockerfile/device.h"
#include "dockerfile/flags.h"
#include "dockerfile/mount.h"
#include "dockerfile/values.h"
#include "flags_priv.h"
#include "heredoc_priv.h"
#include "instruction_priv.h"

/* What the argument is, for those who left it out; the instructions that need_one and need_exactly_one look at. */
static const char *const wanted[] = {
	[DF_ARG] = "NAME or NAME=DEFAULT",
	[DF_ENV] = "NAME=VALUE",
	[DF_EXPOSE] = "a port, such as 80 or 53/udp",
	[DF_HEALTHCHECK] = "NONE, or CMD and a command",
	[DF_LABEL] = "NAME=VALUE",
	[DF_MAINTAINER] = "a name",
	[DF_ONBUILD] = "an instruction",
	[DF_SHELL] = "a shell, such as [\"/bin/sh\", \"-c\"]",
	[DF_STOPSIGNAL] = "a signal, such as SIGTERM",
	[DF_USER] = "a user, such as app or 1000:1000",
	[DF_VOLUME] = "a path",
	[DF_WORKDIR] = "a path",
};

static int need_one(const struct df_instruction *in, struct err *e)
{
	bool some = in->op == DF_ENV || in->op == DF_LABEL || in->op == DF_ARG ? in->kvs.n : in->args.n;
	if (some)
		return 0;
	return err_set(e, ERR_PARSE, "%s requires at least one argument: %s", df_op_name(in->op), wanted[in->op]);
}

static int need_exactly_one(const struct df_instruction *in, struct err *e)
{
	if (in->args.n != 1)
		return err_set(e, ERR_PARSE, "%s requires exactly one argument: %s", df_op_name(in->op), wanted[in->op]);
	return 0;
}

static int check_pairs(const struct df_instruction *in, struct err *e)
{
	if (need_one(in, e))
		return -1;
	for (size_t i = 0; i < in->kvs.n; i++)
		if (!*in->kvs.v[i].key) {
			err_set(e, ERR_PARSE, "%s names can not be blank", df_op_name(in->op));
			return df_err_at(e, in, &in->kvs.v[i].at);
		}
	return 0;
}

/* Only "$" with something behind it could be a variable. */
static bool has_variable(const char *s)
{
	const char *dollar = strchr(s, '$');
	return dollar && dollar[1];
}

static int check_copy(const struct df_instruction *in, struct err *e)
{
	const char *name = df_op_name(in->op), *from = df_flag_get(in, "from");
	if (in->args.n < 2)
		return err_set(e, ERR_PARSE,
			       "%s requires at least two arguments, sources and a destination; %s was given", name,
			       in->args.n ? "only one" : "none");
	if (df_heredoc_find(in, in->args.v[in->args.n - 1])) {
		err_set(e, ERR_PARSE, "%s cannot accept a heredoc as a destination", name);
		return df_err_at_arg(e, in, in->args.n - 1);
	}
	if (from && has_variable(from)) {
		err_set(e, ERR_PARSE, "--from=%.100s: variables are not expanded here; give the image a stage name",
			from);
		return df_err_at_flag(e, in, "from");
	}
	return 0;
}

static bool stage_name_is_valid(const char *s)
{
	if (*s < 'a' || *s > 'z')
		return false;
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static int check_from(struct df_instruction *in, struct arena *arena, struct err *e)
{
	bool named = in->args.n == 3 && str_case_eq(in->args.v[1], "as");
	if (!named && in->args.n != 1) {
		err_set(e, ERR_PARSE, "FROM requires either one or three arguments: FROM image, or FROM image AS name");
		return df_err_at_arg(e, in, in->args.n > 3 ? 3 : 1); /* what is too much, or stands instead of AS */
	}
	in->image = in->args.v[0];
	if (!named)
		return 0;
	char *name = arena_strdup(arena, in->args.v[2]);
	str_lower(name);
	if (!stage_name_is_valid(name)) {
		err_set(e, ERR_PARSE, "invalid name for build stage: \"%.100s\"; letters, digits and -_. after a letter",
			in->args.v[2]);
		return df_err_at_arg(e, in, 2);
	}
	in->as_word = in->args.v[1];
	in->stage_name_written = in->args.v[2];
	in->stage_name = name;
	return 0;
}

static int check_interval(const struct df_instruction *in, const char *flag, struct err *e)
{
	const char *text = df_flag_get(in, flag);
	int64_t ns;
	if (!text || !*text)
		return 0;
	if (df_duration(text, &ns, e))
		return err_in(e, "--%s", flag);
	if (ns && ns < 1000000)
		return err_set(e, ERR_PARSE, "--%s=%.60s cannot be less than 1ms", flag, text);
	return 0;
}

static int check_retries(const struct df_instruction *in, struct err *e)
{
	const char *text = df_flag_get(in, "retries");
	uint64_t n;
	if (!text || !*text)
		return 0;
	if (*text == '-' && str_to_u64(text + 1, INT32_MAX, &n))
		return n ? err_set(e, ERR_PARSE, "--retries cannot be negative (%s)", text) : 0;
	if (!str_to_u64(text + (*text == '+'), INT32_MAX, &n))
		return err_set(e, ERR_PARSE, "--retries=%.60s is not a number", text);
	return 0;
}

static int check_health_options(const struct df_instruction *in, struct err *e)
{
	static const char *const intervals[] = { "interval", "timeout", "start-period", "start-interval" };
	for (size_t i = 0; i < ARRAY_LEN(intervals); i++)
		if (check_interval(in, intervals[i], e))
			return df_err_at_flag(e, in, intervals[i]);
	return check_retries(in, e) ? df_err_at_flag(e, in, "retries") : 0;
}

static int check_healthcheck(struct df_instruction *in, struct err *e)
{
	if (need_one(in, e))
		return -1;
	const char *keyword = in->args.v[0];
	if (str_case_eq(keyword, "NONE")) {
		/* Flags before NONE are ignored (FLG-02), and so is an empty JSON array after it. */
		if (in->args.n > 1) {
			err_set(e, ERR_PARSE, "HEALTHCHECK NONE takes no arguments");
			return df_err_at_arg(e, in, 1);
		}
		in->health_none = true;
	} else {
		if (flags_check(in, e))
			return -1;
		if (!str_case_eq(keyword, "CMD")) {
			err_set(e, ERR_PARSE, "unknown type \"%.60s\" in HEALTHCHECK (try CMD)", keyword);
			return df_err_at_arg(e, in, 0);
		}
		if (in->args.n < 2)
			return err_set(e, ERR_PARSE, "missing command after HEALTHCHECK CMD");
		if (check_health_options(in, e))
			return -1;
	}
	in->args.n--;
	memmove(in->args.v, in->args.v + 1, in->args.n * sizeof *in->args.v);
	in->args_at.n--;
	memmove(in->args_at.v, in->args_at.v + 1, in->args_at.n * sizeof *in->args_at.v);
	return 0;
}

static int check_choice(const struct df_instruction *in, const char *flag, const char *const *allowed, size_t n,
	struct err *e)
{
	const char *value = df_flag_get(in, flag);
	if (!value)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(value, allowed[i]) == 0)
			return 0;
	const char *near = str_nearest(value, allowed, n);
	AUTO(str_fini) struct str list = { 0 };
	err_set(e, ERR_PARSE, "invalid %s mode \"%.60s\"", flag, value);
	for (size_t i = 0; !near && i < n; i++)
		str_addf(&list, "%s%s", !i ? "" : i + 1 < n ? ", " : " or ", allowed[i]);
	if (near)
		err_hint(e, "did you mean %s?", near);
	else
		err_hint(e, "it is %s", list.buf);
	return df_err_at_flag(e, in, flag);
}

static int check_run(const struct df_instruction *in, struct err *e)
{
	static const char *const networks[] = { "default", "none", "host" };
	static const char *const securities[] = { "sandbox", "insecure" };
	for (size_t i = 0; i < in->flags.n; i++) {
		const struct df_flag *f = &in->flags.v[i];
		AUTO(df_mount_fini) struct df_mount m = { 0 };
		AUTO(df_device_fini) struct df_device d = { 0 };
		if ((strcmp(f->name, "mount") == 0 && df_mount_parse(f->value, NULL, &m, e)) ||
		    (strcmp(f->name, "device") == 0 && df_device_parse(f->value, &d, e)))
			return df_err_at(e, in, &f->at);
	}
	if (check_choice(in, "network", networks, ARRAY_LEN(networks), e))
		return -1;
	return check_choice(in, "security", securities, ARRAY_LEN(securities), e);
}

static int check_shell(const struct df_instruction *in, struct err *e)
{
	if (!in->args.n || (!in->json && !*in->args.v[0]))
		return err_set(e, ERR_PARSE, "SHELL requires at least one argument: %s", wanted[DF_SHELL]);
	if (!in->json)
		return err_set(e, ERR_PARSE,
			       "SHELL requires the arguments to be in JSON form: SHELL [\"/bin/sh\", \"-c\"]");
	return 0;
}

static int check_volume(struct df_instruction *in, struct arena *arena, struct err *e)
{
	if (need_one(in, e))
		return -1;
	for (size_t i = 0; i < in->args.n; i++) {
		struct span path = span_trim(span_of(in->args.v[i]));
		if (!path.n) {
			err_set(e, ERR_PARSE, "VOLUME: a path is empty");
			return df_err_at_arg(e, in, i);
		}
		in->args.v[i] = (char *)span_dup(arena, path);
	}
	return 0;
}

struct placed_word {
	char *text;
	struct df_pos at;
};

static int compare_words(const void *a, const void *b)
{
	const struct placed_word *x = a, *y = b;
	return strcmp(x->text, y->text);
}

static int check_expose(struct df_instruction *in, struct err *e)
{
	if (need_one(in, e))
		return -1;
	VEC(struct placed_word) words = { 0 };
	for (size_t i = 0; i < in->args.n; i++)
		vec_push(&words, ((struct placed_word){ in->args.v[i], in->args_at.v[i] }));
	qsort(words.v, words.n, sizeof *words.v, compare_words);
	for (size_t i = 0; i < words.n; i++) {
		in->args.v[i] = words.v[i].text;
		in->args_at.v[i] = words.v[i].at;
	}
	vec_fini(&words);
	return 0;
}

int instruction_check(struct df_instruction *in, struct arena *arena, struct err *e)
{
	/* FLG-02: these three read flags and ignore them. */
	bool ignores_flags = in->op == DF_ARG || in->op == DF_STOPSIGNAL || in->op == DF_HEALTHCHECK;
	if (!ignores_flags && flags_check(in, e))
		return -1;
	if (in->op == DF_ADD || in->op == DF_COPY || in->op == DF_FROM)
		flags_drop_empty(in);
	switch (in->op) {
	case DF_ENV:
	case DF_LABEL:
	case DF_ARG:
		return check_pairs(in, e);
	case DF_ADD:
	case DF_COPY:
		return check_copy(in, e);
	case DF_FROM:
		return check_from(in, arena, e);
	case DF_HEALTHCHECK:
		return check_healthcheck(in, e);
	case DF_RUN:
		return check_run(in, e);
	case DF_SHELL:
		return check_shell(in, e);
	case DF_VOLUME:
		return check_volume(in, arena, e);
	case DF_EXPOSE:
		return check_expose(in, e);
	case DF_ONBUILD:
		return need_one(in, e);
	case DF_MAINTAINER:
	case DF_STOPSIGNAL:
	case DF_USER:
	case DF_WORKDIR:
		return need_exactly_one(in, e);
	case DF_CMD:
	case DF_ENTRYPOINT:
		return 0;
	}
	return 0;
}
