#include "oci/platform.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "document_priv.h"
#include "platform_priv.h"

/*
 * The rules of containerd's platforms package, on which Docker, BuildKit and the registries' clients agree: the words
 * of Go's GOOS and GOARCH, a few aliases, and a variant for arm (v5 to v8), arm64 (v8 unless said) and amd64 (v1 unless
 * said).
 */
static const struct {
	const char *alias, *arch, *variant; /* variant NULL: keep what was said */
} arch_aliases[] = {
	{ "i386", "386", "" },        { "x86_64", "amd64", NULL }, { "x86-64", "amd64", NULL },
	{ "aarch64", "arm64", NULL }, { "armhf", "arm", "v7" },    { "armel", "arm", "v6" },
};

static const char *const known_os[] = {
	"aix",   "android", "darwin",  "dragonfly", "freebsd", "illumos", "ios",     "js",  "linux",
	"macos", "netbsd",  "openbsd", "plan9",     "solaris", "wasip1",  "windows", "zos",
};

static const char *const known_arch[] = {
	"386",      "amd64",  "arm",   "arm64",   "loong64", "mips",  "mips64",
	"mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x", "wasm",
};

static bool is_one_of(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

static void normalise_arch(struct platform *p)
{
	str_lower(p->arch);
	str_lower(p->variant);
	for (size_t i = 0; i < ARRAY_LEN(arch_aliases); i++) {
		if (strcmp(p->arch, arch_aliases[i].alias) != 0)
			continue;
		strcpy(p->arch, arch_aliases[i].arch);
		if (arch_aliases[i].variant)
			strcpy(p->variant, arch_aliases[i].variant);
		break;
	}
	if (strcmp(p->arch, "amd64") == 0 && strcmp(p->variant, "v1") == 0)
		p->variant[0] = '\0';
	if (strcmp(p->arch, "arm64") == 0 && (strcmp(p->variant, "8") == 0 || strcmp(p->variant, "v8") == 0))
		p->variant[0] = '\0';
	if (strcmp(p->arch, "arm") == 0 && !p->variant[0])
		strcpy(p->variant, "v7");
	if (strcmp(p->arch, "arm") == 0 && p->variant[0] >= '5' && p->variant[0] <= '8' && !p->variant[1])
		memcpy(p->variant, (char[]){ 'v', p->variant[0], '\0' }, 3);
}

static void normalise(struct platform *p)
{
	str_lower(p->os);
	if (strcmp(p->os, "macos") == 0)
		strcpy(p->os, "darwin");
	normalise_arch(p);
}

#if defined __x86_64__
#define HOST_ARCH "amd64"
#elif defined __aarch64__
#define HOST_ARCH "arm64"
#elif defined __arm__
#define HOST_ARCH "arm"
#elif defined __i386__
#define HOST_ARCH "386"
#elif defined __riscv && __riscv_xlen == 64
#define HOST_ARCH "riscv64"
#elif defined __powerpc64__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_ARCH "ppc64le"
#elif defined __powerpc64__
#define HOST_ARCH "ppc64"
#elif defined __s390x__
#define HOST_ARCH "s390x"
#elif defined __loongarch64
#define HOST_ARCH "loong64"
#elif defined __mips64 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_ARCH "mips64le"
#else
#error "add this architecture under its GOARCH name"
#endif

/* What we were built for, not what the kernel is: on a 64-bit kernel a 32-bit userland wants 32-bit images. */
void platform_host(struct platform *ret)
{
	struct utsname u;
	*ret = (struct platform){ .os = "linux", .arch = HOST_ARCH };
	/* "armv7l": the kernel's name of the CPU is the only place where 32-bit arm tells its version. */
	if (strcmp(HOST_ARCH, "arm") == 0 && uname(&u) == 0 && str_starts(u.machine, "armv") && u.machine[4] >= '5' &&
	    u.machine[4] <= '8')
		snprintf(ret->variant, sizeof ret->variant, "v%c", u.machine[4]);
	normalise(ret);
}

static bool put_word(char *to, size_t size, const char *word)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t n = strlen(word);
	if (!n || n >= size || strspn(word, alphabet) != n)
		return false;
	memcpy(to, word, n + 1);
	return true;
}

/* One word is an operating system or an architecture. */
static bool parse_single(struct platform *p)
{
	struct platform host, arch = { 0 };
	platform_host(&host);
	strcpy(arch.arch, p->os);
	normalise(p);
	if (is_one_of(p->os, known_os, ARRAY_LEN(known_os))) {
		strcpy(p->arch, host.arch);
		strcpy(p->variant, host.variant);
		return true;
	}
	normalise(&arch);
	strcpy(arch.os, host.os);
	*p = arch;
	return is_one_of(p->arch, known_arch, ARRAY_LEN(known_arch));
}

static int refuse(const char *text, const char *why, struct err *e)
{
	err_set(e, ERR_USAGE, "\"%.80s\" is no platform: %s", text, why);
	return err_hint(e, "it is OS/ARCH or OS/ARCH/VARIANT, such as linux/amd64 or linux/arm/v7");
}

