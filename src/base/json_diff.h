/*
 * What differs between two JSON values, member by member, for people to read. A path is written as in JavaScript:
 * inputSchema.properties.amount.maximum, anyOf[0], properties["order id"]. Numbers of equal value and objects of other
 * order do not differ. Arrays of plain values (required, enum) differ as a whole, others by place.
 */
#ifndef BASE_JSON_DIFF_H
#define BASE_JSON_DIFF_H

#include "base/json.h"

enum json_change { JSON_ADDED, JSON_REMOVED, JSON_CHANGED };

/* old, now: raw JSON, STR_NONE where there is none. path lives until it returns. */
typedef void json_changed(void *ctx, struct str path, enum json_change change, struct str old, struct str now);

/* In the order of a's members, then what only b has. Work is bounded: of very large objects it is only said that they
 * differ. ERR_NOMEM: scratch is full, or a path is longer than a path may be. */
enum err json_diff(const struct json *a, const struct json *b, json_changed *changed, void *ctx,
                   struct arena *scratch) MUST_USE;
/* The same, with JSON pointers (RFC 6901) as paths: /properties/order~1id/0. */
enum err json_diff_pointers(const struct json *a, const struct json *b, json_changed *changed, void *ctx,
                            struct arena *scratch) MUST_USE;

#endif
