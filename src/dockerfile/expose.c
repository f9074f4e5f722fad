#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"
#include "expose_priv.h"

enum { PORTS_MAX = 3 * 65536 }; /* every port of every protocol once */

/* "8000" or "8000-8010" */
static bool parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
	const char *dash = strchr(text, '-');
	if (!dash) {
		bool ok = str_to_u64(text, UINT16_MAX, ret_first);
		*ret_last = *ret_first;
		return ok;
	}
	AUTO(free_drop) char *first = x_strndup(text, (size_t)(dash - text));
	return str_to_u64(first, UINT16_MAX, ret_first) && str_to_u64(dash + 1, UINT16_MAX, ret_last) &&
		*ret_first <= *ret_last;
}

static bool is_address(char *ip)
{
	unsigned char address[sizeof(struct in6_addr)];
	size_t n = strlen(ip);
	if (*ip == '[') {
		if (ip[n - 1] != ']')
			return false;
		ip[n - 1] = '\0';
		ip++;
		if (!*ip)
			return true;
	}
	return inet_pton(AF_INET, ip, address) == 1 || inet_pton(AF_INET6, ip, address) == 1;
}

/* What stands before the container's port is checked, then forgotten. */
static int check_host(char *ip, const char *host, const char *port, struct err *e)
{
	uint64_t first, last, host_first, host_last;
	if (*ip && !is_address(ip))
		return err_set(e, ERR_PARSE,
			       "invalid IP address: %.60s (in front of a port stands ADDRESS:HOST-PORT: or HOST-PORT:)",
			       ip);
	if (!parse_range(port, &first, &last))
		return err_set(e, ERR_PARSE, "invalid container port: %.60s (a port or range within 0-65535)", port);
	if (!*host)
		return 0;
	if (!parse_range(host, &host_first, &host_last))
		return err_set(e, ERR_PARSE, "invalid host port: %.60s", host);
	if (first != last && last - first != host_last - host_first)
		return err_set(e, ERR_PARSE, "the ranges of container and host ports differ in length: %.60s and %.60s",
			       port, host);
	return 0;
}

/* Cuts the last part off at ':'; "" when there is none. */
static char *cut_last(char *text)
{
	char *colon = strrchr(text, ':');
	if (!colon)
		return text;
	*colon = '\0';
	return colon + 1;
}

static const char *find_protocol(const char *name)
{
	static const char *const known[] = { "tcp", "udp", "sctp" };
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_case_eq(name, known[i]))
			return known[i];
	return NULL;
}

int expose_parse(const char *word, struct expose *ret, struct err *e)
{
	AUTO(free_drop) char *copy = x_strdup(word);
	char none[] = "", *port = cut_last(copy), *host = none, *ip = none;
	bool mapped = port != copy;
	if (mapped) {
		host = cut_last(copy);
		ip = host == copy ? none : copy;
	}
	char *proto = strchr(port, '/');
	if (proto)
		*proto++ = '\0';
	if (!*port)
		return err_set(e, ERR_PARSE, "no port specified: %.60s", word);
	struct expose x = { .proto = find_protocol(proto && *proto ? proto : "tcp") };
	if (!x.proto)
		return err_set(e, ERR_PARSE, "invalid protocol in port %.60s: it is none of tcp, udp and sctp", word);
	if (check_host(ip, host, port, e))
		return -1;
	parse_range(port, &x.first, &x.last);
	x.warning = mapped ? DF_RULE_EXPOSE_INVALID_FORMAT :
		    proto && *proto && strcmp(proto, x.proto) != 0 ? DF_RULE_EXPOSE_PROTO_CASING : DF_RULES;
	*ret = x;
	return 0;
}

int df_expose(const char *word, struct strv *ret, enum df_rule *ret_warn, struct err *e)
{
	struct expose x;
	if (expose_parse(word, &x, e))
		return -1;
	if (ret->n + (x.last - x.first) >= PORTS_MAX)
		return err_set(e, ERR_LIMIT, "EXPOSE names more than %d ports", PORTS_MAX);
	for (uint64_t i = x.first; i <= x.last; i++)
		strv_pushf(ret, "%u/%s", (unsigned)i, x.proto);
	*ret_warn = x.warning;
	return 0;
}
