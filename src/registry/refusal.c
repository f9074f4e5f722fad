#include "refusal_priv.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "session_priv.h"
#include "transfer_priv.h"

static const char *status_in_words(int status)
{
	switch (status) {
	case 400:
		return "bad request";
	case 401:
		return "not authorized";
	case 403:
		return "forbidden";
	case 404:
		return "not found";
	case 410:
		return "gone";
	case 416:
		return "range not satisfiable";
	case 429:
		return "too many requests";
	case 500:
		return "internal server error";
	case 502:
		return "bad gateway";
	case 503:
		return "service unavailable";
	case 504:
		return "gateway timeout";
	}
	return "";
}

/* What a registry says about the error (distribution-spec, "Error Codes"), or "". The caller owns it. */
static char *refusal_text(const struct transfer *t)
{
	AUTO(json_fini) struct json j = { 0 };
	AUTO(str_fini) struct str out = { 0 };
	struct err ignored;
	if (t->refusal.len == 0 || json_parse(t->refusal.buf, t->refusal.len, t->name, &j, &ignored) < 0)
		return x_strdup("");
	const char *message = json_str(json_at(json_get(&j, "errors"), 0), "message");
	if (!message)
		message = json_str(&j, "details"); /* auth.docker.io */
	if (message && message[0]) {
		str_add(&out, ": ");
		str_add_printable(&out, message, strnlen(message, 160));
	}
	return str_take(&out);
}

int transfer_refused(const struct transfer *t, struct err *e)
{
	AUTO(free_drop) char *text = refusal_text(t);
	AUTO(free_drop) char *where = t->left_origin ? url_redacted(&t->at) : NULL;
	enum err_kind kind = t->status == 401 || t->status == 403 ? ERR_AUTH :
			     t->status == 404 || t->status == 410 ? ERR_NOTFOUND : ERR_NET;
	err_set(e, kind, "%s: %s%s%d %s%s", t->name, where ? where : "", where ? " answers " : "the server answers ",
		t->status, status_in_words(t->status), text);
	if (!t->session || t->left_origin)
		return -1;
	if (kind == ERR_AUTH)
		session_hint(t->session, e);
	if (t->status == 429 && !t->session->logged_in)
		err_hint(e, "%s lets more through after \"nacre login %s\"", t->session->ref->registry,
			 t->session->ref->registry);
	return -1;
}
