/*
 * A live view for terminals: what has ended stays as one line each; below it, drawn again ten times a second at most,
 * what is running with its time and the last lines of its output.
 *
 * Nothing of the terminal's state is changed, so that there is nothing to give back when the process is killed. A whole
 * picture is one write, between the marks of a synchronized update (mode 2026), which terminals without it ignore.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "progress_priv.h"
#include "progress_row_priv.h"

enum { FRAME_MS = 100, TAIL_SHOWN = 6, TAIL_FAILED = 20, COLUMNS = 80, LINES = 24, COLUMNS_MIN = 20 };

#define SYNC_BEGIN "\x1b[?2026h"
#define SYNC_END "\x1b[?2026l"

enum style { PLAIN, DIM, RED, GREEN };

/* A running step. */
struct row {
	const struct step *step;
	struct strv tail; /* the last lines it printed, at most TAIL_FAILED; printable */
	char *remark;     /* owned, or NULL */
};

struct tty {
	struct progress_view base;
	VEC(struct row) rows;
	const struct build *build; /* known from the first step on */
	int64_t began, due;
	bool color;
	struct str ended;          /* lines that stay, not yet on the screen */
	VEC(size_t) drawn;         /* columns of each line of the live part on the screen */
	size_t columns, lines;     /* of the terminal */
};

static void measure(struct tty *t)
{
	struct winsize w;
	bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col && w.ws_row;
	t->columns = known ? w.ws_col : COLUMNS;
	t->lines = known ? w.ws_row : LINES;
	if (t->columns < COLUMNS_MIN)
		t->columns = COLUMNS_MIN;
}

static void begin_style(const struct tty *t, enum style style, struct str *out)
{
	static const char *const codes[] = { [DIM] = "\x1b[2m", [RED] = "\x1b[31m", [GREEN] = "\x1b[32m" };
	if (t->color && style != PLAIN)
		str_add(out, codes[style]);
}

static void end_style(const struct tty *t, enum style style, struct str *out)
{
	if (t->color && style != PLAIN)
		str_add(out, "\x1b[0m");
}

/* One line: a text that is cut to fit, and at the right margin what never is. The last column stays free: a terminal may
 * wrap behind it. Returns its columns. */
static size_t add_line(const struct tty *t, struct str *out, enum style style, const char *text, const char *right)
{
	size_t width = t->columns - 1, reserved = *right ? strlen(right) + 1 : 0;
	size_t room = width > reserved ? width - reserved : 0;
	begin_style(t, style, out);
	size_t took = text_cut(out, text, strlen(text), room);
	if (*right) {
		for (; took < width - strlen(right); took++)
			str_addc(out, ' ');
		str_add(out, right);
		took += strlen(right);
	}
	end_style(t, style, out);
	str_addc(out, '\n');
	return took;
}

/* ---- the live part ---- */

/* Lines it takes on the screen as that is now: what was wider than a new width has wrapped. */
static void erase(struct tty *t, struct str *out)
{
	size_t up = 0;
	for (size_t i = 0; i < t->drawn.n; i++)
		up += t->drawn.v[i] ? (t->drawn.v[i] + t->columns - 1) / t->columns : 1;
	if (up)
		str_addf(out, "\x1b[%zuF", up);
	if (t->drawn.n)
		str_add(out, "\x1b[J");
	t->drawn.n = 0;
}

static void draw_line(struct tty *t, struct str *out, enum style style, const char *text, const char *right)
{
	size_t columns = add_line(t, out, style, text, right);
	vec_push(&t->drawn, columns);
}

static void seconds(char *buf, size_t n, int64_t ms)
{
	if (ms < 100000)
		snprintf(buf, n, "%.1fs", (double)ms / 1000);
	else
		snprintf(buf, n, "%lldm%02llds", (long long)ms / 60000, (long long)ms / 1000 % 60);
}

static void draw_head(struct tty *t, struct str *out, int64_t now)
{
	AUTO(str_fini) struct str text = { 0 };
	char time[32];
	size_t done = 0, all = 0;
	for (size_t i = 0; t->build && i < t->build->stages.n; i++) {
		const struct stage *st = t->build->stages.v[i];
		all += st->needed ? st->n_steps : 0;
		done += st->n_done;
	}
	str_addf(&text, "[+] %zu of %zu steps", done, all > done ? all : done);
	seconds(time, sizeof time, now - t->began);
	draw_line(t, out, PLAIN, text.buf, time);
}

static void draw_row(struct tty *t, const struct row *r, size_t tail, struct str *out, int64_t now)
{
	AUTO(str_fini) struct str text = { 0 };
	char time[32];
	str_addf(&text, "=> %s", r->step->title);
	seconds(time, sizeof time, now - r->step->started_ms);
	draw_line(t, out, PLAIN, text.buf, time);
	if (r->remark && tail) {
		str_clear(&text);
		str_addf(&text, "   %s", r->remark);
		draw_line(t, out, DIM, text.buf, "");
		tail--;
	}
	for (size_t i = r->tail.n > tail ? r->tail.n - tail : 0; i < r->tail.n; i++) {
		str_clear(&text);
		str_addf(&text, "   %s", r->tail.v[i]);
		draw_line(t, out, DIM, text.buf, "");
	}
}

