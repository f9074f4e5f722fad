/* What a text says about a git repository: whether it names one, and which part of it (ADD-07, ADD-10). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "registry/secret.h"
#include "git_priv.h"

void git_fini(struct git_source *g)
{
	free(g->url);
	free(g->ref);
	free(g->subdir);
	free(g->checksum);
	secret_drop(&g->auth);
	*g = (struct git_source){ 0 };
}

/* USER@HOST:PATH, as scp has it. */
static bool is_scp_like(const char *text)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	size_t user = strspn(text, word);
	if (!user || text[user] != '@')
		return false;
	size_t n = strspn(text + user + 1, host);
	return n && text[user + 1 + n] == ':';
}

bool git_is_source(const char *text)
{
	if (str_starts(text, "git://") || str_starts(text, "ssh://") || is_scp_like(text))
		return true;
	if (!str_starts(text, "http://") && !str_starts(text, "https://"))
		return false;
	AUTO(free_drop) char *path = x_strndup(text, strcspn(text, "#?"));
	return str_ends(path, ".git");
}

bool git_is_context(const char *text)
{
	return git_is_source(text) || str_starts(text, "github.com/");
}

char *git_url_shown(const char *url)
{
	const char *host = strstr(url, "://");
	if (!host)
		return x_strdup(url);
	host += 3;
	size_t n = strcspn(host, "/?#@");
	if (host[n] != '@')
		return x_strdup(url);
	return x_asprintf("%.*s%s", (int)(host - url), url, host + n + 1);
}

/* ---- the parts ---- */

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

/* A field that the fragment, or another key, may have set already. */
static int set_once(char **field, const char *what, const char *value, struct err *e)
{
	if (*field && strcmp(*field, value) != 0)
		return err_set(e, ERR_BUILD, "a git URL with two values for its %s: \"%s\" and \"%s\"", what, *field,
			       value);
	free(*field);
	*field = x_strdup(value);
	return 0;
}

static int set_full_ref(struct git_source *g, const char *prefix, const char *value, struct err *e)
{
	AUTO(free_drop) char *full = str_starts(value, prefix) ? x_strdup(value) : x_asprintf("%s%s", prefix, value);
	return set_once(&g->ref, "ref", full, e);
}

/* As Go's strconv.ParseBool; nothing at all means yes. */
static int parse_bool(const char *key, const char *value, bool *ret, struct err *e)
{
	static const char *const yes[] = { "", "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (strcmp(value, yes[i]) == 0) {
			*ret = true;
			return 0;
		}
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		if (strcmp(value, no[i]) == 0) {
			*ret = false;
			return 0;
		}
	return err_set(e, ERR_BUILD, "invalid %s value in a git URL: \"%s\"", key, value);
}

static int query_flag(struct git_source *g, const char *key, const char *value, bool *ret_known, struct err *e)
{
	bool on = false;
	*ret_known = strcmp(key, "keep-git-dir") == 0 || strcmp(key, "submodules") == 0 ||
		     strcmp(key, "fetch-by-commit") == 0;
	if (!*ret_known)
		return 0;
	if (parse_bool(key, value, &on, e) < 0)
		return -1;
	if (key[0] == 'k') {
		g->has_keep_git_dir = true;
		g->keep_git_dir = on;
	} else if (key[0] == 's') {
		g->no_submodules = !on;
	}
	return 0; /* commits are fetched by their ids in any case */
}

static int query_key(struct git_source *g, const char *key, const char *value, struct err *e)
{
	bool known;
	if (query_flag(g, key, value, &known, e) < 0)
		return -1;
	if (known)
		return 0;
	if (!*value)
		return err_set(e, ERR_BUILD, "query \"%s\" in a git URL has no value", key);
	if (strcmp(key, "ref") == 0)
		return set_once(&g->ref, "ref", value, e);
	if (strcmp(key, "tag") == 0)
		return set_full_ref(g, "refs/tags/", value, e);
	if (strcmp(key, "branch") == 0)
		return set_full_ref(g, "refs/heads/", value, e);
	if (strcmp(key, "subdir") == 0)
		return set_once(&g->subdir, "subdirectory", value, e);
	if (strcmp(key, "checksum") == 0 || strcmp(key, "commit") == 0)
		return set_once(&g->checksum, "checksum", value, e);
	if (strcmp(key, "mtime") != 0)
		return err_set(e, ERR_BUILD, "unexpected query \"%s\" in a git URL", key);
	g->has_mtime = true;
	g->commit_times = strcmp(value, "commit") == 0;
	if (!g->commit_times && strcmp(value, "checkout") != 0)
		return err_set(e, ERR_BUILD, "invalid mtime value in a git URL: \"%s\"; commit or checkout is wanted",
			       value);
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes %XX in place (RFC 3986, section 2.1); what is malformed stays as it is. */
static void percent_decode(char *s)
{
	char *to = s;
	for (; *s; s++) {
		int high = s[0] == '%' ? hex_value(s[1]) : -1;
		int low = high >= 0 ? hex_value(s[2]) : -1;
		if (low >= 0 && (high || low)) {
			*to++ = (char)(high * 16 + low);
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static int parse_query(struct git_source *g, char *query, struct err *e)
{
	char *save = NULL;
	for (char *pair = strtok_r(query, "&", &save); pair; pair = strtok_r(NULL, "&", &save)) {
		char *equals = strchr(pair, '=');
		if (equals) {
			*equals = '\0';
			percent_decode(equals + 1);
		}
		if (query_key(g, pair, equals ? equals + 1 : "", e) < 0)
			return -1;
	}
	return 0;
}

static int parse_fragment(struct git_source *g, char *fragment, struct err *e)
{
	char *colon = strchr(fragment, ':');
	if (colon)
		*colon++ = '\0';
	if (*fragment && set_once(&g->ref, "ref", fragment, e) < 0)
		return -1;
	return colon && *colon ? set_once(&g->subdir, "subdirectory", colon, e) : 0;
}

static int parse_parts(struct git_source *g, struct err *e)
{
	char *fragment = strchr(g->url, '#'), *query;
	if (fragment)
		*fragment++ = '\0';
	query = strchr(g->url, '?');
	if (query)
		*query++ = '\0';
	if (fragment && parse_fragment(g, fragment, e) < 0)
		return -1;
	if (query && parse_query(g, query, e) < 0)
		return -1;
	if (g->checksum && strspn(g->checksum, "0123456789abcdefABCDEF") != strlen(g->checksum))
		return err_set(e, ERR_BUILD, "invalid checksum \"%s\" for a git URL: hex digits of a commit are wanted",
			       g->checksum);
	if (g->checksum && !g->ref)
		g->ref = x_strdup(g->checksum);
	if (check_word("URL", g->url, e) < 0 || check_word("ref", g->ref, e) < 0)
		return -1;
	return check_subdir(g->subdir, e);
}

int git_parse(const char *text, struct git_source *ret, struct err *e)
{
	bool bare = str_starts(text, "github.com/");
	struct git_source g = { .url = x_asprintf("%s%s", bare ? "https://" : "", text) };
	if (parse_parts(&g, e) < 0) {
		git_fini(&g);
		return -1;
	}
	*ret = g;
	return 0;
}
