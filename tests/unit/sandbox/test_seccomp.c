/*
 * The filter, evaluated here instruction by instruction as the kernel would: the verdict for each call, on each ABI,
 * with arguments (T-D7). That the kernel takes it is seen in the integration test.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <seccomp.h>

#include "base/mem.h"
#include "src/sandbox/seccomp_priv.h"

static uint32_t load(const struct seccomp_data *data, uint32_t at)
{
	uint32_t word;
	assert_true(at % 4 == 0 && at < sizeof *data);
	memcpy(&word, (const char *)data + at, sizeof word);
	return word;
}

static uint32_t evaluate(const struct sock_fprog *f, const struct seccomp_data *data)
{
	uint32_t a = 0;
	for (uint32_t pc = 0; pc < f->len; pc++) {
		const struct sock_filter *i = &f->filter[pc];
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = load(data, i->k);
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail_msg("instruction %u has code 0x%x", pc, i->code);
		}
	}
	fail_msg("ran off the end");
	return 0;
}

static const char *verdict(uint32_t arch, int nr, uint64_t arg0, uint64_t arg1)
{
	struct err e;
	const struct sock_fprog *f = filter_get(&e);
	const struct seccomp_data data = { .nr = nr, .arch = arch, .args = { arg0, arg1 } };
	assert_non_null(f);
	switch (evaluate(f, &data)) {
	case SECCOMP_RET_ALLOW:
		return "ok";
	case SECCOMP_RET_ERRNO | EPERM:
		return "EPERM";
	case SECCOMP_RET_ERRNO | ENOSYS:
		return "ENOSYS";
	default:
		return "?";
	}
}

static const struct {
	const char *call;
	uint64_t arg0, arg1;
	const char *wanted;
} cases[] = {
	{ "read", 0, 0, "ok" },
	{ "execve", 0, 0, "ok" },
	{ "openat2", 0, 0, "ok" },
	{ "chroot", 0, 0, "ok" },
	{ "faccessat2", 0, 0, "ok" },
	{ "ptrace", 0, 0, "ok" },
	{ "mount", 0, 0, "EPERM" },
	{ "umount2", 0, 0, "EPERM" },
	{ "pivot_root", 0, 0, "EPERM" },
	{ "move_mount", 0, 0, "EPERM" },
	{ "fsopen", 0, 0, "EPERM" },
	{ "open_tree", 0, 0, "EPERM" },
	{ "mount_setattr", 0, 0, "EPERM" },
	{ "unshare", CLONE_NEWUSER, 0, "EPERM" },
	{ "unshare", CLONE_FS, 0, "EPERM" },
	{ "setns", 0, 0, "EPERM" },
	{ "clone", SIGCHLD, 0, "ok" },
	{ "clone", CLONE_VM | CLONE_FS | CLONE_THREAD, 0, "ok" },
	{ "clone", CLONE_NEWUSER | SIGCHLD, 0, "EPERM" },
	{ "clone", CLONE_NEWNS, 0, "EPERM" },
	{ "clone", CLONE_NEWNET | CLONE_VM, 0, "EPERM" },
	{ "clone", UINT64_C(0xffffffff00000000) | CLONE_NEWPID, 0, "EPERM" },
	{ "clone3", 0, 0, "ENOSYS" },
	{ "keyctl", 0, 0, "EPERM" },
	{ "add_key", 0, 0, "EPERM" },
	{ "request_key", 0, 0, "EPERM" },
	{ "bpf", 0, 0, "EPERM" },
	{ "userfaultfd", 0, 0, "EPERM" },
	{ "perf_event_open", 0, 0, "EPERM" },
	{ "open_by_handle_at", 0, 0, "EPERM" },
	{ "kexec_load", 0, 0, "EPERM" },
	{ "init_module", 0, 0, "EPERM" },
	{ "io_uring_setup", 0, 0, "EPERM" },
	{ "io_uring_enter", 0, 0, "EPERM" },
	{ "reboot", 0, 0, "EPERM" },
	{ "sethostname", 0, 0, "EPERM" },
	{ "settimeofday", 0, 0, "EPERM" },
	{ "personality", 0, 0, "ok" },
	{ "personality", 8, 0, "ok" },
	{ "personality", 0x20000, 0, "ok" },
	{ "personality", 0x20008, 0, "ok" },
	{ "personality", 0xffffffff, 0, "ok" },
	{ "personality", 0x40000, 0, "EPERM" }, /* ADDR_NO_RANDOMIZE */
	{ "ioctl", 0, 0x5401, "ok" },           /* TCGETS */
	{ "ioctl", 0, 0x5411, "ok" },
	{ "ioctl", 0, 0x5412, "EPERM" },                /* TIOCSTI, CVE-2017-5226 */
	{ "ioctl", 0, UINT64_C(0x100005412), "EPERM" }, /* CVE-2019-10063 */
	{ "ioctl", 0, UINT64_C(0xffffffff00005412), "EPERM" },
	{ "ioctl", 0, 0x5413, "ok" },
	{ "ioctl", 0, 0x541c, "EPERM" }, /* TIOCLINUX */
	{ "ioctl", 0, UINT64_C(0xffffffff80045430), "ok" },
};

