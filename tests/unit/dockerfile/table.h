/* cmocka's includes in the order it wants, and what the tests of this folder share. */
#ifndef NACRE_TESTS_DOCKERFILE_TABLE_H
#define NACRE_TESTS_DOCKERFILE_TABLE_H

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
#include "dockerfile/parse.h"

/* Counts instead of stopping, so that one run shows every wrong row; the test ends with assert_int_equal(wrong, 0). */
#define row_check(wrong, ok, ...) do { \
	if (!(ok)) { \
		print_error(__VA_ARGS__); \
		print_error("\n"); \
		(wrong)++; \
	} \
} while (0)

/* What an instruction came out as: "4-6 COPY json --from=a (x) (y) {k}={v} <<EOF", for comparing with a row. */
static inline void describe(struct str *out, const struct df_instruction *in)
{
	str_addf(out, "%d-%d %s%s%s", in->line, in->line_end, df_op_name(in->op), in->json ? " json" : "",
		in->health_none ? " none" : "");
	for (size_t i = 0; i < in->flags.n; i++)
		str_addf(out, " --%s%s%s", in->flags.v[i].name, in->flags.v[i].value ? "=" : "",
			in->flags.v[i].value ? in->flags.v[i].value : "");
	for (size_t i = 0; i < in->args.n; i++)
		str_addf(out, " (%s)", in->args.v[i]);
	for (size_t i = 0; i < in->kvs.n; i++)
		str_addf(out, in->kvs.v[i].value ? " {%s}={%s}" : " {%s}", in->kvs.v[i].key, in->kvs.v[i].value);
	for (size_t i = 0; i < in->heredocs.n; i++) {
		const struct df_heredoc *h = &in->heredocs.v[i];
		str_addf(out, " %s<<%s%s[%s]", h->fd >= 0 ? "fd" : "", h->name, h->expand ? "" : "!", h->body);
	}
}

/* `head` and n times `part`; the caller owns it. */
static inline char *repeat(const char *head, const char *part, size_t n, size_t *ret_len)
{
	struct str s = { 0 };
	str_add(&s, head);
	for (size_t i = 0; i < n; i++)
		str_add(&s, part);
	*ret_len = s.len;
	return str_take(&s);
}

#endif
