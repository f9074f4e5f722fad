/* Repositories asked, fetched and checked out through the system's git. */
#include "git_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/tree.h"
#include "base/vec.h"
#include "registry/secret.h"
#include "source_auth_priv.h"
#include "ssh_priv.h"

/* ---- running git; only ever in a worker, whose environment is its own ---- */

static void clean_environment(void)
{
	static const char *const keep[] = { "PATH",        "HOME",          "SSH_AUTH_SOCK", "HTTP_PROXY",
					    "HTTPS_PROXY", "NO_PROXY",      "http_proxy",    "https_proxy",
					    "no_proxy",    "SSL_CERT_FILE", "SSL_CERT_DIR" };
	char *values[ARRAY_LEN(keep)];
	for (size_t i = 0; i < ARRAY_LEN(keep); i++)
		values[i] = getenv(keep[i]) ? x_strdup(getenv(keep[i])) : NULL;
	clearenv();
	for (size_t i = 0; i < ARRAY_LEN(keep); i++) {
		if (values[i])
			setenv(keep[i], values[i], 1);
		free(values[i]);
	}
	/* HOME stays for ssh's known_hosts; git itself reads nothing of it. */
	setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("GIT_TERMINAL_PROMPT", "0", 1);
	setenv("GIT_ALLOW_PROTOCOL", "https:http:ssh:git", 1);
	setenv("GIT_SSH_COMMAND", "ssh -F /dev/null -o BatchMode=yes", 1);
	setenv("LC_ALL", "C", 1);
}

/* "SCHEME://HOST/", for which alone git sends the header. */
static char *auth_scope(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	return x_asprintf("http.%.*s/.extraHeader", (int)(host - url + (long)strcspn(host, "/?#")), url);
}

/* Through the environment (git 2.31), since everybody may read the arguments of a process. */
static void send_auth(const struct git_source *g)
{
	AUTO(free_drop) char *key = auth_scope(g->url);
	AUTO(secret_drop) char *value = x_asprintf("Authorization: %s", g->auth);
	setenv("GIT_CONFIG_COUNT", "1", 1);
	setenv("GIT_CONFIG_KEY_0", key, 1);
	setenv("GIT_CONFIG_VALUE_0", value, 1);
}

/*
 * A Dockerfile may name any host. What the user's agent would sign there, or only list, takes his word: --ssh (ADD-09).
 * /proc leads ssh to the socket; the name it had may be gone.
 */
static void choose_agent(const struct git_access *a)
{
	char path[64];
	if (a->agent && a->agent->socket_fd >= 0) {
		snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), a->agent->socket_fd);
		setenv("SSH_AUTH_SOCK", path, 1);
	} else if (!a->by_user) {
		unsetenv("SSH_AUTH_SOCK");
	}
}

/* A secret may be a variable, so it is read before they are gone. */
static int begin(struct git_source *g, const struct git_access *a, struct err *e)
{
	if (!g->auth_known && git_auth(a->secrets, g->url, &g->auth, e) < 0)
		return -1;
	g->auth_known = true;
	clean_environment();
	choose_agent(a);
	if (g->auth)
		send_auth(g);
	return 0;
}

/* git repeats URLs in what it says; who reads that need not know the password in one (T-F4). */
static void hide_user_info(char *text)
{
	for (char *p = text; (p = strstr(p, "://")) != NULL;) {
		p += 3;
		size_t n = strcspn(p, "/?#@ '\"");
		if (p[n] == '@')
			memmove(p, p + n + 1, strlen(p + n + 1) + 1);
	}
}

enum { GIT_TIMEOUT_MS = 30 * 60 * 1000, GIT_OUTPUT_MAX = 4 << 20 };

static int git(const char *dir, const char *const *args, struct str *out, struct err *e)
{
	const char *argv[28] = { "git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=never", "-c",
				 "core.fsmonitor=false", "-c", "advice.detachedHead=false", "-c",
				 /* of a repository that is here: its configuration may name a program for that */
				 "log.showSignature=false" };
	size_t n = 11;
	if (dir) {
		argv[n++] = "-C";
		argv[n++] = dir;
	}
	for (; *args && n + 1 < ARRAY_LEN(argv); args++)
		argv[n++] = *args;
	if (proc_run(argv, NULL, out, GIT_OUTPUT_MAX, GIT_TIMEOUT_MS, e) == 0)
		return 0;
	if (e->kind == ERR_NOTFOUND)
		return err_set(e, ERR_BUILD, "git is not installed; it is needed for git sources");
	e->kind = ERR_NET;
	hide_user_info(e->msg);
	return -1;
}

