#include "dockerfile/ignore.h"

#include <string.h>

#include "base/limits.h"
#include "base/path.h"
#include "base/str.h"
#include "ignore_pattern_priv.h"
#include "match_priv.h"
#include "text_priv.h"

/*
 * Which patterns matched each directory on the way to the path asked last. A pattern that matched a directory matches
 * all below it, and the answers for one directory serve all its entries: a walk asks each pattern once per entry.
 */
struct level {
	size_t end;           /* length of the directory's path */
	unsigned char *match; /* one per pattern; owned */
};

struct memory {
	char *path;           /* owned; the path asked last */
	VEC(struct level) levels;
};

struct df_ignore {
	VEC(struct ignore_pattern) patterns;
	bool includes;        /* one of them is a "!" */
	bool twin;            /* the patterns are another's */
	struct memory *memory; /* owned; not the matcher's value, so a const matcher may change it */
};

static void ignore_drop(struct df_ignore **i)
{
	df_ignore_free(*i);
}

static struct df_ignore *ignore_new(void)
{
	struct df_ignore *i = x_alloc(sizeof *i);
	i->memory = x_alloc(sizeof *i->memory);
	return i;
}

struct df_ignore *df_ignore_twin(const struct df_ignore *i)
{
	struct df_ignore *t = x_memdup(i, sizeof *i);
	t->memory = x_alloc(sizeof *t->memory);
	t->twin = true;
	return t;
}

static void forget(struct memory *m, size_t depth)
{
	while (m->levels.n > depth)
		free(m->levels.v[--m->levels.n].match);
}

bool df_ignore_has_exceptions(const struct df_ignore *i)
{
	return i->includes;
}

bool df_ignore_is_total(const struct df_ignore *i)
{
	for (size_t k = 0; k < i->patterns.n; k++) {
		const char *text = i->patterns.v[k].text;
		if (str_eq(text, "*") || str_eq(text, "**") || str_eq(text, "**/*"))
			return true;
	}
	return false;
}

const char *df_ignore_rule(const struct df_ignore *i, int line)
{
	size_t low = 0, high = i->patterns.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (i->patterns.v[middle].line < line)
			low = middle + 1;
		else
			high = middle;
	}
	return low < i->patterns.n && i->patterns.v[low].line == line ? i->patterns.v[low].written : NULL;
}

void df_ignore_free(struct df_ignore *i)
{
	if (!i)
		return;
	for (size_t k = 0; k < i->patterns.n && !i->twin; k++)
		ignore_pattern_fini(&i->patterns.v[k]);
	if (!i->twin)
		vec_fini(&i->patterns);
	forget(i->memory, 0);
	vec_fini(&i->memory->levels);
	free(i->memory->path);
	free(i->memory);
	free(i);
}

/* The pattern as it counts: cleaned as by path.Clean, with "!" in front or not. */
static int add_pattern(struct df_ignore *i, struct span text, int line, struct err *e)
{
	text = span_trim(text);
	if (!text.n)
		return 0;
	if (text.n > LIMIT_LINE || i->patterns.n >= LIMIT_IGNORE_PATTERNS)
		return err_set(e, ERR_LIMIT, "more than %u patterns, or one longer than %u bytes",
			       LIMIT_IGNORE_PATTERNS, LIMIT_LINE);
	AUTO(free_drop) char *raw = x_strndup(text.p, text.n);
	AUTO(free_drop) char *clean = path_clean(raw);
	bool include = *clean == '!';
	if (include && !clean[1])
		return err_set(e, ERR_PARSE, "illegal exclusion pattern: \"!\"");
	if (!match_syntax_ok(clean + include))
		return err_set(e, ERR_PARSE, "syntax error in pattern \"%.200s\"", raw);
	ignore_pattern_init(vec_add(&i->patterns), x_strdup(clean + include), include, line);
	i->includes |= include;
	return 0;
}

/* A line of the file: "!" may be followed by blanks, and a leading slash means the same as none (CTX-02). */
static int add_line(struct df_ignore *i, struct span line, int number, struct err *e)
{
	if (line.n && *line.p == '#')
		return 0;
	line = span_trim(line);
	if (!line.n)
		return 0;
	struct span written = line;
	bool include = *line.p == '!';
	if (include)
		line = span_trim((struct span){ line.p + 1, line.n - 1 });
	AUTO(free_drop) char *raw = x_strndup(line.p, line.n);
	AUTO(free_drop) char *clean = line.n ? path_clean(raw) : x_strdup("");
	AUTO(free_drop) char *text = x_asprintf("%s%s", include ? "!" : "", clean + (clean[0] == '/' && clean[1]));
	if (add_pattern(i, span_of(text), number, e) < 0)
		return -1;
	if (i->patterns.n && i->patterns.v[i->patterns.n - 1].line == number)
		i->patterns.v[i->patterns.n - 1].written = x_strndup(written.p, written.n);
	return 0;
}

