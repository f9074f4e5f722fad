/* Others read what we write as we mean it, and we read what others write: GNU tar, Python's tarfile, bsdtar. */
#include "tars.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/tree.h"

#define N50 "01234567890123456789012345678901234567890123456789"

static const struct tar_entry entries[] = {
	{ TAR_DIR, ".", .mode = 0755, .mtime = 1 },
	{ TAR_DIR, "d", .mode = 01777, .uid = 1, .gid = 2, .mtime = 1700000000 },
	{ TAR_FILE, "d/f", .mode = 04755, .size = 700, .mtime = 8589934591 },
	{ TAR_FILE, "d/empty", .mode = 0 },
	{ TAR_SYMLINK, "d/l", "../x y", .mode = 0777, .mtime = 3 },
	{ TAR_HARDLINK, "d/h", "d/f", .mode = 04755, .mtime = 8589934591 },
	{ TAR_CHAR, "d/null", .mode = 0666, .major = 1, .minor = 3 },
	{ TAR_BLOCK, "d/disk", .mode = 0660, .major = 4095, .minor = 1048575 },
	{ TAR_FIFO, "d/p", .mode = 0600 },
	{ TAR_FILE, "large-ids", .mode = 0644, .uid = 3000000, .gid = 4294967294, .size = 1 },
	{ TAR_FILE, "old", .mode = 0644, .mtime = -86400, .size = 2 },
	{ TAR_FILE, "sm\xc3\xb6rg\xc3\xa5s/\xe2\x82\xac", .mode = 0644, .size = 3 },
	{ TAR_SYMLINK, "to-sm\xc3\xb6rg\xc3\xa5s", "sm\xc3\xb6rg\xc3\xa5s", .mode = 0777 },
	{ TAR_FILE, N50 N50, .mode = 0644, .size = 4 },
	{ TAR_FILE, N50 N50 "x", .mode = 0644, .size = 5 },
	{ TAR_DIR, N50 N50, .mode = 0755 },
	{ TAR_FILE, N50 N50 N50 "/" N50 N50, .mode = 0644, .size = 6 },
	{ TAR_FILE, N50 "/" N50 N50 N50, .mode = 0644, .size = 7 },
	{ TAR_SYMLINK, "long-target", N50 N50 N50, .mode = 0777 },
	{ TAR_HARDLINK, "long-hard", N50 "/" N50 N50 N50, .mode = 0644 },
};

static char dir[] = "/var/tmp/nacre-test-XXXXXX";
static char *ours; /* a file with all entries */

static void write_ours(void)
{
	static const char zeros[1000];
	struct err e = { 0 };
	AUTO(fd_drop) int fd = open(ours, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	AUTO(sink_drop) struct sink *s = sink_fd(fd, ours);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		struct tar_entry t = entries[i];
		if (t.type == TAR_FILE && t.size == 1)
			tar_xattrs_add(&t.xattrs, "user.\xc3\xb6", "a\nb=c", 5);
		assert_int_equal(tar_write_entry(s, &t, &e), 0);
		assert_int_equal(sink_write(s, zeros, t.size, &e), 0);
		assert_int_equal(tar_write_pad(s, t.size, &e), 0);
		tar_xattrs_fini(&t.xattrs);
	}
	assert_int_equal(tar_write_end(s, &e), 0);
	assert_int_equal(sink_finish(s, &e), 0);
}

static int setup(void **state)
{
	assert_non_null(mkdtemp(dir));
	ours = x_asprintf("%s/ours.tar", dir);
	write_ours();
	setenv("TZ", "UTC", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	return 0;
}

static int teardown(void **state)
{
	free(ours);
	return tree_remove(AT_FDCWD, dir);
}

/* What a program prints; skips the test when there is no such program. */
static struct str output(const char *const *argv)
{
	struct str out = { 0 };
	struct err e = { 0 };
	if (proc_run(argv, NULL, &out, 1 << 20, 60000, &e) == 0)
		return out;
	str_fini(&out);
	const char *must = getenv("NACRE_TESTS_MUST_RUN");
	if (e.kind == ERR_NOTFOUND && !str_eq(must, "1")) {
		print_message("no %s\n", argv[0]);
		skip();
	}
	fail_msg("%s: %s", argv[0], e.msg);
	return out;
}

static void run(const char *const *argv)
{
	struct str out = output(argv);
	str_fini(&out);
}

static void add_name_as_tar(struct str *out, const struct tar_entry *t)
{
	str_addf(out, "%s%s", t->path, t->type == TAR_DIR ? "/" : "");
	if (t->type == TAR_SYMLINK)
		str_addf(out, " -> %s", t->link);
	if (t->type == TAR_HARDLINK)
		str_addf(out, " link to %s", t->link);
	str_addc(out, '\n');
}

/* As "tar --list --verbose" with blanks squeezed: TYPE+MODE UID/GID SIZE|MAJOR,MINOR DATE TIME NAME. */
static void add_as_tar(struct str *out, const struct tar_entry *t)
{
	static const char bits[] = "rwxrwxrwx";
	char mode[11] = "----------", date[32];
	time_t when = (time_t)t->mtime;
	struct tm tm;
	mode[0] = t->type == TAR_FILE ? '-' : (char)t->type;
	for (int i = 0; i < 9; i++)
		if (t->mode >> (8 - i) & 1)
			mode[1 + i] = bits[i];
	if (t->mode & 04000)
		mode[3] = mode[3] == 'x' ? 's' : 'S';
	if (t->mode & 01000)
		mode[9] = mode[9] == 'x' ? 't' : 'T';
	assert_non_null(gmtime_r(&when, &tm));
	strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm);
	str_addf(out, "%s %u/%u ", mode, t->uid, t->gid);
	if (t->type == TAR_CHAR || t->type == TAR_BLOCK)
		str_addf(out, "%u,%u", t->major, t->minor);
	else
		str_addf(out, "%llu", (unsigned long long)t->size);
	str_addf(out, " %s ", date);
	add_name_as_tar(out, t);
}

