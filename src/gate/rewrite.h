/* A JSON text with one member of it replaced: what policies change of arguments and do not show of results. */
#ifndef GATE_REWRITE_H
#define GATE_REWRITE_H

#include "base/json.h"

/* Writes node `at` of j, and in it, at the path ("filter.max"; names with dots cannot be reached), the value (raw JSON)
 * in the place of what is there. add: also where nothing is there; objects on the way are made, and what is no object
 * is replaced by one. In arrays the path goes on in each element. Returns whether anything was replaced. */
bool rewrite(const struct json *j, uint32_t at, struct str path, struct str value, bool add, struct json_out *out);
/* With `add`, as a document of its own in the arena, whose root is what became of the node; at 0: of an empty object.
 * ERR_NOMEM, or that the text does not parse (ERR_SYNTAX, ERR_LIMIT). */
enum err rewrite_doc(const struct json *j, uint32_t at, struct str path, struct str value, struct arena *a,
                     const struct json **ret, struct fault *f) MUST_USE;

#endif
