/* What happens in a build, told to the view that --progress asks for. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "progress_priv.h"

struct progress {
	struct progress_view *view; /* owned */
};

/* A terminal that can move its cursor. Lines of the debug log, which come from other processes too, would fall into it. */
static bool terminal_is_able(void)
{
	const char *term = getenv("TERM");
	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0 && !log_is_debug();
}

static struct progress_view *view_for(enum progress_mode mode)
{
	switch (mode) {
	case PROGRESS_AUTO:
		return terminal_is_able() ? progress_tty() : progress_plain();
	case PROGRESS_TTY:
		return progress_tty();
	case PROGRESS_PLAIN:
		return progress_plain();
	case PROGRESS_RAWJSON:
		return progress_rawjson();
	case PROGRESS_QUIET:
		return progress_quiet();
	}
	abort();
}

struct progress *progress_new(enum progress_mode mode)
{
	struct progress *p = x_alloc(sizeof *p);
	p->view = view_for(mode);
	return p;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	p->view->free(p->view);
	free(p);
}

void progress_put(const struct str *s)
{
	size_t at = 0;
	while (at < s->len) {
		ssize_t n = write(STDERR_FILENO, s->buf + at, s->len - at);
		if (n <= 0)
			return; /* nobody reads any more; the build goes on */
		at += (size_t)n;
	}
}

void progress_printable(struct str *out, const char *text, size_t n)
{
	for (const char *tab; (tab = memchr(text, '\t', n)); n -= (size_t)(tab + 1 - text), text = tab + 1) {
		str_add_printable(out, text, (size_t)(tab - text));
		str_addc(out, '\t');
	}
	str_add_printable(out, text, n);
}

void progress_step_start(struct progress *p, struct step *s)
{
	if (s->shown)
		return;
	s->shown = true;
	s->number = ++s->stage->build->n_numbers;
	s->started_ms = now_ms();
	p->view->start(p->view, s);
	if (s->note)
		p->view->remark(p->view, s, s->note);
}

void progress_step_missed(struct progress *p, struct step *s, const char *text)
{
	s->note = x_strdup(text);
	if (s->shown)
		p->view->remark(p->view, s, text);
}

void progress_step_line(struct progress *p, const struct step *s, const char *text, size_t n)
{
	if (s)
		p->view->output(p->view, s, text, n);
}

static void put_line(struct progress *p, struct step *s, const char *text, size_t n)
{
	if (n && text[n - 1] == '\r')
		n--;
	p->view->output(p->view, s, text, n);
}

enum { PARTIAL_MAX = 64 * 1024 };

void progress_step_output(struct progress *p, struct step *s, const char *text, size_t n)
{
	struct str *partial = &s->partial;
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t len = end ? (size_t)(end - text) : n;
		str_addn(partial, text, len);
		if (end || partial->len > PARTIAL_MAX) {
			put_line(p, s, str_text(partial), partial->len);
			str_clear(partial);
		}
		len += end ? 1 : 0;
		text += len;
		n -= len;
	}
}

void progress_step_silent(struct progress *p, struct step *s)
{
	if (s->partial.len)
		put_line(p, s, s->partial.buf, s->partial.len);
	str_fini(&s->partial);
}

void progress_step_done(struct progress *p, struct step *s, const struct digest *image)
{
	if (!s->ended_ms)
		s->ended_ms = now_ms();
	progress_step_start(p, s);
	p->view->done(p->view, s, image);
}

void progress_step_failed(struct progress *p, struct step *s, const struct err *e)
{
	progress_step_start(p, s);
	p->view->failed(p->view, s, e);
}

void progress_note(struct progress *p, const char *text)
{
	p->view->note(p->view, text);
}

int progress_tick(struct progress *p)
{
	return p->view->tick ? p->view->tick(p->view) : -1;
}

void progress_end(struct progress *p)
{
	if (p->view->end)
		p->view->end(p->view);
}

/* ---- quiet ---- */

static void no_start(struct progress_view *v, const struct step *s)
{
	(void)v;
	(void)s;
}

static void no_remark(struct progress_view *v, const struct step *s, const char *text)
{
	(void)v;
	(void)s;
	(void)text;
}

static void no_output(struct progress_view *v, const struct step *s, const char *text, size_t n)
{
	(void)v;
	(void)s;
	(void)text;
	(void)n;
}

static void no_done(struct progress_view *v, const struct step *s, const struct digest *image)
{
	(void)v;
	(void)s;
	(void)image;
}

static void no_failed(struct progress_view *v, const struct step *s, const struct err *e)
{
	(void)v;
	(void)s;
	(void)e;
}

static void no_note(struct progress_view *v, const char *text)
{
	(void)v;
	(void)text;
}

static void quiet_free(struct progress_view *v)
{
	free(v);
}

struct progress_view *progress_quiet(void)
{
	struct progress_view *v = x_alloc(sizeof *v);
	*v = (struct progress_view){
		.start = no_start,
		.remark = no_remark,
		.output = no_output,
		.done = no_done,
		.failed = no_failed,
		.note = no_note,
		.free = quiet_free,
	};
	return v;
}
