#include "ignore_pattern_priv.h"

#include <string.h>

#include "base/str.h"
#include "match_priv.h"
#include "text_priv.h"

enum glob_kind {
	GLOB_CHAR,      /* one character */
	GLOB_ANY,       /* one that is no slash */
	GLOB_CLASS,
	GLOB_STAR,      /* any number of characters but slashes */
	GLOB_ALL,       /* any number of any characters */
	GLOB_DIRS,      /* "**" + "/": nothing, or any text that ends in a slash: this item and the next */
	GLOB_IN_DIRS,
};

struct glob_item {
	enum glob_kind kind;
	uint32_t c;
	const char *class; /* at its '[', in the pattern's text */
};

static void add(struct ignore_pattern *p, enum glob_kind kind, uint32_t c, const char *class)
{
	struct glob_item item = { kind, c, class };
	vec_push(&p->items, item);
}

/* *s stands behind the "**". "**" + "/" is the same, and at the end of the pattern it takes all that is left. */
static void add_double_star(struct ignore_pattern *p, const char **s)
{
	*s += **s == '/';
	if (!**s) {
		p->kind = p->kind == PATTERN_EXACT ? PATTERN_PREFIX : PATTERN_GLOB;
		add(p, GLOB_ALL, 0, NULL);
		return;
	}
	p->kind = p->items.n ? PATTERN_GLOB : PATTERN_SUFFIX;
	add(p, GLOB_DIRS, 0, NULL);
	add(p, GLOB_IN_DIRS, 0, NULL);
}

static void add_char(struct ignore_pattern *p, const char **s)
{
	uint32_t c;
	*s += text_char(*s, strnlen(*s, 4), &c);
	add(p, GLOB_CHAR, c, NULL);
}

static void add_item(struct ignore_pattern *p, const char **s)
{
	bool ignored;
	switch (**s) {
	case '*':
		if ((*s)[1] == '*') {
			*s += 2;
			add_double_star(p, s);
			return;
		}
		add(p, GLOB_STAR, 0, NULL);
		++*s;
		break;
	case '?':
		add(p, GLOB_ANY, 0, NULL);
		++*s;
		break;
	case '[':
		add(p, GLOB_CLASS, 0, *s);
		match_class(s, 0, &ignored);
		break;
	case '\\':
		++*s;
		add_char(p, s);
		break;
	default:
		add_char(p, s);
		return;
	}
	p->kind = PATTERN_GLOB;
}

void ignore_pattern_init(struct ignore_pattern *p, char *text, bool include, int line)
{
	*p = (struct ignore_pattern){ .kind = PATTERN_EXACT, .include = include, .line = line, .text = text };
	p->literal = strcspn(text, "*?[\\");
	for (const char *s = text; *s;)
		add_item(p, &s);
	if (strcmp(text, "**") == 0)
		p->kind = PATTERN_SUFFIX;
}

void ignore_pattern_fini(struct ignore_pattern *p)
{
	vec_fini(&p->items);
	free(p->written);
	free(p->text);
}

/* Whether the item takes the character; *ret_stay: it may take more. */
static bool takes(const struct glob_item *item, uint32_t c, bool *ret_stay)
{
	bool in = false;
	const char *class = item->class;
	*ret_stay = false;
	switch (item->kind) {
	case GLOB_CHAR:
		return c == item->c;
	case GLOB_ANY:
		return c != '/';
	case GLOB_CLASS:
		match_class(&class, c, &in);
		return in;
	case GLOB_STAR:
		*ret_stay = c != '/';
		return false;
	case GLOB_ALL:
		*ret_stay = c != '\n';
		return false;
	case GLOB_IN_DIRS:
		*ret_stay = c != '\n';
		return c == '/';
	case GLOB_DIRS:
		return false;
	}
	return false;
}

/* From each item that may be the next one, those behind it that may be, too, because it may match nothing. */
static void close_over(const struct ignore_pattern *p, unsigned char *at)
{
	for (size_t i = 0; i < p->items.n; i++) {
		if (!at[i])
			continue;
		enum glob_kind kind = p->items.v[i].kind;
		if (kind == GLOB_STAR || kind == GLOB_ALL)
			at[i + 1] = 1;
		if (kind == GLOB_DIRS)
			at[i + 1] = at[i + 2] = 1;
	}
}

/* All ways to match at once, as a set of places in the pattern: the time is bounded whatever the pattern. */
static bool glob(const struct ignore_pattern *p, const char *path)
{
	size_t n = p->items.n + 1;
	AUTO(free_drop) unsigned char *at = x_alloc(2 * n);
	unsigned char *now = at, *next = at + n;
	now[0] = 1;
	close_over(p, now);
	while (*path) {
		uint32_t c;
		bool stay, any = false;
		path += text_char(path, strnlen(path, 4), &c);
		memset(next, 0, n);
		for (size_t i = 0; i < p->items.n; i++) {
			if (!now[i])
				continue;
			next[i + 1] |= takes(&p->items.v[i], c, &stay);
			next[i] |= stay;
			any |= next[i] || next[i + 1];
		}
		if (!any)
			return false;
		close_over(p, next);
		unsigned char *t = now;
		now = next;
		next = t;
	}
	return now[n - 1];
}

bool ignore_pattern_match(const struct ignore_pattern *p, const char *path)
{
	switch (p->kind) {
	case PATTERN_EXACT:
		return strcmp(path, p->text) == 0;
	case PATTERN_PREFIX:
		return strncmp(path, p->text, p->literal) == 0;
	case PATTERN_SUFFIX: {
		const char *suffix = p->text + 2;
		return str_ends(path, suffix) || (*suffix == '/' && strcmp(path, suffix + 1) == 0);
	}
	case PATTERN_GLOB:
		return strncmp(path, p->text, p->literal) == 0 && glob(p, path);
	}
	return false;
}
