/* What package managers write, as far as it names packages. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sbom_priv.h"

static void package_drop(struct sbom_package *p)
{
	free(p->name);
	free(p->version);
	free(p->epoch);
	free(p->arch);
	free(p->license);
	free(p->maintainer);
	free(p->path);
	*p = (struct sbom_package){ 0 };
}

void sbom_packages_fini(struct sbom_packages *l)
{
	for (size_t i = 0; i < l->n; i++)
		package_drop(&l->v[i]);
	vec_fini(l);
}

int sbom_add(struct sbom_packages *l, struct sbom_package *p, enum sbom_source source, const char *path, struct err *e)
{
	struct sbom_package taken = *p;
	*p = (struct sbom_package){ 0 };
	if (!taken.name || !*taken.name || !taken.version || !*taken.version) {
		package_drop(&taken);
		return 0;
	}
	if (l->n == LIMIT_SBOM_PACKAGES) {
		package_drop(&taken);
		return err_set(e, ERR_LIMIT, "more than %u packages", LIMIT_SBOM_PACKAGES);
	}
	taken.source = source;
	taken.path = x_strdup(path);
	vec_push(l, taken);
	return 0;
}

/* ---- stanzas: "Name: value" lines up to an empty one, lines that begin with a blank go on with a value ---- */

struct lines {
	const char *at, *end;
};

static bool next_line(struct lines *l, const char **ret, size_t *ret_n)
{
	if (l->at == l->end)
		return false;
	const char *stop = memchr(l->at, '\n', (size_t)(l->end - l->at));
	*ret = l->at;
	*ret_n = (size_t)((stop ? stop : l->end) - l->at);
	l->at = stop ? stop + 1 : l->end;
	if (*ret_n && (*ret)[*ret_n - 1] == '\r')
		(*ret_n)--;
	return true;
}

/* Which field of a package a name is, by who wrote the stanza. */
static char **field_of(struct sbom_package *p, enum sbom_source source, const char *name, size_t n)
{
	const struct { const char *dpkg, *apk, *python; char **field; } fields[] = {
		{ "Package", "P", "Name", &p->name },
		{ "Version", "V", "Version", &p->version },
		{ "Architecture", "A", NULL, &p->arch },
		{ NULL, "L", "License", &p->license },
		{ "Maintainer", "m", NULL, &p->maintainer },
	};
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *want = source == SBOM_APK ? fields[i].apk : source == SBOM_PYTHON ? fields[i].python : fields[i].dpkg;
		/* Python's are those of mail, in any case. */
		if (want && strlen(want) == n &&
		    (source == SBOM_PYTHON ? strncasecmp(want, name, n) : strncmp(want, name, n)) == 0)
			return fields[i].field;
	}
	return NULL;
}

char *sbom_value(const char *text, size_t n)
{
	while (n && (*text == ' ' || *text == '\t')) {
		text++;
		n--;
	}
	while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	return x_strndup(text, n < LIMIT_SBOM_VALUE ? n : LIMIT_SBOM_VALUE);
}

static bool is_installed(const char *status, size_t n)
{
	AUTO(free_drop) char *text = sbom_value(status, n);
	return str_ends(text, " installed");
}

static int parse_stanzas(enum sbom_source source, const char *path, const char *bytes, size_t n, struct sbom_packages *ret,
			 struct err *e)
{
	struct lines lines = { bytes, bytes + n };
	struct sbom_package p = { 0 };
	bool counts = source != SBOM_DPKG;
	const char *line;
	size_t len;
	int r = 0;
	while (r == 0 && next_line(&lines, &line, &len)) {
		const char *colon = memchr(line, ':', len);
		if (!len) {
			if (!counts)
				package_drop(&p);
			r = sbom_add(ret, &p, source, path, e);
			counts = source != SBOM_DPKG;
			if (source == SBOM_PYTHON)
				break; /* what follows is prose */
			continue;
		}
		if (!colon || *line == ' ' || *line == '\t')
			continue;
		size_t name = (size_t)(colon - line), rest = len - name - 1;
		char **field = field_of(&p, source, line, name);
		if (field && !*field)
			*field = sbom_value(colon + 1, rest);
		else if (source == SBOM_DPKG && name == 6 && memcmp(line, "Status", 6) == 0)
			counts = is_installed(colon + 1, rest);
	}
	if (r == 0 && counts)
		r = sbom_add(ret, &p, source, path, e);
	package_drop(&p);
	return r;
}

/* ---- npm ---- */

static char *copy_value(const char *text)
{
	return text ? sbom_value(text, strlen(text)) : NULL;
}

static int parse_npm(const char *path, const char *bytes, size_t n, struct sbom_packages *ret, struct err *e)
{
	AUTO(json_fini) struct json j = { 0 };
	struct err ignored;
	/* Modules carry files of this name that are inputs of tests, and broken on purpose. */
	if (json_parse(bytes, n, path, &j, &ignored) < 0)
		return 0;
	const char *license = json_str(&j, "license");
	struct sbom_package p = {
		.name = copy_value(json_str(&j, "name")),
		.version = copy_value(json_str(&j, "version")),
		.license = copy_value(license ? license : json_str(json_get(&j, "license"), "type")),
	};
	return sbom_add(ret, &p, SBOM_NPM, path, e);
}

