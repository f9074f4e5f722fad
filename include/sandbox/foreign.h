/*
 * Programs of another architecture: the kernel starts qemu-user for them (binfmt_misc), by a handler that is registered in
 * the user namespace of one command and is gone with it (Linux 6.7), or by one that root has registered for all.
 */
#ifndef NACRE_SANDBOX_FOREIGN_H
#define NACRE_SANDBOX_FOREIGN_H

#include "base/err.h"

struct foreign {
	const char *arch;  /* Go's name of it; borrowed */
	char *interpreter; /* path of a statically linked qemu-user, or NULL; owned */
};

/* Looks for what could run them; finds, perhaps, nothing. An architecture that is not known has nothing. */
void foreign_find(const char *arch, struct foreign *ret);
void foreign_fini(struct foreign *f);
/*
 * A program could not be started because its format is not known: e gets the id E-FOREIGN-ARCH, and says what
 * would help. Without effect for any other error. -1.
 */
int foreign_explain(const struct foreign *f, struct err *e);

#endif