int platform_parse(const char *text, struct platform *ret, struct err *e)
{
	struct platform p = { 0 };
	AUTO(free_drop) char *copy = x_strdup(text);
	char *arch = strchr(copy, '/');
	char *variant = NULL;
	if (arch) {
		*arch++ = '\0';
		variant = strchr(arch, '/');
	}
	if (variant)
		*variant++ = '\0';
	if (!put_word(p.os, sizeof p.os, copy) || (arch && !put_word(p.arch, sizeof p.arch, arch)) ||
	    (variant && !put_word(p.variant, sizeof p.variant, variant)))
		return refuse(text, "its words are of letters, digits, \"_\", \".\" and \"-\"", e);
	if (arch)
		normalise(&p);
	else if (!parse_single(&p))
		return refuse(text, "no operating system or architecture has that name", e);
	*ret = p;
	return 0;
}

char *platform_text(const struct platform *p)
{
	return x_asprintf("%s/%s%s%s", p->os, p->arch, p->variant[0] ? "/" : "", p->variant);
}

bool platform_eq(const struct platform *a, const struct platform *b)
{
	struct platform x = *a, y = *b;
	normalise(&x);
	normalise(&y);
	return strcmp(x.os, y.os) == 0 && strcmp(x.arch, y.arch) == 0 && strcmp(x.variant, y.variant) == 0;
}

/* What a machine runs, best first. */
struct candidates {
	struct platform v[32];
	size_t n;
};

static void add_candidate(struct candidates *c, const struct platform *like, const char *arch, const char *variant)
{
	if (c->n == ARRAY_LEN(c->v))
		return;
	struct platform *p = &c->v[c->n++];
	*p = *like;
	snprintf(p->arch, sizeof p->arch, "%s", arch);
	snprintf(p->variant, sizeof p->variant, "%s", variant);
	normalise(p);
}

/* The variants from `from` down to `to`. */
static void add_versions(struct candidates *c, const struct platform *like, const char *arch, int from, int to)
{
	for (int v = from; v >= to; v--)
		add_candidate(c, like, arch, (char[]){ 'v', (char)('0' + v), '\0' });
}

/* "v7" gives 7; 0 for anything else. */
static int version_of(const struct platform *p)
{
	const char *v = p->variant;
	return v[0] == 'v' && v[1] >= '1' && v[1] <= '9' && !v[2] ? v[1] - '0' : 0;
}

static void candidates_for(const struct platform *want, struct candidates *c)
{
	add_candidate(c, want, want->arch, want->variant);
	const struct platform p = c->v[0];
	if (strcmp(p.arch, "amd64") == 0) {
		add_versions(c, &p, "amd64", version_of(&p) - 1, 1);
		add_candidate(c, &p, "386", "");
	} else if (strcmp(p.arch, "arm") == 0) {
		add_versions(c, &p, "arm", version_of(&p) - 1, 5);
	} else if (strcmp(p.arch, "arm64") == 0) {
		add_versions(c, &p, "arm64", version_of(&p) - 1, 8);
		add_versions(c, &p, "arm", 8, 5);
	}
}

int platform_match(const struct platform *want, const struct platform *have)
{
	struct candidates c = { 0 };
	candidates_for(want, &c);
	for (size_t i = 0; i < c.n; i++)
		if (platform_eq(&c.v[i], have))
			return (int)(ARRAY_LEN(c.v) - i);
	return 0;
}

bool platform_runs_on(const struct platform *p, const struct platform *host)
{
	struct platform plain = *p;
	/* Which of its variants a processor is, it tells by a program that stops. */
	if (strcmp(p->arch, host->arch) == 0)
		snprintf(plain.variant, sizeof plain.variant, "%s", host->variant);
	return !p->arch[0] || platform_match(host, &plain) > 0;
}

static int copy_member(const struct json *j, const char *key, const char *name, char *to, size_t size, struct err *e)
{
	const struct json *s;
	if (doc_get(j, key, JSON_STRING, name, &s, e) < 0)
		return -1;
	if (s && strlen(s->text) >= size)
		return err_set(e, ERR_SPEC, "%s: \"%s\" is longer than %zu bytes", name, key, size - 1);
	snprintf(to, size, "%s", s ? s->text : "");
	return 0;
}

int platform_from_json(const struct json *j, const char *name, struct platform *ret, struct err *e)
{
	struct platform p = { 0 };
	if (copy_member(j, "os", name, p.os, sizeof p.os, e) < 0 ||
	    copy_member(j, "architecture", name, p.arch, sizeof p.arch, e) < 0 ||
	    copy_member(j, "variant", name, p.variant, sizeof p.variant, e) < 0 ||
	    copy_member(j, "os.version", name, p.os_version, sizeof p.os_version, e) < 0)
		return -1;
	*ret = p;
	return 0;
}
