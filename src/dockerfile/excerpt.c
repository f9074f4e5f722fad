#include <string.h>

#include "base/str.h"
#include "dockerfile/parse.h"

enum { NEIGHBOURS = 2, MARKED_MAX = 24, WIDTH_MAX = 160 };

/* The bytes of a line that are shown: all, or WIDTH_MAX of them that have the column in their middle. */
struct window { size_t first, end, length; };

static struct window look_at(const char *text, int col)
{
	struct window w = { .length = strlen(text) };
	size_t at = col > 0 ? (size_t)col - 1 : 0;
	w.end = w.length;
	if (w.length <= WIDTH_MAX)
		return w;
	if (at > w.length)
		at = w.length;
	if (at > WIDTH_MAX / 2)
		w.first = at + WIDTH_MAX / 2 < w.length ? at - WIDTH_MAX / 2 : w.length - WIDTH_MAX;
	w.end = w.first + WIDTH_MAX;
	/* Not within a character. */
	while (w.first < at && ((unsigned char)text[w.first] & 0xc0) == 0x80)
		w.first++;
	while (w.end < w.length && ((unsigned char)text[w.end] & 0xc0) == 0x80)
		w.end++;
	return w;
}

static void add_printable(struct str *out, const char *text, size_t n)
{
	while (n) {
		const char *tab = memchr(text, '\t', n);
		size_t part = tab ? (size_t)(tab - text) : n;
		str_add_printable(out, text, part);
		if (tab)
			str_addc(out, '\t');
		text += part + (tab != NULL);
		n -= part + (tab != NULL);
	}
}

static void add_line(struct str *out, const struct df_file *f, int number, bool marked, int col)
{
	const char *text = f->lines.v[number - 1];
	struct window w = look_at(text, col);
	str_addf(out, "%4d | %s%s", number, marked ? ">>> " : "    ", w.first ? "..." : "");
	add_printable(out, text + w.first, w.end - w.first);
	str_add(out, w.end < w.length ? "...\n" : "\n");
}

/* Blanks as wide as what stands before the column, whose tabs are repeated. */
static void add_caret(struct str *out, const char *text, int col)
{
	AUTO(str_fini) struct str before = { 0 };
	struct window w = look_at(text, col);
	size_t at = (size_t)col - 1;
	if (at > w.length)
		return;
	add_printable(&before, text + w.first, at - w.first);
	str_addf(out, "     |     %s", w.first ? "   " : "");
	for (size_t i = 0; i < before.len; i++)
		if (((unsigned char)before.buf[i] & 0xc0) != 0x80)
			str_addc(out, before.buf[i] == '\t' ? '\t' : ' ');
	str_add(out, "^\n");
}

static void add_lines(struct str *out, const struct df_file *f, const struct err *e)
{
	int n = (int)f->lines.n, first = e->line, last = e->line_end < first ? first : e->line_end;
	if (last > n)
		last = n;
	for (int i = first - NEIGHBOURS; i <= last + NEIGHBOURS; i++) {
		bool faulty = e->col && i == e->at_line;
		/* The middle of a very long instruction is left out. */
		if (last - first >= MARKED_MAX && i > first + MARKED_MAX / 2 && i <= last - MARKED_MAX / 2 && !faulty) {
			if (i == first + MARKED_MAX / 2 + 1 || i == e->at_line + 1)
				str_add(out, "     | ...\n");
			continue;
		}
		if (i < 1 || i > n)
			continue;
		add_line(out, f, i, i >= first && i <= last, faulty ? e->col : 0);
		if (faulty)
			add_caret(out, f->lines.v[i - 1], e->col);
	}
}

char *df_excerpt(const struct df_file *f, const char *file_name, const struct err *e, const char *text)
{
	static const char rule[] = "--------------------\n";
	struct str out = { 0 };
	str_add_printable(&out, file_name, strlen(file_name));
	str_addf(&out, ":%d", e->at_line ? e->at_line : e->line);
	if (e->col)
		str_addf(&out, ":%d", e->col);
	if (text) {
		str_add(&out, ": ");
		str_add_printable(&out, text, strlen(text));
	}
	str_addf(&out, "\n%s", rule);
	add_lines(&out, f, e);
	str_add(&out, rule);
	return str_take(&out);
}
