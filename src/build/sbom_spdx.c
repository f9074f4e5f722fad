/* An SPDX 2.3 document: https://spdx.github.io/spdx-spec/v2.3/ */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sbom_priv.h"

#define NONE "NOASSERTION"

/* ---- package URLs ---- */

static void add_encoded(struct str *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (isalnum((unsigned char)*p) || strchr(".-_~:", *p))
			str_addc(out, *p);
		else
			str_addf(out, "%%%02X", (unsigned char)*p);
	}
}

/* "@scope/name" and Go's paths keep their slashes; Python's names are the same in either case, and with "_" or "-". */
static void add_name(struct str *out, const struct sbom_package *p)
{
	AUTO(free_drop) char *name = x_strdup(p->name);
	char *next = name;
	bool one = p->source == SBOM_NPM && *name == '@', all = p->source == SBOM_GO;
	if (p->source != SBOM_CARGO && p->source != SBOM_RPM)
		str_lower(name);
	for (char *c = name; *c && p->source == SBOM_PYTHON; c++)
		*c = *c == '_' ? '-' : *c;
	for (char *slash; (one || all) && (slash = strchr(next, '/')); next = slash + 1) {
		*slash = '\0';
		add_encoded(out, next);
		str_addc(out, '/');
		one = false;
	}
	add_encoded(out, next);
}

char *sbom_purl(const struct sbom *s, const struct sbom_package *p)
{
	static const char *const types[] = {
		[SBOM_DPKG] = "deb",  [SBOM_DPKG_PART] = "deb", [SBOM_APK] = "apk",
		[SBOM_PYTHON] = "pypi", [SBOM_NPM] = "npm",       [SBOM_CARGO] = "cargo",
		[SBOM_GO] = "golang",  [SBOM_RPM] = "rpm",
	};
	/* Whose packages are the system's own, and which system that is, if one can tell, where it does not say. */
	static const char *const systems[ARRAY_LEN(types)] = {
		[SBOM_DPKG] = "debian", [SBOM_DPKG_PART] = "debian", [SBOM_APK] = "alpine", [SBOM_RPM] = "",
	};
	const char *system = systems[p->source] && s->system ? s->system : systems[p->source], *before = "?";
	struct str out = { 0 };
	str_addf(&out, "pkg:%s/", types[p->source]);
	if (system && *system) {
		add_encoded(&out, system);
		str_addc(&out, '/');
	}
	add_name(&out, p);
	str_addc(&out, '@');
	add_encoded(&out, p->version);
	if (p->arch) {
		str_addf(&out, "%sarch=", before);
		add_encoded(&out, p->arch);
		before = "&";
	}
	if (system && s->system && s->system_version) {
		str_addf(&out, "%sdistro=", before);
		add_encoded(&out, s->system);
		str_addc(&out, '-');
		add_encoded(&out, s->system_version);
		before = "&";
	}
	if (p->epoch)
		str_addf(&out, "%sepoch=%s", before, p->epoch);
	return str_take(&out);
}

/* ---- the document ---- */

static void write_common(struct json_out *o)
{
	json_kv_str(o, "downloadLocation", NONE);
	json_kv_bool(o, "filesAnalyzed", false);
	json_kv_str(o, "licenseConcluded", NONE);
	json_kv_str(o, "licenseDeclared", NONE);
	json_kv_str(o, "copyrightText", NONE);
}

