/* References between schemas: RFC 3986 section 5.2, and fragments. */
#ifndef SCHEMA_URI_H
#define SCHEMA_URI_H

#include "base/arena.h"

/* The part before '#', and what is behind it (p == NULL when there is no '#'). */
void schema_uri_split(struct str uri, struct str *ret_document, struct str *ret_fragment);
/* ref, which has no fragment, as seen from base. p == NULL: the arena is full. */
struct str schema_uri_resolve(struct str base, struct str ref, struct arena *a);
/* Without percent escapes; a malformed one stays as it is. p == NULL: the arena is full. */
struct str schema_uri_unescape(struct str s, struct arena *a);

#endif
