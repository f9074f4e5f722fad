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

enum { ALL_RULES = (1u << DF_RULES) - 1, EXPERIMENTAL_RULES = 1u << DF_RULE_INVALID_DEFINITION_DESCRIPTION };
enum { PARTS_MAX = 3 };

const char *df_rule_name(enum df_rule r)
{
	return rule_names[r];
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

/* Names that no rule has are let pass: the file may be meant for a newer builder. */
static uint32_t parse_rules(struct span list)
{
	uint32_t rules = 0;
	if (span_eq(list, "all"))
		return ALL_RULES;
	while (list.n) {
		struct span name = take_part(&list, ',');
		for (size_t i = 0; i < DF_RULES; i++)
			if (span_eq(name, rule_names[i]))
				rules |= 1u << i;
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

static int parse_option(struct span part, struct df_check *c, struct err *e)
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
		c->skipped |= parse_rules(value);
	else if (span_eq(key, "experimental"))
		c->experimental |= parse_rules(value);
	else
		return unknown_option(key, e);
	return 0;
}

int df_check_parse(const char *text, struct df_check *ret, struct err *e)
{
	struct df_check c = { 0 };
	struct span rest = span_trim(span_of(text ? text : ""));
	bool more = rest.n > 0;
	for (size_t n = 1; more; n++) {
		/* A semicolon asks for another part; those in the last one belong to it. */
		more = n < PARTS_MAX && memchr(rest.p, ';', rest.n);
		if (parse_option(more ? take_part(&rest, ';') : rest, &c, e))
			return -1;
	}
	*ret = c;
	return 0;
}

/*
 * "check=…" in a comment. Its value is the first word, as in the directive; one that cannot be understood says nothing.
 * Returns whether it is one: only the first of an instruction counts.
 */
static bool add_comment_options(const char *comment, struct df_check *c)
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
	if (df_check_parse(word, &own, &ignored) == 0) {
		c->skipped |= own.skipped;
		c->experimental |= own.experimental;
	}
	return rest.n > 0;
}

struct df_check check_for(const struct df_check *c, const struct df_instruction *in)
{
	struct df_check all = *c;
	for (size_t i = 0; in && i < in->comments.n; i++)
		if (add_comment_options(in->comments.v[i].text, &all))
			break;
	return all;
}

bool check_has(const struct df_check *c, enum df_rule rule)
{
	uint32_t bit = 1u << rule;
	if (c->skipped & bit)
		return false;
	return !(bit & EXPERIMENTAL_RULES) || (c->experimental & bit);
}

bool df_check_wants(const struct df_check *c, const struct df_instruction *in, enum df_rule rule)
{
	struct df_check all = check_for(c, in);
	return check_has(&all, rule);
}
