#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "cli/command.h"
#include "cli/prompt.h"
#include "cli/registry_options.h"
#include "registry/login.h"
#include "registry/pull.h"
#include "registry/secret.h"

enum { SECRET_MAX_BYTES = 64 << 10 };

struct options {
	const char *user, *store;
	struct registry_options registry;
	bool password_stdin;
};

static const struct option_def table[] = {
	REGISTRY_OPTIONS(struct options, registry),
	{ "password-stdin", 0, OPTION_FLAG, offsetof(struct options, password_stdin), NULL,
	  "read the password or token from standard input" },
	{ "store", 0, OPTION_STRING, offsetof(struct options, store), "DIR", "accepted, as by all commands; not used" },
	{ "username", 'u', OPTION_STRING, offsetof(struct options, user), "USER", "who logs in; asked for otherwise" },
};

struct attempt {
	const struct login_place *place;
	const char *user, *secret;
};

static void report_line(void *ctx, const char *text)
{
	worker_line(ctx, text);
}

static int work(void *ctx, struct worker_report *r, struct str *result, struct err *e)
{
	const struct attempt *a = ctx;
	struct pull_progress progress = { .line = report_line, .ctx = r };
	bool asked;
	if (login_check(a->place, a->user, a->secret, &progress, &asked, e) < 0)
		return -1;
	str_add(result, asked ? "asked" : "");
	return 0;
}

static void print_line(void *ctx, const char *text)
{
	fprintf(stderr, "%s\n", text);
}

/* What is given to a program has a newline at its end more often than a password has. */
static int read_secret(const struct options *o, struct str *out, struct err *e)
{
	if (!o->password_stdin)
		return prompt_line("Password: ", true, out, e);
	str_reserve(out, SECRET_MAX_BYTES + 1);
	if (fd_read_all(STDIN_FILENO, SECRET_MAX_BYTES, "the password on standard input", out, e) < 0)
		return -1;
	while (out->len && strchr("\r\n", out->buf[out->len - 1]))
		out->buf[--out->len] = '\0';
	return 0;
}

static int ask(const struct options *o, struct str *user, struct str *secret, struct err *e)
{
	if (o->password_stdin && !o->user)
		return err_set(e, ERR_USAGE, "--password-stdin needs --username USER");
	if (!o->password_stdin && !isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE, "standard input is no terminal to ask at: use --username and --password-stdin");
	if (o->user)
		str_add(user, o->user);
	else if (prompt_line("Username: ", false, user, e) < 0)
		return -1;
	if (user->len == 0 || strchr(user->buf, ':'))
		return err_set(e, ERR_USAGE, "a user name is not empty and has no colon");
	if (read_secret(o, secret, e) < 0)
		return -1;
	return secret->len ? 0 : err_set(e, ERR_USAGE, "the password is empty");
}

static int login(const struct options *o, const struct login_place *place, struct err *e)
{
	AUTO(str_fini) struct str user = { 0 }, result = { 0 };
	AUTO(secret_str_fini) struct str secret = { 0 };
	AUTO(free_drop) char *where = NULL;
	struct worker w;
	prctl(PR_SET_DUMPABLE, 0); /* no core dump and no debugger of this user sees the password */
	if (ask(o, &user, &secret, e) < 0)
		return -1;
	struct attempt a = { .place = place, .user = user.buf, .secret = secret.buf };
	if (worker_start(&w, "nacre-login", work, &a, e) < 0 || worker_wait(&w, print_line, NULL, &result, e) < 0 ||
	    login_keep(place, user.buf, secret.buf, &where, e) < 0)
		return -1;
	if (result.len == 0)
		fprintf(stderr, "%s asks for no login; it is kept unverified\n", place->registry);
	printf("Login to %s succeeded; kept in %s\n", place->key, where);
	return 0;
}

static int run(void *options, const struct strv *args, struct err *e)
{
	const struct options *o = options;
	struct login_place place;
	if (args_count(&cmd_login, args, 0, 1, e) < 0 ||
	    login_place_parse(args->n ? args->v[0] : "docker.io", &place, e) < 0)
		return -1;
	int r = registry_options_apply(&o->registry, place.registry, e);
	if (r == 0)
		r = login(o, &place, e);
	login_place_fini(&place);
	return r;
}

const struct command cmd_login = {
	.name = "login",
	.usage = "[OPTIONS] [REGISTRY]",
	.summary = "Log in to a registry",
	.options = table,
	.n_options = ARRAY_LEN(table),
	.options_size = sizeof(struct options),
	.run = run,
};
