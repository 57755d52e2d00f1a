/*
 * JSON by a declared type: entities and contexts of a schema may leave out the escapes that their types make
 * unnecessary. Where an entity is declared, {"type", "id"} is one; where an extension type is, a string is its text and
 * {"fn", "arg"} a call; {"__entity"} and {"__extn"} are understood everywhere.
 * (https://docs.cedarpolicy.com/auth/entities-syntax.html)
 */
#ifndef CEDAR_TYPED_H
#define CEDAR_TYPED_H

#include "cedar/types.h"

/* Records have their required attributes and no others; a wrong type is refused. Only whether the ids of an enum exist
 * is left to cedar_value_check. Strings are views of the text or copies in the arena. The fault names the path. */
enum err cedar_typed_read(const struct json *j, uint32_t at, const struct cedar_type *t, const char *path,
                          struct arena *a, struct cedar_value *ret, struct fault *f) MUST_USE;

#endif
