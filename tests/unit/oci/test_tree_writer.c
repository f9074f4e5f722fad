/* tree_writer: what a layer's members become, and that no member reaches out of the root (THREATS T-A1 to T-A6, T-A9, T-A12). */
#include "trees.h"

#include <sys/resource.h>

#include "base/path.h"
#include "oci/listing.h"
#include "oci/tree_check.h"

static bool id_range;

struct shape {
	const char *what;
	const char *members;
	const char *tree;
	bool odd; /* fsview gives another tree, in which the file takes the place of the link */
};

/* Times of directories are those of their members; implied ones have 0. */
static const struct shape shapes[] = {
	{ "plain", "d 750 - 5 a\nf 4755 - 6 a/x hello\nl - - 8 a/l x\np 622 - 9 a/p\n",
	  "d 750 0:0 5 a\nl - 0:0 8 a/l x\np 622 0:0 9 a/p\nf 4755 0:0 6 a/x hello\n" },
	{ "implied parents", "f - - - a/b/c/x 1\n",
	  "d 755 0:0 0 a\nd 755 0:0 0 a/b\nd 755 0:0 0 a/b/c\nf 644 0:0 7 a/b/c/x 1\n" },
	{ "implied, then named", "f - - - a/b/x 1\nd 700 - 3 a/b\n",
	  "d 755 0:0 0 a\nd 700 0:0 3 a/b\nf 644 0:0 7 a/b/x 1\n" },
	{ "times of directories come last", "d - - 3 a\nd - - 4 a/b\nf - - - a/b/x 1\nf - - - a/y 1\n",
	  "d 755 0:0 3 a\nd 755 0:0 4 a/b\nf 644 0:0 7 a/b/x 1\nf 644 0:0 7 a/y 1\n" },
	{ "hard link", "f - - - a 1\nh - - - b a\nh - - - c b\n", "f 644 0:0 7 a 1\nh - - - b a\nh - - - c a\n" },
	{ "hard link to a link", "d - - - d\nf - - - t 1\nl - - 8 d/s t\nh - - - u d/s\n",
	  "d 755 0:0 7 d\nl - 0:0 8 d/s t\nf 644 0:0 7 t 1\nh - - - u d/s\n" },
	{ "hard link again", "f - - - a 1\nh - - - b a\nh - - - b a\nh - - - a a\n", "f 644 0:0 7 a 1\nh - - - b a\n" },
	{ "hard link through a link", "d - - - d\nf - - - d/a 1\nl - - - s d\nh - - - b s/a\n",
	  "f 644 0:0 7 b 1\nd 755 0:0 7 d\nh - - - d/a b\nl - 0:0 7 s d\n" },
	{ "file over file", "f - - - a 1\nf 600 - 9 a 22\n", "f 600 0:0 9 a 22\n" },
	{ "file over hard link", "f - - - a 1\nh - - - b a\nf - - - b 2\n", "f 644 0:0 7 a 1\nf 644 0:0 7 b 2\n" },
	{ "directory over file", "f - - - a 1\nd - - - a\nf - - - a/x 1\n", "d 755 0:0 7 a\nf 644 0:0 7 a/x 1\n" },
	{ "file over directory", "d - - - a\nf - - - a/x 1\nf - - - a 2\n", "f 644 0:0 7 a 2\n" },
	{ "directory over directory", "d - - - a\nf - - - a/x 1\nd 700 - 9 a\n", "d 700 0:0 9 a\nf 644 0:0 7 a/x 1\n" },
	{ "directory over link", "d - - - a\nl - - - b a\nd - - - b\nf - - - b/x 1\n",
	  "d 755 0:0 7 a\nd 755 0:0 7 b\nf 644 0:0 7 b/x 1\n" },
	{ "link over directory in use", "d - - 4 a\nd - - 3 b\nf - - - a/x 1\nl - - - a b\nf - - - a/y 2\n",
	  "l - 0:0 7 a b\nd 755 0:0 3 b\nf 644 0:0 7 b/y 2\n" },
	{ "directory over link in use", "d - - - b\nl - - - a b\nf - - - a/x 1\nd - - - a\nf - - - a/y 2\n",
	  "d 755 0:0 7 a\nf 644 0:0 7 a/y 2\nd 755 0:0 7 b\nf 644 0:0 7 b/x 1\n" },
	{ "times of what a link now leads to", "d - - 9 b\nd - - 9 b/x\nd - - 1 a\nd - - 1 a/x\nl - - - a b\n",
	  "l - 0:0 7 a b\nd 755 0:0 9 b\nd 755 0:0 9 b/x\n" },
	{ "link over its own parent", "l - - - a .\nf - - - a/a 1\n", "d 755 0:0 0 a\nf 644 0:0 7 a/a 1\n", true },
	{ "through links", "d - - - usr\nd - - - usr/bin\nl - - - bin /usr/bin\nl - - - b2 ../../usr/./bin\nf - - - bin/x 1\n"
	  "f - - - b2/y 2\n",
	  "l - 0:0 7 b2 ../../usr/./bin\nl - 0:0 7 bin /usr/bin\nd 755 0:0 7 usr\nd 755 0:0 7 usr/bin\n"
	  "f 644 0:0 7 usr/bin/x 1\nf 644 0:0 7 usr/bin/y 2\n" },
	{ "through a dangling link", "l - - - d ../e/../f/g\nf - - - d/x 1\nd - - 3 d/s\n",
	  "l - 0:0 7 d ../e/../f/g\nd 755 0:0 0 e\nd 755 0:0 0 f\nd 755 0:0 0 f/g\nd 755 0:0 3 f/g/s\nf 644 0:0 7 f/g/x 1\n" },
	{ "root", "d 711 - 3 .\nf - - - x 1\n", "f 644 0:0 7 x 1\n" },
	{ "deletions", "w - - - a\nw - - - b/c\nw - - - a\n", "w - - - a\nd 755 0:0 0 b\nw - - - b/c\n" },
	{ "deletion and file", "w - - - a\nf - - - a 1\nf - - - b 1\nw - - - b\n", "f 644 0:0 7 a 1\nf 644 0:0 7 b 1\n" },
	{ "deletion and directory", "w - - - a\nd - - - a\nd - - - b\nf - - - b/x 1\nw - - - b\n",
	  "o 755 0:0 7 a\no 755 0:0 7 b\nf 644 0:0 7 b/x 1\n" },
	{ "deletion of a parent", "w - - - a\nf - - - a/x 1\n", "o 755 0:0 0 a\nf 644 0:0 7 a/x 1\n" },
	{ "opaque", "d - - 3 a\nO - - - a\nO - - - a\nf - - - a/x 1\nO - - - b/c\n",
	  "o 755 0:0 3 a\nf 644 0:0 7 a/x 1\nd 755 0:0 0 b\no 755 0:0 0 b/c\n" },
	{ "devices hide what is below", "c - - - null 1,3\nd - - - d\nc - - - d 0,0\nc - - - z 0,0\n",
	  "w - - - d\nw - - - null\nw - - - z\n" },
	{ "odd names", "f - - - a\\nb 1\nf - - - -rf 1\nf - - - \xff\xfe 1\nf - - - a\\s 1\n",
	  "f 644 0:0 7 -rf 1\nf 644 0:0 7 a\nb 1\nf 644 0:0 7 a  1\nf 644 0:0 7 \xff\xfe 1\n" },
	{ "times", "f - - -1 a 1\nf - - -2147483648 b 1\nf - - 4294967296 c 1\n",
	  "f 644 0:0 -1 a 1\nf 644 0:0 -2147483648 b 1\nf 644 0:0 4294967296 c 1\n" },
	{ "modes", "f 7777 - - a 1\nf 0 - - b 1\nd 7777 - - d\nd 0 - - e\nf - - - e/x 1\np 7000 - - p\n",
	  "f 7777 0:0 7 a 1\nf 0 0:0 7 b 1\nd 7777 0:0 7 d\nd 0 0:0 7 e\nf 644 0:0 7 e/x 1\np 7000 0:0 7 p\n" },
};

