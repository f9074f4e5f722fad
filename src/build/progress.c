/* Plain progress on stderr: numbered steps with their stage, output as it comes, CACHED, seconds, image ids. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_priv.h"

struct progress {
	enum progress_mode mode;
	unsigned last;           /* number of the step whose lines were printed last */
	struct step *partial_of; /* whose unfinished line is held */
	struct str partial;
};

struct progress *progress_new(enum progress_mode mode)
{
	struct progress *p = x_alloc(sizeof *p);
	p->mode = mode;
	return p;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	str_fini(&p->partial);
	free(p);
}

static void put(const struct str *s)
{
	size_t at = 0;
	while (at < s->len) {
		ssize_t n = write(STDERR_FILENO, s->buf + at, s->len - at);
		if (n <= 0)
			return; /* nobody reads any more; the build goes on */
		at += (size_t)n;
	}
}

static void line(struct progress *p, const struct step *s, const char *text)
{
	AUTO(str_fini) struct str out = { 0 };
	if (p->mode == PROGRESS_QUIET)
		return;
	if (p->last && p->last != s->number)
		str_addc(&out, '\n');
	p->last = s->number;
	str_addf(&out, "#%u %s\n", s->number, text);
	put(&out);
}

void progress_step_start(struct progress *p, struct step *s)
{
	if (s->shown)
		return;
	s->shown = true;
	s->number = ++s->stage->build->n_numbers;
	s->started_ms = now_ms();
	line(p, s, s->title);
	if (s->note)
		line(p, s, s->note);
}

void progress_step_missed(struct progress *p, struct step *s, const char *text)
{
	s->note = x_strdup(text);
	if (s->shown)
		line(p, s, text);
}

/* Output goes to a person: a terminal must not see escape sequences that a build printed. */
static void output_line(struct progress *p, const struct step *s, const char *text, size_t n)
{
	AUTO(str_fini) struct str out = { 0 };
	if (n && text[n - 1] == '\r')
		n--;
	str_addf(&out, "%.3f ", (double)(now_ms() - s->started_ms) / 1000);
	if (isatty(STDERR_FILENO)) {
		for (const char *tab; (tab = memchr(text, '\t', n)); n -= (size_t)(tab + 1 - text), text = tab + 1) {
			str_add_printable(&out, text, (size_t)(tab - text));
			str_addc(&out, '\t');
		}
		str_add_printable(&out, text, n);
	} else {
		str_addn(&out, text, n);
	}
	line(p, s, out.buf);
}

enum { PARTIAL_MAX = 64 * 1024 };

void progress_step_line(struct progress *p, const struct step *s, const char *text, size_t n)
{
	if (p->mode == PROGRESS_QUIET || !s)
		return;
	if (!text) { /* the end of this step's output */
		if (p->partial.len && p->partial_of == s)
			output_line(p, s, p->partial.buf, p->partial.len);
		if (p->partial_of == s)
			str_clear(&p->partial);
		return;
	}
	if (s->job == NULL || s->job->kind == JOB_WORKER) {
		output_line(p, s, text, n);
		return;
	}
	if (p->partial.len && p->partial_of != s) {
		output_line(p, p->partial_of, p->partial.buf, p->partial.len);
		str_clear(&p->partial);
	}
	p->partial_of = (struct step *)s;
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t len = end ? (size_t)(end - text) : n;
		str_addn(&p->partial, text, len);
		if (end || p->partial.len > PARTIAL_MAX) {
			output_line(p, s, str_text(&p->partial), p->partial.len);
			str_clear(&p->partial);
		}
		len += end ? 1 : 0;
		text += len;
		n -= len;
	}
}

void progress_step_done(struct progress *p, struct step *s, const struct digest *image)
{
	AUTO(str_fini) struct str out = { 0 };
	if (!s->ended_ms)
		s->ended_ms = now_ms();
	progress_step_start(p, s);
	if (s->cached)
		str_add(&out, "CACHED");
	else
		str_addf(&out, "DONE %.1fs", (double)(s->ended_ms - s->started_ms) / 1000);
	if (image)
		str_addf(&out, " %.12s", digest_hex(image).s);
	line(p, s, out.buf);
}

void progress_step_failed(struct progress *p, struct step *s, const struct err *e)
{
	AUTO(str_fini) struct str out = { 0 };
	progress_step_start(p, s);
	str_addf(&out, "ERROR: %s", e->msg);
	line(p, s, out.buf);
}

void progress_note(struct progress *p, const char *text)
{
	AUTO(str_fini) struct str out = { 0 };
	if (p->mode == PROGRESS_QUIET)
		return;
	str_addf(&out, "%s\n", text);
	put(&out);
}
