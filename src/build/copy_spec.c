/* What an ADD or COPY says, its variables expanded. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "copy_priv.h"
#include "dockerfile/expand.h"
#include "dockerfile/flags.h"

static int add_heredoc(const struct df_scope *scope, struct copy_spec *spec, const struct df_heredoc *h, struct err *e)
{
	struct df_scope body = *scope;
	char *text = NULL;
	body.escape = '\\';
	if (!h->expand)
		text = x_strdup(h->body);
	else if (df_expand_body(&body, h->body, &text, e) < 0)
		return -1;
	vec_push(&spec->files, ((struct copy_file){ h->name, text }));
	return 0;
}

static int read_sources(const struct df_instruction *in, const struct df_scope *scope, struct copy_spec *spec,
			struct err *e)
{
	for (size_t i = 0; i + 1 < in->args.n; i++) {
		const struct df_heredoc *h = df_heredoc_find(in, in->args.v[i]);
		char *word = NULL;
		if (h) {
			if (add_heredoc(scope, spec, h, e) < 0)
				return df_err_at_arg(e, in, i);
			continue;
		}
		if (df_expand(scope, in->args.v[i], &word, e) < 0)
			return df_err_at_arg(e, in, i);
		bool git = git_is_source(word), url = remote_is_url(word) && !git;
		strv_push(&spec->words, word);
		AUTO(free_drop) char *owned = word;
		if ((git || url) && in->op == DF_COPY) {
			err_set(e, ERR_BUILD, "source can't be a %s for COPY: %s; ADD takes one", git ? "git ref" : "URL",
				word);
			return df_err_at_arg(e, in, i);
		}
		if (git) {
			struct git_source g;
			if (git_parse(word, &g, e) < 0)
				return df_err_at_arg(e, in, i);
			vec_push(&spec->git, g);
		} else {
			strv_push_taken(url ? &spec->urls : &spec->sources, ptr_take(&owned));
		}
	}
	return 0;
}

/* The destination, absolute, with the slash or dot that makes it a directory (CP-03). */
static int read_dest(const struct df_instruction *in, const struct df_scope *scope, const char *cwd,
		     struct copy_spec *spec, char **ret_written, struct err *e)
{
	AUTO(free_drop) char *dest = NULL;
	if (df_expand(scope, in->args.v[in->args.n - 1], &dest, e) < 0)
		return df_err_at_arg(e, in, in->args.n - 1);
	bool is_dir = !*dest || strcmp(dest, ".") == 0 || str_ends(dest, "/") || str_ends(dest, "/.");
	AUTO(free_drop) char *whole = dest[0] == '/' ? path_rooted(dest) : path_join(cwd, dest);
	spec->dest = x_asprintf("%s%s", whole, is_dir && !str_ends(whole, "/") ? "/" : "");
	*ret_written = ptr_take(&dest);
	return 0;
}

/* *ret stays NULL for a flag that is not given, or expands to nothing. */
static int expand_flag(const struct df_scope *scope, const char *text, char **ret, struct err *e)
{
	if (!text)
		return 0;
	if (df_expand(scope, text, ret, e) < 0)
		return -1;
	if (!**ret)
		free_drop(ret);
	return 0;
}

/* --checksum: one source only (ADD-06). */
static int read_checksum(const struct df_instruction *in, const struct df_scope *scope, struct copy_spec *spec,
			 struct err *e)
{
	struct digest d;
	if (expand_flag(scope, df_flag_get(in, "checksum"), &spec->checksum, e) < 0)
		return -1;
	if (!spec->checksum)
		return 0;
	if (spec->sources.n || spec->files.n)
		return err_set(e, ERR_BUILD, "--checksum is for an HTTP(S) or git source, not for a %s",
			       spec->sources.n ? "file of the context" : "heredoc");
	if (spec->urls.n + spec->git.n != 1)
		return err_set(e, ERR_BUILD, "--checksum is for one source, and there are %zu", spec->urls.n + spec->git.n);
	if (spec->urls.n && digest_parse(spec->checksum, &d, e) < 0) {
		e->kind = ERR_BUILD;
		return err_in(e, "--checksum");
	}
	if (spec->urls.n)
		return 0;
	free(spec->git.v[0].checksum);
	spec->git.v[0].checksum = x_strdup(spec->checksum);
	return 0;
}

