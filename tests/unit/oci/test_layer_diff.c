/*
 * layer_diff: uppers made by hand and by the kernel. What overlay shows of base and upper must be what it shows of base and
 * the layer made of the upper (THREATS B, 3.10 "Replacement").
 */
#include "layers.h"

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "oci/layer_diff.h"

static bool can_mount;

static int diff_to_layer(struct bench *b, int upper_fd, const struct time_clamp *clamp, struct layer *ret, struct err *e)
{
	struct layer_writer *w;
	assert_int_equal(layer_writer_open(&b->store, &(struct layer_format){ .how = COMPRESSION_NONE }, NULL, &w, e), 0);
	int r = layer_diff(upper_fd, w, clamp, e);
	if (r == 0)
		r = layer_writer_finish(w, ret, e);
	layer_writer_free(w);
	return r;
}

static void apply_to(struct bench *b, const struct layer *l, int tree_fd)
{
	struct err e = { 0 };
	struct diffid got;
	struct layer_apply a = { .store = &b->store, .blob = &l->blob, .want = &l->diffid, .tree_fd = tree_fd };
	if (layer_apply(&a, &got, &e) < 0)
		fail_msg("%s", e.msg);
}

/* The listing of the layer made of dir_fd, without the heading; the caller owns it. */
static char *listing_of(struct bench *b, int dir_fd, const struct time_clamp *clamp)
{
	struct err e = { 0 };
	struct layer l;
	if (diff_to_layer(b, dir_fd, clamp, &l, &e) < 0)
		fail_msg("%s", e.msg);
	char *text = listing_text(b, &l.diffid);
	descriptor_fini(&l.blob);
	char *lines = x_strdup(strchr(text, '\n') + 1);
	free(text);
	return lines;
}

static const char sorted[] =
	"d 711 - 3 a\n"
	"O - - - a\n"
	"f - - 4 a/f content\n"
	"h 644 - 4 a/h a/f\n"
	"l - - 5 a/l ../a/f\n"
	"p 600 - 6 a/p\n"
	"w - - - a/w\n"
	"d - - 7 b\n"
	"f 4755 - 8 b/s x\n"
	"d - - - b-c\n"
	"l - - -5 b-c/m t\n"
	"h 777 - -5 n b-c/m\n"
	"w - - - z\n";

/* A tree made of a layer that is sorted gives the very same layer. */
static void test_same_layer(void **state)
{
	struct bench b;
	struct layer l, again;
	struct err e = { 0 };
	bench_open(&b);
	int tree = scratch_dir(&b.dir, "tree");
	layer_from(&b, COMPRESSION_NONE, sorted, &l);
	apply_to(&b, &l, tree);
	if (diff_to_layer(&b, tree, NULL, &again, &e) < 0)
		fail_msg("%s", e.msg);
	char *first = listing_text(&b, &l.diffid), *second = listing_text(&b, &again.diffid);
	assert_string_equal(first, second);
	assert_true(digest_eq(&l.diffid.d, &again.diffid.d));
	free(first);
	free(second);
	descriptor_fini(&l.blob);
	descriptor_fini(&again.blob);
	close(tree);
	bench_close(&b);
}

