#include "dockerfile/lint.h"

#include <string.h>

#include "base/str.h"
#include "check_priv.h"
#include "dockerfile/flags.h"
#include "expose_priv.h"

struct lint {
	struct df_file *f;
	const struct df_check *check;
	const struct df_instruction *about; /* the instruction own_check is for */
	struct df_check own_check;
	VEC(bool) shell; /* of each stage so far: a SHELL was set in it or in the stage it is built on */
};

/* NULL when the rule is off for the instruction; else the warning, which the caller may move elsewhere. */
__attribute__((format(printf, 5, 6)))
static struct df_warning *warn(struct lint *l, const struct df_instruction *in, const struct df_pos *at,
			       enum df_rule rule, const char *fmt, ...)
{
	va_list ap;
	if (l->about != in) {
		l->about = in;
		l->own_check = check_for(l->check, in);
	}
	if (!check_has(&l->own_check, rule))
		return NULL;
	va_start(ap, fmt);
	struct df_warning *w = warning_add(l->f, in, at, rule, fmt, ap);
	va_end(ap);
	return w;
}

static bool is_lower(const char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			return false;
	return true;
}

static bool is_upper(const char *s)
{
	for (; *s; s++)
		if (*s >= 'a' && *s <= 'z')
			return false;
	return true;
}

/* The case most instructions of the stages are written in is the file's; an even count means upper case. */
static void casing(struct lint *l)
{
	size_t lower = 0, upper = 0;
	for (size_t i = l->f->n_global; i < l->f->instructions.n; i++) {
		lower += is_lower(l->f->instructions.v[i].word);
		upper += is_upper(l->f->instructions.v[i].word);
	}
	for (size_t i = l->f->n_global; i < l->f->instructions.n; i++) {
		const struct df_instruction *in = &l->f->instructions.v[i];
		if (lower > upper ? !is_lower(in->word) : !is_upper(in->word))
			warn(l, in, &in->at, DF_RULE_CONSISTENT_INSTRUCTION_CASING,
			     "'%s' is not written in %s case like most instructions here", in->word,
			     lower > upper ? "lower" : "upper");
	}
}

static void from_casing(struct lint *l, const struct df_instruction *in)
{
	bool match = is_lower(in->word) ? is_lower(in->as_word) : !is_upper(in->word) || is_upper(in->as_word);
	if (!match)
		warn(l, in, &in->args_at.v[1], DF_RULE_FROM_AS_CASING,
		     "'%s' and '%s' are written in different case", in->as_word, in->word);
	if (!is_lower(in->stage_name_written))
		warn(l, in, &in->args_at.v[2], DF_RULE_STAGE_NAME_CASING, "stage name '%s' should be lower case",
		     in->stage_name_written);
}

static void from_name(struct lint *l, const struct df_instruction *in, size_t stage)
{
	from_casing(l, in);
	if (str_eq(in->stage_name, "scratch") || str_eq(in->stage_name, "context"))
		warn(l, in, &in->args_at.v[2], DF_RULE_RESERVED_STAGE_NAME,
		     "stage name '%s' means something else in FROM or --from", in->stage_name);
	for (size_t i = 0; i < stage; i++) {
		if (str_eq(l->f->stages.v[i].name, in->stage_name)) {
			warn(l, in, &in->args_at.v[2], DF_RULE_DUPLICATE_STAGE_NAME,
			     "stage name '%s' is used before", in->stage_name);
			break;
		}
	}
}

static const struct df_pos *flag_at(const struct df_instruction *in, const char *name)
{
	for (size_t i = 0; i < in->flags.n; i++)
		if (strcmp(in->flags.v[i].name, name) == 0)
			return &in->flags.v[i].at;
	return NULL;
}

/* A fixed platform is meant where the stage's name says so, as in FROM --platform=linux/amd64 … AS build-amd64. */
static void from_platform(struct lint *l, const struct df_instruction *in)
{
	const char *platform = df_flag_get(in, "platform");
	if (!platform || !*platform || strchr(platform, '$'))
		return;
	AUTO(free_drop) char *copy = x_strdup(platform);
	char *rest = copy;
	for (int i = 0; i < 2 && in->stage_name && rest; i++) { /* system and architecture, no variant */
		const char *part = strsep(&rest, "/");
		if (*part && strstr(in->stage_name, part))
			return;
	}
	warn(l, in, flag_at(in, "platform"), DF_RULE_FROM_PLATFORM_FLAG_CONST_DISALLOWED,
	     "FROM --platform has the constant value '%s'", platform);
}

static void description(struct lint *l, const struct df_instruction *in)
{
	if (!in->comments.n)
		return;
	const char *text = in->comments.v[in->comments.n - 1].text;
	size_t n = strcspn(text, " ");
	const char *first = in->op == DF_FROM ? in->stage_name : in->kvs.v[0].key;
	if (!first)
		return;
	for (size_t i = 0; i < (in->op == DF_FROM ? 1 : in->kvs.n); i++) {
		const char *name = in->op == DF_FROM ? first : in->kvs.v[i].key;
		if (strlen(name) == n && strncmp(name, text, n) == 0)
			return;
	}
	warn(l, in, NULL, DF_RULE_INVALID_DEFINITION_DESCRIPTION,
	     "the comment above should read '# %s description', or be set off by an empty line", first);
}

static bool has_part(const char *name, const char *const *parts, size_t n)
{
	while (*name) {
		size_t len = strcspn(name, "_");
		for (size_t i = 0; i < n; i++)
			if (strlen(parts[i]) == len && str_case_starts(name, parts[i]))
				return true;
		name += len;
		name += *name == '_';
	}
	return false;
}

