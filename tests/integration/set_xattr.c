/* set_xattr FILE NAME HEX: for RUN in images that have no tool for it; linked statically. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

int main(int argc, char **argv)
{
	unsigned char value[256];
	size_t n = 0;

	if (argc != 4 || strlen(argv[3]) > 2 * sizeof value)
		return 2;
	for (const char *hex = argv[3]; hex[0] && hex[1]; hex += 2) {
		char byte[3] = { hex[0], hex[1], 0 };
		value[n++] = (unsigned char)strtoul(byte, NULL, 16);
	}
	if (lsetxattr(argv[1], argv[2], value, n, 0) == 0)
		return 0;
	perror(argv[1]);
	return 1;
}
