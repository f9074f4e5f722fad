#include "lexer_priv.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "errors_priv.h"

static const char utf8_bom[] = "\xef\xbb\xbf";

struct span line_without_end(struct span line)
{
	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	return line;
}

int lexer_init(struct lexer *lx, struct arena *arena, const char *bytes, size_t n, struct err *e)
{
	const char *p = bytes, *end = bytes + n;
	lx->arena = arena;
	if (n > LIMIT_DOCKERFILE)
		return err_set(e, ERR_LIMIT, "the Dockerfile is longer than %u bytes", LIMIT_DOCKERFILE);
	if (span_starts((struct span){ p, n }, utf8_bom))
		p += sizeof utf8_bom - 1;
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = newline ? (size_t)(newline + 1 - p) : (size_t)(end - p);
		int number = (int)lx->lines.n + 1;
		if (len - (newline != NULL) > LIMIT_LINE)
			return err_at(e, ERR_LIMIT, number, number, "the line is longer than %u bytes", LIMIT_LINE);
		if (memchr(p, '\0', len))
			return err_at(e, ERR_PARSE, number, number, "the line holds a NUL byte");
		vec_push(&lx->lines, ((struct span){ p, len }));
		p += len;
	}
	directives_init(&lx->directives);
	directives_detect(&lx->directives, arena, lx->lines.v, lx->lines.n);
	return 0;
}

void lexer_fini(struct lexer *lx)
{
	vec_fini(&lx->lines);
}

void logical_line_fini(struct logical_line *l)
{
	vec_fini(&l->comments);
	vec_fini(&l->pieces);
}

struct df_pos logical_line_at(const struct logical_line *l, size_t offset)
{
	size_t low = 0, high = l->pieces.n; /* the piece is in [low, high) */
	if (!high)
		return (struct df_pos){ 0 };
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (l->pieces.v[middle].start <= offset)
			low = middle;
		else
			high = middle;
	}
	const struct piece *p = &l->pieces.v[low];
	return (struct df_pos){ p->at.line, p->at.col + (int)(offset - p->start) };
}

/* Of a part of the physical line that was read last. */
static struct df_pos pos_in_line(const struct lexer *lx, struct span part)
{
	return (struct df_pos){ (int)lx->next, (int)(part.p - lx->lines.v[lx->next - 1].p) + 1 };
}

/* Joins what is left of the physical line that was read last. */
static void join(const struct lexer *lx, struct logical_line *l, struct str *joined, struct span part)
{
	struct piece p = { joined->len, pos_in_line(lx, part) };
	vec_push(&l->pieces, p);
	str_addn(joined, part.p, part.n);
}

bool lexer_raw_line(struct lexer *lx, struct span *ret)
{
	if (lx->next == lx->lines.n)
		return false;
	*ret = lx->lines.v[lx->next++];
	return true;
}

static bool is_comment(struct span line)
{
	line = span_trim_left(line);
	return line.n && *line.p == '#';
}

/*
 * An escape character at the end, blanks after it allowed, continues the line unless another one stands before it
 * (LEX-08); it is cut off together with the blanks.
 */
static bool cut_continuation(struct span *line, char escape)
{
	size_t n = line->n;
	while (n && (line->p[n - 1] == ' ' || line->p[n - 1] == '\t'))
		n--;
	if (!n || line->p[n - 1] != escape || (n > 1 && line->p[n - 2] == escape))
		return false;
	line->n = n - 1;
	return true;
}

/* The first byte goes, "#" or not: the text of an indented comment begins with "#" and so says nothing (DIR-10). */
static void add_comment(struct lexer *lx, struct span line, struct logical_line *l)
{
	struct span text = span_trim((struct span){ line.p + 1, line.n - 1 });
	if (!text.n) {
		l->comments.n = 0;
		return;
	}
	struct df_comment c = { span_dup(lx->arena, text), (int)lx->next };
	vec_push(&l->comments, c);
}

/* Skips to the line an instruction begins with, keeping the comments directly above it; 0 at the end of the file. */
static int find_start(struct lexer *lx, struct logical_line *l, struct span *ret, struct err *e)
{
	struct span line, fault;
	while (lexer_raw_line(lx, &line)) {
		bool was_directive = false;
		struct span whole = line_without_end(line);
		line = span_trim_left(whole);
		if (directives_line(&lx->directives, line, (int)lx->next, &was_directive, &fault, e))
			return pos_set(e, pos_in_line(lx, fault));
		if (is_comment(line)) {
			if (!was_directive)
				add_comment(lx, whole, l);
			continue;
		}
		if (line.n) {
			*ret = line;
			return 1;
		}
		l->comments.n = 0;
	}
	return 0;
}

int lexer_next(struct lexer *lx, struct logical_line *ret, struct err *e)
{
	AUTO(logical_line_fini) struct logical_line l = { 0 };
	AUTO(str_fini) struct str joined = { 0 };
	struct span line;
	bool empty = false;
	int r = find_start(lx, &l, &line, e);
	if (r <= 0)
		return r;
	l.first = (int)lx->next;
	bool more = cut_continuation(&line, lx->directives.escape);
	join(lx, &l, &joined, line);
	while (more && lexer_raw_line(lx, &line)) {
		line = line_without_end(line);
		if (is_comment(line))
			continue;
		if (!span_trim_left(line).n) {
			empty = true;
			continue;
		}
		more = cut_continuation(&line, lx->directives.escape);
		join(lx, &l, &joined, line);
	}
	l.last = (int)lx->next;
	l.empty_continuation = empty ? l.last : 0;
	l.text = arena_strndup(lx->arena, str_text(&joined), joined.len);
	*ret = l;
	l = (struct logical_line){ 0 };
	return 1;
}
