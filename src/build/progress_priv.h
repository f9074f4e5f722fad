/* How a build is shown: one view for each --progress. All calls come from the one loop, in the order of events. */
#ifndef NACRE_SRC_BUILD_PROGRESS_PRIV_H
#define NACRE_SRC_BUILD_PROGRESS_PRIV_H

#include "build_priv.h"

struct progress_view {
	void (*start)(struct progress_view *v, const struct step *s);
	/* About the step: why it runs, whom it waits for. */
	void (*remark)(struct progress_view *v, const struct step *s, const char *text);
	/* One line of its output, without the newline; bytes as they came. */
	void (*output)(struct progress_view *v, const struct step *s, const char *text, size_t n);
	void (*done)(struct progress_view *v, const struct step *s, const struct digest *image /* or NULL */);
	void (*failed)(struct progress_view *v, const struct step *s, const struct err *e);
	void (*note)(struct progress_view *v, const char *text); /* about the build */
	/* Does what is due; the milliseconds until something is due again, -1: nothing is. May be NULL. */
	int (*tick)(struct progress_view *v);
	/* Nothing runs any more: what is held back is shown. May be NULL. */
	void (*end)(struct progress_view *v);
	void (*free)(struct progress_view *v);
};

struct progress_view *progress_plain(void);
struct progress_view *progress_tty(void);
struct progress_view *progress_rawjson(void);
struct progress_view *progress_quiet(void);

/* Whole, to standard error. */
void progress_put(const struct str *s);
/* Text for a person: tabs stay, and of all else that is not printable the terminal sees \xNN. */
void progress_printable(struct str *out, const char *text, size_t n);

#endif
