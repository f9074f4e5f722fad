#include "session_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "registry/pull.h"
#include "registry/secret.h"
#include "challenge_priv.h"
#include "realm_priv.h"
#include "registries_priv.h"
#include "retry_priv.h"
#include "transfer_priv.h"
#include "transport_priv.h"

enum {
	TOKEN_DEFAULT_S = 60,      /* distribution, "Token Authentication Specification" */
	TOKEN_MAX_S = 24 * 60 * 60,
	TOKEN_MARGIN_S = 10,       /* a token this near to its end is not used for a new request */
};

#define HUB "docker.io"
#define HUB_HOST "registry-1.docker.io" /* where its API is */

/* From here on neither a core dump nor another process of the user can read our memory (T-J5). prctl(2). */
static void hold_secret(struct session *s)
{
	if (s->holds_secret)
		return;
	s->was_dumpable = prctl(PR_GET_DUMPABLE);
	prctl(PR_SET_DUMPABLE, 0);
	s->holds_secret = true;
}

static void set_authorization(struct session *s, char *taken, int64_t expires_ms)
{
	secret_drop(&s->authorization);
	s->authorization = taken;
	s->expires_ms = expires_ms;
	s->generation++;
}

const char *session_authorization(struct session *s)
{
	if (s->authorization && s->expires_ms && clock_ms() >= s->expires_ms)
		secret_drop(&s->authorization);
	return s->authorization;
}

void session_hint(const struct session *s, struct err *e)
{
	const char *r = s->ref->registry;
	if (s->given)
		return;
	if (s->logged_in)
		err_hint(e, "your login may not do this: log in again with \"nacre login %s\"", r);
	else
		err_hint(e, "the repository may need a login, if it exists: \"nacre login %s\"", r);
}

/* ---- tokens ---- */

static void add_escaped(struct str *out, const char *text)
{
	for (; *text; text++) {
		bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			     (*text >= '0' && *text <= '9') || strchr("-._~", *text);
		if (plain)
			str_addc(out, *text);
		else
			str_addf(out, "%%%02X", (unsigned char)*text);
	}
}

static void add_field(struct str *out, const char *name, const char *value)
{
	if (out->len && !strchr("?&", out->buf[out->len - 1]))
		str_addc(out, '&');
	str_addf(out, "%s=", name);
	add_escaped(out, value);
}

/*
 * Our own repository and no more, whatever is asked for; scopes of other kinds ("aws") are the registry's business. NULL
 * for the registry alone.
 */
static char *scope_for(const struct session *s, const struct challenge *c)
{
	if (c->scope && c->scope[0] && !str_starts(c->scope, "repository:") && !strchr(c->scope, ' '))
		return x_strdup(c->scope);
	if (!s->ref->repository)
		return NULL;
	return x_asprintf("repository:%s:%s", s->ref->repository, s->push ? "pull,push" : "pull");
}

/* "Authorization: Basic …"; RFC 7617. The caller owns and overwrites it. */
static char *basic_header(const struct credential *c)
{
	AUTO(secret_str_fini) struct str plain = { 0 };
	struct str header = { 0 };
	size_t n = strlen(c->user) + strlen(c->secret) + 1;
	str_reserve(&plain, n);
	str_addf(&plain, "%s:%s", c->user, c->secret);
	str_reserve(&header, 32 + n * 2);
	str_add(&header, "Authorization: Basic ");
	base64_encode(plain.buf, plain.len, &header);
	return str_take(&header);
}

static int take_token_bytes(void *ctx, const void *bytes, size_t n, struct err *e)
{
	str_addn(ctx, bytes, n);
	return 0;
}

/* A token becomes a header: anything that could end the line or begin another is no token (RFC 6750 2.1). */
static bool token_is_valid(const char *token)
{
	if (!token[0])
		return false;
	for (; *token; token++)
		if (*token <= 0x20 || *token >= 0x7f)
			return false;
	return true;
}