static void make_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	struct timespec t[2] = { { .tv_sec = 7 }, { .tv_sec = 7 } };
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(futimens(fd, t), 0);
	close(fd);
}

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* T-B2, T-B3, T-B4: overlay's own xattrs, whiteouts that are links of one inode, whiteouts that are xattrs. */
static void test_marks(void **state)
{
	struct bench b;
	struct timespec t[2] = { { .tv_sec = 7 }, { .tv_sec = 7 } };
	static const char *const own[] = { "origin", "impure", "nlink", "upper", "protattr", "uuid" };
	bench_open(&b);
	int dir = scratch_dir(&b.dir, "upper");
	assert_int_equal(mknodat(dir, "w1", S_IFCHR, 0), 0);
	assert_int_equal(linkat(dir, "w1", dir, "w2", 0), 0);
	assert_int_equal(linkat(dir, "w1", dir, "w3", 0), 0);
	assert_int_equal(mkdirat(dir, "x", 0755), 0);
	int x = openat(dir, "x", O_RDONLY | O_DIRECTORY);
	make_file(x, "deleted");
	make_file(x, "kept");
	int fd = openat(x, "deleted", O_RDONLY);
	assert_int_equal(fsetxattr(fd, "user.overlay.whiteout", "y", 1, 0), 0);
	close(fd);
	assert_int_equal(fsetxattr(x, "user.overlay.opaque", "x", 1, 0), 0);
	make_file(dir, "f");
	fd = openat(dir, "f", O_RDWR);
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		char name[64];
		snprintf(name, sizeof name, "user.overlay.%s", own[i]);
		assert_int_equal(fsetxattr(fd, name, "y", 1, 0), 0);
	}
	assert_int_equal(fsetxattr(fd, "user.overlay.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(fsetxattr(fd, "user.mine", "a", 1, 0), 0);
	close(fd);
	assert_int_equal(futimens(x, t), 0);
	char *lines = listing_of(&b, dir, NULL);
	assert_string_equal(lines, "f 0644 0 0 0 7 - " EMPTY " f xattr user.mine=61 user.overlay.opaque=79\n"
				   "w 0000 0 0 0 0 - - w1\nw 0000 0 0 0 0 - - w2\nw 0000 0 0 0 0 - - w3\n"
				   "d 0755 0 0 0 7 - - x\nw 0000 0 0 0 0 - - x/deleted\n"
				   "f 0644 0 0 0 7 - " EMPTY " x/kept\n");
	free(lines);
	close(x);
	close(dir);
	bench_close(&b);
}

static void test_refused(void **state)
{
	static const char *const xattrs[] = { "user.overlay.redirect", "user.overlay.metacopy" };
	for (size_t i = 0; i < ARRAY_LEN(xattrs) + 1; i++) {
		struct bench b;
		struct layer l;
		struct err e = { 0 };
		bench_open(&b);
		int dir = scratch_dir(&b.dir, "upper");
		const char *name = i < ARRAY_LEN(xattrs) ? "f" : ".wh.f";
		make_file(dir, name);
		if (i < ARRAY_LEN(xattrs)) {
			int fd = openat(dir, "f", O_RDWR);
			assert_int_equal(fsetxattr(fd, xattrs[i], "/y", 2, 0), 0);
			close(fd);
		}
		assert_int_equal(diff_to_layer(&b, dir, NULL, &l, &e), -1);
		assert_int_equal(e.kind, ERR_SPEC);
		assert_non_null(strstr(e.msg, name));
		close(dir);
		bench_close(&b);
	}
}

static void test_times(void **state)
{
	struct bench b;
	bench_open(&b);
	int dir = scratch_dir(&b.dir, "upper");
	static const struct { const char *name; struct timespec t; } files[] = {
		{ "a", { -1, 500000000 } }, { "b", { 1, 999999999 } }, { "c", { 100, 0 } }, { "d", { 101, 0 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct timespec both[2] = { files[i].t, files[i].t };
		make_file(dir, files[i].name);
		assert_int_equal(utimensat(dir, files[i].name, both, 0), 0);
	}
	char *lines = listing_of(&b, dir, &(struct time_clamp){ 100, 50 });
	assert_string_equal(lines, "f 0644 0 0 0 -1 - " EMPTY " a\nf 0644 0 0 0 1 - " EMPTY " b\n"
				   "f 0644 0 0 0 100 - " EMPTY " c\nf 0644 0 0 0 50 - " EMPTY " d\n");
	free(lines);
	lines = listing_of(&b, dir, &(struct time_clamp){ 0, 0 });
	assert_non_null(strstr(lines, " 101 - " EMPTY " d"));
	free(lines);
	close(dir);
	bench_close(&b);
}

static void test_socket_and_odd_names(void **state)
{
	struct bench b;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	bench_open(&b);
	int dir = scratch_dir(&b.dir, "upper");
	snprintf(at.sun_path, sizeof at.sun_path, "%s/upper/sock", b.dir.path);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&at, sizeof at), 0);
	close(s);
	make_file(dir, "new\nline");
	make_file(dir, "\xff");
	char *lines = listing_of(&b, dir, NULL);
	assert_string_equal(lines, "f 0644 0 0 0 7 - " EMPTY " new\\012line\nf 0644 0 0 0 7 - " EMPTY " \\377\n");
	free(lines);
	close(dir);
	bench_close(&b);
}

/* Deeper than descriptors and paths go; and back. */
static void test_deep(void **state)
{
	struct bench b;
	struct layer l;
	struct err e = { 0 };
	char name[201];
	memset(name, 'n', 200);
	name[200] = '\0';
	bench_open(&b);
	int dir = scratch_dir(&b.dir, "upper"), tree = scratch_dir(&b.dir, "tree"), at = dup(dir);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(mkdirat(at, name, 0755), 0);
		make_file(at, "a");
		make_file(at, "z");
		int next = openat(at, name, O_RDONLY | O_DIRECTORY);
		close(at);
		at = next;
	}
	close(at);
	if (diff_to_layer(&b, dir, NULL, &l, &e) < 0)
		fail_msg("%s", e.msg);
	apply_to(&b, &l, tree);
	char *first = listing_text(&b, &l.diffid), *second = listing_of(&b, tree, NULL);
	assert_string_equal(strchr(first, '\n') + 1, second);
	free(first);
	free(second);
	descriptor_fini(&l.blob);
	close(dir);
	close(tree);
	bench_close(&b);
}