static const struct shape owned_shapes[] = {
	{ "owners", "d 2775 8:9 5 a\nf 6755 1:2 - a/x 1\nl - 3:4 - a/l x\np 4700 5:6 - a/p\nf - 0:0 - a/z 1\n",
	  "d 2775 8:9 5 a\nl - 3:4 7 a/l x\np 4700 5:6 7 a/p\nf 6755 1:2 7 a/x 1\nf 644 0:0 7 a/z 1\n" },
	{ "implied below set-group-id", "d 2775 0:9 5 a\nf - - - a/b/x 1\n",
	  "d 2775 0:9 5 a\nd 755 0:0 0 a/b\nf 644 0:0 7 a/b/x 1\n" },
	{ "range", "f - 65534:65535 - a 1\n", "f 644 65534:65535 7 a 1\n" },
};

/* The tree is what a listing of the members says (tree_check). */
static void check_listing(int root, const struct shape *s)
{
	struct str text = { 0 }, differs = { 0 };
	struct listing l = { 0 };
	struct err e = { 0 };
	for (const char *p = s->members; *p;) {
		size_t len = strcspn(p, "\n");
		struct list_entry entry = { 0 };
		char kind, *content;
		member_parse(p, len, &entry.tar, &kind, &content);
		entry.kind = kind == 'w' ? LIST_WHITEOUT : kind == 'O' ? LIST_OPAQUE : LIST_ENTRY;
		entry.has_digest = kind == 'f';
		entry.digest = digest_of(content, strlen(content));
		listing_add_text(&text, &entry);
		tar_entry_fini(&entry.tar);
		free(content);
		p += len + (p[len] == '\n' ? 1 : 0);
	}
	if (listing_parse(text.buf, text.len, "listing", &l, &e) < 0 || tree_check(root, &l, true, &differs, &e) < 0)
		fail_msg("%s: %s", s->what, e.msg);
	if (differs.len)
		fail_msg("%s: %s", s->what, differs.buf);
	listing_fini(&l);
	str_fini(&text);
	str_fini(&differs);
}

