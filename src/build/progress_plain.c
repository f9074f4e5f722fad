/*
 * Lines for logs and pipes: "#N" before each, a step's output as it comes, CACHED, seconds, image ids.
 *
 * Steps run at once, and lines that alternate are hard to read. So one step has the floor, and lines of others are held
 * back for as long as it speaks: until it ends, is silent for a while, or others have waited too long. Nothing is lost,
 * and each step's lines stay in their order.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress_fold_priv.h"
#include "progress_priv.h"

enum { SILENCE_MS = 300, WAIT_MS = 3000, HELD_MAX = 1 << 20 };

struct held {
	unsigned number;
	char *title;   /* of the step, if its group has yet to begin; owned */
	struct str text; /* the line; owned */
	int64_t since;
	bool last;     /* of this step */
};

struct plain {
	struct progress_view base;
	enum fold fold;
	unsigned last;        /* number of the step whose lines were printed last */
	unsigned floor;       /* number of the step that speaks; 0: none */
	int64_t spoken;       /* when it did */
	VEC(struct held) held;
	size_t held_bytes;
};

static void print(struct plain *p, const struct held *h)
{
	AUTO(str_fini) struct str out = { 0 };
	if (p->last && p->last != h->number) {
		fold_end(p->fold, p->last, &out);
		str_addc(&out, '\n');
	}
	if (p->last != h->number)
		fold_begin(p->fold, h->number, h->title, &out);
	p->last = h->number;
	str_addf(&out, "#%u ", h->number);
	str_addn(&out, str_text(&h->text), h->text.len);
	str_addc(&out, '\n');
	progress_put(&out);
}

static void held_fini(struct held *h)
{
	free(h->title);
	str_fini(&h->text);
}

/* The floor goes to who waited longest: all that was held of this step is printed. */
static void hand_over(struct plain *p, int64_t now)
{
	size_t kept = 0;
	bool ended = false;
	p->floor = p->held.n ? p->held.v[0].number : 0;
	p->spoken = now;
	for (size_t i = 0; i < p->held.n; i++) {
		struct held *h = &p->held.v[i];
		if (h->number != p->floor) {
			p->held.v[kept++] = *h;
			continue;
		}
		print(p, h);
		ended = h->last;
		p->held_bytes -= h->text.len;
		held_fini(h);
	}
	p->held.n = kept;
	if (ended)
		p->floor = 0;
}

/* Who has ended leaves the floor to the next, until one is found that may go on. */
static void settle(struct plain *p, int64_t now)
{
	while (!p->floor && p->held.n)
		hand_over(p, now);
}

static void say(struct plain *p, const struct step *s, const char *text, size_t n, bool last)
{
	int64_t now = now_ms();
	struct held h = { .number = s->number, .title = s->title, .since = now, .last = last };
	str_addn(&h.text, text, n);
	if (p->floor && p->floor != s->number) {
		h.title = x_strdup(s->title);
		p->held_bytes += n;
		vec_push(&p->held, h);
		if (p->held_bytes > HELD_MAX)
			hand_over(p, now);
		settle(p, now);
		return;
	}
	print(p, &h);
	str_fini(&h.text);
	p->floor = last ? 0 : s->number;
	p->spoken = now;
	settle(p, now);
}

static int plain_tick(struct progress_view *v)
{
	struct plain *p = (struct plain *)v;
	int64_t now = now_ms();
	if (p->held.n && (now - p->spoken >= SILENCE_MS || now - p->held.v[0].since >= WAIT_MS)) {
		hand_over(p, now);
		settle(p, now);
	}
	if (!p->held.n)
		return -1;
	int64_t silent = p->spoken + SILENCE_MS, waited = p->held.v[0].since + WAIT_MS;
	int64_t due = (silent < waited ? silent : waited) - now;
	return due > 0 ? (int)due : 0;
}

static void plain_end(struct progress_view *v)
{
	struct plain *p = (struct plain *)v;
	AUTO(str_fini) struct str out = { 0 };
	while (p->held.n)
		hand_over(p, now_ms());
	p->floor = 0;
	if (p->last)
		fold_end(p->fold, p->last, &out);
	progress_put(&out);
	p->last = 0;
}

static void plain_start(struct progress_view *v, const struct step *s)
{
	say((struct plain *)v, s, s->title, strlen(s->title), false);
}

static void plain_remark(struct progress_view *v, const struct step *s, const char *text)
{
	say((struct plain *)v, s, text, strlen(text), false);
}

/* A terminal must not see escape sequences that a build printed; a file gets the bytes. GitHub may take what follows a
 * carriage return for a line, and a line for a command to it. */
static void plain_output(struct progress_view *v, const struct step *s, const char *text, size_t n)
{
	const struct plain *p = (const struct plain *)v;
	AUTO(str_fini) struct str out = { 0 };
	str_addf(&out, "%.3f ", (double)(now_ms() - s->started_ms) / 1000);
	const char *back = p->fold == FOLD_GITHUB && n ? memrchr(text, '\r', n) : NULL;
	if (back) {
		n -= (size_t)(back + 1 - text);
		text = back + 1;
	}
	if (isatty(STDERR_FILENO))
		progress_printable(&out, text, n);
	else
		str_addn(&out, text, n);
	say((struct plain *)v, s, out.buf, out.len, false);
}

static void plain_done(struct progress_view *v, const struct step *s, const struct digest *image)
{
	AUTO(str_fini) struct str out = { 0 };
	if (s->cached)
		str_add(&out, "CACHED");
	else
		str_addf(&out, "DONE %.1fs", (double)(s->ended_ms - s->started_ms) / 1000);
	if (image)
		str_addf(&out, " %.12s", digest_hex(image).s);
	say((struct plain *)v, s, out.buf, out.len, true);
}

static void plain_failed(struct progress_view *v, const struct step *s, const struct err *e)
{
	AUTO(str_fini) struct str out = { 0 };
	str_addf(&out, "ERROR: %s", e->msg);
	say((struct plain *)v, s, out.buf, out.len, true);
}

static void plain_note(struct progress_view *v, const char *text)
{
	AUTO(str_fini) struct str out = { 0 };
	(void)v;
	str_addf(&out, "%s\n", text);
	progress_put(&out);
}

static void plain_free(struct progress_view *v)
{
	struct plain *p = (struct plain *)v;
	for (size_t i = 0; i < p->held.n; i++)
		held_fini(&p->held.v[i]);
	vec_fini(&p->held);
	free(p);
}

struct progress_view *progress_plain(void)
{
	struct plain *p = x_alloc(sizeof *p);
	p->base = (struct progress_view){
		.start = plain_start,
		.remark = plain_remark,
		.output = plain_output,
		.done = plain_done,
		.failed = plain_failed,
		.note = plain_note,
		.tick = plain_tick,
		.end = plain_end,
		.free = plain_free,
	};
	p->fold = fold_of_environment();
	return &p->base;
}
