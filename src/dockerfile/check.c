/* Which rules are on: "skip=RuleA,RuleB;error=true;experimental=all" (DIR-08, DIR-10). */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "check_priv.h"
#include "text_priv.h"

static const char *const rule_names[DF_RULES] = {
	[DF_RULE_STAGE_NAME_CASING] = "StageNameCasing",
	[DF_RULE_FROM_AS_CASING] = "FromAsCasing",
	[DF_RULE_NO_EMPTY_CONTINUATION] = "NoEmptyContinuation",
	[DF_RULE_CONSISTENT_INSTRUCTION_CASING] = "ConsistentInstructionCasing",
	[DF_RULE_DUPLICATE_STAGE_NAME] = "DuplicateStageName",
	[DF_RULE_RESERVED_STAGE_NAME] = "ReservedStageName",
	[DF_RULE_JSON_ARGS_RECOMMENDED] = "JSONArgsRecommended",
	[DF_RULE_MAINTAINER_DEPRECATED] = "MaintainerDeprecated",
	[DF_RULE_UNDEFINED_ARG_IN_FROM] = "UndefinedArgInFrom",
	[DF_RULE_WORKDIR_RELATIVE_PATH] = "WorkdirRelativePath",
	[DF_RULE_UNDEFINED_VAR] = "UndefinedVar",
	[DF_RULE_MULTIPLE_INSTRUCTIONS_DISALLOWED] = "MultipleInstructionsDisallowed",
	[DF_RULE_LEGACY_KEY_VALUE_FORMAT] = "LegacyKeyValueFormat",
	[DF_RULE_INVALID_BASE_IMAGE_PLATFORM] = "InvalidBaseImagePlatform",
	[DF_RULE_REDUNDANT_TARGET_PLATFORM] = "RedundantTargetPlatform",
	[DF_RULE_SECRETS_USED_IN_ARG_OR_ENV] = "SecretsUsedInArgOrEnv",
	[DF_RULE_INVALID_DEFAULT_ARG_IN_FROM] = "InvalidDefaultArgInFrom",
	[DF_RULE_FROM_PLATFORM_FLAG_CONST_DISALLOWED] = "FromPlatformFlagConstDisallowed",
	[DF_RULE_COPY_IGNORED_FILE] = "CopyIgnoredFile",
	[DF_RULE_INVALID_DEFINITION_DESCRIPTION] = "InvalidDefinitionDescription",
	[DF_RULE_EXPOSE_PROTO_CASING] = "ExposeProtoCasing",
	[DF_RULE_EXPOSE_INVALID_FORMAT] = "ExposeInvalidFormat",
};

/* What each is about, for those who meet it first in a report. */
static const char *const rule_descriptions[DF_RULES] = {
	[DF_RULE_STAGE_NAME_CASING] = "a stage name is not all lower case",
	[DF_RULE_FROM_AS_CASING] = "FROM and AS are written in different case",
	[DF_RULE_NO_EMPTY_CONTINUATION] = "an empty line stands where an instruction continues",
	[DF_RULE_CONSISTENT_INSTRUCTION_CASING] = "instructions are written partly in upper, partly in lower case",
	[DF_RULE_DUPLICATE_STAGE_NAME] = "two stages have the same name",
	[DF_RULE_RESERVED_STAGE_NAME] = "a stage has a name with a meaning of its own",
	[DF_RULE_JSON_ARGS_RECOMMENDED] = "a shell stands between signals and the command of CMD or ENTRYPOINT",
	[DF_RULE_MAINTAINER_DEPRECATED] = "MAINTAINER has been replaced by labels",
	[DF_RULE_UNDEFINED_ARG_IN_FROM] = "FROM uses an argument that is not declared before it",
	[DF_RULE_WORKDIR_RELATIVE_PATH] = "a working directory depends on that of the base image",
	[DF_RULE_UNDEFINED_VAR] = "a variable is used that nothing defines",
	[DF_RULE_MULTIPLE_INSTRUCTIONS_DISALLOWED] = "an instruction is overridden by a later one of its stage",
	[DF_RULE_LEGACY_KEY_VALUE_FORMAT] = "a name and its value are separated by a blank",
	[DF_RULE_INVALID_BASE_IMAGE_PLATFORM] = "a base image is for another platform than the one asked for",
	[DF_RULE_REDUNDANT_TARGET_PLATFORM] = "FROM --platform repeats the default",
	[DF_RULE_SECRETS_USED_IN_ARG_OR_ENV] = "a secret in ARG or ENV can be read by all who have the image",
	[DF_RULE_INVALID_DEFAULT_ARG_IN_FROM] = "without build arguments FROM names no image",
	[DF_RULE_FROM_PLATFORM_FLAG_CONST_DISALLOWED] = "FROM --platform ties a stage to one platform",
	[DF_RULE_COPY_IGNORED_FILE] = "a file to copy is excluded by the ignore file",
	[DF_RULE_INVALID_DEFINITION_DESCRIPTION] = "a comment above ARG or FROM does not begin with its name",
	[DF_RULE_EXPOSE_PROTO_CASING] = "a protocol of EXPOSE is not lower case",
	[DF_RULE_EXPOSE_INVALID_FORMAT] = "EXPOSE has an address or a port of the host",
};

