#include <string.h>

#include "base/str.h"
#include "dockerfile/parse.h"

enum { NEIGHBOURS = 2, MARKED_MAX = 24 };

static void add_line(struct str *out, const struct df_file *f, int number, bool marked)
{
	const char *text = f->lines.v[number - 1];
	str_addf(out, "%4d | %s", number, marked ? ">>> " : "    ");
	for (;;) {
		size_t n = strcspn(text, "\t");
		str_add_printable(out, text, n);
		text += n;
		if (!*text)
			break;
		str_addc(out, *text++);
	}
	str_addc(out, '\n');
}

char *df_excerpt(const struct df_file *f, const char *file_name, int first, int last)
{
	static const char rule[] = "--------------------\n";
	struct str out = { 0 };
	int n = (int)f->lines.n;
	if (last < first)
		last = first;
	if (last > n)
		last = n;
	str_add_printable(&out, file_name, strlen(file_name));
	str_addf(&out, ":%d\n%s", first, rule);
	for (int i = first - NEIGHBOURS; i <= last + NEIGHBOURS; i++) {
		/* The middle of a very long instruction is left out. */
		if (last - first >= MARKED_MAX && i == first + MARKED_MAX / 2) {
			str_add(&out, "     | ...\n");
			i = last - MARKED_MAX / 2 + 1;
		}
		if (i >= 1 && i <= n)
			add_line(&out, f, i, i >= first && i <= last);
	}
	str_add(&out, rule);
	return str_take(&out);
}
