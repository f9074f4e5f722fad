#include "directive_priv.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "lexer_priv.h"

enum directive { SYNTAX, CHECK, ESCAPE, UNKNOWN };
static const char *const names[] = { "syntax", "check", "escape" };

void directives_init(struct directives *d)
{
	*d = (struct directives){ .escape = '\\' };
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Blanks of a regular expression's \s, which do not include the vertical tab. */
static size_t skip_blanks(struct span s, size_t i)
{
	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\f' || s.p[i] == '\r'))
		i++;
	return i;
}

/* "#", name, "=", value, with blanks around each; the directive's number, or UNKNOWN for any other line. */
static enum directive match(struct span line, struct span *ret_value)
{
	if (!line.n || *line.p != '#')
		return UNKNOWN;
	struct span s = span_trim_left((struct span){ line.p + 1, line.n - 1 });
	size_t end = 0;
	while (end < s.n && is_alnum(s.p[end]))
		end++;
	if (!end || (*s.p >= '0' && *s.p <= '9'))
		return UNKNOWN;
	size_t i = skip_blanks(s, end);
	if (i == s.n || s.p[i] != '=')
		return UNKNOWN;
	struct span value = { s.p + i + 1, s.n - i - 1 };
	if (!value.n)
		return UNKNOWN;
	*ret_value = span_trim(value);
	for (enum directive d = SYNTAX; d < UNKNOWN; d++)
		if (strlen(names[d]) == end && strncasecmp(names[d], s.p, end) == 0)
			return d;
	return UNKNOWN;
}

/* What stands before the first space is the value; for `syntax` the rest is the frontend's command line. */
static struct span first_word(struct span value)
{
	const char *space = memchr(value.p, ' ', value.n);
	return (struct span){ value.p, space ? (size_t)(space - value.p) : value.n };
}

void directives_detect(struct directives *d, struct arena *arena, const struct span *lines, size_t n)
{
	size_t i = n && span_starts(lines[0], "#!") ? 1 : 0;
	for (; i < n; i++) {
		struct span value;
		enum directive which = match(line_without_end(lines[i]), &value);
		if (which == UNKNOWN)
			break;
		if (which == SYNTAX && !d->syntax)
			d->syntax = span_dup(arena, value);
		if (which == CHECK && !d->check) {
			d->check = span_dup(arena, first_word(value));
			d->check_at = (struct df_pos){ (int)i + 1, (int)(value.p - lines[i].p) + 1 };
		}
	}
}

int directives_line(struct directives *d, struct span line, int number, bool *ret_is_directive, struct span *ret_fault,
		    struct err *e)
{
	struct span value;
	enum directive which = d->done ? UNKNOWN : match(line, &value);
	if (which == UNKNOWN) {
		d->done = true;
		return 0;
	}
	*ret_fault = line;
	if (d->seen & 1u << which)
		return err_at(e, ERR_PARSE, number, number,
			      "only one %s parser directive can be used, and there is one above", names[which]);
	d->seen |= 1u << which;
	*ret_is_directive = true;
	if (which != ESCAPE)
		return 0;
	*ret_fault = value;
	if (!span_eq(value, "\\") && !span_eq(value, "`"))
		return err_at(e, ERR_PARSE, number, number,
			      "escape directive: \"%.*s\" is neither a backslash nor a backtick",
			      (int)(value.n < 40 ? value.n : 40), value.p);
	d->escape = *value.p;
	return 0;
}
