/* Capabilities of a step's command. capabilities(7). */
#ifndef NACRE_SANDBOX_CAPS_PRIV_H
#define NACRE_SANDBOX_CAPS_PRIV_H

#include "base/err.h"

/* Nothing outside the default set can be regained: the bounding set. Needs CAP_SETPCAP. */
int caps_bound(struct err *e);
/* Permitted and effective become the default set, inheritable and ambient nothing; for a command that runs as root. */
int caps_limit(struct err *e);

/*
 * For a step that asks for everything: all that is permitted becomes inheritable and ambient, so that a command that is
 * not root has it too (ambient: Linux 4.3). caps_keep goes before the change of user, caps_raise behind it.
 */
int caps_keep(struct err *e);
int caps_raise(struct err *e);

#endif