int df_ignore_parse(const char *bytes, size_t n, const char *name, struct df_ignore **ret, struct err *e)
{
	AUTO(ignore_drop) struct df_ignore *i = ignore_new();
	struct span rest = { bytes, n };
	if (n > LIMIT_IGNORE_FILE)
		return err_set(e, ERR_LIMIT, "%s: longer than %u bytes", name, LIMIT_IGNORE_FILE);
	if (span_starts(rest, "\xef\xbb\xbf"))
		rest = (struct span){ rest.p + 3, rest.n - 3 };
	for (int number = 1; rest.n; number++) {
		const char *newline = memchr(rest.p, '\n', rest.n);
		struct span line = { rest.p, newline ? (size_t)(newline - rest.p) : rest.n };
		if (memchr(line.p, '\0', line.n))
			return err_set(e, ERR_PARSE, "%s:%d: the line holds a NUL byte", name, number);
		if (add_line(i, line, number, e))
			return err_in(e, "%s:%d", name, number);
		size_t used = line.n + (newline != NULL);
		rest = (struct span){ rest.p + used, rest.n - used };
	}
	*ret = ptr_take(&i);
	return 0;
}

int df_ignore_from_patterns(const struct strv *patterns, struct df_ignore **ret, struct err *e)
{
	AUTO(ignore_drop) struct df_ignore *i = ignore_new();
	for (size_t k = 0; k < patterns->n; k++)
		if (add_pattern(i, span_of(patterns->v[k]), (int)k + 1, e))
			return -1;
	*ret = ptr_take(&i);
	return 0;
}

/*
 * Asks every pattern about one path, given what its directory's answers were (NULL: it lies at the top). A pattern that
 * could not change the outcome so far is not asked; that is also what decides for the entries of a directory, so it
 * must stay so: with "docs" re-included by a line that nothing above it made necessary, files in docs are not
 * re-included.
 */
static bool ask(const struct df_ignore *i, const char *path, const unsigned char *parent, unsigned char *match,
		int *ret_line)
{
	bool ignored = false;
	for (size_t k = 0; k < i->patterns.n; k++) {
		const struct ignore_pattern *p = &i->patterns.v[k];
		match[k] = parent && parent[k];
		if (!match[k] && p->include == ignored)
			match[k] = ignore_pattern_match(p, path);
		if (match[k]) {
			ignored = !p->include;
			*ret_line = p->line;
		}
	}
	return ignored;
}

/* Drops the levels that are not directories of `path`. */
static void keep_common(struct memory *m, const char *path)
{
	size_t depth = 0;
	while (depth < m->levels.n) {
		size_t end = m->levels.v[depth].end;
		if (strncmp(m->path, path, end) != 0 || path[end] != '/')
			break;
		depth++;
	}
	forget(m, depth);
}

static const unsigned char *parent_match(const struct memory *m)
{
	return m->levels.n ? m->levels.v[m->levels.n - 1].match : NULL;
}

bool df_ignored(const struct df_ignore *i, const char *path, int *ret_line)
{
	struct memory *m = i->memory;
	int line = 0;
	keep_common(m, path);
	size_t start = m->levels.n ? m->levels.v[m->levels.n - 1].end + 1 : 0;
	free(m->path);
	m->path = x_strdup(path);
	for (const char *slash; (slash = strchr(path + start, '/')); start = (size_t)(slash - path) + 1) {
		struct level l = { (size_t)(slash - path), x_alloc(i->patterns.n) };
		m->path[l.end] = '\0';
		ask(i, m->path, parent_match(m), l.match, &line);
		m->path[l.end] = '/';
		vec_push(&m->levels, l);
	}
	AUTO(free_drop) unsigned char *match = x_alloc(i->patterns.n);
	line = 0;
	bool ignored = ask(i, path, parent_match(m), match, &line);
	if (ret_line)
		*ret_line = line;
	return ignored;
}

bool df_ignore_may_reinclude(const struct df_ignore *i, const char *dir)
{
	size_t n = strlen(dir);
	for (size_t k = 0; i->includes && k < i->patterns.n; k++) {
		const struct ignore_pattern *p = &i->patterns.v[k];
		if (!p->include)
			continue;
		/* What stands before the first wildcard must agree with the directory as far as both go. */
		if (p->literal <= n ? strncmp(p->text, dir, p->literal) == 0 && p->kind != PATTERN_EXACT
				    : strncmp(p->text, dir, n) == 0 && p->text[n] == '/')
			return true;
	}
	return false;
}