static int read_keep_git_dir(const struct df_instruction *in, struct copy_spec *spec, struct err *e)
{
	bool keep = df_flag_bool(in, "keep-git-dir");
	if (!spec->git.n)
		return err_set(e, ERR_BUILD, "--keep-git-dir is for a git source, and there is none");
	for (size_t i = 0; i < spec->git.n; i++) {
		if (spec->git.v[i].has_keep_git_dir && spec->git.v[i].keep_git_dir != keep)
			return err_set(e, ERR_BUILD, "--keep-git-dir and the URL's keep-git-dir disagree");
		spec->git.v[i].keep_git_dir = keep;
	}
	return 0;
}

static int read_flags(const struct df_instruction *in, const struct df_scope *scope, struct copy_spec *spec,
		      struct err *e)
{
	const char *chown = df_flag_get(in, "chown"), *chmod = df_flag_get(in, "chmod");
	spec->add = in->op == DF_ADD;
	spec->from_image = df_flag_get(in, "from") != NULL;
	spec->link = df_flag_bool(in, "link");
	spec->parents = df_flag_bool(in, "parents");
	for (size_t i = 0; i < in->flags.n; i++)
		if (strcmp(in->flags.v[i].name, "exclude") == 0 && in->flags.v[i].value)
			strv_push(&spec->excludes, in->flags.v[i].value);
	/* What expands to nothing is not there. */
	if (expand_flag(scope, chown, &spec->chown, e) < 0)
		return df_err_at_flag(e, in, "chown");
	if (expand_flag(scope, chmod, &spec->chmod_text, e) < 0)
		return df_err_at_flag(e, in, "chmod");
	if (spec->chmod_text) {
		if (df_chmod_parse(spec->chmod_text, &spec->chmod, e) < 0)
			return df_err_at_flag(e, in, "chmod");
		spec->has_chmod = true;
		/* The converter falls back to an ordinary copy then (CP-18). */
		spec->link = false;
	}
	spec->no_unpack = df_flag_get(in, "unpack") && !df_flag_bool(in, "unpack");
	spec->unpack_remote = df_flag_get(in, "unpack") && df_flag_bool(in, "unpack");
	if (df_flag_get(in, "checksum") && read_checksum(in, scope, spec, e) < 0)
		return df_err_at_flag(e, in, "checksum");
	if (df_flag_get(in, "keep-git-dir") && read_keep_git_dir(in, spec, e) < 0)
		return df_err_at_flag(e, in, "keep-git-dir");
	return 0;
}

int copy_spec_read(const struct df_instruction *in, const struct df_scope *scope, const char *cwd,
		   struct copy_spec *ret, char **ret_dest, struct err *e)
{
	if (read_sources(in, scope, ret, e) < 0 || read_flags(in, scope, ret, e) < 0)
		return -1;
	return read_dest(in, scope, cwd, ret, ret_dest, e);
}

static enum copy_kind kind_of(const char *word)
{
	return git_is_source(word) ? COPY_GIT : remote_is_url(word) ? COPY_URL : COPY_LOCAL;
}

size_t copy_word_next(const struct copy_spec *s, enum copy_kind kind, size_t from)
{
	while (from < s->words.n && kind_of(s->words.v[from]) != kind)
		from++;
	return from;
}

size_t copy_word(const struct copy_spec *s, enum copy_kind kind, size_t i)
{
	size_t at = copy_word_next(s, kind, 0);
	while (i--)
		at = copy_word_next(s, kind, at + 1);
	return at;
}

void copy_spec_fini(struct copy_spec *s)
{
	strv_fini(&s->sources);
	strv_fini(&s->urls);
	strv_fini(&s->words);
	strv_fini(&s->excludes);
	for (size_t i = 0; i < s->git.n; i++)
		git_fini(&s->git.v[i]);
	vec_fini(&s->git);
	for (size_t i = 0; i < s->files.n; i++)
		free(s->files.v[i].text);
	vec_fini(&s->files);
	free(s->checksum);
	free(s->dest);
	free(s->chown);
	free(s->chmod_text);
}
