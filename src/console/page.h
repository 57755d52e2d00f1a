/*
 * What a browser gets of the console's pages: which one, in which form, with which headers. Pure.
 *
 * Nothing but this gateway's own files runs, is shown or is asked in a page (Content-Security-Policy Level 3, Trusted
 * Types); no other site frames it, opens it with a handle, or learns where somebody came from.
 */
#ifndef CONSOLE_PAGE_H
#define CONSOLE_PAGE_H

#include "console/pages.h"
#include "net/http.h"

enum { CONSOLE_PAGE_HEADERS = 12 };

struct console_answer {
    int status; /* 200, or 304 without a body */
    struct str type, cache, body;
    struct http_header header[CONSOLE_PAGE_HEADERS];
    size_t headers;
};

/* The page of this path: an asset by its own, every other path by the one page there is. etag holds what a header of
 * the answer points to. ERR_NOT_FOUND: no such asset, or this program was built without pages. */
enum err console_page(const struct console_page *pages, size_t count, const struct http_head *h, char etag[128],
                      struct console_answer *ret, struct fault *f) MUST_USE;

/* Would the client take gzip? (RFC 9110, 12.5.3) */
bool console_takes_gzip(struct str accept_encoding);
/* Does If-None-Match name this tag, weak or not? (RFC 9110, 13.1.2) */
bool console_has_tag(struct str if_none_match, struct str etag);

#endif
