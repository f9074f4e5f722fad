#include "pax_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"

struct record {
	char *key;   /* NUL-terminated, in a copy of the header */
	char *value; /* NUL-terminated too, but may hold others */
	size_t n;
	const char *name; /* the archive's */
};

static int refuse(const struct record *r, struct err *e)
{
	return err_set(e, ERR_SPEC, "%s: bad value of pax record %.100s", r->name, r->key);
}

static int take_text(const struct record *r, char **ret, struct err *e)
{
	if (strlen(r->value) != r->n)
		return err_set(e, ERR_SPEC, "%s: NUL in pax record %s", r->name, r->key);
	if (r->n > LIMIT_TAR_PATH)
		return err_set(e, ERR_LIMIT, "%s: pax record %s is longer than %u bytes", r->name, r->key,
			       LIMIT_TAR_PATH);
	free(*ret);
	*ret = r->n ? x_strdup(r->value) : NULL;
	return 0;
}

static int take_number(const struct record *r, uint64_t *ret, struct err *e)
{
	if (strlen(r->value) != r->n || !str_to_u64(r->value, INT64_MAX, ret))
		return refuse(r, e);
	return 0;
}

static int take_field(const struct record *r, enum pax_state *state, uint64_t *ret, struct err *e)
{
	*state = r->n ? PAX_SET : PAX_EMPTY;
	return r->n ? take_number(r, ret, e) : 0;
}

/* "[-]SECONDS[.FRACTION]"; a negative time with a fraction is rounded down, as struct timespec wants it. */
static bool parse_time(const char *text, struct pax_time *ret)
{
	bool negative = *text == '-';
	AUTO(free_drop) char *whole = x_strdup(text + negative);
	char *fraction = strchr(whole, '.');
	uint64_t s;
	uint32_t ns = 0, unit = 100000000;
	if (fraction)
		*fraction++ = '\0';
	if (!str_to_u64(whole, INT64_MAX - 1, &s))
		return false;
	for (; fraction && *fraction; fraction++, unit /= 10) {
		if (*fraction < '0' || *fraction > '9')
			return false;
		ns += unit * (uint32_t)(*fraction - '0');
	}
	*ret = (struct pax_time){ negative ? -(int64_t)s : (int64_t)s, ns };
	if (negative && ns)
		*ret = (struct pax_time){ -(int64_t)s - 1, 1000000000 - ns };
	return true;
}

static int take_time(const struct record *r, enum pax_state *state, struct pax_time *ret, struct err *e)
{
	*state = r->n ? PAX_SET : PAX_EMPTY;
	if (r->n && (strlen(r->value) != r->n || !parse_time(r->value, ret)))
		return refuse(r, e);
	return 0;
}

