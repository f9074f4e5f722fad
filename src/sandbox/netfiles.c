#include "sandbox/netfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

enum { RESOLV_CONF_MAX = 1 << 20 };

char *sandbox_hosts_text(const char *hostname, const char *extra)
{
	return x_asprintf("127.0.0.1\tlocalhost %s\n"
			  "::1\tlocalhost ip6-localhost ip6-loopback\n"
			  "fe00::0\tip6-localnet\n"
			  "ff00::0\tip6-mcastprefix\n"
			  "ff02::1\tip6-allnodes\n"
			  "ff02::2\tip6-allrouters\n"
			  "%s",
			  hostname, extra);
}

/* 1; 0 when there is no such file for us; -1. */
static int read_text(const char *path, struct str *out, struct err *e)
{
	/* Not file_read: /etc/resolv.conf is a link on many hosts, and it is the host's own. */
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : err_sys(e, "open %s", path);
	if (!fd_is_regular(fd))
		return 0;
	return fd_read_all(fd, RESOLV_CONF_MAX, path, out, e) < 0 ? -1 : 1;
}

/* The address of a "nameserver" line, or NULL. */
static const char *nameserver(const char *line)
{
	if (strncmp(line, "nameserver", 10) != 0 || !strchr(" \t", line[10]) || !line[10])
		return NULL;
	return line + 10 + strspn(line + 10, " \t");
}

/* True when systemd-resolved's stub is the only server there is (systemd-resolved(8), /ETC/RESOLV.CONF). */
static bool only_stub(const char *text)
{
	bool stub = false;
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *address = nameserver(p);
		if (!address)
			continue;
		if (strncmp(address, "127.0.0.53", 10) != 0 || !strchr(" \t\r\n", address[10]))
			return false;
		stub = true;
	}
	return stub;
}

/*
 * The stub answers on the host's loopback, so it works as long as the step shares the host's network; the upstream file
 * works there too and says the truth to tools that look into it. RUN-06.
 */
int sandbox_resolv_text(enum sandbox_net net, char **ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(str_fini) struct str upstream = { 0 };
	if (net != SANDBOX_NET_NONE && read_text("/etc/resolv.conf", &text, e) < 0)
		return -1;
	if (only_stub(str_text(&text)) && read_text("/run/systemd/resolve/resolv.conf", &upstream, e) < 0)
		return -1;
	*ret = x_strdup(str_text(upstream.len ? &upstream : &text));
	return 0;
}