/* The head, then as many running steps as there is room for, each with an equal share of lines. */
static void draw_live(struct tty *t, struct str *out, int64_t now)
{
	if (!t->rows.n)
		return;
	size_t room = t->lines > 3 ? t->lines - 3 : 1;
	size_t n = t->rows.n < room ? t->rows.n : room;
	size_t tail = room / n - 1;
	draw_head(t, out, now);
	for (size_t i = 0; i < n; i++)
		draw_row(t, &t->rows.v[i], tail < TAIL_SHOWN ? tail : TAIL_SHOWN, out, now);
	if (n < t->rows.n) {
		AUTO(free_drop) char *more = x_asprintf("   and %zu more", t->rows.n - n);
		draw_line(t, out, DIM, more, "");
	}
}

static void draw(struct tty *t, int64_t now)
{
	AUTO(str_fini) struct str out = { 0 };
	measure(t);
	str_add(&out, SYNC_BEGIN);
	erase(t, &out);
	str_addn(&out, str_text(&t->ended), t->ended.len);
	str_clear(&t->ended);
	draw_live(t, &out, now);
	str_add(&out, SYNC_END);
	progress_put(&out);
	t->due = now + FRAME_MS;
}

/* ---- events ---- */

static struct row *row_of(struct tty *t, const struct step *s)
{
	for (size_t i = 0; i < t->rows.n; i++)
		if (t->rows.v[i].step == s)
			return &t->rows.v[i];
	return NULL;
}

static void row_remove(struct tty *t, struct row *r)
{
	size_t at = (size_t)(r - t->rows.v);
	strv_fini(&r->tail);
	free(r->remark);
	memmove(r, r + 1, (t->rows.n - at - 1) * sizeof *r);
	t->rows.n--;
}

static void tty_start(struct progress_view *v, const struct step *s)
{
	struct tty *t = (struct tty *)v;
	t->build = s->stage->build;
	vec_push(&t->rows, ((struct row){ .step = s }));
}

static void tty_remark(struct progress_view *v, const struct step *s, const char *text)
{
	struct row *r = row_of((struct tty *)v, s);
	AUTO(str_fini) struct str flat = { 0 };
	if (!r)
		return;
	text_flatten(&flat, text, strlen(text));
	free(r->remark);
	r->remark = str_take(&flat);
}

static void tty_output(struct progress_view *v, const struct step *s, const char *text, size_t n)
{
	struct row *r = row_of((struct tty *)v, s);
	AUTO(str_fini) struct str flat = { 0 };
	if (!r)
		return;
	text_flatten(&flat, text, n);
	if (r->tail.n == TAIL_FAILED) {
		free(r->tail.v[0]);
		memmove(r->tail.v, r->tail.v + 1, --r->tail.n * sizeof *r->tail.v);
	}
	strv_push(&r->tail, str_text(&flat));
}

/* The line that stays. */
static void ended(struct tty *t, const struct step *s, enum style style, const char *word, int64_t at)
{
	AUTO(str_fini) struct str text = { 0 };
	char time[32];
	measure(t);
	str_addf(&text, "=> %s%s", word, s->title);
	seconds(time, sizeof time, at - s->started_ms);
	add_line(t, &t->ended, style, text.buf, time);
}

static void tty_done(struct progress_view *v, const struct step *s, const struct digest *image)
{
	struct tty *t = (struct tty *)v;
	struct row *r = row_of(t, s);
	(void)image;
	ended(t, s, s->cached ? GREEN : PLAIN, s->cached ? "CACHED " : "", s->ended_ms);
	if (r)
		row_remove(t, r);
}

static void tty_failed(struct progress_view *v, const struct step *s, const struct err *e)
{
	struct tty *t = (struct tty *)v;
	struct row *r = row_of(t, s);
	(void)e; /* it comes last of all, with its lines of the Dockerfile */
	ended(t, s, RED, "ERROR ", now_ms());
	if (!r)
		return;
	for (size_t i = 0; i < r->tail.n; i++)
		str_addf(&t->ended, "   %s\n", r->tail.v[i]);
	row_remove(t, r);
}

static void tty_note(struct progress_view *v, const char *text)
{
	struct tty *t = (struct tty *)v;
	str_addf(&t->ended, "%s\n", text);
	/* Without steps on the screen nobody would come to draw it. */
	if (!t->rows.n)
		draw(t, now_ms());
}

static int tty_tick(struct progress_view *v)
{
	struct tty *t = (struct tty *)v;
	int64_t now = now_ms();
	if (!t->rows.n && !t->ended.len && !t->drawn.n)
		return -1;
	if (now >= t->due)
		draw(t, now);
	return t->due > now ? (int)(t->due - now) : 0;
}

static void tty_end(struct progress_view *v)
{
	struct tty *t = (struct tty *)v;
	while (t->rows.n)
		row_remove(t, &t->rows.v[0]);
	draw(t, now_ms());
}

static void tty_free(struct progress_view *v)
{
	struct tty *t = (struct tty *)v;
	while (t->rows.n)
		row_remove(t, &t->rows.v[0]);
	vec_fini(&t->rows);
	vec_fini(&t->drawn);
	str_fini(&t->ended);
	free(t);
}

struct progress_view *progress_tty(void)
{
	struct tty *t = x_alloc(sizeof *t);
	const char *no_color = getenv("NO_COLOR"); /* no-color.org: when present and not empty */
	t->base = (struct progress_view){
		.start = tty_start,
		.remark = tty_remark,
		.output = tty_output,
		.done = tty_done,
		.failed = tty_failed,
		.note = tty_note,
		.tick = tty_tick,
		.end = tty_end,
		.free = tty_free,
	};
	t->began = now_ms();
	t->color = !no_color || !*no_color;
	return &t->base;
}
