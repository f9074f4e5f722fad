/*
 * What a layer holds, entry by entry, without its bytes: made when a layer is written or first unpacked, kept in
 * list/DIFFHEX. COPY, WORKDIR and COPY --from plan with it, so that no tree is needed where nothing runs.
 *
 * On disk: a line "nacre-listing 1", then a line per entry in the tar's order:
 *   TYPE MODE UID GID SIZE MTIME[.NS] DEV DIGEST PATH [LINK] [xattr NAME=HEX …]
 * TYPE as enum tar_type, plus 'w' whiteout of PATH and 'o' opaque directory PATH; DEV "MAJOR:MINOR" or "-";
 * DIGEST hex of a file's content or "-" when not known; NS nine digits, counted forward from MTIME also before 1970; in
 * PATH, LINK and NAME, bytes outside 0x21-0x7e, "\" and "=" as \ooo, no others. LINK for the types l and h only.
 */
#ifndef NACRE_OCI_LISTING_H
#define NACRE_OCI_LISTING_H

#include "archive/tar_entry.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/list_scope.h"

struct store;

enum list_kind { LIST_ENTRY, LIST_WHITEOUT, LIST_OPAQUE };

struct list_entry {
	enum list_kind kind;
	struct tar_entry tar;   /* WHITEOUT, OPAQUE: only path */
	bool has_digest;
	struct digest digest;   /* of a FILE's content */
};
struct listing { struct list_entry *v; size_t n, cap; };

void listing_add_text(struct str *out, const struct list_entry *entry); /* one line; before the first, the head */
void listing_add_lines(struct str *out, const char *lines, size_t n);   /* the same of several */
void listing_add_line(struct str *out, const struct list_entry *entry); /* never a head */
int listing_parse(const char *bytes, size_t n, const char *name, struct listing *ret, struct err *e);
void listing_fini(struct listing *l);

/* From list/DIFFHEX: 0 found, 1 absent, -1. */
int listing_load(struct store *s, const struct diffid *d, struct listing *ret, struct err *e);
/*
 * One entry after another, none is kept: what fn leaves of it is freed. `at`: where its line begins in the file. 0, 1
 * absent, -1 also when it is none.
 */
typedef int listing_fn(void *ctx, struct list_entry *entry, size_t at, struct err *e);
int listing_walk(struct store *s, const struct diffid *d, listing_fn *fn, void *ctx, struct err *e);
/* The file, to read some of its lines once more; it may be another by now. */
int listing_open(struct store *s, const struct diffid *d, int *ret_fd, struct err *e);
/* Of it what the scope asks for; 2: that cannot be told from the listing, see list_scope_select. What is not asked for is
 * not parsed. */
int listing_load_part(struct store *s, const struct diffid *d, const struct list_scope *scope, struct listing *ret,
		      struct err *e);
int listing_save(struct store *s, const struct diffid *d, const struct str *text, struct err *e);

/*
 * Splits a layer member's path into what it means: an ordinary entry, a whiteout of *ret_path (".wh.NAME"), an opaque
 * marker of directory *ret_path (".wh..wh..opq"). ".wh.", ".wh..", ".wh..." and other reserved names are ERR_SPEC; aufs
 * leftovers (".wh..wh.plnk", ".wh..wh.aufs", …) give *ret_skip. *ret_path is owned by the caller.
 */
int whiteout_parse(const char *path, enum list_kind *ret, char **ret_path, bool *ret_skip, struct err *e);

#endif
