/* cmocka's includes in the order it wants, and a check that names the row of a table. */
#ifndef NACRE_TESTS_REGISTRY_TABLE_H
#define NACRE_TESTS_REGISTRY_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"

/* Counts instead of stopping, so that one run shows every wrong row; the test ends with assert_int_equal(wrong, 0). */
#define row_check(wrong, ok, ...) do { \
	if (!(ok)) { \
		print_error(__VA_ARGS__); \
		print_error("\n"); \
		(wrong)++; \
	} \
} while (0)

#endif
