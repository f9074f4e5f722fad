#include "seccomp_priv.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/vec.h"
#include "seccomp_calls.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

enum verdict { NO_SUCH_CALL, ALLOWED, REFUSED, BY_CLONE_FLAGS, BY_FAMILY, BY_REQUEST, BY_PERSONALITY };

static const char *const allowed[] = {
	CALLS_FILES,  CALLS_XATTR,     CALLS_BYTES,   CALLS_AIO,        CALLS_WAITING, CALLS_SOCKETS, CALLS_MULTIPLEXED,
	CALLS_MEMORY, CALLS_PROCESSES, CALLS_SIGNALS, CALLS_SCHEDULING, CALLS_TIME,    CALLS_IPC,     CALLS_SYSTEM,
};
static const char *const refused[] = { CALLS_REFUSED };
static const struct {
	const char *name;
	enum verdict verdict;
} inspected[] = {
	{ "clone", BY_CLONE_FLAGS },
	{ "socket", BY_FAMILY },
	{ "ioctl", BY_REQUEST },
	{ "personality", BY_PERSONALITY },
};
#define YOUNG(name, nr) { name, nr },
static const struct {
	const char *name;
	int nr;
} young[] = { CALLS_YOUNG(YOUNG) };

enum { NUMBERS = 1024 }; /* more than any architecture has; those with an offset (MIPS) are not supported */

struct range {
	uint32_t first;
	enum verdict verdict;
};

struct builder {
	VEC(struct sock_filter) code;
	struct range ranges[NUMBERS + 4]; /* of one architecture, ascending; each ends where the next begins */
	size_t n_ranges;
};

static void emit(struct builder *b, uint16_t op, uint32_t k, uint8_t jt, uint8_t jf)
{
	vec_push(&b->code, ((struct sock_filter){ op, jt, jf, k }));
}

static void emit_return(struct builder *b, uint32_t what)
{
	emit(b, BPF_RET | BPF_K, what, 0, 0);
}

static const uint32_t say_no = SECCOMP_RET_ERRNO | EPERM, say_unknown = SECCOMP_RET_ERRNO | ENOSYS;

/* The low half: the kernel takes these arguments as 32 bits, whatever a caller puts into the upper half
 * (CVE-2019-10063). */
static void emit_load_argument(struct builder *b, unsigned n)
{
	uint32_t at = (uint32_t)(offsetof(struct seccomp_data, args) + n * sizeof(uint64_t));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	at += 4;
#endif
	emit(b, BPF_LD | BPF_W | BPF_ABS, at, 0, 0);
}

/* Returns `hit` when the loaded value is one of v, else `miss`. */
static void emit_one_of(struct builder *b, const uint32_t *v, size_t n, uint32_t hit, uint32_t miss)
{
	for (size_t i = 0; i < n; i++)
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, v[i], (uint8_t)(n - i), 0);
	emit_return(b, miss);
	emit_return(b, hit);
}

static void emit_clone_flags(struct builder *b)
{
	/* New namespaces, as unshare: the way to the kernel's less travelled code. 0x7e020000 in Docker's profile. */
	const uint32_t new_any = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
				 CLONE_NEWPID | CLONE_NEWNET;
#ifdef __s390__
	emit_load_argument(b, 1);
#else
	emit_load_argument(b, 0);
#endif
	emit(b, BPF_JMP | BPF_JSET | BPF_K, new_any, 1, 0);
	emit_return(b, SECCOMP_RET_ALLOW);
	emit_return(b, say_no);
}

static void emit_verdict(struct builder *b, enum verdict v)
{
	static const uint32_t families[] = { AF_ALG, AF_VSOCK };
	static const uint32_t requests[] = { TIOCSTI, TIOCLINUX };
	/* Query, and Linux with or without 32-bit addresses and uname 2.6: what Docker allows. */
	static const uint32_t personas[] = { 0xffffffff, PER_LINUX, PER_LINUX32, UNAME26, PER_LINUX32 | UNAME26 };
	switch (v) {
	case NO_SUCH_CALL:
		emit_return(b, say_unknown);
		break;
	case ALLOWED:
		emit_return(b, SECCOMP_RET_ALLOW);
		break;
	case REFUSED:
		emit_return(b, say_no);
		break;
	case BY_CLONE_FLAGS:
		emit_clone_flags(b);
		break;
	case BY_FAMILY:
		emit_load_argument(b, 0);
		emit_one_of(b, families, ARRAY_LEN(families), say_no, SECCOMP_RET_ALLOW);
		break;
	case BY_REQUEST:
		emit_load_argument(b, 1);
		emit_one_of(b, requests, ARRAY_LEN(requests), say_no, SECCOMP_RET_ALLOW);
		break;
	case BY_PERSONALITY:
		emit_load_argument(b, 0);
		emit_one_of(b, personas, ARRAY_LEN(personas), SECCOMP_RET_ALLOW, say_no);
		break;
	}
}