static void squeeze(struct str *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->len; i++)
		if (s->buf[i] != ' ' || (n && s->buf[n - 1] != ' '))
			s->buf[n++] = s->buf[i];
	s->buf[n] = '\0';
	s->len = n;
}

static void test_gnu_tar_reads(void **state)
{
	AUTO(str_fini) struct str want = { 0 };
	const char *argv[] = {
		"tar",    "--list", "--verbose", "--full-time", "--numeric-owner", "--quoting-style=literal",
		"--file", ours,     NULL
	};
	AUTO(str_fini) struct str got = output(argv);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		add_as_tar(&want, &entries[i]);
	squeeze(&got);
	squeeze(&want);
	assert_string_equal(got.buf, want.buf);
}

/* As add_entry_text, from Python's view of a file. */
static const char python_lists[] =
	"import sys, tarfile\n"
	"kinds = {b'0': 'f', b'1': 'h', b'2': 'l', b'3': 'c', b'4': 'b', b'5': 'd', b'6': 'p'}\n"
	"for m in tarfile.open(sys.argv[1], errors='surrogateescape'):\n"
	"    line = '%s %o %d:%d %d %d %s' % (kinds[m.type], m.mode, m.uid, m.gid, m.size, m.mtime, m.name)\n"
	"    if m.linkname: line += ' -> ' + m.linkname\n"
	"    if m.isdev() and not m.isfifo(): line += ' %d:%d' % (m.devmajor, m.devminor)\n"
	"    for k, v in sorted(m.pax_headers.items()):\n"
	"        if k.startswith('SCHILY.xattr.'): line += ' {%s=%s}' % (k[13:], v.replace('\\n', '\\\\x0a'))\n"
	"    print(line)\n";

static void our_text(const char *path, struct str *out)
{
	AUTO(str_fini) struct str tar = { 0 };
	struct err e = { 0 };
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &tar, &e), 0);
	if (read_tar(tar.buf, tar.len, 0, out, &e) < 0)
		fail_msg("%s: %s", path, e.msg);
}

static void test_python_reads(void **state)
{
	AUTO(str_fini) struct str want = { 0 };
	const char *argv[] = { "python3", "-c", python_lists, ours, NULL };
	AUTO(str_fini) struct str got = output(argv);
	our_text(ours, &want);
	assert_string_equal(got.buf, want.buf);
	assert_non_null(strstr(want.buf, " {user.\xc3\xb6=a\\x0ab=c}\n"));
}

/* libarchive says what it read by writing it as a manifest; only names here, since its versions order keywords
 * differently. */
static void test_bsdtar_reads(void **state)
{
	AUTO(str_fini) struct str want = { 0 };
	const char *argv[] = { "bsdtar", "-tf", ours, NULL };
	AUTO(str_fini) struct str got = output(argv);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		str_addf(&want, "%s%s\n", entries[i].path, entries[i].type == TAR_DIR ? "/" : "");
	assert_string_equal(got.buf, want.buf);
}

static const char python_writes[] = "import io, sys, tarfile\n"
				    "form = getattr(tarfile, sys.argv[2] + '_FORMAT')\n"
				    "t = tarfile.open(sys.argv[1], 'w', format=form)\n"
				    "def add(name, type=b'0', data=b'', **more):\n"
				    "    m = tarfile.TarInfo(name); m.type = type; m.size = len(data); m.mtime = 7\n"
				    "    for k, v in more.items(): setattr(m, k, v)\n"
				    "    t.addfile(m, io.BytesIO(data))\n"
				    "add('d', b'5', mode=0o755)\n"
				    "add('d/f', data=b'hello', mode=0o4755, uid=1, gid=2)\n"
				    "add('l', b'2', linkname='../x')\n"
				    "add('h', b'1', linkname='d/f')\n"
				    "add('n', b'3', devmajor=1, devminor=3)\n"
				    "add('p', b'6')\n"
				    "add('x' * 60 + '/' + 'y' * 90, data=b'long')\n"
				    "if sys.argv[2] != 'USTAR':\n"
				    "    add('z' * 300, data=b'longer', uid=3000000)\n"
				    "    add('s', b'2', linkname='t' * 300)\n"
				    "    add('o', mtime=-5)\n"
				    "if sys.argv[2] == 'PAX':\n"
				    "    add('sm\\u00f6r', mtime=1.5, pax_headers={'SCHILY.xattr.user.a': 'b'})\n"
				    "t.close()\n";