static void check_shape(const struct shape *s)
{
	struct scratch dir;
	struct err e = { 0 };
	scratch_open(&dir);
	int root = scratch_dir(&dir, "root");
	if (tree_from(root, s->members, NULL, &e) < 0)
		fail_msg("%s: %s", s->what, e.msg);
	char *text = tree_text_of(root, false);
	if (strcmp(text, s->tree) != 0)
		fail_msg("%s:\n%swanted:\n%s", s->what, text, s->tree);
	free(text);
	if (!s->odd)
		check_listing(root, s);
	close(root);
	scratch_close(&dir);
}

static void test_shapes(void **state)
{
	mode_t before = umask(077);
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		check_shape(&shapes[i]);
	umask(before);
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		check_shape(&shapes[i]);
}

static void test_owners(void **state)
{
	if (!id_range)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(owned_shapes); i++)
		check_shape(&owned_shapes[i]);
}

static void test_unmapped_owner(void **state)
{
	static const char *const members[] = { "f - 70000:1 - a 1\n", "d - 0:70000 - a\n", "l - 70000:1 - a x\n", "p - 70000:1 - a\n" };
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct scratch dir;
		struct err e = { 0 };
		scratch_open(&dir);
		int root = scratch_dir(&dir, "root");
		assert_int_equal(tree_from(root, members[i], NULL, &e), -1);
		assert_int_equal(e.kind, ERR_SANDBOX);
		assert_string_equal(e.id, "E-ID-UNMAPPED");
		assert_non_null(strstr(e.msg, "70000"));
		close(root);
		scratch_close(&dir);
	}
}

struct refusal {
	const char *members;
	enum err_kind kind;
	const char *words;
};

