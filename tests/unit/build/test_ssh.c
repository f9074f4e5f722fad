/* --ssh (MNT-20): what it says, and which keys an agent can take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "src/build/ssh_priv.h"

#define PLAIN_KEY "-----BEGIN PRIVATE KEY-----\nMC4CAQA=\n-----END PRIVATE KEY-----\n"

static void keys(void **state)
{
	static const struct { const char *pem, *problem; } rows[] = { /* "" for none */
		{ PLAIN_KEY, "" },
		{ "Bag Attributes\n" PLAIN_KEY, "" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n", "" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAA", "" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAA", "" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAA",
		  "has a passphrase" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\n", "has a passphrase" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n", "has a passphrase" },
		{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n", "has a passphrase" },
		{ "-----BEGIN PUBLIC KEY-----\nMIIB\n", "neither a socket nor a private key" },
		{ "-----BEGIN -----", "neither a socket nor a private key" },
		{ "-----BEGIN PRIVATE KEY", "neither a socket nor a private key" },
		{ "", "neither a socket nor a private key" },
		{ "ssh-ed25519 AAAA", "neither a socket nor a private key" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *problem = ssh_key_problem(rows[i].pem);
		assert_true(problem ? *rows[i].problem && strstr(problem, rows[i].problem) : !*rows[i].problem);
	}
}

/* "ID [raw] [socket] KEYS" of all that was understood. */
static void show(struct str *out, const struct ssh_agents *s)
{
	for (size_t i = 0; i < s->v.n; i++)
		str_addf(out, "%s%s%s%s %zu", i ? ", " : "", s->v.v[i].id, s->v.v[i].raw ? " raw" : "",
			 s->v.v[i].socket_fd >= 0 ? " socket" : "", s->v.v[i].keys.n);
}

static void words(void **state)
{
	static const struct { const char *one, *two, *want; } rows[] = { /* or what the error says */
		{ "default", NULL, "default socket 0" },
		{ "", NULL, "default socket 0" },
		{ "a=", NULL, "a socket 0" },
		{ "a=socket", "b=key", "a socket 0, b 1" },
		{ "a=key,other", NULL, "a 2" },
		{ "a=socket,raw=true", NULL, "a raw socket 0" },
		{ "a=raw=1,socket", NULL, "a raw socket 0" },
		{ "a=socket,raw=false", NULL, "a socket 0" },
		{ "a=socket,raw=perhaps", NULL, "--ssh a=socket,raw=perhaps: raw=perhaps" },
		{ "a=raw=true", NULL, "raw mode must supply exactly one socket path" },
		{ "a=socket,socket,raw=true", NULL, "raw mode must supply exactly one socket path" },
		{ "a=key,raw=true", NULL, "raw mode only supported with socket paths" },
		{ "a=socket,socket", NULL, "only single socket allowed" },
		{ "a=socket,key", NULL, "invalid combination of keys and sockets" },
		{ "a=key,socket", NULL, "invalid combination of keys and sockets" },
		{ "a=none", NULL, "open none: No such file" },
		{ "a=.", NULL, ". is neither a socket nor a file" },
		{ "a=text", NULL, "text is neither a socket nor a private key" },
		{ "a", "a=key", "duplicate agent ID \"a\"" },
		{ "", "default", "duplicate agent ID \"default\"" },
	};
	(void)state;
	setenv("SSH_AUTH_SOCK", "socket", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ssh_agents s = { 0 };
		struct strv texts = { 0 };
		struct str got = { 0 };
		struct err e = { 0 };
		strv_push(&texts, rows[i].one);
		if (rows[i].two)
			strv_push(&texts, rows[i].two);
		if (ssh_read(&texts, &s, &e) < 0) {
			if (!strstr(e.msg, rows[i].want))
				fail_msg("%s: %s", rows[i].one, e.msg);
			assert_int_equal(e.kind, ERR_USAGE);
		} else {
			show(&got, &s);
			assert_string_equal(str_text(&got), rows[i].want);
		}
		str_fini(&got);
		strv_fini(&texts);
		ssh_fini(&s);
	}
}

static void no_agent(void **state)
{
	struct ssh_agents s = { 0 };
	struct strv texts = { 0 };
	struct err e;
	(void)state;
	unsetenv("SSH_AUTH_SOCK");
	strv_push(&texts, "default");
	assert_int_equal(ssh_read(&texts, &s, &e), -1);
	assert_non_null(strstr(e.msg, "make sure SSH_AUTH_SOCK is set"));
	strv_fini(&texts);
	ssh_fini(&s);
}

static char dir[] = "/tmp/test_ssh.XXXXXX";

static int put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	return !f || fputs(text, f) < 0 || fclose(f);
}

static int set_up(void **state)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)state;
	if (!mkdtemp(dir) || chdir(dir) < 0 || fd < 0 || bind(fd, (struct sockaddr *)&where, sizeof where) < 0)
		return -1;
	return put("key", PLAIN_KEY) || put("other", PLAIN_KEY) || put("text", "hello\n");
}

static int tear_down(void **state)
{
	(void)state;
	return unlink("socket") || unlink("key") || unlink("other") || unlink("text") || rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(words),
		cmocka_unit_test(no_agent),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