static int take_token(struct session *s, const struct str *answer, const char *name, struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	if (json_parse(str_text(answer), answer->len, name, &j, e) < 0)
		return -1;
	const char *token = json_str(&j, "token");
	if (!token || !token[0])
		token = json_str(&j, "access_token");
	if (!token || !token_is_valid(token))
		return err_set(e, ERR_SPEC, "%s: the answer holds no token", name);
	int64_t seconds = json_int(&j, "expires_in", TOKEN_DEFAULT_S);
	if (seconds < TOKEN_DEFAULT_S)
		seconds = TOKEN_DEFAULT_S;
	if (seconds > TOKEN_MAX_S)
		seconds = TOKEN_MAX_S;
	set_authorization(s, x_asprintf("Authorization: Bearer %s", token),
			  clock_ms() + (seconds - TOKEN_MARGIN_S) * 1000);
	explicit_bzero((char *)(uintptr_t)token, strlen(token));
	return 0;
}

/* GET with the fields in the query; for an identity token, POST (distribution, "OAuth2 Token Authentication"). */
static void fill_token_request(struct transfer *t, const struct session *s, const struct challenge *c,
			       const struct credential *cred)
{
	AUTO(free_drop) char *scope = scope_for(s, c);
	struct str fields = { 0 };
	if (cred->identity_token) {
		str_reserve(&fields, 1024 + 3 * strlen(cred->identity_token));
		add_field(&fields, "grant_type", "refresh_token");
		add_field(&fields, "client_id", "nacre");
		add_field(&fields, "refresh_token", cred->identity_token);
	} else {
		str_addf(&fields, "%s%c", t->url.target, strchr(t->url.target, '?') ? '&' : '?');
	}
	if (c->service)
		add_field(&fields, "service", c->service);
	if (scope)
		add_field(&fields, "scope", scope);
	for (size_t i = 0; i < s->mount_from.n; i++) {
		AUTO(free_drop) char *from = x_asprintf("repository:%s:pull", s->mount_from.v[i]);
		add_field(&fields, "scope", from);
	}
	if (cred->identity_token) {
		t->method = HTTP_POST;
		t->form = str_take(&fields);
		return;
	}
	free(t->url.target);
	t->url.target = str_take(&fields);
	if (cred->user)
		t->secret_header = basic_header(cred);
}

static int request_token(struct session *s, const struct challenge *c, const struct credential *cred, struct err *e)
{
	AUTO(transfer_fini) struct transfer t = { .no_redirects = true, .size = LIMIT_TOKEN_ANSWER };
	AUTO(secret_str_fini) struct str answer = { 0 };
	if (!c->realm)
		return err_set(e, ERR_SPEC, "registry %s asks for a token but not where to get it", s->ref->registry);
	if (realm_check(s->ref->registry, &s->base, c->realm, &t.url, e) < 0)
		return -1;
	t.name = x_asprintf("%s: token from %s", s->ref->registry, t.url.host);
	t.body = take_token_bytes;
	t.ctx = &answer;
	fill_token_request(&t, s, c, cred);
	if (transfer_run(s->transport, &t, 1, 1, s->progress, e) < 0) {
		if (t.status == 400 || t.status == 401 || t.status == 403) {
			e->kind = ERR_AUTH;
			session_hint(s, e);
		}
		return -1;
	}
	return take_token(s, &answer, t.name, e);
}

static void warn_exposed(const struct session *s, const struct credential *c)
{
	if (!c->exposed || s->logged_in || !s->progress || !s->progress->line)
		return;
	AUTO(free_drop) char *line = x_asprintf("warning: other users can read your logins: chmod 600 %s", c->source);
	s->progress->line(s->progress->ctx, line);
}

