/*
 * Types as the checker sees them. They live in the arena of their schema, or of the checker; equal types need not be
 * the same pointer.
 */
#ifndef CEDAR_TYPES_H
#define CEDAR_TYPES_H

#include "cedar/value.h"

enum cedar_type_kind {
    CEDAR_T_NEVER,
    CEDAR_T_TRUE, /* a bool that is known to be true */
    CEDAR_T_FALSE,
    CEDAR_T_BOOL,
    CEDAR_T_LONG,
    CEDAR_T_STRING,
    CEDAR_T_SET,        /* element; NULL: of the empty set */
    CEDAR_T_RECORD,     /* attr, open */
    CEDAR_T_ENTITY,     /* entity: the types that it may be, sorted; at least one */
    CEDAR_T_ANY_ENTITY, /* some entity, of any type */
    CEDAR_T_EXT,        /* ext: CEDAR_DECIMAL, CEDAR_IP, CEDAR_DATETIME, CEDAR_DURATION */
};

struct cedar_type;
struct cedar_attr {
    struct str name;
    const struct cedar_type *type;
    bool required;
};
struct cedar_type {
    enum cedar_type_kind kind;
    union {
        const struct cedar_type *element;
        struct {
            const struct cedar_attr *attr; /* sorted by name */
            uint32_t attrs;
            bool open; /* may have more than these */
        };
        struct {
            const struct str *entity;
            uint32_t entities;
        };
        enum cedar_kind ext;
    };
};

const struct cedar_attr *cedar_type_attr(const struct cedar_type *record, struct str name); /* NULL: none */
bool cedar_type_eq(const struct cedar_type *a, const struct cedar_type *b);
void cedar_type_print(const struct cedar_type *t, struct buf *out); /* as a schema would write it */

#endif
