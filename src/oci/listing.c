#include "oci/listing.h"

#include <fcntl.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "listing_priv.h"
#include "store/record.h"
#include "store/store.h"

static const char head[] = "nacre-listing 1\n";

/* ---- writing ---- */

static bool is_literal(char c)
{
	return (unsigned char)c > 0x20 && (unsigned char)c < 0x7f && c != '\\' && c != '=';
}

void listing_escape(struct str *out, const char *s)
{
	while (*s) {
		const char *from = s;
		while (is_literal(*s))
			s++;
		str_addn(out, from, (size_t)(s - from));
		if (*s)
			str_addf(out, "\\%03o", (unsigned char)*s++);
	}
}

/* A blank and the number in base 8 or 10, with at least so many digits. A layer has many lines: printf would be most of
 * the work of writing them. */
static void add_number(struct str *out, uint64_t v, unsigned base, unsigned digits)
{
	char text[24];
	char *p = text + sizeof text;
	for (; v || digits; v /= base, digits -= digits > 0)
		*--p = (char)('0' + v % base);
	*--p = ' ';
	str_addn(out, p, (size_t)(text + sizeof text - p));
}

static void add_hex(struct str *out, const char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		str_addc(out, digits[(unsigned char)bytes[i] >> 4]);
		str_addc(out, digits[(unsigned char)bytes[i] & 15]);
	}
}

static char kind_letter(const struct list_entry *entry)
{
	if (entry->kind == LIST_WHITEOUT)
		return 'w';
	return entry->kind == LIST_OPAQUE ? 'o' : (char)entry->tar.type;
}

void listing_add_line(struct str *out, const struct list_entry *entry)
{
	const struct tar_entry *t = &entry->tar;
	str_addc(out, kind_letter(entry));
	add_number(out, t->mode, 8, 4);
	add_number(out, t->uid, 10, 1);
	add_number(out, t->gid, 10, 1);
	add_number(out, t->size, 10, 1);
	if (t->mtime < 0)
		str_addf(out, " %lld", (long long)t->mtime);
	else
		add_number(out, (uint64_t)t->mtime, 10, 1);
	if (t->mtime_ns)
		str_addf(out, ".%09u", t->mtime_ns);
	if (t->type == TAR_CHAR || t->type == TAR_BLOCK)
		str_addf(out, " %u:%u", t->major, t->minor);
	else
		str_add(out, " -");
	str_addc(out, ' ');
	str_add(out, entry->has_digest ? digest_hex(&entry->digest).s : "-");
	str_addc(out, ' ');
	listing_escape(out, t->path);
	if (t->type == TAR_SYMLINK || t->type == TAR_HARDLINK) {
		str_addc(out, ' ');
		listing_escape(out, t->link);
	}
	for (size_t i = 0; i < t->xattrs.n; i++) {
		str_add(out, i ? " " : " xattr ");
		listing_escape(out, t->xattrs.v[i].name);
		str_addc(out, '=');
		add_hex(out, t->xattrs.v[i].value, t->xattrs.v[i].len);
	}
	str_addc(out, '\n');
}

void listing_add_text(struct str *out, const struct list_entry *entry)
{
	if (!out->len)
		str_add(out, head);
	listing_add_line(out, entry);
}

void listing_add_lines(struct str *out, const char *lines, size_t n)
{
	if (!out->len)
		str_add(out, head);
	str_addn(out, lines, n);
}

/* ---- reading ---- */

/* A word of the line, cut off it; NULL when there is none. */
static char *next_word(char **line)
{
	if (!*line)
		return NULL;
	char *word = *line, *blank = strchr(word, ' ');
	if (blank)
		*blank++ = '\0';
	*line = blank;
	return *word ? word : NULL;
}

/* In place. False for a broken escape, or one of a byte that needs none: paths are compared as they are written. */
static bool unescape(char *s)
{
	char *out = s;
	for (; *s; s++, out++) {
		if (*s != '\\') {
			*out = *s;
			continue;
		}
		char octal[4] = { 0 };
		uint64_t byte;
		memcpy(octal, s + 1, strnlen(s + 1, 3));
		if (strlen(octal) != 3 || !str_octal_to_u64(octal, UINT8_MAX, &byte) || byte == 0 ||
		    is_literal((char)byte))
			return false;
		*out = (char)byte;
		s += 3;
	}
	*out = '\0';
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; *n becomes the number of bytes. */
static bool unhex(char *s, size_t *n)
{
	size_t len = strlen(s);
	if (len % 2)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(s[i]), low = hex_digit(s[i + 1]);
		if (high < 0 || low < 0)
			return false;
		s[i / 2] = (char)(high << 4 | low);
	}
	*n = len / 2;
	return true;
}

