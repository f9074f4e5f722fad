/* libcurl's functions, loaded by the first worker that needs the network. */
#ifndef NACRE_REGISTRY_CURL_PRIV_H
#define NACRE_REGISTRY_CURL_PRIV_H

/* Its checking macros know the functions by their own names only. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_getinfo
#undef curl_easy_setopt

#include "base/err.h"

#define CURL_FUNCTIONS(X)                                                                                              \
	X(easy_cleanup) X(easy_getinfo) X(easy_init) X(easy_setopt) X(easy_strerror) X(global_init)                    \
	X(multi_add_handle) X(multi_cleanup) X(multi_info_read) X(multi_init) X(multi_perform) X(multi_poll)           \
	X(multi_remove_handle) X(multi_strerror) X(slist_append) X(slist_free_all)

struct curl_functions {
#define X(name) __typeof__(&curl_##name) name;
	CURL_FUNCTIONS(X)
#undef X
};
extern struct curl_functions curl;

int curl_load(struct err *e);

#endif