static const struct {
	uint64_t family;
	const char *wanted;
} families[] = {
	{ 1, "ok" },
	{ 2, "ok" },
	{ 10, "ok" },
	{ 16, "ok" },
	{ 17, "ok" },
	{ 37, "ok" },
	{ 38, "EPERM" },
	{ 39, "ok" },
	{ 40, "EPERM" },
	{ 41, "ok" },
	{ UINT64_C(0x100000026), "EPERM" },
	{ UINT64_C(0x100000028), "EPERM" },
};

static void check_arch(uint32_t arch, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int nr = seccomp_syscall_resolve_name_arch(arch, cases[i].call);
		if (nr < 0)
			continue;
		const char *got = verdict(arch, nr, cases[i].arg0, cases[i].arg1);
		if (strcmp(got, cases[i].wanted) != 0)
			fail_msg("%s: %s(0x%llx, 0x%llx): %s, wanted %s", name, cases[i].call,
				 (unsigned long long)cases[i].arg0, (unsigned long long)cases[i].arg1, got,
				 cases[i].wanted);
	}
	int nr = seccomp_syscall_resolve_name_arch(arch, "socket");
	for (size_t i = 0; nr >= 0 && i < ARRAY_LEN(families); i++)
		if (strcmp(verdict(arch, nr, families[i].family, 0), families[i].wanted) != 0)
			fail_msg("%s: socket family %llu is not %s", name, (unsigned long long)families[i].family,
				 families[i].wanted);
}

static void test_native(void **state)
{
	check_arch(seccomp_arch_native(), "native");
}

static void test_numbers_beyond(void **state)
{
	static const int beyond[] = { 470, 500, 1023, 1024, 4096, 0x0fffffff, -1, -2 };
	for (size_t i = 0; i < ARRAY_LEN(beyond); i++)
		assert_string_equal(verdict(seccomp_arch_native(), beyond[i], 0, 0), "ENOSYS");
}

/* futex_waitv has this number everywhere, and is younger than some libseccomp. */
static void test_young_calls(void **state)
{
	assert_string_equal(verdict(seccomp_arch_native(), 449, 0, 0), "ok");
	assert_string_equal(verdict(seccomp_arch_native(), 452, 0, 0), "ok");
	assert_string_equal(verdict(seccomp_arch_native(), 457, 0, 0), "EPERM");
}

static void test_other_architectures(void **state)
{
	static const uint32_t others[] = { AUDIT_ARCH_S390X, AUDIT_ARCH_MIPS64, AUDIT_ARCH_RISCV32, 0, 0xffffffff };
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_string_equal(verdict(others[i], 0, 0, 0), "ENOSYS");
}

#ifdef __x86_64__
static void test_i386(void **state)
{
	check_arch(SCMP_ARCH_X86, "i386");
	assert_string_equal(verdict(SCMP_ARCH_X86, 102, 1, 0), "ok"); /* socketcall: knowingly, see seccomp_calls.h */
}

static void test_x32(void **state)
{
	for (int nr = 0; nr < 600; nr++)
		assert_string_equal(verdict(SCMP_ARCH_X86_64, 0x40000000 + nr, 0, 0), "ENOSYS");
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native),      cmocka_unit_test(test_numbers_beyond),
		cmocka_unit_test(test_young_calls), cmocka_unit_test(test_other_architectures),
#ifdef __x86_64__
		cmocka_unit_test(test_i386),        cmocka_unit_test(test_x32),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
