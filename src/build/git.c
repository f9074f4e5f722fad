#include "git_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/tree.h"
#include "base/vec.h"

void git_fini(struct git_source *g)
{
	free(g->url);
	free(g->ref);
	free(g->subdir);
	free(g->checksum);
	*g = (struct git_source){ 0 };
}

static void set(char **field, const char *value)
{
	free(*field);
	*field = *value ? x_strdup(value) : NULL;
}

/* Refs and URLs become arguments of git: none may look like an option or carry control bytes (T-F1). */
static int check_word(const char *what, const char *word, struct err *e)
{
	if (!word)
		return 0;
	if (word[0] == '-')
		return err_set(e, ERR_BUILD, "git %s \"%s\" begins with a dash", what, word);
	for (const char *p = word; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return err_set(e, ERR_BUILD, "git %s \"%s\" holds a blank or control character", what, word);
	return 0;
}

/* Each component a plain name: what is checked out decides nothing about where we look (T-F2). */
static int check_subdir(const char *subdir, struct err *e)
{
	for (const char *p = subdir; p && *p;) {
		size_t n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_set(e, ERR_BUILD, "git subdirectory \"%s\" leads out of the repository", subdir);
		p += n;
		p += strspn(p, "/");
	}
	return 0;
}

static int query_key(struct git_source *g, const char *key, const char *value, struct err *e)
{
	if (strcmp(key, "ref") == 0 || strcmp(key, "tag") == 0 || strcmp(key, "branch") == 0) {
		AUTO(free_drop)
		char *full = key[0] == 'r' ? x_strdup(value)
					   : x_asprintf("refs/%s/%s", key[0] == 't' ? "tags" : "heads", value);
		set(&g->ref, full);
	} else if (strcmp(key, "subdir") == 0) {
		set(&g->subdir, value);
	} else if (strcmp(key, "checksum") == 0 || strcmp(key, "commit") == 0) {
		set(&g->checksum, value);
	} else if (strcmp(key, "keep-git-dir") == 0) {
		g->has_keep_git_dir = true;
		g->keep_git_dir = !*value || strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
	} else if (strcmp(key, "submodules") == 0) {
		g->no_submodules = strcmp(value, "0") == 0 || strcmp(value, "false") == 0;
	} else if (strcmp(key, "mtime") != 0 && strcmp(key, "fetch-by-commit") != 0) {
		return err_set(e, ERR_BUILD, "unexpected query \"%s\" in a git URL", key);
	}
	return 0;
}

static int parse_query(struct git_source *g, char *query, struct err *e)
{
	char *save = NULL;
	for (char *pair = strtok_r(query, "&", &save); pair; pair = strtok_r(NULL, "&", &save)) {
		char *equals = strchr(pair, '=');
		if (equals)
			*equals = '\0';
		if (query_key(g, pair, equals ? equals + 1 : "", e) < 0)
			return -1;
	}
	return 0;
}

int git_parse(const char *text, struct git_source *ret, struct err *e)
{
	struct git_source g = { .url = x_strdup(text) };
	char *fragment = strchr(g.url, '#'), *query;
	if (fragment)
		*fragment++ = '\0';
	query = strchr(g.url, '?');
	if (query)
		*query++ = '\0';
	int r = query ? parse_query(&g, query, e) : 0;
	if (r == 0 && fragment) {
		char *colon = strchr(fragment, ':');
		if (colon)
			*colon++ = '\0';
		if (*fragment)
			set(&g.ref, fragment);
		if (colon && *colon)
			set(&g.subdir, colon);
	}
	if (r == 0)
		r = check_word("URL", g.url, e);
	if (r == 0)
		r = check_word("ref", g.ref, e);
	if (r == 0)
		r = check_subdir(g.subdir, e);
	if (r < 0)
		git_fini(&g);
	else
		*ret = g;
	return r;
}

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

enum { GIT_TIMEOUT_MS = 30 * 60 * 1000, GIT_OUTPUT_MAX = 4 << 20 };

static int git(const char *dir, const char *const *args, struct str *out, struct err *e)
{
	const char *argv[24] = { "git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=never", "-c",
				 "core.fsmonitor=false", "-c", "advice.detachedHead=false" };
	size_t n = 9;
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

static bool pick(const char *list, const char *ref, char commit[65])
{
	static const char *const prefixes[] = { "", "refs/tags/", "refs/heads/" };
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		AUTO(free_drop) char *name = x_asprintf("%s%s", prefixes[i], ref);
		if (find_commit(list, name, true, commit) || find_commit(list, name, false, commit))
			return true;
	}
	return false;
}

int git_resolve(struct git_source *g, struct err *e)
{
	AUTO(str_fini) struct str list = { 0 };
	const char *ref = g->ref ? g->ref : "HEAD";
	clean_environment();
	if (is_commit(ref)) {
		memcpy(g->commit, ref, strlen(ref) + 1);
	} else {
		if (git(NULL, (const char *const[]){ "ls-remote", "--end-of-options", g->url, NULL }, &list, e) < 0)
			return err_in(e, "ask %s for its refs", g->url);
		if (!pick(str_text(&list), ref, g->commit))
			return err_set(e, ERR_BUILD, "repository %s has no ref \"%s\"", g->url, ref);
	}
	if (g->checksum && !str_starts(g->commit, g->checksum))
		return err_set(e, ERR_INTEGRITY, "expected checksum to match %s, got commit %s", g->checksum,
			       g->commit);
	return 0;
}

static int drop_git_dirs(const char *path, struct err *e)
{
	AUTO(fd_drop) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || tree_remove(dir, ".git") < 0)
		return err_sys(e, "remove .git of the checkout");
	return 0;
}

int git_checkout(const struct git_source *g, const char *path, struct err *e)
{
	clean_environment();
	umask(022);
	if (git(path, (const char *const[]){ "init", "-q", NULL }, NULL, e) < 0 ||
	    git(path, (const char *const[]){ "remote", "add", "origin", g->url, NULL }, NULL, e) < 0)
		return -1;
	/* A server may refuse to give a commit that no ref names; then the ref is fetched, and must still be that
	 * commit. */
	if (git(path, (const char *const[]){ "fetch", "-q", "--depth=1", "--no-tags", "origin", g->commit, NULL }, NULL,
		e) < 0) {
		const char *ref = g->ref ? g->ref : "HEAD";
		if (git(path, (const char *const[]){ "fetch", "-q", "--depth=1", "--no-tags", "origin", ref, NULL },
			NULL, e) < 0)
			return err_in(e, "fetch %s", g->url);
	}
	if (git(path, (const char *const[]){ "checkout", "-q", "--detach", g->commit, NULL }, NULL, e) < 0)
		return err_in(e, "check out %s of %s", g->commit, g->url);
	if (!g->no_submodules) {
		const char *const submodules[] = { "submodule",   "update",    "-q", "--init",
						   "--recursive", "--depth=1", NULL };
		if (git(path, submodules, NULL, e) < 0)
			return err_in(e, "submodules of %s", g->url);
	}
	return g->keep_git_dir ? 0 : drop_git_dirs(path, e);
}