static const struct refusal refusals[] = {
	{ "h - - - a b\n", ERR_SPEC, "a is a hard link to b, which is not in the layer" },
	{ "h - - - a a\n", ERR_SPEC, "not in the layer" },
	{ "w - - - b\nh - - - a b\n", ERR_SPEC, "not in the layer" },
	{ "h - - - a b/c\nf - - - b/c 1\n", ERR_SPEC, "not in the layer" },
	{ "d - - - b\nh - - - a b\n", ERR_SPEC, "directory b" },
	{ "f - - - b 1\nh - - - a b/c\n", ERR_SPEC, "not in the layer" },
	{ "f - - - a 1\nf - - - a/b 1\n", ERR_SPEC, "a/b" },
	{ "f - - - a 1\nw - - - a/b\n", ERR_SPEC, "a/b" },
	{ "l - - - a a\nf - - - a/b 1\n", ERR_SPEC, "a/b" },
	{ "l - - - a b\nl - - - b a/c\nf - - - a/b 1\n", ERR_SPEC, "a/b" },
	{ "l - - - . /\n", ERR_SPEC, "\".\"" },
	{ "f - - - . x\n", ERR_SPEC, "\".\"" },
	{ "p - - - .\n", ERR_SPEC, "\".\"" },
	{ "h - - - . x\n", ERR_SPEC, "\".\"" },
};

static void test_refusals(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct scratch dir;
		struct err e = { 0 };
		scratch_open(&dir);
		int root = scratch_dir(&dir, "root");
		if (tree_from(root, refusals[i].members, NULL, &e) == 0)
			fail_msg("accepted: %s", refusals[i].members);
		if (e.kind != refusals[i].kind || !strstr(e.msg, refusals[i].words))
			fail_msg("%s: %s", refusals[i].members, e.msg);
		close(root);
		scratch_close(&dir);
	}
}

/* "%C" is the absolute path of the canary, without its slash. Whatever comes of each, the canary stays as it is. */
static const char *const attacks[] = {
	"l - - - d /%C/dir\nf 4777 - - d/f x\nd 777 - - d\nd - - - d/sub/deep\n",
	"l - - - d /%C/dir\nd 777 - 1 d/\n",
	"l - - - d /%C/dir\nw - - - d/file\n",
	"l - - - d /%C/dir\nO - - - d\n",
	"l - - - d ../canary/dir\nf - - - d/f x\nw - - - d/file\nO - - - d\n",
	"l - - - d ../../../../../../../../../../../%C\nf - - - d/file x\nh - - - d/h d/file\n",
	"l - - - d /%C\nh - - - h d/file\n",
	"l - - - d /%C\nh - - - h %C/file\n",
	"h - - - h ../canary/file\n",
	"h - - - h ../../canary/file\n",
	"l - - - s /%C/file\nf 4777 - 1 s x\n",
	"l - - - s /%C/file\nh - - - h s\nf 4777 - 1 h x\n",
	"l - - - s /%C/file\nh 4777 - 1 h s\n",
	"l - - - s /%C/dir\nd 777 - 1 s\n",
	"l - - - s /%C/fifo\np 777 - 1 s\n",
	"d - - 1 d\nl - - - d /%C/dir\n",
	"d - - 1 d\nd - - 1 d/sub\nl - - - d /%C/dir\n",
	"d - - 1 a\nd - - 1 a/dir\nl - - - a /%C\n",
	"l - - - . /%C\n",
	"f - - - ../canary/file x\n",
	"f - - - ../../canary/new x\n",
	"d 777 - - ..\n",
	"l - - - .. /%C\n",
	"w - - - ../canary\n",
	"w - - - ..\n",
	"O - - - ..\n",
	"f - - - a/../../canary/file x\n",
	"f - - - /%C/file x\n",
	"f - - - (empty) x\n",
	"d - - - a/\n",
	"d - - - a/.\nf - - - a/.. x\n",
	"l - - - p /proc/self/root/%C\nf - - - p/file x\n",
	"l - - - p /proc/self/cwd\nf - - - p/file x\n",
};

