/* What can be told about a build without running it: `nacre build --check` and `--call`, `nacre context ls`. */
#ifndef NACRE_BUILD_CALL_H
#define NACRE_BUILD_CALL_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "build/options.h"
#include "store/store.h"

enum call_method { CALL_BUILD, CALL_CHECK, CALL_OUTLINE, CALL_TARGETS, CALL_CONTEXT };
enum call_format { CALL_TEXT, CALL_JSON, CALL_SARIF };

/* "METHOD[,format=FORMAT]"; sarif is for check alone, and CALL_CONTEXT has no name. ERR_USAGE. */
int call_parse(const char *text, enum call_method *ret_method, enum call_format *ret_format, struct err *e);

/*
 * Writes the answer to *out: the warnings of check, the parameters of the target (outline), the stages (targets), or
 * the files that are read and left out (context). *ret_count: for check the warnings, for context the instructions
 * that would fail. A failure is one error, whose excerpt was printed before; when it is the Dockerfile's, *out has it,
 * too, if check is to answer in JSON or SARIF.
 */
int build_call(struct store *s, const struct build_options *o, enum call_method method, enum call_format format,
	       struct str *out, size_t *ret_count, struct err *e);

#endif
