/* The flags of an instruction (SEMANTICS section 3), read with a type. */
#ifndef NACRE_DOCKERFILE_FLAGS_H
#define NACRE_DOCKERFILE_FLAGS_H

#include <stdbool.h>

struct df_instruction;

const char *df_flag_get(const struct df_instruction *in, const char *name); /* value, "" when bare, NULL when absent */
bool df_flag_bool(const struct df_instruction *in, const char *name);       /* bare or true */

#endif