static bool is_commit(const char *ref)
{
	size_t n = strlen(ref);
	return (n == 40 || n == 64) && strspn(ref, "0123456789abcdef") == n;
}

/* The commit in a line "ID\tNAME" of ls-remote; a peeled tag (NAME^{}) is the commit an annotated tag stands for. */
static bool find_commit(const char *list, const char *name, bool peeled, char commit[65])
{
	AUTO(free_drop) char *want = x_asprintf("%s%s", name, peeled ? "^{}" : "");
	for (const char *line = list; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t id = strcspn(line, "\t\n"), len = strcspn(line, "\n");
		if (id <= 64 && line[id] == '\t' && len - id - 1 == strlen(want) &&
		    strncmp(line + id + 1, want, strlen(want)) == 0) {
			memcpy(commit, line, id);
			commit[id] = '\0';
			return is_commit(commit);
		}
	}
	return false;
}

/* What the remote has under a ref: the commit, and what the ref itself names, which for an annotated tag is the tag. */
struct found { char commit[65], named[65]; };

/* A branch goes before a tag of the same name, as in git checkout. */
static bool pick(const char *list, const char *ref, struct found *ret)
{
	static const char *const prefixes[] = { "", "refs/", "refs/heads/", "refs/tags/" };
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		AUTO(free_drop) char *name = x_asprintf("%s%s", prefixes[i], ref);
		if (!find_commit(list, name, false, ret->named))
			continue;
		if (!find_commit(list, name, true, ret->commit))
			memcpy(ret->commit, ret->named, sizeof ret->commit);
		return true;
	}
	return false;
}

static int ask_remote(const struct git_source *g, const char *ref, struct found *ret, struct err *e)
{
	AUTO(str_fini) struct str list = { 0 };
	AUTO(free_drop) char *shown = git_url_shown(g->url);
	if (git(NULL, (const char *const[]){ "ls-remote", "--end-of-options", g->url, NULL }, &list, e) < 0)
		return err_in(e, "ask %s for its refs", shown);
	if (!pick(str_text(&list), ref, ret))
		return err_set(e, ERR_BUILD, "repository %s has no ref \"%s\"", shown, ref);
	return 0;
}

int git_resolve(struct git_source *g, const struct git_access *a, struct err *e)
{
	struct found found = { 0 };
	const char *ref = g->ref ? g->ref : "HEAD";
	if (begin(g, a, e) < 0)
		return -1;
	if (is_commit(ref)) {
		memcpy(found.commit, ref, strlen(ref) + 1);
		memcpy(found.named, ref, strlen(ref) + 1);
	} else if (ask_remote(g, ref, &found, e) < 0) {
		return -1;
	}
	if (g->checksum && !str_case_starts(found.commit, g->checksum) && !str_case_starts(found.named, g->checksum))
		return err_set(e, ERR_INTEGRITY, "expected checksum to match %s, got commit %s", g->checksum,
			       found.commit);
	memcpy(g->commit, found.commit, sizeof g->commit);
	return 0;
}

static int drop_git_dirs(const char *path, struct err *e)
{
	AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || tree_remove(dir, ".git") < 0)
		return err_sys(e, "remove .git of the checkout");
	return 0;
}

/*
 * The commit alone, else what the ref leads to now (a server may refuse to give a commit that no ref names), else the
 * whole history: what is left where the commit is no longer the end of a ref, or the server cannot give a part.
 */
static int fetch_commit(const struct git_source *g, const char *path, struct err *e)
{
	const char *ref = g->ref && !is_commit(g->ref) ? g->ref : "HEAD";
	const char *const has[] = { "cat-file", "-e", g->commit, NULL };
	const char *const attempts[][9] = {
		{ "fetch", "-q", "--depth=1", "--no-tags", "origin", g->commit, NULL },
		{ "fetch", "-q", "--depth=1", "--no-tags", "origin", ref, NULL },
		{ "fetch", "-q", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*", NULL },
	};
	struct err first = { 0 }, ignored = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		struct err *why = i ? &ignored : &first;
		if (git(path, attempts[i], NULL, why) == 0 && git(path, has, NULL, why) == 0)
			return 0;
	}
	*e = first;
	return -1;
}

static int commit_time(const char *path, const char *commit, int64_t *ret, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	uint64_t seconds;
	if (git(path, (const char *const[]){ "show", "-s", "--format=%ct", commit, "--", NULL }, &text, e) < 0)
		return err_in(e, "time of commit %s", commit);
	AUTO(free_drop) char *digits = x_strndup(str_text(&text), strcspn(str_text(&text), "\n"));
	if (!str_to_u64(digits, INT64_MAX, &seconds))
		return err_set(e, ERR_BUILD, "commit %s has no usable time", commit);
	*ret = (int64_t)seconds;
	return 0;
}

