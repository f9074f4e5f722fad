#include "sandbox/foreign.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "foreign_priv.h"
#include "newmount_priv.h"

/* The beginning of an ELF file, which tells the architecture: e_ident, e_type, e_machine. */
enum { HEAD = 20, AT_ABI = EI_OSABI, AT_TYPE = 16, AT_MACHINE = 18 };

static const struct machine {
	const char *arch, *qemu;
	unsigned char class, data;
	uint16_t machine;
} machines[] = {
	{ "386", "i386", ELFCLASS32, ELFDATA2LSB, EM_386 },
	{ "amd64", "x86_64", ELFCLASS64, ELFDATA2LSB, EM_X86_64 },
	{ "arm", "arm", ELFCLASS32, ELFDATA2LSB, EM_ARM },
	{ "arm64", "aarch64", ELFCLASS64, ELFDATA2LSB, EM_AARCH64 },
	{ "loong64", "loongarch64", ELFCLASS64, ELFDATA2LSB, 258 /* EM_LOONGARCH, since glibc 2.36 */ },
	{ "mips", "mips", ELFCLASS32, ELFDATA2MSB, EM_MIPS },
	{ "mips64", "mips64", ELFCLASS64, ELFDATA2MSB, EM_MIPS },
	{ "mips64le", "mips64el", ELFCLASS64, ELFDATA2LSB, EM_MIPS },
	{ "mipsle", "mipsel", ELFCLASS32, ELFDATA2LSB, EM_MIPS },
	{ "ppc64", "ppc64", ELFCLASS64, ELFDATA2MSB, EM_PPC64 },
	{ "ppc64le", "ppc64le", ELFCLASS64, ELFDATA2LSB, EM_PPC64 },
	{ "riscv64", "riscv64", ELFCLASS64, ELFDATA2LSB, EM_RISCV },
	{ "s390x", "s390x", ELFCLASS64, ELFDATA2MSB, EM_S390 },
};

static const struct machine *machine_of(const char *arch)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (strcmp(machines[i].arch, arch) == 0)
			return &machines[i];
	return NULL;
}

static void put_half(unsigned char *at, const struct machine *m, uint16_t value)
{
	bool low_first = m->data == ELFDATA2LSB;
	at[low_first ? 0 : 1] = (unsigned char)value;
	at[low_first ? 1 : 0] = (unsigned char)(value >> 8);
}

/* Programs and shared objects (ET_EXEC is 2, ET_DYN 3) for whatever ABI. */
static void header_of(const struct machine *m, unsigned char magic[HEAD], unsigned char mask[HEAD])
{
	memset(magic, 0, HEAD);
	memset(mask, 0xff, HEAD);
	memcpy(magic, ELFMAG, SELFMAG);
	magic[EI_CLASS] = m->class;
	magic[EI_DATA] = m->data;
	magic[EI_VERSION] = EV_CURRENT;
	put_half(magic + AT_TYPE, m, ET_EXEC);
	put_half(magic + AT_MACHINE, m, m->machine);
	mask[AT_ABI] = 0;
	put_half(mask + AT_TYPE, m, 0xfffe);
}

/* ---- qemu-user ---- */

/* One that loads libraries would look for them in the image. */
static bool is_static(int fd)
{
	ElfW(Ehdr) h;
	ElfW(Phdr) p;
	if (pread(fd, &h, sizeof h, 0) != sizeof h || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_phentsize != sizeof p)
		return false;
	for (unsigned i = 0; i < h.e_phnum; i++)
		if (pread(fd, &p, sizeof p, (off_t)(h.e_phoff + i * sizeof p)) != sizeof p || p.p_type == PT_INTERP)
			return false;
	return true;
}

/* In a directory of PATH; the registration's fields end at a colon, which no directory of a PATH has. */
static char *find_program(const char *name)
{
	const char *path = getenv("PATH");
	AUTO(free_drop) char *dirs = x_strdup(path && *path ? path : "/usr/bin:/usr/local/bin:/bin");
	for (char *next = dirs; next;) {
		const char *dir = strsep(&next, ":");
		AUTO(free_drop) char *file = x_asprintf("%s/%s", dir, name);
		AUTO(fd_drop) int fd = *dir == '/' ? open(file, O_RDONLY | O_CLOEXEC) : -1;
		struct stat st;
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) && is_static(fd))
			return ptr_take(&file);
	}
	return NULL;
}

static char *find_interpreter(const struct machine *m)
{
	AUTO(free_drop) char *usual = x_asprintf("qemu-%s-static", m->qemu), *plain = x_asprintf("qemu-%s", m->qemu);
	char *found = find_program(usual);
	return found ? found : find_program(plain);
}

/* ---- for one image ---- */

void foreign_find(const char *arch, struct foreign *ret)
{
	const struct machine *m = machine_of(arch);
	*ret = (struct foreign){ .arch = arch };
	ret->interpreter = m ? find_interpreter(m) : NULL;
}

void foreign_fini(struct foreign *f)
{
	free(f->interpreter);
	*f = (struct foreign){ 0 };
}

/* ---- in the sandbox ---- */

static void add_bytes(struct str *out, const unsigned char *bytes)
{
	for (size_t i = 0; i < HEAD; i++)
		str_addf(out, "\\x%02x", bytes[i]);
}

/*
 * ":NAME:M:OFFSET:MAGIC:MASK:INTERPRETER:FLAGS". O: the program is opened by the kernel; C: its setuid counts; P: with its
 * own argv[0], which busybox goes by (qemu 6.0); F: the interpreter is opened now, from outside the image.
 * Linux Documentation/admin-guide/binfmt-misc.rst.
 */
static void registration(const struct foreign *f, struct str *out)
{
	unsigned char magic[HEAD], mask[HEAD];
	header_of(machine_of(f->arch), magic, mask);
	str_add(out, ":nacre:M::");
	add_bytes(out, magic);
	str_addc(out, ':');
	add_bytes(out, mask);
	str_addf(out, ":%s:OCPF", f->interpreter);
}

int foreign_register(const struct foreign *f)
{
	AUTO(str_fini) struct str line = { 0 };
	struct err ignored;
	if (!f->interpreter)
		return -1;
	/* EPERM before Linux 6.7, which gave user namespaces handlers of their own; ENODEV without the module. */
	AUTO(fd_drop) int mnt = newmount_open("binfmt_misc", NULL, 0);
	AUTO(fd_drop) int fd = mnt < 0 ? -1 : openat(mnt, "register", O_WRONLY | O_CLOEXEC);
	registration(f, &line);
	if (fd < 0 || fd_write_all(fd, line.buf, line.len, "binfmt_misc", &ignored) < 0)
		return -1;
	return fd_take(&mnt);
}

int foreign_explain(const struct foreign *f, struct err *e)
{
	if (e->sysno != ENOEXEC)
		return -1;
	err_in(e, "the image is for %s", f->arch);
	if (f->interpreter)
		err_hint(e, "%s is there, but needs Linux 6.7 with binfmt_misc, or a handler that root registers with flag F",
			 f->interpreter);
	else
		err_hint(e, "install qemu-user-static (Debian, Fedora) or qemu-user (Alpine, Arch: the static one), or build "
			    "on $BUILDPLATFORM");
	snprintf(e->id, sizeof e->id, "E-FOREIGN-ARCH");
	return -1;
}
