#include "agent_priv.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

enum {
	AGENT_FAILURE = 5,
	AGENT_REQUEST_IDENTITIES = 11,
	AGENT_SIGN_REQUEST = 13,
	AGENT_MESSAGE_MAX = 256 * 1024, /* what OpenSSH's agent takes */
	AGENT_CLIENTS = 16,
};

/* The address of a socket below a descriptor: sun_path has room for 107 bytes only, whatever the path. */
static struct sockaddr_un address_of(int fd, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d%s%s", fd, name ? "/" : "", name ? name : "");
	return a;
}

static bool read_exactly(int fd, void *buf, size_t n)
{
	for (char *p = buf; n;) {
		ssize_t got = fd_read(fd, p, n);
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

/* One message as it stands on the wire, length first; its size, or 0 at the end or when it is too long. */
static size_t read_message(int fd, char *buf)
{
	uint32_t len;
	if (!read_exactly(fd, buf, sizeof len))
		return 0;
	memcpy(&len, buf, sizeof len);
	len = be32toh(len);
	if (len == 0 || len > AGENT_MESSAGE_MAX || !read_exactly(fd, buf + sizeof len, len))
		return 0;
	return sizeof len + len;
}

/* Until one side has closed, or both have ended what they send. */
static void forward(int client, int agent)
{
	AUTO(free_drop) char *buf = x_alloc(AGENT_MESSAGE_MAX);
	struct pollfd p[2] = { { .fd = client, .events = POLLIN }, { .fd = agent, .events = POLLIN } };
	struct err ignored;
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		for (int i = 0; i < 2; i++) {
			int to = i ? client : agent;
			if (p[i].fd < 0 || !p[i].revents)
				continue;
			ssize_t n = fd_read(p[i].fd, buf, AGENT_MESSAGE_MAX);
			if (n < 0 || (n > 0 && fd_write_all(to, buf, (size_t)n, "socket", &ignored) < 0))
				return;
			if (n == 0) {
				(void)shutdown(to, SHUT_WR);
				p[i].fd = -1;
			}
		}
	}
}

static void serve(int client, int agent)
{
	static const char refused[] = { 0, 0, 0, 1, AGENT_FAILURE };
	AUTO(free_drop) char *buf = x_alloc(AGENT_MESSAGE_MAX + 4);
	struct err ignored;
	for (;;) {
		size_t n = read_message(client, buf);
		if (!n)
			return;
		int r;
		if (buf[4] == AGENT_REQUEST_IDENTITIES || buf[4] == AGENT_SIGN_REQUEST) {
			if (fd_write_all(agent, buf, n, "agent", &ignored) < 0)
				return;
			n = read_message(agent, buf);
			r = n ? fd_write_all(client, buf, n, "client", &ignored) : -1;
		} else {
			r = fd_write_all(client, refused, sizeof refused, "client", &ignored);
		}
		if (r < 0)
			return;
	}
}

struct relay {
	int listener, agent_fd;
	bool raw;
};

int agent_connect(int agent_fd)
{
	struct sockaddr_un where = address_of(agent_fd, NULL);
	AUTO(fd_drop) int agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return agent < 0 || connect(agent, (struct sockaddr *)&where, sizeof where) < 0 ? -1 : fd_take(&agent);
}

static void connect_and_serve(const struct relay *r, int client)
{
	AUTO(fd_drop) int agent = agent_connect(r->agent_fd);
	if (agent < 0)
		return;
	if (r->raw)
		forward(client, agent);
	else
		serve(client, agent);
}

/* A process per client: what it asks is answered in order, and one that hangs holds up nobody else. */
static int relay_work(void *ctx, struct worker_report *report, struct str *result, struct err *e)
{
	struct relay *r = ctx;
	(void)report;
	(void)result;
	signal(SIGCHLD, SIG_IGN); /* no zombies */
	pid_t self = getpid();
	for (;;) {
		AUTO(fd_drop) int client = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0 && errno != EINTR && errno != ECONNABORTED)
			return err_sys(e, "relay to the ssh agent");
		if (client >= 0 && fork() == 0) {
			proc_die_with_parent(self);
			connect_and_serve(r, client);
			_exit(0);
		}
	}
}

int agent_start(struct agent_relay *a, int dir_fd, const char *name, uint32_t mode, int agent_fd, bool raw,
		struct err *e)
{
	struct sockaddr_un where = address_of(dir_fd, name);
	AUTO(fd_drop) int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&where, sizeof where) < 0 ||
	    fchmodat(dir_fd, name, mode, 0) < 0 || listen(listener, AGENT_CLIENTS) < 0)
		return err_sys(e, "make a socket for the ssh agent");
	AUTO(fd_drop) int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the socket for the ssh agent");
	struct relay r = { .listener = listener, .agent_fd = agent_fd, .raw = raw };
	if (worker_start(&a->worker, "nacre-agent", relay_work, &r, e) < 0)
		return -1;
	a->socket_fd = fd_take(&fd);
	return 0;
}

void agent_stop(struct agent_relay *a)
{
	worker_kill(&a->worker);
	fd_drop(&a->socket_fd);
}