/* Every file, link and directory of the checkout gets the time of the commit (SDE-04). */
static int set_times(const char *path, int64_t time, struct err *e)
{
	const struct timespec both[2] = { { .tv_sec = time }, { .tv_sec = time } };
	AUTO(strv_fini) struct strv dirs = { 0 };
	AUTO(fd_drop) int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	strv_push(&dirs, ".");
	for (size_t i = 0; i < dirs.n; i++) {
		AUTO(strv_fini) struct strv names = { 0 };
		AUTO(fd_drop) int dir = top < 0 ? -1 : root_open(top, dirs.v[i], O_RDONLY | O_DIRECTORY, 0);
		if (dir < 0)
			return err_sys(e, "open %s of the checkout", dirs.v[i]);
		if (dir_names(dir, &names, e) < 0)
			return err_in(e, "%s of the checkout", dirs.v[i]);
		for (size_t k = 0; k < names.n; k++) {
			struct stat st;
			if (fstatat(dir, names.v[k], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			    utimensat(dir, names.v[k], both, AT_SYMLINK_NOFOLLOW) < 0)
				return err_sys(e, "set the time of %s", names.v[k]);
			if (S_ISDIR(st.st_mode))
				strv_push_taken(&dirs, x_asprintf("%s/%s", dirs.v[i], names.v[k]));
		}
	}
	return futimens(top, both) < 0 ? err_sys(e, "set the time of the checkout") : 0;
}

static int init(const struct git_source *g, const char *path, struct err *e)
{
	/* Before git 2.29 there is no such option, and no other format than sha1. */
	const char *format = strlen(g->commit) == 64 ? "--object-format=sha256" : NULL;
	if (git(path, (const char *const[]){ "init", "-q", format, NULL }, NULL, e) < 0)
		return -1;
	return git(path, (const char *const[]){ "remote", "add", "origin", g->url, NULL }, NULL, e);
}

int git_checkout(struct git_source *g, const struct git_access *a, const char *path, struct err *e)
{
	AUTO(free_drop) char *shown = git_url_shown(g->url);
	umask(022);
	if (begin(g, a, e) < 0 || init(g, path, e) < 0)
		return -1;
	if (fetch_commit(g, path, e) < 0)
		return err_in(e, "fetch %s of %s", g->commit, shown);
	if (git(path, (const char *const[]){ "checkout", "-q", "--detach", g->commit, NULL }, NULL, e) < 0)
		return err_in(e, "check out %s of %s", g->commit, shown);
	if (!g->no_submodules) {
		const char *const submodules[] = { "submodule",   "update",    "-q", "--init",
						   "--recursive", "--depth=1", NULL };
		if (git(path, submodules, NULL, e) < 0)
			return err_in(e, "submodules of %s", shown);
	}
	if (commit_time(path, g->commit, &g->time, e) < 0 || (!g->keep_git_dir && drop_git_dirs(path, e) < 0))
		return -1;
	return g->commit_times ? set_times(path, g->time, e) : 0;
}

int git_head_time(const char *dir, int64_t *ret, struct err *e)
{
	AUTO(str_fini) struct str head = { 0 };
	AUTO(free_drop) char *path = realpath(dir, NULL);
	struct err why;
	if (!path)
		return err_sys(e, "%s", dir);
	clean_environment();
	/* What a partial clone lacks is not fetched for it. */
	setenv("GIT_NO_LAZY_FETCH", "1", 1);
	setenv("GIT_ALLOW_PROTOCOL", "", 1);
	if (git(path, (const char *const[]){ "rev-parse", "-q", "--verify", "HEAD", NULL }, &head, &why) < 0) {
		log_debug("--reproducible: %s", why.msg);
		return 1;
	}
	head.buf[strcspn(head.buf, "\n")] = '\0';
	return commit_time(path, head.buf, ret, e);
}

/* Below the checkout, no link is followed on the way to the subdirectory (T-F2). */
int git_open_subdir(int top, const char *subdir, int *ret, struct err *e)
{
	AUTO(fd_drop) int here = fd_dup(top);
	AUTO(free_drop) char *path = x_strdup(subdir ? subdir : "");
	char *save = NULL;
	for (char *name = strtok_r(path, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		int next = openat(here, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return err_sys(e, "subdirectory %s of the repository", subdir);
		fd_drop(&here);
		here = next;
	}
	*ret = fd_take(&here);
	return 0;
}
