/* What the instructions of a build name of a directory they read: nothing else of it is looked at (CTX-06). */
#include <string.h>

#include "copy_priv.h"
#include "dockerfile/flags.h"
#include "dockerfile/mount.h"

struct words {
	const char *context; /* a named one, or NULL */
	struct strv *out;
};

static bool is_from(const struct words *w, const char *from)
{
	return w->context ? from && str_case_eq(from, w->context) : !from;
}

/* What a variable stands for may be anything. */
static void add_word(struct words *w, const char *word)
{
	strv_push(w->out, strchr(word, '$') ? "/" : word);
}

static void add_mount(struct words *w, const char *text)
{
	struct df_mount m;
	struct err ignored;
	if (df_mount_parse(text, NULL, &m, &ignored) < 0)
		return;
	if (m.type == DF_MOUNT_BIND && is_from(w, m.from))
		add_word(w, m.source ? m.source : "/");
	df_mount_fini(&m);
}

static void add_instruction(struct words *w, const struct df_instruction *in)
{
	for (size_t i = 0; in->op == DF_RUN && i < in->flags.n; i++)
		if (strcmp(in->flags.v[i].name, "mount") == 0 && in->flags.v[i].value)
			add_mount(w, in->flags.v[i].value);
	if ((in->op != DF_COPY && in->op != DF_ADD) || !is_from(w, df_flag_get(in, "from")))
		return;
	for (size_t i = 0; i + 1 < in->args.n; i++) {
		const char *word = in->args.v[i];
		if (!df_heredoc_find(in, word) && !git_is_source(word) && !remote_is_url(word))
			add_word(w, word);
	}
}

void context_words(const struct build *b, const char *name, struct strv *ret)
{
	struct words w = { .context = name, .out = ret };
	for (size_t i = 0; i < b->stages.n; i++) {
		const struct stage *st = b->stages.v[i];
		for (size_t k = 0; st->needed && k < st->n_triggers; k++)
			add_instruction(&w, &st->triggers[k]);
		for (size_t k = st->df->first; st->needed && k < stage_end(st); k++)
			add_instruction(&w, &b->file.instructions.v[k]);
	}
}