static int take_xattr(struct pax *p, const struct record *r, const char *name, const char *value, size_t n,
		      struct err *e)
{
	if (!*name)
		return err_set(e, ERR_SPEC, "%s: attribute without a name", r->name);
	if (strlen(name) > LIMIT_NAME)
		return err_set(e, ERR_LIMIT, "%s: attribute name longer than %u bytes", r->name, LIMIT_NAME);
	if (n > LIMIT_XATTR_VALUE)
		return err_set(e, ERR_LIMIT, "%s: attribute %s is larger than %u bytes", r->name, name,
			       LIMIT_XATTR_VALUE);
	tar_xattrs_add(&p->xattrs, name, value, n);
	if (p->xattrs.n > LIMIT_XATTRS)
		return err_set(e, ERR_LIMIT, "%s: more than %u attributes on one member", r->name, LIMIT_XATTRS);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. A '%' that no two digits follow stands for itself; an encoded NUL can be no name. */
static bool url_decode(char *text)
{
	char *out = text;
	for (const char *p = text; *p; p++) {
		int high = *p == '%' ? hex_digit(p[1]) : -1, low = high < 0 ? -1 : hex_digit(p[2]);
		if (low >= 0) {
			*out = (char)(high << 4 | low);
			if (!*out)
				return false;
			p += 2;
		} else {
			*out = *p;
		}
		out++;
	}
	*out = '\0';
	return true;
}

/* libarchive writes each attribute in both forms; where they differ, the exact bytes of the other one count. */
static int take_libarchive_xattr(struct pax *p, const struct record *r, char *name, struct err *e)
{
	AUTO(str_fini) struct str value = { 0 };
	if (!url_decode(name) || strlen(r->value) != r->n || !base64_decode(r->value, &value))
		return refuse(r, e);
	for (size_t i = 0; i < p->xattrs.n; i++)
		if (str_eq(p->xattrs.v[i].name, name))
			return 0;
	return take_xattr(p, r, name, str_text(&value), value.len, e);
}

static int take_span(struct pax *p, const struct record *r, bool is_offset, struct err *e)
{
	uint64_t v;
	if (p->span_open == is_offset)
		return err_set(e, ERR_SPEC, "%s: sparse offsets and lengths do not alternate", r->name);
	if (take_number(r, &v, e) < 0)
		return -1;
	p->span_open = is_offset;
	if (is_offset)
		return spans_add(&p->spans, v, 0, r->name, e);
	p->spans.v[p->spans.n - 1].len = v;
	return 0;
}

static int take_sparse(struct pax *p, const struct record *r, struct err *e)
{
	const char *key = r->key + strlen("GNU.sparse.");
	p->is_sparse = true;
	if (str_eq(key, "name"))
		return take_text(r, &p->sparse_name, e);
	if (str_eq(key, "major"))
		return take_number(r, &p->major, e);
	if (str_eq(key, "minor"))
		return take_number(r, &p->minor, e);
	if (str_eq(key, "numblocks"))
		return take_number(r, &p->count, e);
	if (str_eq(key, "offset"))
		return take_span(p, r, true, e);
	if (str_eq(key, "numbytes"))
		return take_span(p, r, false, e);
	if (str_eq(key, "size") || str_eq(key, "realsize")) {
		p->has_realsize = true;
		return take_number(r, &p->realsize, e);
	}
	if (!str_eq(key, "map") || p->spans.n || strlen(r->value) != r->n)
		return refuse(r, e);
	p->has_map = true;
	return sparse_parse_list(r->value, r->name, &p->spans, e);
}

static int take_record(struct pax *p, const struct record *r, struct err *e)
{
	static const char schily[] = "SCHILY.xattr.", libarchive[] = "LIBARCHIVE.xattr.";
	if (str_eq(r->key, "path"))
		return take_text(r, &p->path, e);
	if (str_eq(r->key, "linkpath"))
		return take_text(r, &p->linkpath, e);
	if (str_eq(r->key, "size"))
		return take_field(r, &p->has_size, &p->size, e);
	if (str_eq(r->key, "uid"))
		return take_field(r, &p->has_uid, &p->uid, e);
	if (str_eq(r->key, "gid"))
		return take_field(r, &p->has_gid, &p->gid, e);
	if (str_eq(r->key, "mtime"))
		return take_time(r, &p->has_mtime, &p->mtime, e);
	if (str_starts(r->key, schily))
		return take_xattr(p, r, r->key + sizeof schily - 1, r->value, r->n, e);
	if (str_starts(r->key, libarchive))
		return take_libarchive_xattr(p, r, r->key + sizeof libarchive - 1, e);
	if (str_starts(r->key, "GNU.sparse."))
		return take_sparse(p, r, e);
	/* Its data would need a map of its own to be put in place. */
	if (str_eq(r->key, "SUN.holesdata"))
		return err_set(e, ERR_SPEC, "%s: sparse files of Solaris tar are not supported", r->name);
	return 0;
}

/* Cuts the record that starts at `at` out of the text; 0 and its length, or -1. */
static int cut_record(char *at, size_t left, struct record *r, size_t *ret_len, struct err *e)
{
	char *blank = memchr(at, ' ', left < 20 ? left : 20);
	uint64_t len;
	if (!blank)
		return err_set(e, ERR_SPEC, "%s: broken pax record", r->name);
	*blank = '\0';
	if (!str_to_u64(at, SIZE_MAX, &len) || len > left || (size_t)(blank - at) + 2 >= len || at[len - 1] != '\n')
		return err_set(e, ERR_SPEC, "%s: broken pax record", r->name);
	if (len > LIMIT_PAX_RECORD)
		return err_set(e, ERR_LIMIT, "%s: pax record of more than %u bytes", r->name, LIMIT_PAX_RECORD);
	at[len - 1] = '\0';
	r->key = blank + 1;
	char *equals = memchr(r->key, '=', (size_t)(at + len - 1 - r->key));
	if (!equals || equals == r->key || memchr(r->key, '\0', (size_t)(equals - r->key)))
		return err_set(e, ERR_SPEC, "%s: broken pax record", r->name);
	*equals = '\0';
	r->value = equals + 1;
	r->n = (size_t)(at + len - 1 - r->value);
	*ret_len = (size_t)len;
	return 0;
}

int pax_parse(const char *bytes, size_t n, const char *name, struct pax *ret, struct err *e)
{
	AUTO(free_drop) char *copy = x_strndup(bytes, n);
	for (size_t at = 0; at < n;) {
		struct record r = { .name = name };
		size_t len;
		if (cut_record(copy + at, n - at, &r, &len, e) < 0 || take_record(ret, &r, e) < 0)
			return -1;
		at += len;
	}
	if (ret->span_open)
		return err_set(e, ERR_SPEC, "%s: sparse offsets and lengths do not alternate", name);
	return 0;
}

void pax_fini(struct pax *p)
{
	free(p->path);
	free(p->linkpath);
	free(p->sparse_name);
	tar_xattrs_fini(&p->xattrs);
	vec_fini(&p->spans);
	*p = (struct pax){ 0 };
}