/* ---- cargo: the part of TOML that Cargo writes, [[package]] and NAME = "VALUE" ---- */

static char *quoted(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);
	if (len < n + 5 || strncmp(line, name, n) != 0 || strncmp(line + n, " = \"", 4) != 0 || line[len - 1] != '"')
		return NULL;
	return sbom_value(line + n + 4, len - n - 5);
}

static int parse_cargo(const char *path, const char *bytes, size_t n, struct sbom_packages *ret, struct err *e)
{
	struct lines lines = { bytes, bytes + n };
	struct sbom_package p = { 0 };
	const char *line;
	size_t len;
	int r = 0;
	while (r == 0 && next_line(&lines, &line, &len)) {
		if (len && *line == '[') {
			r = sbom_add(ret, &p, SBOM_CARGO, path, e);
			continue;
		}
		if (!p.name)
			p.name = quoted(line, len, "name");
		if (!p.version)
			p.version = quoted(line, len, "version");
	}
	if (r == 0)
		r = sbom_add(ret, &p, SBOM_CARGO, path, e);
	package_drop(&p);
	return r;
}

/* ---- Go: KIND, PATH, VERSION and checksum with tabs between them; "=>" says what the module before was replaced by ---- */

static char *go_field(const char **at, const char *end)
{
	const char *tab = memchr(*at, '\t', (size_t)(end - *at)), *stop = tab ? tab : end;
	char *value = sbom_value(*at, (size_t)(stop - *at));
	*at = tab ? tab + 1 : end;
	return value;
}

static void take_module(struct sbom_package *p, const char *kind, const char *at, const char *end)
{
	package_drop(p);
	p->name = go_field(&at, end);
	p->version = go_field(&at, end);
	if (strcmp(kind, "go") == 0) { /* "go1.22.1 X:experiment", of which the library is as old */
		free(p->version);
		p->version = str_starts(p->name, "go1") ? x_strndup(p->name + 2, strcspn(p->name + 2, " ")) : NULL;
		free(p->name);
		p->name = x_strdup("stdlib");
	} else if (strcmp(p->version, "(devel)") == 0) {
		*p->version = '\0'; /* built where it was written: no version of it is known */
	}
}

static int parse_go(const char *path, const char *bytes, size_t n, struct sbom_packages *ret, struct err *e)
{
	struct lines lines = { bytes, bytes + n };
	struct sbom_package p = { 0 };
	const char *line;
	size_t len;
	int r = 0;
	while (r == 0 && next_line(&lines, &line, &len)) {
		const char *at = line, *end = line + len;
		AUTO(free_drop) char *kind = go_field(&at, end);
		bool replaces = strcmp(kind, "=>") == 0;
		if (!replaces)
			r = sbom_add(ret, &p, SBOM_GO, path, e);
		if (r == 0 && (replaces || strcmp(kind, "go") == 0 || strcmp(kind, "mod") == 0 || strcmp(kind, "dep") == 0))
			take_module(&p, kind, at, end);
	}
	if (r == 0)
		r = sbom_add(ret, &p, SBOM_GO, path, e);
	package_drop(&p);
	return r;
}

int sbom_parse(enum sbom_source source, const char *path, const char *bytes, size_t n, struct sbom_packages *ret,
	       struct err *e)
{
	/* Strings end at a NUL; what follows one in a text is not part of it. */
	n = strnlen(bytes, n);
	switch (source) {
	case SBOM_DPKG:
	case SBOM_DPKG_PART:
	case SBOM_APK:
	case SBOM_PYTHON:
		return parse_stanzas(source, path, bytes, n, ret, e);
	case SBOM_NPM:
		return parse_npm(path, bytes, n, ret, e);
	case SBOM_CARGO:
		return parse_cargo(path, bytes, n, ret, e);
	case SBOM_GO:
		return parse_go(path, bytes, n, ret, e);
	case SBOM_RPM:
		break; /* of which there is no text */
	}
	return 0;
}

/* ID=debian or VERSION_ID="12": os-release(5). */
static void take_assignment(const char *line, size_t len, const char *name, char **ret)
{
	size_t n = strlen(name);
	if (*ret || len <= n + 1 || strncmp(line, name, n) != 0 || line[n] != '=')
		return;
	const char *value = line + n + 1;
	size_t m = len - n - 1;
	if (m >= 2 && (*value == '"' || *value == '\'') && value[m - 1] == *value) {
		value++;
		m -= 2;
	}
	*ret = sbom_value(value, m);
}

void sbom_parse_release(const char *bytes, size_t n, char **ret_id, char **ret_version)
{
	struct lines lines = { bytes, bytes + strnlen(bytes, n) };
	const char *line;
	size_t len;
	*ret_id = *ret_version = NULL;
	while (next_line(&lines, &line, &len)) {
		take_assignment(line, len, "ID", ret_id);
		take_assignment(line, len, "VERSION_ID", ret_version);
	}
}