#define Y10 "yyyyyyyyyy"
#define X10 "xxxxxxxxxx"
#define Z50 "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
#define T50 "tttttttttttttttttttttttttttttttttttttttttttttttttt"

static const char all_formats[] =
	"d 755 0:0 0 7 d\nf 4755 1:2 5 7 d/f\nl 644 0:0 0 7 l -> ../x\nh 644 0:0 0 7 h -> d/f\nc 644 0:0 0 7 n 1:3\n"
	"p 644 0:0 0 7 p\nf 644 0:0 4 7 " X10 X10 X10 X10 X10 X10 "/" Y10 Y10 Y10 Y10 Y10 Y10 Y10 Y10 Y10 "\n";
static const char gnu_and_pax[] = "f 644 3000000:0 6 7 " Z50 Z50 Z50 Z50 Z50 Z50
				  "\nl 644 0:0 0 7 s -> " T50 T50 T50 T50 T50 T50 "\nf 644 0:0 0 -5 o\n";
static const char only_pax[] = "f 644 0:0 0 1.500000000 sm\xc3\xb6r {user.a=b}\n";

static void test_python_writes(void **state)
{
	static const char *const formats[] = { "USTAR", "GNU", "PAX" };
	AUTO(free_drop) char *path = x_asprintf("%s/python.tar", dir);
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		AUTO(str_fini) struct str text = { 0 }, want = { 0 };
		const char *argv[] = { "python3", "-c", python_writes, path, formats[i], NULL };
		run(argv);
		our_text(path, &text);
		str_addf(&want, "%s%s%s", all_formats, i > 0 ? gnu_and_pax : "", i > 1 ? only_pax : "");
		assert_string_equal(text.buf, want.buf);
	}
}

static void read_sparse(const char *path, struct digest *ret, uint64_t *ret_size)
{
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(source_drop) struct source *in = source_fd(fd, path);
	AUTO(tar_reader_drop) struct tar_reader *r = tar_reader_new(in, path);
	const struct tar_entry *entry;
	struct err e = { 0 };
	struct sha sha;
	char buf[8192];
	ssize_t got;
	if (tar_reader_next(r, &entry, &e) != 1)
		fail_msg("%s", e.msg);
	assert_string_equal(entry->path, "holes");
	*ret_size = entry->size;
	sha_init(&sha);
	while ((got = tar_reader_read(r, buf, sizeof buf, &e)) > 0)
		sha_add(&sha, buf, (size_t)got);
	*ret = sha_end(&sha);
	assert_int_equal(got, 0);
	assert_int_equal(tar_reader_next(r, &entry, &e), 0);
}

/* A file of 40 islands in a sea of 40 MiB, in every form that GNU tar writes. */
static void test_sparse_of_gnu_tar(void **state)
{
	static const char *const forms[][2] = {
		{ "--format=gnu", "--sparse-version=1.0" },
		{ "--format=posix", "--sparse-version=0.0" },
		{ "--format=posix", "--sparse-version=0.1" },
		{ "--format=posix", "--sparse-version=1.0" },
	};
	AUTO(free_drop) char *file = x_asprintf("%s/holes", dir), *path = x_asprintf("%s/sparse.tar", dir);
	AUTO(fd_drop) int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	AUTO(str_fini) struct str bytes = { 0 };
	struct err e = { 0 };
	for (off_t i = 0; i < 40; i++)
		assert_int_equal(pwrite(fd, "island", 6, (i << 20) + 5000), 6);
	assert_int_equal(ftruncate(fd, 40 << 20), 0);
	assert_int_equal(fd_read_all(fd, 41 << 20, file, &bytes, &e), 0);
	struct digest want = digest_of(bytes.buf, bytes.len), got;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		uint64_t size;
		const char *argv[] = { "tar", "--create",    "--sparse", forms[i][0], forms[i][1], "--file",
				       path,  "--directory", dir,        "holes",     NULL };
		run(argv);
		read_sparse(path, &got, &size);
		assert_int_equal(size, 40 << 20);
		assert_true(digest_eq(&got, &want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gnu_tar_reads),     cmocka_unit_test(test_python_reads),
		cmocka_unit_test(test_bsdtar_reads),      cmocka_unit_test(test_python_writes),
		cmocka_unit_test(test_sparse_of_gnu_tar),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