static void secrets(struct lint *l, const struct df_instruction *in)
{
	static const char *const deny[] = { "apikey", "auth", "credential", "credentials", "key", "password", "pword",
		"passwd", "secret", "token" };
	static const char *const allow[] = { "public", "file", "version" };
	for (size_t i = 0; i < in->kvs.n; i++) {
		const char *name = in->kvs.v[i].key;
		if (has_part(name, deny, ARRAY_LEN(deny)) && !has_part(name, allow, ARRAY_LEN(allow)))
			warn(l, in, &in->kvs.v[i].at, DF_RULE_SECRETS_USED_IN_ARG_OR_ENV,
			     "%s \"%s\" looks like a secret, which would stay in the image", df_op_name(in->op), name);
	}
}

static void expose(struct lint *l, const struct df_instruction *in)
{
	for (size_t i = 0; i < in->args.n; i++) {
		struct expose x;
		struct err ignored;
		const char *word = in->args.v[i];
		if (strpbrk(word, "$'\"\\`") || expose_parse(word, &x, &ignored) || x.warning == DF_RULES)
			continue;
		if (x.warning == DF_RULE_EXPOSE_INVALID_FORMAT)
			warn(l, in, &in->args_at.v[i], x.warning,
			     "EXPOSE %s: an address or host port has no effect here", word);
		else
			warn(l, in, &in->args_at.v[i], x.warning, "EXPOSE %s: the protocol should be lower case", word);
	}
}

static bool inherits_shell(const struct lint *l, const struct df_stage *s)
{
	const char *base = l->f->instructions.v[s->from].image;
	for (size_t i = s->index; i-- > 0;)
		if (str_eq(l->f->stages.v[i].name, base))
			return l->shell.v[i];
	return false;
}

static void instruction(struct lint *l, const struct df_instruction *in, bool has_shell)
{
	if (in->legacy_kv)
		warn(l, in, &in->at, DF_RULE_LEGACY_KEY_VALUE_FORMAT, "\"%s name value\" should be written \"%s name=value\"",
			df_op_name(in->op), df_op_name(in->op));
	if ((in->op == DF_CMD || in->op == DF_ENTRYPOINT) && !in->json && !has_shell)
		warn(l, in, &in->at, DF_RULE_JSON_ARGS_RECOMMENDED,
		     "%s in shell form does not pass signals on; use the JSON form", df_op_name(in->op));
	if (in->op == DF_MAINTAINER)
		warn(l, in, &in->at, DF_RULE_MAINTAINER_DEPRECATED, "MAINTAINER is deprecated; use a label");
	if (in->op == DF_ARG || in->op == DF_ENV)
		secrets(l, in);
	if (in->op == DF_ARG)
		description(l, in);
	if (in->op == DF_EXPOSE)
		expose(l, in);
}

/* The warning stands at the one that does not count; the comment that turns it off, above the one that comes after. */
static void repeats(struct lint *l, const struct df_instruction *earlier, const struct df_instruction *later)
{
	struct df_warning *w = warn(l, later, &earlier->at, DF_RULE_MULTIPLE_INSTRUCTIONS_DISALLOWED,
				    "%s stands again below in this stage, only the last one counts",
				    df_op_name(later->op));
	if (!w)
		return;
	w->line = earlier->line;
	w->line_end = earlier->line_end;
}

/* Only the last CMD, ENTRYPOINT and HEALTHCHECK of a stage counts. */
static void repeated(struct lint *l, const struct df_stage *s)
{
	static const enum df_op once[] = { DF_CMD, DF_ENTRYPOINT, DF_HEALTHCHECK };
	for (size_t k = 0; k < ARRAY_LEN(once); k++) {
		const struct df_instruction *last = NULL;
		for (size_t i = s->first; i < s->end; i++) {
			if (l->f->instructions.v[i].op != once[k])
				continue;
			const struct df_instruction *in = &l->f->instructions.v[i];
			if (last)
				repeats(l, last, in);
			last = in;
		}
	}
}

static void stage(struct lint *l, const struct df_stage *s)
{
	const struct df_instruction *from = &l->f->instructions.v[s->from];
	if (from->stage_name) {
		from_name(l, from, s->index);
		description(l, from);
	}
	from_platform(l, from);
	bool shell = inherits_shell(l, s);
	for (size_t i = s->first; i < s->end; i++) {
		shell |= l->f->instructions.v[i].op == DF_SHELL;
		instruction(l, &l->f->instructions.v[i], shell);
	}
	vec_push(&l->shell, shell);
	repeated(l, s);
}

/* It stands at the last line of the instruction. */
static void continuation(struct lint *l, const struct df_instruction *in)
{
	struct df_warning *w = warn(l, in, NULL, DF_RULE_NO_EMPTY_CONTINUATION,
				    "an empty line inside a continued instruction");
	if (w)
		w->line = w->line_end = in->empty_continuation;
}

void df_lint(struct df_file *f, const struct df_check *c)
{
	struct lint l = { .f = f, .check = c };
	f->warnings.n = 0;
	casing(&l);
	for (size_t i = 0; i < f->instructions.n; i++)
		if (f->instructions.v[i].empty_continuation)
			continuation(&l, &f->instructions.v[i]);
	for (size_t i = 0; i < f->n_global; i++)
		description(&l, &f->instructions.v[i]);
	for (size_t i = 0; i < f->stages.n; i++)
		stage(&l, &f->stages.v[i]);
	df_warnings_sort(f);
	vec_fini(&l.shell);
}