enum { ALL_RULES = (1u << DF_RULES) - 1, EXPERIMENTAL_RULES = 1u << DF_RULE_INVALID_DEFINITION_DESCRIPTION };
enum { PARTS_MAX = 3 };

const char *df_rule_name(enum df_rule r)
{
	return rule_names[r];
}

const char *df_rule_description(enum df_rule r)
{
	return rule_descriptions[r];
}

/* Takes what stands before the next `mark` off the front of *s, without blanks around it. */
static struct span take_part(struct span *s, char mark)
{
	const char *end = s->n ? memchr(s->p, mark, s->n) : NULL;
	struct span part = { s->p, end ? (size_t)(end - s->p) : s->n };
	size_t used = part.n + (end != NULL);
	s->p += used;
	s->n -= used;
	return span_trim(part);
}

/* Names that no rule has are let pass: the file may be meant for a newer builder. `unknown` (or NULL) gets them. */
static uint32_t parse_rules(struct span list, struct strv *unknown)
{
	uint32_t rules = 0;
	if (span_eq(list, "all"))
		return ALL_RULES;
	while (list.n) {
		struct span name = take_part(&list, ',');
		size_t i = 0;
		while (i < DF_RULES && !span_eq(name, rule_names[i]))
			i++;
		if (i < DF_RULES)
			rules |= 1u << i;
		else if (unknown && name.n)
			strv_push_taken(unknown, x_strndup(name.p, name.n));
	}
	return rules;
}

static int parse_bool(struct span value, bool *ret, struct err *e)
{
	if (span_to_bool(value, ret))
		return 0;
	return err_set(e, ERR_PARSE, "check option error=%.*s: neither true nor false",
		       (int)(value.n < 40 ? value.n : 40), value.p);
}

static int unknown_option(struct span key, struct err *e)
{
	static const char *const known[] = { "skip", "error", "experimental" };
	AUTO(free_drop) char *name = x_strndup(key.p, key.n);
	const char *near = str_nearest(name, known, ARRAY_LEN(known));
	err_set(e, ERR_PARSE, "invalid check option \"%.60s\": known are skip, error and experimental", name);
	return near ? err_hint(e, "did you mean %s?", near) : -1;
}

static int parse_option(struct span part, struct df_check *c, struct strv *unknown, struct err *e)
{
	struct span value = part;
	struct span key = take_part(&value, '=');
	if (key.n == part.n)
		return err_set(e, ERR_PARSE, "invalid check option \"%.*s\": it must be of the form key=value",
			(int)(part.n < 60 ? part.n : 60), part.p);
	value = span_trim(value);
	if (span_eq(key, "error"))
		return parse_bool(value, &c->as_error, e);
	if (span_eq(key, "skip"))
		c->skipped |= parse_rules(value, unknown);
	else if (span_eq(key, "experimental"))
		c->experimental |= parse_rules(value, unknown);
	else
		return unknown_option(key, e);
	return 0;
}

