#include "ssh_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "agent_priv.h"
#include "build_priv.h"

enum { KEY_MAX = 100 * 1024, START_MS = 5000, ADD_MS = 10000 };

static void agent_fini(struct ssh_agent *a)
{
	if (a->pid > 0) {
		kill(a->pid, SIGKILL);
		while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	for (size_t i = 0; i < a->keys.n; i++)
		explicit_bzero(a->keys.v[i], strlen(a->keys.v[i]));
	fd_drop(&a->socket_fd);
	free(a->id);
	strv_fini(&a->paths);
	strv_fini(&a->keys);
}

/* ---- the words of the command line ---- */

static int parse_raw(const char *value, bool *ret, struct err *e)
{
	bool yes = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
	if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return err_set(e, ERR_USAGE, "raw=%s: true or false is wanted", value);
	*ret = yes;
	return 0;
}

static int parse_paths(const char *list, struct ssh_agent *a, struct err *e)
{
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		AUTO(free_drop) char *word = x_strndup(p, n);
		if (str_starts(word, "raw=")) {
			if (parse_raw(word + 4, &a->raw, e) < 0)
				return -1;
		} else if (*word) {
			strv_push(&a->paths, word);
		}
		p += n + (p[n] == ',');
	}
	return 0;
}

const char *ssh_key_problem(const char *pem)
{
	/* PROTOCOL.key of OpenSSH: "openssh-key-v1", a zero byte, then the cipher as a string; here is that of "none". */
	static const char plain[] = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";
	static const char openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	const char *begin = strstr(pem, "-----BEGIN "), *end = begin ? strstr(begin + 11, "-----") : NULL;
	if (!end || end - begin < 22 || strncmp(end - 11, "PRIVATE KEY", 11) != 0)
		return "is neither a socket nor a private key in PEM form";
	if (str_starts(begin, openssh)) {
		const char *body = begin + sizeof openssh - 1;
		if (!str_starts(body + strspn(body, "\r\n"), plain))
			return "has a passphrase, which nobody could be asked for during a build; add it to an agent "
			       "with ssh-add and forward that";
		return NULL;
	}
	if (str_starts(begin, "-----BEGIN ENCRYPTED") || strstr(begin, "Proc-Type: 4,ENCRYPTED"))
		return "has a passphrase, which nobody could be asked for during a build; add it to an agent with "
		       "ssh-add and forward that";
	return NULL;
}

static int read_key(int fd, const char *path, struct ssh_agent *a, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	if (!fd_is_regular(fd))
		return err_set(e, ERR_USAGE, "%s is neither a socket nor a file", path);
	if (fd_read_all(fd, KEY_MAX, path, &text, e) < 0)
		return -1;
	const char *problem = ssh_key_problem(str_text(&text));
	strv_push_taken(&a->keys, str_take(&text));
	return problem ? err_set(e, ERR_USAGE, "%s %s", path, problem) : 0;
}

/* One path: O_PATH first, since a socket cannot be opened otherwise and a FIFO must not be. */
static int take_path(const char *path, struct ssh_agent *a, struct err *e)
{
	struct stat st;
	AUTO(fd_drop) int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, "open %s", path);
		e->kind = ERR_USAGE;
		return -1;
	}
	if (S_ISSOCK(st.st_mode)) {
		if (a->socket_fd >= 0)
			return err_set(e, ERR_USAGE, "only single socket allowed");
		a->socket_fd = fd_take(&fd);
		return 0;
	}
	if (a->raw)
		return err_set(e, ERR_USAGE, "raw mode only supported with socket paths; %s is none", path);
	AUTO(fd_drop) int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file < 0)
		return err_sys(e, "open %s", path);
	return read_key(file, path, a, e);
}

static int read_one(const char *text, struct ssh_agent *a, struct err *e)
{
	size_t n = strcspn(text, "=");
	a->id = n ? x_strndup(text, n) : x_strdup("default");
	if (text[n] && parse_paths(text + n + 1, a, e) < 0)
		return -1;
	if (a->raw && a->paths.n != 1)
		return err_set(e, ERR_USAGE, "raw mode must supply exactly one socket path");
	if (!a->paths.n) {
		const char *socket = getenv("SSH_AUTH_SOCK");
		if (!socket || !*socket)
			return err_set(e, ERR_USAGE,
				       "no socket was given; make sure SSH_AUTH_SOCK is set, or name a socket or a key");
		strv_push(&a->paths, socket);
	}
	for (size_t i = 0; i < a->paths.n; i++)
		if (take_path(a->paths.v[i], a, e) < 0)
			return -1;
	if (a->socket_fd >= 0 && a->keys.n)
		return err_set(e, ERR_USAGE, "invalid combination of keys and sockets");
	return 0;
}

