/* Extended headers: the records of one 'x' or 'g' member. POSIX.1-2017 pax, "pax Extended Header". */
#ifndef NACRE_SRC_ARCHIVE_PAX_PRIV_H
#define NACRE_SRC_ARCHIVE_PAX_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/tar_entry.h"
#include "base/err.h"
#include "sparse_priv.h"

struct pax_time {
	int64_t s;
	uint32_t ns;
};

/* An empty value means "as if there were no record", also for a global one. */
enum pax_state { PAX_ABSENT, PAX_EMPTY, PAX_SET };

struct pax {
	char *path, *linkpath; /* owned; NULL: no record or an empty one */
	enum pax_state has_size, has_uid, has_gid, has_mtime;
	uint64_t size, uid, gid;
	struct pax_time mtime;
	struct tar_xattrs xattrs; /* owned */

	/* GNU.sparse.*, see sparse_priv.h */
	bool is_sparse;
	bool has_realsize, has_map;
	uint64_t realsize, major, minor, count;
	char *sparse_name; /* owned */
	struct spans spans;
	bool span_open; /* an offset without its numbytes */
};

/* `name` is the archive's, for messages. *ret is zeroed before; to be finished by the caller also after a failure. */
int pax_parse(const char *bytes, size_t n, const char *name, struct pax *ret, struct err *e);
void pax_fini(struct pax *p);

#endif