/* What is declared need not be a license expression as SPDX defines them, so it stands as a comment. */
static void write_package(const struct sbom *s, const struct sbom_package *p, size_t number, struct json_out *o)
{
	AUTO(free_drop) char *id = x_asprintf("SPDXRef-Package-%zu", number), *purl = sbom_purl(s, p);
	AUTO(free_drop) char *version = x_asprintf("%s%s%s", p->epoch ? p->epoch : "", p->epoch ? ":" : "", p->version);
	AUTO(free_drop) char *from = x_asprintf("acquired package info from /%s", p->path);
	json_begin(o, '{');
	json_kv_str(o, "name", p->name);
	json_kv_str(o, "SPDXID", id);
	json_kv_str(o, "versionInfo", version);
	write_common(o);
	if (p->license) {
		AUTO(free_drop) char *text = x_asprintf("declared as: %s", p->license);
		json_kv_str(o, "licenseComments", text);
	}
	if (p->maintainer) {
		AUTO(free_drop) char *text = x_asprintf("Organization: %s", p->maintainer);
		json_kv_str(o, "supplier", text);
	}
	json_kv_str(o, "sourceInfo", from);
	json_put_key(o, "externalRefs");
	json_begin(o, '[');
	json_begin(o, '{');
	json_kv_str(o, "referenceCategory", "PACKAGE-MANAGER");
	json_kv_str(o, "referenceType", "purl");
	json_kv_str(o, "referenceLocator", purl);
	json_end(o, '}');
	json_end(o, ']');
	json_end(o, '}');
}

static void write_image(const struct sbom *s, const struct image *image, const char *name, struct json_out *o)
{
	json_begin(o, '{');
	json_kv_str(o, "name", name);
	json_kv_str(o, "SPDXID", "SPDXRef-Image");
	json_kv_str(o, "versionInfo", digest_text(&image->desc.digest).s);
	write_common(o);
	json_kv_str(o, "primaryPackagePurpose", "CONTAINER");
	if (s->has_unread)
		json_kv_str(o, "comment", "The image has an rpm database that was not read, or not wholly: packages are missing here.");
	json_put_key(o, "checksums");
	json_begin(o, '[');
	json_begin(o, '{');
	json_kv_str(o, "algorithm", "SHA256");
	json_kv_str(o, "checksumValue", digest_hex(&image->desc.digest).s);
	json_end(o, '}');
	json_end(o, ']');
	json_end(o, '}');
}

static void write_relation(struct json_out *o, const char *from, const char *type, const char *to)
{
	json_begin(o, '{');
	json_kv_str(o, "spdxElementId", from);
	json_kv_str(o, "relationshipType", type);
	json_kv_str(o, "relatedSpdxElement", to);
	json_end(o, '}');
}

static void write_head(const struct image *image, const char *name, struct json_out *o)
{
	AUTO(free_drop) char *space = x_asprintf("https://spdx.org/spdxdocs/nacre-%s", digest_hex(&image->desc.digest).s);
	json_kv_str(o, "spdxVersion", "SPDX-2.3");
	json_kv_str(o, "dataLicense", "CC0-1.0");
	json_kv_str(o, "SPDXID", "SPDXRef-DOCUMENT");
	json_kv_str(o, "name", name);
	json_kv_str(o, "documentNamespace", space);
	json_put_key(o, "creationInfo");
	json_begin(o, '{');
	/* The image's own time, so that the same image has the same document. */
	json_kv_str(o, "created", image->config.created ? image->config.created : "1970-01-01T00:00:00Z");
	json_put_key(o, "creators");
	json_begin(o, '[');
	json_put_str(o, "Tool: nacre-" NACRE_VERSION);
	json_end(o, ']');
	json_end(o, '}');
}

void sbom_write_spdx(const struct sbom *s, const struct image *image, const char *name, struct json_out *o)
{
	json_begin(o, '{');
	write_head(image, name, o);
	json_put_key(o, "packages");
	json_begin(o, '[');
	write_image(s, image, name, o);
	for (size_t i = 0; i < s->packages.n; i++)
		write_package(s, &s->packages.v[i], i + 1, o);
	json_end(o, ']');
	json_put_key(o, "relationships");
	json_begin(o, '[');
	write_relation(o, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image");
	for (size_t i = 0; i < s->packages.n; i++) {
		AUTO(free_drop) char *id = x_asprintf("SPDXRef-Package-%zu", i + 1);
		write_relation(o, "SPDXRef-Image", "CONTAINS", id);
	}
	json_end(o, ']');
	json_end(o, '}');
}
