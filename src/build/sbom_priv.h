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
};

struct sbom_package {
	enum sbom_source source;
	char *name, *version;              /* never NULL nor empty; owned */
	char *arch, *license, *maintainer; /* as written there, or NULL; owned */
	char *path;                        /* of the file that says so; owned */
};
struct sbom_packages {
	struct sbom_package *v;
	size_t n, cap;
};
void sbom_packages_fini(struct sbom_packages *l);

/* Adds what a file says; what cannot be understood in it is passed over. ERR_LIMIT for too many packages. */
int sbom_parse(enum sbom_source source, const char *path, const char *bytes, size_t n, struct sbom_packages *ret,
	       struct err *e);
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
	bool has_rpm;                  /* there is an rpm database, which is not read */
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
