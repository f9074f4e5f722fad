/* A file that appears whole under its name, or not at all. */
#ifndef NACRE_BUILD_OUT_FILE_PRIV_H
#define NACRE_BUILD_OUT_FILE_PRIV_H

#include "base/err.h"

struct out_file {
	int fd;
	int dir;          /* of the file; -1: what is written to is no regular file and stays as it is */
	const char *name; /* in dir; borrowed */
	char aside[40];   /* "" while it has no name */
};
#define OUT_FILE_NONE ((struct out_file){ .fd = -1, .dir = -1 })

/* Whether `path`, a file or directory, can be written or made, as far as the rights on directories tell: before a long build. */
int out_place_check(const char *path, struct err *e);

/* path NULL: standard output. */
int out_file_open(struct out_file *o, const char *path, struct err *e);
int out_file_publish(struct out_file *o, const char *path, struct err *e);
void out_file_fini(struct out_file *o); /* what was not published is gone */

#endif
