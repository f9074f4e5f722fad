/* What is installed in an image, as package managers left it there. Their files are the image's: hostile. */
#ifndef NACRE_BUILD_SBOM_PRIV_H
#define NACRE_BUILD_SBOM_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "base/vec.h"
#include "build_priv.h"

enum sbom_source {
	SBOM_DPKG,       /* var/lib/dpkg/status: stanzas, of which those count that are installed */
	SBOM_DPKG_PART,  /* var/lib/dpkg/status.d/NAME of distroless images: one stanza, without a status */
	SBOM_APK,        /* lib/apk/db/installed: stanzas with one-letter names */
	SBOM_PYTHON,     /* NAME.dist-info/METADATA, NAME.egg-info/PKG-INFO */
	SBOM_NPM,        /* node_modules/NAME/package.json */
	SBOM_CARGO,      /* Cargo.lock */
	SBOM_GO,         /* what sbom_go_text gives of a program */
	SBOM_RPM,        /* rpmdb.sqlite, which is no text: sbom_read_rpmdb */
};

struct sbom_package {
	enum sbom_source source;
	char *name, *version;              /* never NULL nor empty; owned */
	char *epoch;                       /* rpm's, which goes before the version; or NULL; owned */
	char *arch, *license, *maintainer; /* as written there, or NULL; owned */
	char *path;                        /* of the file that says so; owned */
};
struct sbom_packages {
	struct sbom_package *v;
	size_t n, cap;
};
void sbom_packages_fini(struct sbom_packages *l);
/* Takes what *p holds; one without a name or version is none. ERR_LIMIT for too many packages. */
int sbom_add(struct sbom_packages *l, struct sbom_package *p, enum sbom_source source, const char *path, struct err *e);
/* A copy without blanks around it, and no longer than any name is. The caller owns it. */
char *sbom_value(const char *text, size_t n);

/* Adds what a file says; what cannot be understood in it is passed over. ERR_LIMIT for too many packages. */
int sbom_parse(enum sbom_source source, const char *path, const char *bytes, size_t n, struct sbom_packages *ret,
	       struct err *e);
/* The same of one header of rpm's. */
int sbom_parse_rpm(const char *path, const void *bytes, size_t n, struct sbom_packages *ret, struct err *e);
/*
 * The same of rpm's whole database, whose bytes are changed. ERR_SYS when there is no libsqlite3, ERR_SPEC when it cannot
 * be read to its end: what was read before stays in *ret.
 */
int sbom_read_rpmdb(const char *path, void *bytes, size_t n, struct sbom_packages *ret, struct err *e);
/*
 * What Go's linker left in a program, as lines: "go", a tab and the version of Go, then those of its list of modules. NULL
 * when it is no ELF file or has none. The caller owns it.
 */
char *sbom_go_text(const void *bytes, size_t n);
/* "ID" and "VERSION_ID" of an os-release file; NULL when it does not say. The caller owns them. */
void sbom_parse_release(const char *bytes, size_t n, char **ret_id, char **ret_version);

/* What an image is said to hold. */
struct sbom {
	struct sbom_packages packages; /* by source, name and version; each once */
	char *system, *system_version; /* of etc/os-release, or NULL; owned */
	bool has_unread;               /* there is an rpm database that was not read, or not wholly */
};
void sbom_fini(struct sbom *s);
/* In a worker: reads the listings of the image's layers, and what counts out of the layers. */
int sbom_scan(struct build *b, const struct image *image, struct sbom *ret, struct err *e);

/* Adds the modules of programs: the nodes, which are sorted here, are files of a view of those layers. */
int sbom_read_programs(struct build *b, struct layer_slot *const *slots, struct fsnode **nodes, size_t n,
		       struct sbom_packages *ret, struct err *e);

/* Writes an SPDX 2.3 document as a JSON value. name: of the image, for readers. */
void sbom_write_spdx(const struct sbom *s, const struct image *image, const char *name, struct json_out *o);
/* Its package URL; the caller owns it. https://github.com/package-url/purl-spec */
char *sbom_purl(const struct sbom *s, const struct sbom_package *p);

#endif
