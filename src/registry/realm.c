#include "realm_priv.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "registries_priv.h"

/* Token servers outside the registry's own domain. A leading dot stands for any host below. */
static const struct {
	const char *registry, *realm;
} known_realms[] = {
	{ "docker.io", "auth.docker.io" },
	{ "registry-1.docker.io", "auth.docker.io" },
	{ ".scw.cloud", "api.scaleway.com" },
};

/*
 * Domains below which strangers sit side by side: sharing them says nothing. The Public Suffix List has them all and
 * changes weekly; these are the ones registries live under.
 */
static const char *const shared_domains[] = {
	"aliyuncs.com", "amazonaws.com", "appspot.com", "azure.com", "azurecr.cn", "azurecr.io", "azurewebsites.net",
	"cloudfront.net", "cloudsmith.io", "duckdns.org", "dyndns.org", "fly.dev", "github.io", "gitlab.io",
	"googleapis.com", "herokuapp.com", "jfrog.io", "myhuaweicloud.com", "netlify.app", "ngrok-free.app",
	"ngrok.app",
	"ngrok.io", "nip.io", "ondigitalocean.app", "onrender.com", "ovh.net", "pages.dev", "pkg.dev", "run.app",
	"scw.cloud", "sslip.io", "tencentcloudcr.com", "trycloudflare.com", "ts.net", "vercel.app", "windows.net",
	"workers.dev",
};

static bool is_below(const char *host, const char *domain)
{
	size_t n = strlen(host), m = strlen(domain);
	return n > m + 1 && host[n - m - 1] == '.' && str_ends(host, domain);
}

/* The start of the last `labels` labels; NULL when the host has fewer. */
static const char *last_labels(const char *host, int labels)
{
	const char *p = host + strlen(host);
	while (labels > 0) {
		if (p == host)
			return NULL;
		for (p--; p > host && p[-1] != '.'; p--)
			;
		labels--;
		if (labels > 0 && p > host)
			p--;
		else if (labels > 0)
			return NULL;
	}
	return p;
}

/*
 * The domain somebody registered, of which host is a part: two labels, or three below second-level registries such as
 * co.uk and com.au. NULL when it can not be told (single labels, shared domains).
 */
static const char *registrable_domain(const char *host)
{
	const char *domain = last_labels(host, 2);
	if (!domain)
		return NULL;
	size_t second = strcspn(domain, "."), top = strlen(domain + second + 1);
	if (top == 2 && second <= 3)
		domain = last_labels(host, 3);
	for (size_t i = 0; domain && i < ARRAY_LEN(shared_domains); i++)
		if (str_eq(host, shared_domains[i]) || is_below(host, shared_domains[i]))
			return NULL;
	return domain;
}

static bool host_belongs(const char *registry, const struct url *base, const char *host)
{
	if (str_eq(host, base->host))
		return true;
	if (host_is_ip(host) || host_is_ip(base->host) || host_is_loopback(host))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(known_realms); i++) {
		const char *r = known_realms[i].registry;
		bool is_it = r[0] == '.' ? is_below(registry, r + 1) : str_eq(registry, r);
		if (is_it && str_eq(host, known_realms[i].realm))
			return true;
	}
	const char *ours = registrable_domain(base->host), *theirs = registrable_domain(host);
	return ours && theirs && str_eq(ours, theirs);
}

int realm_check(const char *registry, const struct url *base, const char *realm, struct url *ret, struct err *e)
{
	AUTO(url_fini) struct url u = { 0 };
	if (strlen(realm) > LIMIT_REALM_URL)
		return err_set(e, ERR_LIMIT, "registry %s names a token server by more than %u bytes", registry,
			       LIMIT_REALM_URL);
	if (url_parse(realm, &u, e) < 0)
		return err_in(e, "registry %s names its token server wrongly", registry);
	if (!host_belongs(registry, base, u.host))
		return err_set(e, ERR_AUTH,
			       "registry %s asks to log in at %s, which does not belong to it; nothing was sent there",
			       registry, u.host);
	bool plain = (host_is_loopback(base->host) && host_is_loopback(u.host)) || registries_trusts(&u);
	if (!u.https && !plain)
		return err_set(e, ERR_AUTH,
			       "registry %s asks to log in at http://%s, without encryption; nothing was sent there",
			       registry, u.host);
	*ret = u;
	u = (struct url){ 0 };
	return 0;
}