int session_answer(struct session *s, const struct strv *values, struct err *e)
{
	AUTO(challenges_fini) struct challenges list = { 0 };
	AUTO(credential_fini) struct credential found = { 0 };
	if (challenges_parse(values, &list, e) < 0)
		return err_in(e, "registry %s", s->ref->registry);
	const struct challenge *c = challenges_pick(&list);
	if (!c)
		return err_set(e, ERR_AUTH, "registry %s asks for a login of a kind that is not known here",
			       s->ref->registry);
	hold_secret(s);
	int missing = s->given ? 0 : credential_find(s->ref->registry, s->ref->repository, &found, e);
	if (missing < 0)
		return -1;
	const struct credential *cred = s->given ? s->given : &found;
	warn_exposed(s, cred);
	s->logged_in = missing == 0;
	if (c->scheme == CHALLENGE_BEARER)
		return request_token(s, c, cred, e);
	if (cred->user) {
		set_authorization(s, basic_header(cred), 0);
		return 0;
	}
	err_set(e, ERR_AUTH, "registry %s asks for user and password", s->ref->registry);
	session_hint(s, e);
	return -1;
}

/* ---- http or https ---- */

static int skip_body(void *ctx, const void *bytes, size_t n, struct err *e)
{
	size_t *seen = ctx;
	*seen += n;
	return *seen <= LIMIT_TOKEN_ANSWER ? 0 : err_set(e, ERR_LIMIT, "endless answer");
}

static int set_base(struct session *s, bool https, struct err *e)
{
	const char *host = str_eq(s->ref->registry, HUB) ? HUB_HOST : s->ref->registry;
	AUTO(free_drop) char *text = x_asprintf("%s://%s/v2/", https ? "https" : "http", host);
	url_fini(&s->base);
	return url_parse(text, &s->base, e);
}

/* One request without credentials; nothing is retried. */
static int probe(struct session *s, struct http_call *call, struct err *e)
{
	size_t seen = 0;
	*call = (struct http_call){ .url = &s->base, .on_body = skip_body, .ctx = &seen };
	return transport_perform(s->transport, call, e);
}

/*
 * A loopback registry speaks http, unless it answers http with an error that servers of https give: Go's and nginx's
 * status 400, what is no HTTP at all, or hanging up. Nothing secret is sent to find out.
 */
static int probe_loopback(struct session *s, struct err *e)
{
	AUTO(http_call_fini) struct http_call plain = { 0 }, tls = { 0 };
	if (set_base(s, false, e) < 0 || probe(s, &plain, e) < 0)
		return -1;
	if (plain.outcome == HTTP_ANSWERED ? plain.answer.status != 400 : !plain.connected)
		return 0;
	if (set_base(s, true, e) < 0 || probe(s, &tls, e) < 0)
		return -1;
	/* A certificate that can not be verified is https too; the pull itself will say so. */
	if (tls.outcome == HTTP_ANSWERED || tls.outcome == HTTP_UNTRUSTED)
		return 0;
	return set_base(s, false, e);
}

/*
 * A registry that may be spoken to without verified TLS speaks https, verified or not, unless it cannot. Nothing secret
 * is sent to find out, and only its own user can have called it so.
 */
static int probe_trusted(struct session *s, struct err *e)
{
	AUTO(http_call_fini) struct http_call tls = { 0 }, plain = { 0 };
	if (probe(s, &tls, e) < 0)
		return -1;
	if (tls.outcome == HTTP_ANSWERED)
		return 0;
	if (set_base(s, false, e) < 0 || probe(s, &plain, e) < 0)
		return -1;
	return plain.outcome == HTTP_ANSWERED ? 0 : set_base(s, true, e);
}

int session_open(const struct reference *ref, bool push, const struct pull_progress *progress, struct session *ret,
		 struct err *e)
{
	AUTO(session_fini) struct session s = { .ref = ref, .push = push, .progress = progress };
	if (set_base(&s, true, e) < 0 || transport_new(&s.transport, e) < 0)
		return -1;
	bool loopback = host_is_loopback(s.base.host);
	if (loopback ? probe_loopback(&s, e) < 0 : registries_trusts(&s.base) && probe_trusted(&s, e) < 0)
		return -1;
	*ret = s;
	s = (struct session){ 0 };
	return 0;
}

void session_fini(struct session *s)
{
	secret_drop(&s->authorization);
	url_fini(&s->base);
	strv_fini(&s->mount_from);
	transport_free(s->transport);
	if (s->holds_secret)
		prctl(PR_SET_DUMPABLE, s->was_dumpable);
	*s = (struct session){ 0 };
}
