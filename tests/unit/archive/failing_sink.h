#ifndef NACRE_TESTS_UNIT_ARCHIVE_FAILING_SINK_H
#define NACRE_TESTS_UNIT_ARCHIVE_FAILING_SINK_H

#include <stdlib.h>

#include "archive/stream.h"
#include "base/mem.h"

/* A sink that takes `room` bytes and then fails with an error that says how often it was asked. */
struct failing_sink {
	struct sink base;
	size_t room, calls;
	bool at_finish;
};

static int failing_write(struct sink *s, const void *bytes, size_t n, struct err *e)
{
	struct failing_sink *f = (struct failing_sink *)s;
	f->calls++;
	if (n > f->room)
		return err_set(e, ERR_SYS, "full at call %zu", f->calls);
	f->room -= n;
	return 0;
}

static int failing_finish(struct sink *s, struct err *e)
{
	return ((struct failing_sink *)s)->at_finish ? err_set(e, ERR_SYS, "full at the end") : 0;
}

static void failing_free(struct sink *s)
{
	free(s);
}

static struct sink *sink_failing(size_t room, bool at_finish)
{
	struct failing_sink *f = x_alloc(sizeof *f);
	f->base = (struct sink){ .write = failing_write, .finish = failing_finish, .free = failing_free };
	f->room = room;
	f->at_finish = at_finish;
	return &f->base;
}

#endif
