/*
 * Where the frames of a layer (archive/frames.h) end. It depends on names and sizes of entries alone, and little on those
 * that lie before, so that a change in a layer moves only the frames around it: the others have the same bytes again,
 * and need not be compressed again.
 *
 *   - An entry of FRAME_ALONE bytes or more has frames of its own.
 *   - Otherwise a frame that holds FRAME_SMALLEST bytes ends before an entry whose name says so. A name says so the more
 *     likely the larger its entry is: on average after FRAME_SPREAD further bytes, whether files are small or large.
 *   - No frame becomes larger than FRAME_MAX; one entry that is larger fills several.
 *
 * This is part of what makes a layer's digest: a change here changes every layer that is built.
 */
#ifndef NACRE_OCI_FRAME_CUT_H
#define NACRE_OCI_FRAME_CUT_H

#include <stdbool.h>
#include <stdint.h>

enum { FRAME_ALONE = 1 << 20, FRAME_SMALLEST = 512 << 10, FRAME_SPREAD = 256 << 10 };

/* Zeroed before the first entry. */
struct frame_cut {
	uint64_t held; /* bytes of the present frame, or of the entry that has some alone */
	bool alone;
};

/* Takes the next entry: its path in the tar, and its bytes there, header and padding included. True: a new frame begins
 * with it. */
bool frame_cut_before(struct frame_cut *c, const char *path, uint64_t bytes);

#endif
