/*
 * Sources and sinks of bytes that stack: decompress, digest, limit; tee, digest, compress, write.
 *
 * A source gives bytes with source_read: the count, 0 at the end, -1 and an error. A sink takes all bytes or fails;
 * its first error is latched, so a long sequence of writes may check only sink_finish. sink_finish flushes this sink
 * and then finishes the one below it. Dropping a source or sink that was stacked on another also drops the other.
 */
#ifndef NACRE_ARCHIVE_STREAM_H
#define NACRE_ARCHIVE_STREAM_H

#include <stdint.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

struct source {
	ssize_t (*read)(struct source *s, void *buf, size_t n, struct err *e);
	void (*free)(struct source *s); /* also frees what it is stacked on */
};

ssize_t source_read(struct source *s, void *buf, size_t n, struct err *e);
/* Exactly n bytes; at the end of the source before that, ERR_SPEC "NAME ends early". */
int source_read_exactly(struct source *s, void *buf, size_t n, const char *name, struct err *e);
int source_skip(struct source *s, uint64_t n, const char *name, struct err *e);
int source_drain(struct source *s, struct err *e); /* reads to the end */
void source_free(struct source *s);                /* accepts NULL */
void source_drop(struct source **s);               /* for AUTO */

struct source *source_fd(int fd /* borrowed */, const char *name /* copied */);
struct source *source_mem(const void *bytes /* borrowed */, size_t n);
/* Fails with ERR_LIMIT after `max` bytes. */
struct source *source_limit(struct source *below /* taken */, uint64_t max, const char *name);
/* Adds all that passes to *sha (borrowed) and counts it in *count (may be NULL). */
struct source *source_digest(struct source *below /* taken */, struct sha *sha, uint64_t *count);

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

/*
 * Decompresses by content: gzip (several members, trailing zero padding), zstd (several and skippable frames), or
 * passes plain bytes on. Bytes below are always read to their end before this source ends, so that a digest taken below
 * covers all of them. Broken data is ERR_SPEC, a zstd window above LIMIT_ZSTD_WINDOW_LOG is ERR_LIMIT.
 */
struct source *source_decompress(struct source *below /* taken */, const char *name);

struct sink {
	int (*write)(struct sink *s, const void *bytes, size_t n, struct err *e);
	int (*finish)(struct sink *s, struct err *e); /* NULL: nothing to flush */
	void (*free)(struct sink *s);
	struct sink *below;  /* owned, or NULL */
	struct err failed;   /* kind ERR_NONE until the first failure */
};

int sink_write(struct sink *s, const void *bytes, size_t n, struct err *e);
int sink_finish(struct sink *s, struct err *e);
void sink_free(struct sink *s); /* accepts NULL; frees the whole stack */
void sink_drop(struct sink **s); /* for AUTO */

struct sink *sink_fd(int fd /* borrowed */, const char *name /* copied */); /* buffers up to 256 KiB */
struct sink *sink_mem(struct str *out /* borrowed */);
struct sink *sink_null(void);
struct sink *sink_digest(struct sink *below /* taken */, struct sha *sha /* borrowed */,
			 uint64_t *count /* may be NULL */);

/*
 * As a series of frames (archive/frames.h). Output depends only on input, level and the version of the library, not on
 * threads or the size of writes. COMPRESSION_NONE returns `below` itself.
 *
 * level    gzip: 1 to 9, 0 = 6. ISA-L does 1 at its level 1 and 2 to 6 at its level 2, zlib the rest at the level asked
 *          for; a build without ISA-L leaves all to zlib.
 *          zstd: 1 to 22 as in zstd(1), 0 = 3.
 * threads  how many may compress at a time; 0 counts as 1.
 */
struct sink *sink_compress(enum compression how, int level, unsigned threads, struct sink *below /* taken */);

#endif
