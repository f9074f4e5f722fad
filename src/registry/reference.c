#include "registry/reference.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/*
 * The grammar of github.com/distribution/reference, reference.go:
 *
 *   reference  = [ domain "/" ] path [ ":" tag ] [ "@" digest ]
 *   domain     = ( label *( "." label ) / "[" IPv6 "]" ) [ ":" port ]
 *   path       = component *( "/" component )          component = alnum *( ( "." / "_" / "__" / 1*"-" ) alnum )
 *   tag        = word *127( word / "." / "-" )
 */
enum {
	PATH_MAX_BYTES = 255,
	TAG_MAX_BYTES = 128,
	HOST_MAX_BYTES = 253,  /* RFC 1035 2.3.4, without the root's dot */
	LABEL_MAX_BYTES = 63,
	TEXT_MAX_BYTES = 1024, /* more than any valid reference has */
};

#define HUB "docker.io"

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool label_is_valid(const char *p, size_t n)
{
	if (n == 0 || n > LABEL_MAX_BYTES || p[0] == '-' || p[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(p[i]) && p[i] != '-')
			return false;
	return true;
}

static bool host_is_valid(const char *host)
{
	if (strlen(host) > HOST_MAX_BYTES)
		return false;
	for (;;) {
		size_t n = strcspn(host, ".");
		if (!label_is_valid(host, n))
			return false;
		if (!host[n])
			return true;
		host += n + 1;
	}
}

static bool ipv6_is_valid(const char *bracketed)
{
	AUTO(free_drop) char *bare = x_strdup(bracketed + 1);
	size_t n = strlen(bare);
	struct in6_addr ignored;
	if (n == 0 || bare[n - 1] != ']')
		return false;
	bare[n - 1] = '\0';
	return inet_pton(AF_INET6, bare, &ignored) == 1;
}

static bool domain_is_valid(const char *domain)
{
	AUTO(free_drop) char *host = x_strdup(domain);
	char *bracket = strrchr(host, ']');
	char *colon = strchr(bracket ? bracket : host, ':');
	if (colon) {
		uint64_t port;
		*colon = '\0';
		if (!str_to_u64(colon + 1, 65535, &port) || port == 0)
			return false;
	}
	return host[0] == '[' ? ipv6_is_valid(host) : host_is_valid(host);
}

/* Length of the separator at p: ".", "_", "__" or any number of "-"; 0 when there is none. */
static size_t separator_len(const char *p)
{
	if (*p == '.')
		return 1;
	if (*p == '_')
		return p[1] == '_' ? 2 : 1;
	return strspn(p, "-");
}

static bool path_is_valid(const char *p)
{
	for (;;) {
		if (!is_lower_alnum(*p))
			return false;
		while (is_lower_alnum(*p))
			p++;
		if (!*p)
			return true;
		p += *p == '/' ? 1 : separator_len(p);
	}
}

static bool tag_is_valid(const char *tag)
{
	size_t n = strlen(tag);
	if (n == 0 || n > TAG_MAX_BYTES || tag[0] == '.' || tag[0] == '-')
		return false;
	for (; *tag; tag++)
		if (!is_alnum(*tag) && !strchr("_.-", *tag))
			return false;
	return true;
}

static bool has_upper(const char *s)
{
	return s[strcspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0';
}

/*
 * Whether the n bytes before the first slash name a registry; otherwise they belong to a repository of Docker Hub.
 * Docker takes a single upper-case word for a registry too; in lower case, as we keep registries, it would name another
 * image.
 */
static bool is_domain(const char *name, size_t n)
{
	return memchr(name, '.', n) || memchr(name, ':', n) || memchr(name, '[', n) ||
	       (n == strlen("localhost") && str_case_starts(name, "localhost"));
}

static bool is_image_id(const char *name)
{
	return strlen(name) == DIGEST_HEX && strspn(name, "0123456789abcdef") == DIGEST_HEX;
}

static int refuse(struct err *e, const char *text, const char *why)
{
	return err_set(e, ERR_SPEC, "\"%.200s\" is not an image reference: %s", text, why);
}

/* name without tag and digest: fills registry and repository. */
static int parse_name(const char *text, const char *name, struct reference *r, struct err *e)
{
	if (is_image_id(name))
		return refuse(e, text, "64 hexadecimal digits would be an image id");
	const char *slash = strchr(name, '/'), *path = name;
	if (slash && is_domain(name, (size_t)(slash - name))) {
		r->registry = x_strndup(name, (size_t)(slash - name));
		path = slash + 1;
		if (!domain_is_valid(r->registry))
			return refuse(e, text, "the part before the first slash is not a valid registry host[:port]");
		str_lower(r->registry);
	}
	r->unqualified = !r->registry;
	if (!r->registry || str_eq(r->registry, "index." HUB)) {
		free(r->registry);
		r->registry = x_strdup(HUB);
	}
	if (has_upper(path))
		return refuse(e, text, "the repository must be in lower case");
	if (!path_is_valid(path))
		return refuse(e, text, "the repository must be words of a-z, 0-9 with single . _ __ - between them");
	bool official = str_eq(r->registry, HUB) && !strchr(path, '/');
	r->repository = official ? x_asprintf("library/%s", path) : x_strdup(path);
	if (strlen(r->repository) > PATH_MAX_BYTES)
		return refuse(e, text, "the repository is longer than 255 bytes");
	return 0;
}

static int parse(const char *text, struct reference *r, struct err *e)
{
	if (strlen(text) > TEXT_MAX_BYTES)
		return refuse(e, text, "it is too long");
	AUTO(free_drop) char *name = x_strdup(text);
	char *at = strchr(name, '@');
	if (at) {
		*at = '\0';
		r->has_digest = true;
		if (digest_parse(at + 1, &r->digest, e) < 0)
			return err_in(e, "image reference \"%.200s\"", text);
	}
	char *slash = strrchr(name, '/');
	char *colon = strrchr(slash ? slash : name, ':');
	if (colon) {
		*colon = '\0';
		if (!tag_is_valid(colon + 1))
			return refuse(e, text, "a tag is 1 to 128 letters, digits, _ . - and begins with none of . -");
		r->tag = x_strdup(colon + 1);
	}
	if (parse_name(text, name, r, e) < 0)
		return -1;
	if (!r->tag && !r->has_digest)
		r->tag = x_strdup("latest");
	return 0;
}

int reference_parse(const char *text, struct reference *ret, struct err *e)
{
	AUTO(reference_fini) struct reference r = { 0 };
	if (parse(text, &r, e) < 0)
		return -1;
	*ret = r;
	r = (struct reference){ 0 };
	return 0;
}

static char *with_version(const struct reference *r, struct str *name)
{
	if (r->tag)
		str_addf(name, ":%s", r->tag);
	if (r->has_digest)
		str_addf(name, "@%s", digest_text(&r->digest).s);
	return str_take(name);
}

char *reference_text(const struct reference *r)
{
	struct str s = { 0 };
	str_addf(&s, "%s/%s", r->registry, r->repository);
	return with_version(r, &s);
}

char *reference_familiar(const struct reference *r)
{
	struct str s = { 0 };
	const char *path = r->repository;
	if (!str_eq(r->registry, HUB))
		str_addf(&s, "%s/", r->registry);
	else if (str_starts(path, "library/") && !strchr(path + strlen("library/"), '/'))
		path += strlen("library/");
	str_add(&s, path);
	return with_version(r, &s);
}

void reference_fini(struct reference *r)
{
	free(r->registry);
	free(r->repository);
	free(r->tag);
	*r = (struct reference){ 0 };
}