/* Binary search over ranges [lo, hi). Depth is the logarithm of the number of ranges. */
static void emit_search(struct builder *b, size_t lo, size_t hi)
{
	if (hi - lo == 1) {
		emit_verdict(b, b->ranges[lo].verdict);
		return;
	}
	size_t mid = lo + (hi - lo) / 2;
	/* Conditional jumps reach 255 instructions, JA any number: below the middle skips the JA. */
	emit(b, BPF_JMP | BPF_JGE | BPF_K, b->ranges[mid].first, 0, 1);
	size_t jump = b->code.n;
	emit(b, BPF_JMP | BPF_JA, 0, 0, 0);
	emit_search(b, lo, mid);
	b->code.v[jump].k = (uint32_t)(b->code.n - jump - 1);
	emit_search(b, mid, hi);
}

static int call_number(uint32_t arch, const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(arch, name);
	for (size_t i = 0; nr == __NR_SCMP_ERROR && i < ARRAY_LEN(young); i++)
		if (strcmp(young[i].name, name) == 0)
			nr = young[i].nr;
	return nr;
}

static void set_verdict(uint8_t *verdicts, uint32_t arch, const char *name, enum verdict v)
{
	int nr = call_number(arch, name);
	if (nr >= 0 && nr < NUMBERS)
		verdicts[nr] = (uint8_t)v;
}

static void find_ranges(struct builder *b, uint32_t arch)
{
	uint8_t verdicts[NUMBERS] = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		set_verdict(verdicts, arch, allowed[i], ALLOWED);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		set_verdict(verdicts, arch, refused[i], REFUSED);
	for (size_t i = 0; i < ARRAY_LEN(inspected); i++)
		set_verdict(verdicts, arch, inspected[i].name, inspected[i].verdict);
	b->n_ranges = 0;
	for (uint32_t nr = 0; nr < NUMBERS; nr++)
		if (nr == 0 || verdicts[nr] != verdicts[nr - 1])
			b->ranges[b->n_ranges++] = (struct range){ nr, verdicts[nr] };
	/* Numbers with the x32 bit land here too, and get ENOSYS: that ABI has no users and a history of holes. */
	if (b->ranges[b->n_ranges - 1].verdict != NO_SUCH_CALL)
		b->ranges[b->n_ranges++] = (struct range){ NUMBERS, NO_SUCH_CALL };
	/* Private calls of 32-bit ARM: breakpoint, cacheflush, usr26, usr32, set_tls, get_tls. */
	if (arch == SCMP_ARCH_ARM) {
		b->ranges[b->n_ranges++] = (struct range){ 0x0f0001, ALLOWED };
		b->ranges[b->n_ranges++] = (struct range){ 0x0f0007, NO_SUCH_CALL };
	}
}

static void emit_architecture(struct builder *b, uint32_t arch)
{
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
	size_t jump = b->code.n;
	emit(b, BPF_JMP | BPF_JA, 0, 0, 0);
	find_ranges(b, arch);
	emit(b, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	emit_search(b, 0, b->n_ranges);
	b->code.v[jump].k = (uint32_t)(b->code.n - jump - 1);
}

const struct sock_fprog *filter_get(struct err *e)
{
	static struct sock_fprog made;
	if (made.len)
		return &made;
	/* libseccomp's tokens of the architectures we know are the kernel's AUDIT_ARCH_* values. */
	uint32_t native = seccomp_arch_native();
	if (native == SCMP_ARCH_MIPS64 || native == SCMP_ARCH_MIPSEL64 || native == SCMP_ARCH_MIPS ||
	    native == SCMP_ARCH_MIPSEL || native == SCMP_ARCH_MIPS64N32 || native == SCMP_ARCH_MIPSEL64N32) {
		err_set(e, ERR_SANDBOX, "there is no system call filter for this architecture");
		return NULL;
	}
	struct builder *b = x_alloc(sizeof *b);
	emit(b, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	emit_architecture(b, native);
	if (native == SCMP_ARCH_X86_64)
		emit_architecture(b, SCMP_ARCH_X86);
	if (native == SCMP_ARCH_AARCH64)
		emit_architecture(b, SCMP_ARCH_ARM);
	emit_return(b, say_unknown);
	made = (struct sock_fprog){ .len = (unsigned short)b->code.n, .filter = b->code.v };
	free(b);
	return &made;
}

int filter_load(const struct sock_fprog *filter, struct err *e)
{
	/* SPEC_ALLOW (4.17): no speculation barriers for the command, the kernel's own default since 5.16. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, filter) == 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) == 0)
		return 0;
	return err_sys(e, "load the system call filter");
}
