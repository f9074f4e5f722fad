#include <unistd.h>

int main(void)
{
	return write(1, "up\n", 3) != 3;
}