int ssh_read(const struct strv *texts, struct ssh_agents *ret, struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		AUTO(agent_fini) struct ssh_agent a = { .socket_fd = -1 };
		int r = read_one(texts->v[i], &a, e);
		if (r == 0 && ssh_find(ret, a.id))
			r = err_set(e, ERR_USAGE, "duplicate agent ID \"%s\"", a.id);
		if (r < 0)
			return err_in(e, "--ssh %s", texts->v[i]);
		vec_push(&ret->v, a);
		a = (struct ssh_agent){ .socket_fd = -1 };
	}
	return 0;
}

const struct ssh_agent *ssh_find(const struct ssh_agents *s, const char *id)
{
	for (size_t i = 0; i < s->v.n; i++)
		if (strcmp(s->v.v[i].id, id) == 0)
			return &s->v.v[i];
	return NULL;
}

void ssh_fini(struct ssh_agents *s)
{
	for (size_t i = 0; i < s->v.n; i++)
		agent_fini(&s->v.v[i]);
	vec_fini(&s->v);
}

/* ---- agents of our own ---- */

static int no_program(struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "keys go through ssh-agent and ssh-add, which are not there; install OpenSSH's "
					"client, or give the socket of another agent");
}

/* Until it listens. */
static int await_socket(struct ssh_agent *a, int dir_fd, struct err *e)
{
	for (int waited = 0; waited < START_MS; waited += 5) {
		const struct timespec pause = { .tv_nsec = 5000000 };
		fd_drop(&a->socket_fd);
		a->socket_fd = openat(dir_fd, "agent", O_PATH | O_NOFOLLOW | O_CLOEXEC);
		AUTO(fd_drop) int connection = a->socket_fd < 0 ? -1 : agent_connect(a->socket_fd);
		if (connection >= 0) /* its name is there a moment before it answers */
			return 0;
		if (waitpid(a->pid, NULL, WNOHANG) == a->pid) {
			a->pid = 0;
			return err_set(e, ERR_SYS, "ssh-agent ended at once");
		}
		nanosleep(&pause, NULL);
	}
	return err_set(e, ERR_SYS, "ssh-agent does not listen");
}

/* By standard input, so that the mode of the file does not matter, nor that it may be a link. */
static int add_key(const char *socket, const char *pem, const char *path, struct err *e)
{
	AUTO(free_drop) char *where = x_asprintf("SSH_AUTH_SOCK=%s", socket);
	/* Nobody is asked for anything, neither on the terminal nor in a window. */
	const char *argv[] = { "env",	  where,      "SSH_ASKPASS=false", "SSH_ASKPASS_REQUIRE=force", "LC_ALL=C",
			       "ssh-add", "-q",	      "-",		   NULL };
	if (proc_run(argv, pem, NULL, 0, ADD_MS, e) == 0)
		return 0;
	if (e->kind == ERR_CHILD && WIFEXITED(e->status) && WEXITSTATUS(e->status) == 127)
		return no_program(e);
	return err_in(e, "add the key %s", path);
}

/*
 * Its socket is in a directory of the build, which nobody else can enter and which the next run removes if this one is
 * killed. sun_path has room for 107 bytes only, so others reach it through our descriptor.
 */
static int start_agent(struct build *b, struct ssh_agent *a, struct err *e)
{
	unsigned work;
	AUTO(fd_drop) int dir = -1;
	if (work_dir(b, &work, &dir, NULL, e) < 0)
		return -1;
	AUTO(free_drop) char *socket = x_asprintf("/proc/%d/fd/%d/agent", (int)getpid(), dir);
	const char *argv[] = { "ssh-agent", "-D", "-a", socket, NULL };
	if (proc_start(argv, &a->pid, e) < 0)
		return e->kind == ERR_NOTFOUND ? no_program(e) : -1;
	if (await_socket(a, dir, e) < 0)
		return -1;
	for (size_t i = 0; i < a->keys.n; i++) {
		if (add_key(socket, a->keys.v[i], a->paths.v[i], e) < 0)
			return -1;
		explicit_bzero(a->keys.v[i], strlen(a->keys.v[i]));
	}
	return 0;
}

int ssh_start(struct build *b, struct ssh_agents *s, struct err *e)
{
	for (size_t i = 0; i < s->v.n; i++)
		if (s->v.v[i].keys.n && start_agent(b, &s->v.v[i], e) < 0)
			return err_in(e, "--ssh %s", s->v.v[i].id);
	return 0;
}
