/*
 * Write the changes in an overlay upper directory as one layer.
 *
 * upper_fd  directory; read, never changed; walked from inside the user namespace that wrote it
 * out       a layer_writer; not finished here
 * clamp     times later than `clamp_after` become `clamp_to` (SOURCE_DATE_EPOCH and the build's start); 0,0 = never
 *
 * Entries come directory by directory, names in byte order, so that equal trees give equal bytes; the root itself has
 * none, as with BuildKit. A deletion becomes an empty ".wh.NAME", an opaque directory gains ".wh..wh..opq". Hard links
 * are found by device and inode (never for 0:0 devices, of which overlay makes hard links, T-B3). Sockets are left out.
 * Kept xattrs: user.* (but user.overlay.*, which is unescaped when it was escaped), security.capability in its v2 form.
 * Fails with ERR_SYS, or ERR_SPEC when a kept name begins with ".wh.".
 *
 * image-spec layer.md, "Representing Changes", "Whiteouts"; Linux Documentation/filesystems/overlayfs.rst.
 */
#ifndef NACRE_OCI_LAYER_DIFF_H
#define NACRE_OCI_LAYER_DIFF_H

#include "oci/layer_writer.h"

struct time_clamp { int64_t after, to; };

int layer_diff(int upper_fd, struct layer_writer *out, const struct time_clamp *clamp /* may be NULL */, struct err *e);

#endif
