#include <stdio.h>

#include "greet.h"

int main(void)
{
	return puts(greeting()) < 0;
}