static char *with_canary(const char *text, const char *canary)
{
	struct str out = { 0 };
	for (const char *at; (at = strstr(text, "%C")); text = at + 2) {
		str_addn(&out, text, (size_t)(at - text));
		str_add(&out, canary + 1);
	}
	str_add(&out, text);
	return str_take(&out);
}

static int make_canary(struct scratch *dir, char **ret_path)
{
	struct err e;
	int fd = scratch_dir(dir, "canary");
	assert_int_equal(tree_from(fd, "f 640 - 11 file precious\nd 711 - 12 dir\nf - - 13 dir/file x\nd - - 14 dir/sub\np 600 - 15 fifo\n"
				   "f 4755 - 16 setuid x\nl - - 17 link file\n", NULL, &e), 0);
	*ret_path = x_asprintf("%s/canary", dir->path);
	return fd;
}

static void check_attack(const char *attack)
{
	struct scratch dir;
	struct err e;
	struct stat before, after;
	char *path;
	scratch_open(&dir);
	int canary = make_canary(&dir, &path);
	int root = scratch_dir(&dir, "root");
	char *members = with_canary(attack, path), *is = tree_text_of(canary, true);
	assert_int_equal(fstat(root, &before), 0);
	(void)!tree_from(root, members, NULL, &e);
	char *was = tree_text_of(canary, true);
	if (strcmp(is, was) != 0)
		fail_msg("%s changed the canary:\n%sbefore:\n%s", members, is, was);
	struct strv names = { 0 };
	assert_int_equal(dir_names(dir.fd, &names, &e), 0);
	assert_int_equal(names.n, 2);
	assert_int_equal(fstatat(dir.fd, "root", &after, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	strv_fini(&names);
	free(members);
	free(is);
	free(was);
	free(path);
	close(canary);
	close(root);
	scratch_close(&dir);
}

static void test_attacks(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++)
		check_attack(attacks[i]);
}

/* T-A2: what the link names appears inside the root. */
static void test_links_lead_inside(void **state)
{
	struct scratch dir;
	struct err e = { 0 };
	struct stat st;
	scratch_open(&dir);
	int root = scratch_dir(&dir, "root");
	assert_int_equal(tree_from(root, "l - - - d /var/elsewhere/dir\nf - - - d/f x\n", NULL, &e), 0);
	assert_int_equal(fstatat(root, "var/elsewhere/dir/f", &st, AT_SYMLINK_NOFOLLOW), 0);
	close(root);
	scratch_close(&dir);
}

static void test_xattrs(void **state)
{
	static const unsigned char cap_v2[20] = { 0x01, 0, 0, 0x02, 0, 0x20 };
	static const unsigned char cap_v3[24] = { 0x01, 0, 0, 0x03, 0, 0x20, [20] = 0xa0, 0x86, 0x01 };
	struct scratch dir;
	struct err e = { 0 };
	char value[64];
	scratch_open(&dir);
	int root = scratch_dir(&dir, "root");
	struct tree_writer *t = tree_writer_new(root);
	for (int v3 = 0; v3 < 2; v3++) {
		struct tar_entry m = { .type = TAR_FILE, .path = v3 ? (char *)"b" : (char *)"a", .mode = 0755, .size = 1 };
		tar_xattrs_add(&m.xattrs, "user.overlay.opaque", "y", 1);
		tar_xattrs_add(&m.xattrs, "user.overlay.overlay.x", "z", 1);
		tar_xattrs_add(&m.xattrs, "user.plain", "a\0b", 3);
		tar_xattrs_add(&m.xattrs, "user.fuseoverlayfs.opaque", "y", 1);
		tar_xattrs_add(&m.xattrs, "trusted.overlay.opaque", "y", 1);
		tar_xattrs_add(&m.xattrs, "security.selinux", "x", 1);
		tar_xattrs_add(&m.xattrs, "security.capability", v3 ? cap_v3 : cap_v2, v3 ? sizeof cap_v3 : sizeof cap_v2);
		assert_int_equal(tree_writer_add(t, &m, &e), 0);
		assert_int_equal(tree_writer_data(t, "x", 1, &e), 0);
		tar_xattrs_fini(&m.xattrs);
		int fd = openat(root, v3 ? "b" : "a", O_RDONLY | O_CLOEXEC);
		assert_int_equal(fgetxattr(fd, "user.overlay.opaque", value, sizeof value), -1);
		assert_int_equal(fgetxattr(fd, "user.overlay.overlay.opaque", value, sizeof value), 1);
		assert_int_equal(fgetxattr(fd, "user.overlay.overlay.overlay.x", value, sizeof value), 1);
		assert_int_equal(fgetxattr(fd, "user.plain", value, sizeof value), 3);
		assert_int_equal(fgetxattr(fd, "user.fuseoverlayfs.opaque", value, sizeof value), -1);
		/* Read inside the namespace it is version 2, with the root of this very namespace (T-B7). */
		assert_int_equal(fgetxattr(fd, "security.capability", value, sizeof value), (int)sizeof cap_v2);
		assert_memory_equal(value, cap_v2, sizeof cap_v2);
		close(fd);
	}
	assert_int_equal(tree_writer_finish(t, NULL, &e), 0);
	tree_writer_free(t);
	close(root);
	scratch_close(&dir);
}

static void test_implied_are_told(void **state)
{
	struct scratch dir;
	struct err e = { 0 };
	struct strv implied = { 0 };
	struct stat st;
	scratch_open(&dir);
	int root = scratch_dir(&dir, "root");
	assert_int_equal(fchmod(root, 0700), 0);
	assert_int_equal(tree_from(root, "f - - - a/b/x 1\nd - - - a\nl - - - l /m/n\nf - - - l/x 1\nf - - - gone/x 1\nf - - - gone 1\n"
				   "w - - - hidden\nf - - - hidden/x 1\nO - - - o\n", &implied, &e), 0);
	char *all = strv_join(&implied, " ");
	assert_string_equal(all, ". a/b m m/n o");
	assert_int_equal(fstat(root, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtim.tv_sec, 0);
	free(all);
	strv_fini(&implied);
	close(root);
	scratch_close(&dir);
}

/* Deeper than the kernel takes a path, and than there may be descriptors. */
static void test_deep(void **state)
{
	struct scratch dir;
	struct err e = { 0 };
	struct str path = { 0 };
	struct rlimit old, few = { 40, 40 };
	scratch_open(&dir);
	int root = scratch_dir(&dir, "root");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	struct tree_writer *t = tree_writer_new(root);
	for (int i = 0; i < 30; i++) {
		if (i)
			str_addc(&path, '/');
		for (int k = 0; k < 250; k++)
			str_addc(&path, (char)('a' + i % 26));
		struct tar_entry d = { .type = TAR_DIR, .path = path.buf, .mode = 0755, .mtime = 100 + i };
		assert_int_equal(tree_writer_add(t, &d, &e), 0);
	}
	char *deepest = x_strdup(path.buf);
	str_add(&path, "/implied/file");
	struct tar_entry f = { .type = TAR_FILE, .path = path.buf, .mode = 0644 };
	struct tar_entry h = { .type = TAR_HARDLINK, .path = (char *)"h", .link = path.buf };
	assert_int_equal(tree_writer_add(t, &f, &e), 0);
	assert_int_equal(tree_writer_add(t, &h, &e), 0);
	if (tree_writer_finish(t, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	tree_writer_free(t);
	int at = dup(root), level = 0;
	struct stat st;
	for (char *p = deepest, *name; (name = strsep(&p, "/")); level++) {
		int next = openat(at, name, O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		close(at);
		at = next;
		assert_int_equal(fstat(at, &st), 0);
		assert_int_equal(st.st_mtim.tv_sec, 100 + level);
	}
	assert_int_equal(fstatat(root, "h", &st, 0), 0);
	assert_int_equal(st.st_nlink, 2);
	close(at);
	free(deepest);
	str_fini(&path);
	close(root);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	scratch_close(&dir);
}

static void test_holes(void **state)
{
	static char zeros[1 << 20], ones[4096];
	struct scratch dir;
	struct err e = { 0 };
	struct stat st;
	memset(ones, 1, sizeof ones);
	scratch_open(&dir);
	int root = scratch_dir(&dir, "root");
	struct tree_writer *t = tree_writer_new(root);
	struct tar_entry f = { .type = TAR_FILE, .path = (char *)"f", .mode = 04755, .size = 3 * sizeof zeros + sizeof ones };
	assert_int_equal(tree_writer_add(t, &f, &e), 0);
	assert_int_equal(tree_writer_data(t, zeros, sizeof zeros, &e), 0);
	assert_int_equal(tree_writer_data(t, ones, sizeof ones, &e), 0);
	assert_int_equal(tree_writer_data(t, zeros, 0, &e), 0);
	assert_int_equal(tree_writer_data(t, zeros, sizeof zeros, &e), 0);
	assert_int_equal(tree_writer_data(t, zeros, sizeof zeros, &e), 0);
	assert_int_equal(tree_writer_finish(t, NULL, &e), 0);
	tree_writer_free(t);
	assert_int_equal(fstatat(root, "f", &st, 0), 0);
	assert_int_equal(st.st_size, f.size);
	assert_int_equal(st.st_mode & 07777, 04755);
	assert_true(st.st_blocks * 512 < 64 << 10);
	char got[2];
	int fd = openat(root, "f", O_RDONLY);
	assert_int_equal(pread(fd, got, 2, (off_t)sizeof zeros - 1), 2);
	assert_int_equal(got[0], 0);
	assert_int_equal(got[1], 1);
	close(fd);
	close(root);
	scratch_close(&dir);
}

/* T-A6: directories with times that become links, 20000 of them. T-A14: no descriptor stays after any failure. */
static void test_many_fixups(void **state)
{
	struct scratch dir;
	struct err e = { 0 };
	char *path;
	scratch_open(&dir);
	int canary = make_canary(&dir, &path), root = scratch_dir(&dir, "root");
	char *before = tree_text_of(canary, true);
	char *target = x_asprintf("%s/dir", path);
	struct tree_writer *t = tree_writer_new(root);
	for (int i = 0; i < 20000; i++) {
		char name[32];
		snprintf(name, sizeof name, "d%d", i);
		struct tar_entry d = { .type = TAR_DIR, .path = name, .mode = 0777, .mtime = 1 };
		struct tar_entry l = { .type = TAR_SYMLINK, .path = name, .link = target };
		assert_int_equal(tree_writer_add(t, &d, &e), 0);
		assert_int_equal(tree_writer_add(t, &l, &e), 0);
	}
	assert_int_equal(tree_writer_finish(t, NULL, &e), 0);
	tree_writer_free(t);
	char *after = tree_text_of(canary, true);
	assert_string_equal(before, after);
	free(before);
	free(after);
	free(target);
	free(path);
	close(canary);
	close(root);
	scratch_close(&dir);
}

static size_t open_fds(void)
{
	struct strv names = { 0 };
	struct err e;
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(dir_names(fd, &names, &e), 0);
	close(fd);
	size_t n = names.n;
	strv_fini(&names);
	return n;
}

static void test_no_leak_on_failure(void **state)
{
	size_t before = open_fds();
	for (int i = 0; i < 50; i++)
		test_refusals(state);
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++)
		check_attack(attacks[i]);
	assert_int_equal(open_fds(), before);
}

int main(void)
{
	id_range = enter_userns();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_unmapped_owner),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_attacks),
		cmocka_unit_test(test_links_lead_inside),
		cmocka_unit_test(test_xattrs),
		cmocka_unit_test(test_implied_are_told),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_many_fixups),
		cmocka_unit_test(test_no_leak_on_failure),
	};
	int failed = cmocka_run_group_tests_name("tree_writer", tests, NULL, NULL);
	deny_openat2();
	return failed + cmocka_run_group_tests_name("tree_writer without openat2", tests, NULL, NULL);
}
