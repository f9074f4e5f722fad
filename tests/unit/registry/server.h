/* A web server for one test: a child that answers one connection after the other from a list, and keeps what it was
 * asked. */
#ifndef NACRE_TESTS_REGISTRY_SERVER_H
#define NACRE_TESTS_REGISTRY_SERVER_H

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "table.h"

struct server {
	pid_t pid;
	int port;
	int requests; /* pipe that gives all requests, one after the other */
};

static void serve_one(int fd, const char *reply, int out)
{
	char buf[8192];
	size_t n = 0;
	ssize_t got;
	while (n < sizeof buf - 1 && (got = read(fd, buf + n, sizeof buf - 1 - n)) > 0) {
		n += (size_t)got;
		buf[n] = '\0';
		if (strstr(buf, "\r\n\r\n"))
			break;
	}
	(void)!write(out, buf, n);
	(void)!write(fd, reply, strlen(reply));
	/* Until the client is done: closing on bytes not yet read would reset the connection and lose the reply. */
	shutdown(fd, SHUT_WR);
	while (read(fd, buf, sizeof buf) > 0)
		;
	close(fd);
}

/* replies end with NULL; the connection is closed after each, so a body that is shorter than announced is a cut. */
static void server_start(struct server *s, const char *const *replies)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int pair[2], listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(pipe(pair), 0);
	s->port = ntohs(a.sin_port);
	s->pid = fork();
	if (s->pid == 0) {
		close(pair[0]);
		alarm(30);
		for (; *replies; replies++)
			serve_one(accept(listener, NULL, NULL), *replies, pair[1]);
		_exit(0);
	}
	close(listener);
	close(pair[1]);
	s->requests = pair[0];
}

/* What was asked; the server is gone then. The caller owns it. */
static char *server_stop(struct server *s)
{
	struct str all = { 0 };
	char buf[4096];
	ssize_t n;
	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
	while ((n = read(s->requests, buf, sizeof buf)) > 0)
		str_addn(&all, buf, (size_t)n);
	close(s->requests);
	return str_take(&all);
}

#endif
