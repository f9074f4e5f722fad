/* rpm's database in SQLite's form, read from memory: the table Packages (hnum, blob) has a header in each row. */
#include <string.h>

#include "base/library.h"
#include "base/limits.h"
#include "base/mem.h"
#include "sbom_priv.h"

/*
 * libsqlite3's stable interface, as far as it is used here, so that building needs no header of it:
 * https://sqlite.org/c3ref/intro.html
 */
struct sqlite3;
struct sqlite3_stmt;

enum { RESULT_OK = 0, RESULT_ROW = 100, RESULT_DONE = 101 };
enum { OPEN_READWRITE = 0x2, OPEN_MEMORY = 0x80 };
enum { DESERIALIZE_READONLY = 4 };
enum { CONFIG_DEFENSIVE = 1010, CONFIG_TRUSTED_SCHEMA = 1017 };
enum { LIMIT_OF_LENGTH = 0 };
enum { ACTION_READ = 20, ACTION_SELECT = 21 };
enum { ANSWER_OK = 0, ANSWER_DENY = 1 };

static struct {
	int (*open_v2)(const char *name, struct sqlite3 **ret, int flags, const char *vfs);
	int (*close)(struct sqlite3 *db);
	const char *(*errmsg)(struct sqlite3 *db);
	int (*db_config)(struct sqlite3 *db, int op, ...);
	int (*limit)(struct sqlite3 *db, int id, int value);
	int (*drop_modules)(struct sqlite3 *db, const char **keep);
	int (*set_authorizer)(struct sqlite3 *db, int (*ask)(void *, int, const char *, const char *, const char *, const char *),
			      void *arg);
	void (*progress_handler)(struct sqlite3 *db, int steps, int (*stop)(void *), void *arg);
	int (*deserialize)(struct sqlite3 *db, const char *schema, unsigned char *bytes, long long n, long long room,
			   unsigned flags);
	int (*prepare_v2)(struct sqlite3 *db, const char *sql, int n, struct sqlite3_stmt **ret, const char **rest);
	int (*step)(struct sqlite3_stmt *s);
	int (*finalize)(struct sqlite3_stmt *s);
	const void *(*column_blob)(struct sqlite3_stmt *s, int column);
	int (*column_bytes)(struct sqlite3_stmt *s, int column);
} sqlite;

static int sqlite_load(struct err *e)
{
	static const char *const names[] = { "libsqlite3.so.0", NULL };
	static const struct library_function functions[] = {
#define X(name) { "sqlite3_" #name, &sqlite.name }
		X(open_v2), X(close), X(errmsg), X(db_config), X(limit), X(drop_modules), X(set_authorizer),
		X(progress_handler), X(deserialize), X(prepare_v2), X(step), X(finalize), X(column_blob), X(column_bytes),
#undef X
	};
	return sqlite.column_bytes ? 0 : library_load(names, functions, ARRAY_LEN(functions), e);
}

static int fail(struct sqlite3 *db, const char *path, struct err *e)
{
	return err_set(e, ERR_SPEC, "/%s cannot be read: %s", path, sqlite.errmsg(db));
}

/* ---- what the schema, which is the image's too, could have in it instead of a table ---- */

static int allow_table_only(void *arg, int action, const char *table, const char *column, const char *schema, const char *view)
{
	(void)arg;
	(void)column;
	(void)schema;
	bool is_table = action == ACTION_READ && table && strcmp(table, "Packages") == 0 && !view;
	return action == ACTION_SELECT || is_table ? ANSWER_OK : ANSWER_DENY;
}

#define STEPS_AT_ONCE 1000

/* Pages that lead back to each other, or computed columns, could go on without end. */
static int count_steps(void *arg)
{
	unsigned *left = arg;
	return *left ? (--*left, 0) : 1;
}

static int restrict_database(struct sqlite3 *db, unsigned *left, const char *path, struct err *e)
{
	int on = 0;
	if (sqlite.db_config(db, CONFIG_DEFENSIVE, 1, &on) != RESULT_OK || !on ||
	    sqlite.db_config(db, CONFIG_TRUSTED_SCHEMA, 0, &on) != RESULT_OK || on ||
	    sqlite.drop_modules(db, NULL) != RESULT_OK ||
	    sqlite.set_authorizer(db, allow_table_only, NULL) != RESULT_OK)
		return err_set(e, ERR_SYS, "/%s is not read: libsqlite3 is too old to do it safely", path);
	sqlite.limit(db, LIMIT_OF_LENGTH, LIMIT_SBOM_FILE);
	sqlite.progress_handler(db, STEPS_AT_ONCE, count_steps, left);
	return 0;
}

/* ---- rows ---- */

/* room: how many bytes of headers a file of its size can have in it, unless they lie on each other. */
static int read_rows(struct sqlite3 *db, const char *path, size_t room, struct sbom_packages *ret, struct err *e)
{
	struct sqlite3_stmt *query = NULL;
	int got = RESULT_ROW, r = 0;
	if (sqlite.prepare_v2(db, "SELECT blob FROM Packages", -1, &query, NULL) != RESULT_OK)
		return fail(db, path, e);
	while (r == 0 && (got = sqlite.step(query)) == RESULT_ROW) {
		const void *blob = sqlite.column_blob(query, 0);
		size_t n = blob ? (size_t)sqlite.column_bytes(query, 0) : 0;
		r = n > room ? err_set(e, ERR_SPEC, "/%s is damaged: its rows have more bytes than it has", path)
			     : sbom_parse_rpm(path, blob, n, ret, e);
		room -= n;
	}
	if (r == 0 && got != RESULT_DONE)
		r = fail(db, path, e);
	sqlite.finalize(query);
	return r;
}

/*
 * Bytes 18 and 19 of the file say 2 where a write-ahead log belongs to it, as rpm leaves it, and 1 where none does; only
 * the latter can be read from memory (https://sqlite.org/c3ref/deserialize.html).
 */
static void forget_log(unsigned char *bytes, size_t n)
{
	for (size_t i = 18; i < 20 && i < n; i++)
		bytes[i] = bytes[i] == 2 ? 1 : bytes[i];
}

int sbom_read_rpmdb(const char *path, void *bytes, size_t n, struct sbom_packages *ret, struct err *e)
{
	struct sqlite3 *db = NULL;
	unsigned left = LIMIT_SBOM_PACKAGES;
	if (sqlite_load(e) < 0)
		return -1;
	forget_log(bytes, n);
	int r = sqlite.open_v2(":memory:", &db, OPEN_READWRITE | OPEN_MEMORY, NULL) == RESULT_OK ? 0 : -1;
	if (r == 0)
		r = sqlite.deserialize(db, "main", bytes, (long long)n, (long long)n, DESERIALIZE_READONLY) == RESULT_OK ? 0 : -1;
	if (r < 0)
		fail(db, path, e);
	if (r == 0)
		r = restrict_database(db, &left, path, e);
	if (r == 0)
		r = read_rows(db, path, n, ret, e);
	sqlite.close(db);
	return r;
}
