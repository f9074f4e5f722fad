/* File capabilities, as the kernel keeps them in the xattr security.capability. */
#ifndef NACRE_OCI_CAPABILITY_H
#define NACRE_OCI_CAPABILITY_H

#include <stddef.h>

#define XATTR_CAPABILITY "security.capability"
enum { CAPABILITY_V3_SIZE = 24 };

/*
 * The value without what it says of this machine, in place; the new length. Version 3 is version 2 and the uid that is root
 * of the namespace the file was made for, which the kernel adds again when a layer is unpacked, and leaves out where the
 * reader is that root (capabilities(7), "File capability extended attribute versioning").
 */
size_t capability_to_v2(char *value, size_t len);

#endif
