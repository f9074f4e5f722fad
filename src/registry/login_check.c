#include "base/limits.h"
#include "base/mem.h"
#include "registry/login.h"
#include "registry/reference.h"
#include "registries_priv.h"
#include "session_priv.h"
#include "transfer_priv.h"

static int on_answer(void *ctx, const struct http_answer *a, enum transfer_next *ret, struct err *e)
{
	return 0;
}

/* GET /v2/, with whatever login that asks for: distribution-spec, "Determining Support". */
int login_check(const struct login_place *p, const char *user, const char *secret, const struct pull_progress *progress,
		bool *ret_asked, struct err *e)
{
	static const int expected[] = { 200, 0 };
	struct reference ref = { .registry = p->registry };
	AUTO(credential_fini) struct credential given = { .user = x_strdup(user), .secret = x_strdup(secret) };
	AUTO(session_fini) struct session s = { 0 };
	AUTO(transport_drop) struct transport *transport = NULL;
	AUTO(transfer_fini) struct transfer t = { .session = &s, .expected = expected, .answered = on_answer,
						  .size = LIMIT_TOKEN_ANSWER };
	bool insecure = false;
	if (registries_destination(&ref, &insecure, e) < 0)
		return -1;
	if (insecure)
		registries_trust(p->registry);
	if (session_open(&ref, false, progress, &s, e) < 0 || transport_new(&transport, e) < 0)
		return -1;
	s.given = &given;
	t.name = x_strdup(p->registry);
	url_copy(&t.url, &s.base);
	if (transfer_run(transport, &t, 1, 1, progress, e) < 0)
		return -1;
	*ret_asked = s.generation > 0;
	return 0;
}
