/* What the requests over libcurl share: http.c (one at a time) and bridge_call.c (many). */
#ifndef CLI_CURL_H
#define CLI_CURL_H

#include <curl/curl.h>

#include "base/secret.h"

bool curl_header_add(struct curl_slist **list, const char *header) MUST_USE;
bool curl_header_bearer(struct curl_slist **list, const struct secret *token) MUST_USE;
/* Wipes them: one of them holds a credential. */
void curl_headers_free(struct curl_slist *list);
/* What holds for every request, whatever it is: schemes, names, whom to believe, no proxy on the way to this machine.
 */
void curl_options(CURL *curl, const char *url, struct curl_slist *headers, char why[CURL_ERROR_SIZE]);

/* http://127.…, https://localhost…: this machine. */
bool curl_is_local(const char *url) MUST_USE;

#endif