/* ---- with the kernel's overlay ---- */

/* lowers: names below the bench's directory, the topmost first, joined by ":". upper NULL: read-only. */
static bool overlay(struct bench *b, const char *lowers, const char *upper)
{
	struct str options = { 0 };
	char *merged = x_asprintf("%s/merged", b->dir.path), *names = x_strdup(lowers);
	str_add(&options, "userxattr,lowerdir=");
	for (char *rest = names, *name; (name = strsep(&rest, ":"));)
		str_addf(&options, "%s%s/%s", name == names ? "" : ":", b->dir.path, name);
	if (upper)
		str_addf(&options, ",upperdir=%s/%s,workdir=%s/work", b->dir.path, upper, b->dir.path);
	mkdirat(b->dir.fd, "merged", 0755);
	mkdirat(b->dir.fd, "work", 0700);
	int r = mount("overlay", merged, "overlay", 0, options.buf);
	str_fini(&options);
	free(merged);
	free(names);
	return r == 0;
}

static void unmount(struct bench *b)
{
	char *merged = x_asprintf("%s/merged", b->dir.path);
	assert_int_equal(umount(merged), 0);
	free(merged);
}

static char *merged_text(struct bench *b)
{
	int fd = openat(b->dir.fd, "merged", O_RDONLY | O_DIRECTORY);
	char *text = tree_text_of(fd, false);
	close(fd);
	return text;
}

