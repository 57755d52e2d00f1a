/*
 * What policies see of a tool's arguments: the part of its inputSchema (JSON Schema) that Cedar has types for. From the
 * one shape come the type in the schema that policies are validated against, and, at each call, the value of
 * `context.input`.
 *
 *   boolean -> Bool    integer -> Long    number -> decimal    string -> String    array -> Set<…>    object -> record
 *
 * Local references ($ref to #/…), "X or null" and enums of strings are followed; what has no such type (anyOf of
 * several, tuples, objects without properties …) is not in the shape: no policy can name it. A member that may be null
 * is optional, and null is as if it were not there.
 *
 * A value that its declared type cannot hold (an integer beyond 64 bits, a number with more than four decimals) is left
 * out, and its name is told: the caller must refuse the call when a policy reads that name, since a forbid that looks
 * for it would not fire.
 */
#ifndef POLICY_SHAPE_H
#define POLICY_SHAPE_H

#include "base/json.h"
#include "cedar/value.h"

enum shape_kind { SHAPE_NONE, SHAPE_BOOL, SHAPE_LONG, SHAPE_DECIMAL, SHAPE_STRING, SHAPE_SET, SHAPE_RECORD };

struct shape;
struct shape_field {
    struct str name;
    const struct shape *shape;
    bool required;
};
struct shape {
    enum shape_kind kind;
    const struct shape *element; /* of a set */
    struct shape_field *field;   /* of a record; sorted by name */
    size_t fields;
};

/* Of the schema at node `at`; always a record. NULL: no memory. */
const struct shape *shape_of(const struct json *schema, uint32_t at, struct arena *a);
/* What both have, with equal types: of tools that share an action. */
const struct shape *shape_common(const struct shape *a, const struct shape *b, struct arena *arena);
/* As a Cedar schema writes it. */
void shape_print(const struct shape *s, struct buf *out);

/* Reads the arguments at node `at` (0: none given). lost: told the name of each member on the way to a value that was
 * left out. ERR_NOMEM. */
enum err shape_read(const struct shape *s, const struct json *j, uint32_t at, struct arena *a,
                    void (*lost)(void *ctx, struct str name), void *ctx, struct cedar_value *ret) MUST_USE;

#endif
