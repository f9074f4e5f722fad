/* Expansion of a word, of words and of a heredoc body; the first bytes choose the escape and the values. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dockerfile/expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct strv env = {0}, words = {0}, undefined = {0};
	struct err e = {0};
	char *text = x_strndup((const char *)bytes, n), *out = NULL;
	struct df_scope scope = {.env = &env, .escape = n % 2 ? '\\' : '`', .undefined = &undefined};

	strv_push(&env, "A=a/b.c\n\xc3\xa9$B'\"\\");
	strv_push(&env, "EMPTY=");
	strv_pushf(&env, "B=%.*s", n > 200 ? 200 : (int)strlen(text), text);
	if (df_expand(&scope, text, &out, &e) == 0)
		free(out);
	df_expand_words(&scope, text, &words, &e);
	if (df_expand_body(&scope, text, &out, &e) == 0)
		free(out);
	free(text);
	strv_fini(&words);
	strv_fini(&undefined);
	strv_fini(&env);
	return 0;
}
