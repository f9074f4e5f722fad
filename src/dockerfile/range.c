/* From where to where a word or an instruction stands in the file. */
#include <string.h>

#include "dockerfile/parse.h"
#include "text_priv.h"

/* The bytes of a variable's use, $NAME or ${…}, at the beginning of s. */
static size_t variable_length(const char *s)
{
	size_t n = 1;
	if (s[1] == '{')
		return strcspn(s, "}") + (strchr(s, '}') != NULL);
	while (s[n]) {
		uint32_t c;
		size_t used = text_char(s + n, strlen(s + n), &c);
		if (!text_is_name_char(c))
			break;
		n += used;
	}
	return n;
}

/* Up to a blank that is neither quoted nor escaped. A string of a JSON array ends with its quote. */
static size_t word_length(const char *s, char escape)
{
	char quote = '\0';
	size_t i = 0;
	if (*s == '$')
		return variable_length(s);
	for (; s[i] && (quote || !text_is_blank(s[i])); i++) {
		if (s[i] == escape && s[i + 1] && quote != '\'')
			i++;
		else if (quote && s[i] == quote)
			quote = '\0';
		else if (!quote && (s[i] == '"' || s[i] == '\''))
			quote = s[i];
		else if (!quote && *s == '"' && (s[i] == ',' || s[i] == ']'))
			break;
	}
	return i;
}

static struct df_range of_lines(const struct df_file *f, int first, int last)
{
	const char *head = f->lines.v[first - 1], *tail = f->lines.v[last - 1];
	size_t n = strlen(tail), blanks = 0;
	while (text_is_blank(head[blanks]))
		blanks++;
	while (n && text_is_blank(tail[n - 1]))
		n--;
	return (struct df_range){ { first, (int)blanks + 1 }, { last, (int)n + 1 } };
}

struct df_range df_range(const struct df_file *f, int first, int last, struct df_pos at)
{
	int n = (int)f->lines.n;
	if (at.col && at.line >= 1 && at.line <= n && (size_t)at.col <= strlen(f->lines.v[at.line - 1])) {
		size_t length = word_length(f->lines.v[at.line - 1] + at.col - 1, f->escape);
		return (struct df_range){ at, { at.line, at.col + (int)length } };
	}
	if (first < 1 || first > n)
		return (struct df_range){ 0 };
	return of_lines(f, first, last < first ? first : last > n ? n : last);
}

/* Whether what stands behind a dollar sign uses the variable. */
static bool is_use(const char *s, const char *name)
{
	size_t n = strlen(name);
	uint32_t next;
	s += *s == '{';
	if (strncmp(s, name, n) != 0)
		return false;
	return !s[n] || (text_char(s + n, strlen(s + n), &next) && !text_is_name_char(next));
}

struct df_pos df_find_variable(const struct df_file *f, int first, int last, const char *name)
{
	for (int i = first < 1 ? 1 : first; i <= last && i <= (int)f->lines.n; i++) {
		const char *line = f->lines.v[i - 1];
		for (const char *s = strchr(line, '$'); s; s = strchr(s + 1, '$'))
			if (is_use(s + 1, name))
				return (struct df_pos){ i, (int)(s - line) + 1 };
	}
	return (struct df_pos){ 0 };
}