static void make_base(struct bench *b, const char *name, const char *members)
{
	struct err e = { 0 };
	int fd = scratch_dir(&b->dir, name);
	if (tree_from(fd, members, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	close(fd);
}

/* The overlay is mounted with an upper that was written to: makes the layer, and compares what it gives with what is seen. */
static void check_upper(struct bench *b, const char *what)
{
	struct layer l;
	struct err e = { 0 };
	unmount(b);
	/* Mounted anew: where a file was linked after its copy-up, the inode numbers differ until then. */
	assert_true(overlay(b, "upper:base2:base", NULL));
	char *seen = merged_text(b);
	unmount(b);
	int upper = openat(b->dir.fd, "upper", O_RDONLY | O_DIRECTORY), tree = scratch_dir(&b->dir, "tree");
	if (diff_to_layer(b, upper, NULL, &l, &e) < 0)
		fail_msg("%s: %s", what, e.msg);
	apply_to(b, &l, tree);
	assert_true(overlay(b, "tree:base2:base", NULL));
	char *now = merged_text(b);
	if (strcmp(seen, now) != 0) {
		char *lines = listing_text(b, &l.diffid);
		fail_msg("%s: the layer gives\n%sbut the command saw\n%slayer:\n%s", what, now, seen, lines);
	}
	unmount(b);
	free(seen);
	free(now);
	descriptor_fini(&l.blob);
	close(upper);
	close(tree);
	assert_int_equal(tree_remove(b->dir.fd, "tree"), 0);
	assert_int_equal(tree_remove(b->dir.fd, "upper"), 0);
	assert_int_equal(tree_remove(b->dir.fd, "work"), 0);
}

static const char base_members[] =
	"d - - - bin\nf 4755 - - bin/su x\nh - - - bin/su2 bin/su\nf 755 - - bin/ping x\nf - - - bin/a 1\n"
	"d - - - dir\nf - - - dir/a 1\nf - - - dir/b 2\nd - - - dir/sub\nf - - - dir/sub/c 3\n"
	"d 1777 - - tmp\nf - - - tmp/x 1\nl - - - link dir/a\nf - - - file 1\nf - - - other 2\np 600 - - pipe\n";
static const char base2_members[] =
	"w - - - dir/b\nd - - 9 dir\nf - - - dir/d 4\nd - - 9 opq\nO - - - opq\nf - - - opq/x 1\n";

static const char *const commands[] = {
	"true",
	"rm file dir/a link pipe",
	"rm -r dir",
	"rm -r dir; mkdir dir",
	"rm -r dir; mkdir dir; echo 5 >dir/e; mkdir dir/sub",
	"rm -r dir/sub; echo x >dir/sub",
	"rm file; mkdir file; echo 1 >file/x",
	"rm file; ln -s dir file",
	"rm link; mkdir link; touch link/x",
	"mv file file2",
	"mv file other",
	"mv dir/sub dir/sub2 || { cp -a dir/sub dir/sub2; rm -r dir/sub; }",
	"mkdir new; mv file new/; ln new/file new/link; ln -s file new/soft",
	"ln file hard; echo more >>hard",
	"ln file hard; rm file",
	"echo more >>bin/su2",
	"chmod 4711 bin/a; chmod 700 dir; chmod 0 other",
	"touch -d @1000000000 file dir tmp",
	"touch -h -d @1000000000 link; touch dir/sub",
	"truncate -s 100 file; truncate -s 0 other",
	"truncate -s 3M sparse; printf x >>sparse",
	"mkfifo p dir/p",
	"echo 5 >dir/b; rm dir/d; echo 1 >opq/y",
	"rm -r opq; mkdir opq; touch opq/z; rm -r tmp; mkdir -m 1777 tmp",
	"mkdir -p a/b/c/d/e; touch a/b/c/d/e/f; rm -r a; mkdir a",
	"for i in 1 2 3 4 5 6 7 8 9; do echo $i >t$i; ln t$i u$i; done; rm t1 t2 u3 u4; rm bin/a bin/su",
	"rm file; echo new >file; chmod 600 file",
	"setfattr -n user.x -v y file; setfattr -n user.overlay.opaque -v y dir 2>/dev/null || true",
	"setcap cap_net_raw+ep bin/ping; setcap cap_chown=ep bin/a",
	"setcap cap_net_raw+ep bin/ping; setcap -r bin/ping",
	"chown 1:2 file; chown -h 3:4 link; chown 5:6 bin/su; chown -R 7:8 dir",
};

static void test_commands(void **state)
{
	if (!can_mount)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct bench b;
		bench_open(&b);
		make_base(&b, "base", base_members);
		make_base(&b, "base2", base2_members);
		close(scratch_dir(&b.dir, "upper"));
		assert_true(overlay(&b, "base2:base", "upper"));
		char *command = x_asprintf("cd %s/merged && { %s; } 2>%s/log", b.dir.path, commands[i], b.dir.path);
		int status = system(command);
		/* setcap, setfattr and foreign ids are not everywhere; what did happen must be in the layer all the same. */
		if (status != 0)
			print_message("# status %d: %s\n", WEXITSTATUS(status), commands[i]);
		check_upper(&b, commands[i]);
		free(command);
		bench_close(&b);
	}
}

/* T-B7: version 2 in the layer, whatever the kernel keeps on disk. */
static void test_capability(void **state)
{
	static const unsigned char v2[20] = { 0x01, 0, 0, 0x02, 0, 0x20 };
	struct bench b;
	bench_open(&b);
	int dir = scratch_dir(&b.dir, "upper");
	make_file(dir, "f");
	int fd = openat(dir, "f", O_RDWR);
	if (fsetxattr(fd, "security.capability", v2, sizeof v2, 0) < 0)
		skip();
	char *lines = listing_of(&b, dir, NULL);
	assert_non_null(strstr(lines, "security.capability=0100000200200000000000000000000000000000\n"));
	free(lines);
	close(fd);
	close(dir);
	bench_close(&b);
}

/* ---- sequences of operations nobody chose ---- */

static unsigned next_random(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % below;
}

/* One of 3 * 3 * 3 paths up to three deep, many of them in the base. */
static void random_path(unsigned *seed, char path[32])
{
	static const char *const names[] = { "dir", "sub", "a", "b", "file" };
	unsigned depth = 1 + next_random(seed, 3);
	path[0] = '\0';
	for (unsigned i = 0; i < depth; i++) {
		strcat(path, i ? "/" : "");
		strcat(path, names[next_random(seed, ARRAY_LEN(names))]);
	}
}

static void random_operation(int fd, unsigned *seed)
{
	char a[32], b[32];
	random_path(seed, a);
	random_path(seed, b);
	int f;
	switch (next_random(seed, 11)) {
	case 0:
	case 1:
		f = openat(fd, a, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_APPEND, 0640);
		if (f >= 0) {
			(void)!write(f, "x", 1);
			close(f);
		}
		break;
	case 2:
		(void)!mkdirat(fd, a, 0755);
		break;
	case 3:
		(void)!unlinkat(fd, a, 0);
		break;
	case 4:
		(void)!tree_remove(fd, a);
		break;
	case 5:
		(void)!tree_remove(fd, a);
		(void)!mkdirat(fd, a, 0711);
		break;
	case 6:
		(void)!renameat(fd, a, fd, b);
		break;
	case 7:
		(void)!linkat(fd, a, fd, b, 0);
		break;
	case 8:
		(void)!symlinkat("../a", fd, a);
		break;
	case 9:
		(void)!fchmodat(fd, a, 0700, 0);
		break;
	default:
		(void)!mkfifoat(fd, a, 0600);
		break;
	}
}

static void test_random(void **state)
{
	const char *wish = getenv("NACRE_TEST_SEQUENCES");
	unsigned n = wish ? (unsigned)atoi(wish) : 100;
	struct bench b;
	if (!can_mount)
		skip();
	bench_open(&b);
	make_base(&b, "base", base_members);
	make_base(&b, "base2", base2_members);
	for (unsigned i = 0; i < n; i++) {
		unsigned seed = i;
		char what[32];
		close(scratch_dir(&b.dir, "upper"));
		assert_true(overlay(&b, "base2:base", "upper"));
		int fd = openat(b.dir.fd, "merged", O_RDONLY | O_DIRECTORY);
		for (unsigned k = 5 + next_random(&seed, 30); k; k--)
			random_operation(fd, &seed);
		close(fd);
		snprintf(what, sizeof what, "sequence %u", i);
		check_upper(&b, what);
	}
	bench_close(&b);
}

/* A mount namespace with overlay in it, or not. */
static bool try_mount(void)
{
	struct bench b;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	bench_open(&b);
	close(scratch_dir(&b.dir, "base"));
	close(scratch_dir(&b.dir, "upper"));
	bool can = overlay(&b, "base", "upper");
	if (can)
		unmount(&b);
	bench_close(&b);
	return can;
}

int main(void)
{
	enter_userns();
	can_mount = try_mount();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_layer),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_socket_and_odd_names),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_capability),
		cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests_name("layer_diff", tests, NULL, NULL);
}
