#include "curl_priv.h"

#include "base/library.h"
#include "base/mem.h"

struct curl_functions curl;

int curl_load(struct err *e)
{
	/* Debian builds it for two TLS libraries; both have the same interface (so-version 4 since 2006). */
	static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4", NULL };
	static const struct library_function functions[] = {
#define X(name) { "curl_" #name, &curl.name },
		CURL_FUNCTIONS(X)
#undef X
	};
	if (curl.global_init)
		return 0;
	return library_load(names, functions, ARRAY_LEN(functions), e);
}
