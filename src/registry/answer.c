#include "transport_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void http_answer_fini(struct http_answer *a)
{
	free(a->location);
	free(a->content_type);
	free(a->content_range);
	free(a->etag);
	free(a->last_modified);
	free(a->retry_after);
	free(a->range);
	free(a->digest);
	free(a->subject);
	strv_fini(&a->challenges);
	*a = (struct http_answer){ 0 };
}

static bool header_is(const char *line, size_t n, const char *name, char **ret_value)
{
	size_t m = strlen(name);
	if (n <= m || line[m] != ':' || !str_case_starts(line, name))
		return false;
	const char *p = line + m + 1, *end = line + n;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && strchr(" \t\r\n", end[-1]))
		end--;
	*ret_value = x_strndup(p, (size_t)(end - p));
	return true;
}

void http_answer_take(struct http_answer *a, const char *line, size_t n)
{
	const struct {
		const char *name;
		char **to;
	} known[] = {
		{ "Location", &a->location },           { "Content-Type", &a->content_type },
		{ "Content-Range", &a->content_range }, { "ETag", &a->etag },
		{ "Last-Modified", &a->last_modified }, { "Retry-After", &a->retry_after },
		{ "Range", &a->range },                 { "Docker-Content-Digest", &a->digest },
		{ "OCI-Subject", &a->subject },
	};
	AUTO(free_drop) char *value = NULL;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (header_is(line, n, known[i].name, &value)) {
			if (!*known[i].to)
				*known[i].to = ptr_take(&value);
			return;
		}
	}
	if (header_is(line, n, "WWW-Authenticate", &value))
		strv_push_taken(&a->challenges, ptr_take(&value));
	else if (header_is(line, n, "Content-Length", &value) && !a->has_length)
		a->has_length = str_to_u64(value, INT64_MAX, &a->length);
	else if (header_is(line, n, "OCI-Chunk-Min-Length", &value))
		str_to_u64(value, INT64_MAX, &a->chunk_min);
	else if (header_is(line, n, "Transfer-Encoding", &value))
		a->chunked = true;
}

bool http_range_fits(const struct http_answer *a, uint64_t offset, uint64_t size)
{
	AUTO(free_drop) char *text = x_strdup(a->content_range ? a->content_range : "");
	uint64_t first, last, total;
	char *dash = strchr(text, '-'), *slash = strchr(text, '/');
	if (!str_case_starts(text, "bytes ") || !dash || !slash || slash < dash)
		return false;
	*dash = *slash = '\0';
	if (!str_to_u64(text + strlen("bytes "), INT64_MAX, &first) || !str_to_u64(dash + 1, INT64_MAX - 1, &last) ||
	    first != offset || last < first)
		return false;
	if (str_eq(slash + 1, "*"))
		return !size || last + 1 == size;
	return str_to_u64(slash + 1, INT64_MAX, &total) && last + 1 == total && (!size || total == size);
}
