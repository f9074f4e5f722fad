#include "cmdline_priv.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

enum { STAT_MAX = 4096, STATE_FIELD = 3, ARG_START_FIELD = 48 }; /* proc_pid_stat(5), counted from 1 */

struct cmdline cmdline_find(void)
{
	static struct cmdline found;
	AUTO(str_fini) struct str text = { 0 };
	struct err ignored;
	uintptr_t start, end;
	if (found.start || file_read(AT_FDCWD, "/proc/self/stat", STAT_MAX, &text, &ignored) < 0)
		return found;
	/* The name before it may hold blanks and parentheses itself. */
	const char *p = strrchr(str_text(&text), ')');
	for (int field = STATE_FIELD - 1; p && field < ARG_START_FIELD; field++)
		p = strchr(p + 1, ' ');
	if (p && sscanf(p, " %" SCNuPTR " %" SCNuPTR, &start, &end) == 2 && start && end > start)
		found = (struct cmdline){ (char *)start, end - start };
	return found;
}

void cmdline_replace(struct cmdline c, const char *name)
{
	if (!c.len)
		return;
	memset(c.start, 0, c.len);
	for (size_t i = 0; i + 1 < c.len && name[i]; i++)
		c.start[i] = name[i];
	prctl(PR_SET_NAME, name);
}
