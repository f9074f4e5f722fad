#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3 || setgid(atoi(argv[1])) || setuid(atoi(argv[1])))
		return 1;
	execvp(argv[2], argv + 2);
	return 127;
}