static int parse_options(const char *text, struct df_check *ret, struct strv *unknown, struct err *e)
{
	struct df_check c = { 0 };
	struct span rest = span_trim(span_of(text ? text : ""));
	bool more = rest.n > 0;
	for (size_t n = 1; more; n++) {
		/* A semicolon asks for another part; those in the last one belong to it. */
		more = n < PARTS_MAX && memchr(rest.p, ';', rest.n);
		if (parse_option(more ? take_part(&rest, ';') : rest, &c, unknown, e))
			return -1;
	}
	*ret = c;
	return 0;
}

int df_check_parse(const char *text, struct df_check *ret, struct err *e)
{
	return parse_options(text, ret, NULL, e);
}

/*
 * "check=…" in a comment. Its value is the first word, as in the directive; one that cannot be understood says nothing.
 * Returns whether it is one: only the first of an instruction counts.
 */
static bool add_comment_options(const char *comment, struct df_check *c, struct strv *unknown)
{
	AUTO(free_drop) char *word = NULL;
	struct df_check own;
	struct err ignored;
	if (strncasecmp(comment, "check", 5) != 0)
		return false;
	struct span rest = span_trim_left(span_of(comment + 5));
	if (!span_starts(rest, "="))
		return false;
	rest = span_trim_left((struct span){ rest.p + 1, rest.n - 1 });
	word = x_strndup(rest.p, strcspn(rest.p, " "));
	if (parse_options(word, &own, unknown, &ignored) == 0) {
		c->skipped |= own.skipped;
		c->experimental |= own.experimental;
	}
	return rest.n > 0;
}

struct df_check check_for(const struct df_check *c, const struct df_instruction *in)
{
	struct df_check all = *c;
	for (size_t i = 0; in && i < in->comments.n; i++)
		if (add_comment_options(in->comments.v[i].text, &all, NULL))
			break;
	return all;
}

bool check_has(const struct df_check *c, enum df_rule rule)
{
	uint32_t bit = 1u << rule;
	/* Who asks for an experimental rule gets it, also with skip=all. */
	return bit & EXPERIMENTAL_RULES ? (c->experimental & bit) != 0 : !(c->skipped & bit);
}

bool df_check_wants(const struct df_check *c, const struct df_instruction *in, enum df_rule rule)
{
	struct df_check all = check_for(c, in);
	return check_has(&all, rule);
}

/* Takes the unknown names. `line` 0: they are in the build argument. */
static void add_hints(struct strv *names, const char *file_name, int line, struct strv *ret)
{
	for (size_t i = 0; i < names->n; i++) {
		struct str text = { 0 };
		const char *near = str_nearest(names->v[i], rule_names, DF_RULES);
		if (line)
			str_addf(&text, "%s:%d: ", file_name, line);
		else
			str_add(&text, "--build-arg BUILDKIT_DOCKERFILE_CHECK: ");
		str_add(&text, "no check rule has the name \"");
		str_add_printable(&text, names->v[i], strlen(names->v[i]));
		str_addc(&text, '"');
		if (near)
			str_addf(&text, "; did you mean %s?", near);
		strv_push_taken(ret, str_take(&text));
	}
	strv_fini(names);
}

void df_check_hints(const struct df_file *f, const char *file_name, const char *argument, struct strv *ret)
{
	struct strv names = { 0 };
	struct df_check c = { 0 };
	struct err ignored;
	if (parse_options(argument ? argument : f->check, &c, &names, &ignored) == 0)
		add_hints(&names, file_name, argument ? 0 : f->check_at.line, ret);
	for (size_t i = 0; i < f->instructions.n; i++) {
		const struct df_instruction *in = &f->instructions.v[i];
		for (size_t k = 0; k < in->comments.n; k++) {
			bool found = add_comment_options(in->comments.v[k].text, &c, &names);
			add_hints(&names, file_name, in->comments.v[k].line, ret);
			if (found)
				break;
		}
	}
	strv_fini(&names);
}