static bool parse_kind(const char *word, struct list_entry *ret)
{
	if (!word || !*word || word[1])
		return false;
	ret->kind = *word == 'w' ? LIST_WHITEOUT : *word == 'o' ? LIST_OPAQUE : LIST_ENTRY;
	if (ret->kind != LIST_ENTRY)
		return true;
	ret->tar.type = (enum tar_type)word[0];
	return strchr("fdlhpcb", *word);
}

static bool parse_u32(const char *word, uint32_t *ret)
{
	uint64_t v;
	if (!word || !str_to_u64(word, UINT32_MAX, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool parse_mtime(char *word, struct tar_entry *ret)
{
	uint64_t v;
	if (!word)
		return false;
	bool negative = *word == '-';
	char *fraction = strchr(word, '.');
	if (fraction) {
		*fraction++ = '\0';
		if (strlen(fraction) != 9 || !parse_u32(fraction, &ret->mtime_ns))
			return false;
	}
	if (!str_to_u64(word + negative, negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, &v))
		return false;
	ret->mtime = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

static bool parse_device(char *word, struct tar_entry *ret)
{
	if (!word)
		return false;
	if (ret->type != TAR_CHAR && ret->type != TAR_BLOCK)
		return str_eq(word, "-");
	char *colon = strchr(word, ':');
	if (!colon)
		return false;
	*colon = '\0';
	return parse_u32(word, &ret->major) && parse_u32(colon + 1, &ret->minor);
}

static bool parse_digest(const char *word, struct list_entry *ret)
{
	char text[DIGEST_TEXT + 1] = "sha256:";
	struct err ignored;
	if (!word)
		return false;
	if (str_eq(word, "-"))
		return true;
	if (strlen(word) != DIGEST_HEX)
		return false;
	memcpy(text + 7, word, DIGEST_HEX);
	ret->has_digest = true;
	return digest_parse(text, &ret->digest, &ignored) == 0;
}

static bool parse_numbers(char **line, struct list_entry *ret)
{
	struct tar_entry *t = &ret->tar;
	const char *mode, *size;
	uint64_t bits;
	if (!(mode = next_word(line)) || !str_octal_to_u64(mode, 07777, &bits))
		return false;
	t->mode = (mode_t)bits;
	return parse_u32(next_word(line), &t->uid) && parse_u32(next_word(line), &t->gid) && (size = next_word(line)) &&
	       str_to_u64(size, INT64_MAX, &t->size) && parse_mtime(next_word(line), t) &&
	       parse_device(next_word(line), t) && parse_digest(next_word(line), ret);
}

static bool parse_xattrs(char **line, struct tar_xattrs *ret)
{
	char *word = next_word(line);
	if (!str_eq(word, "xattr"))
		return false;
	while (*line) {
		size_t n;
		char *equals;
		if (!(word = next_word(line)) || !(equals = strchr(word, '=')))
			return false;
		*equals = '\0';
		if (!*word || !unescape(word) || !unhex(equals + 1, &n))
			return false;
		tar_xattrs_add(ret, word, equals + 1, n);
	}
	return ret->n > 0 && ret->n <= LIMIT_XATTRS;
}

static bool parse_line(char *line, struct list_entry *ret)
{
	struct tar_entry *t = &ret->tar;
	char *path, *link;
	if (!parse_kind(next_word(&line), ret) || !parse_numbers(&line, ret))
		return false;
	if (!(path = next_word(&line)) || !unescape(path) || path_has_dotdot(path) || *path == '/')
		return false;
	t->path = x_strdup(path);
	if (t->type == TAR_SYMLINK || t->type == TAR_HARDLINK) {
		if (!(link = next_word(&line)) || !unescape(link))
			return false;
		t->link = x_strdup(link);
	}
	return !line || parse_xattrs(&line, &t->xattrs);
}

static int parse_lines(char *text, const char *name, listing_fn *fn, void *ctx, struct err *e)
{
	char *line = text + sizeof head - 1;
	for (size_t number = 2; *line; number++) {
		struct list_entry entry = { 0 };
		char *end = strchr(line, '\n');
		if (!end)
			return err_set(e, ERR_SPEC, "%s: line %zu has no end", name, number);
		*end = '\0';
		int r = parse_line(line, &entry)
				? fn(ctx, &entry, (size_t)(line - text), e)
				: err_set(e, ERR_SPEC, "%s: line %zu is no entry of a listing", name, number);
		tar_entry_fini(&entry.tar);
		if (r < 0)
			return -1;
		line = end + 1;
	}
	return 0;
}

/* Of a text that is cut up on the way; it may be long, so there is no copy of it. */
static int walk_text(char *text, size_t n, const char *name, listing_fn *fn, void *ctx, struct err *e)
{
	if (n < sizeof head - 1 || memcmp(text, head, sizeof head - 1) != 0)
		return err_set(e, ERR_SPEC, "%s is no listing", name);
	if (memchr(text, '\0', n))
		return err_set(e, ERR_SPEC, "%s: NUL in a listing", name);
	return parse_lines(text, name, fn, ctx, e);
}

static int keep_entry(void *ctx, struct list_entry *entry, size_t at, struct err *e)
{
	struct listing *l = ctx;
	(void)at;
	(void)e;
	vec_push(l, *entry);
	*entry = (struct list_entry){ 0 };
	return 0;
}

static int parse_text(char *text, size_t n, const char *name, struct listing *ret, struct err *e)
{
	struct listing l = { 0 };
	if (walk_text(text, n, name, keep_entry, &l, e) < 0) {
		listing_fini(&l);
		return -1;
	}
	*ret = l;
	return 0;
}

int listing_parse(const char *bytes, size_t n, const char *name, struct listing *ret, struct err *e)
{
	AUTO(free_drop) char *text = x_strndup(bytes, n);
	return parse_text(text, n, name, ret, e);
}

void listing_fini(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		tar_entry_fini(&l->v[i].tar);
	vec_fini(l);
}

/* ---- in the store ---- */

static char *record_name(const struct diffid *d)
{
	return x_asprintf("list/%s", digest_hex(&d->d).s);
}

/* Leaves of the text what the scope asks for; false when that cannot be told. */
static bool select_part(struct str *text, const struct list_scope *scope)
{
	struct str part = { 0 };
	if (text->len < sizeof head - 1)
		return true; /* it is broken in any case */
	str_addn(&part, text->buf, sizeof head - 1);
	bool plain = list_scope_select(scope, text->buf + sizeof head - 1, text->len - (sizeof head - 1), &part);
	str_fini(text);
	*text = part;
	return plain;
}

int listing_load(struct store *s, const struct diffid *d, struct listing *ret, struct err *e)
{
	static const struct list_scope everything;
	return listing_load_part(s, d, &everything, ret, e);
}

int listing_load_part(struct store *s, const struct diffid *d, const struct list_scope *scope, struct listing *ret,
		      struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(free_drop) char *name = record_name(d);
	struct err broken;
	int found = store_file_get(s, name, LIMIT_LISTING, &text, e);
	if (found != 0)
		return found;
	if (scope->paths.n && !select_part(&text, scope))
		return 2;
	if (text.len && parse_text(text.buf, text.len, name, ret, &broken) == 0)
		return 0;
	if (!text.len)
		err_set(&broken, ERR_SPEC, "%s is empty", name);
	/* It can be made again from the layer. */
	log_debug("%s; read as absent", broken.msg);
	return 1;
}

int listing_walk(struct store *s, const struct diffid *d, listing_fn *fn, void *ctx, struct err *e)
{
	AUTO(str_fini) struct str text = { 0 };
	AUTO(free_drop) char *name = record_name(d);
	int found = store_file_get(s, name, LIMIT_LISTING, &text, e);
	return found ? found : walk_text((char *)str_text(&text), text.len, name, fn, ctx, e);
}

int listing_open(struct store *s, const struct diffid *d, int *ret_fd, struct err *e)
{
	AUTO(free_drop) char *name = record_name(d);
	int fd = openat(s->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s of the store %s", name, s->path);
	*ret_fd = fd;
	return 0;
}

int listing_save(struct store *s, const struct diffid *d, const struct str *text, struct err *e)
{
	if (text->len > LIMIT_LISTING)
		return err_set(e, ERR_LIMIT, "layer sha256:%s: its list of files is larger than %u bytes",
			       digest_hex(&d->d).s, LIMIT_LISTING);
	AUTO(free_drop) char *name = record_name(d);
	if (!text->len)
		return store_file_put(s, name, head, sizeof head - 1, e);
	return store_file_put(s, name, text->buf, text->len, e);
}
