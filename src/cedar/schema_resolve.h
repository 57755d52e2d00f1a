/* From declarations to the model: schema_resolve.c (types), schema_model.c (entity types, actions and the whole). */
#ifndef CEDAR_SCHEMA_RESOLVE_H
#define CEDAR_SCHEMA_RESOLVE_H

#include "cedar/schema_names.h"

struct cedar_resolver {
    struct cedar_schema_build *b;
    struct cedar_schema_names names;
};

struct str cedar_resolve_full(struct cedar_resolver *r, struct str space, struct str id);
/* An entity of that type. NULL: no memory */
const struct cedar_type *cedar_resolve_entity(struct cedar_resolver *r, const struct str *name);
/* Tells the fault. may: what could have been meant (CEDAR_MAY_COMMON …) */
void cedar_resolve_undeclared(struct cedar_resolver *r, const struct cedar_decl_space *from,
                              struct cedar_decl_name name, unsigned may);
/* Makes t->made. ERR_SYNTAX: there is a fault, and it is told. */
enum err cedar_resolve_type(struct cedar_resolver *r, struct cedar_decl_type *t, struct cedar_decl_space *space,
                            unsigned depth) MUST_USE;
enum err cedar_resolve_common(struct cedar_resolver *r, struct cedar_decl_common *c, uint32_t at,
                              unsigned depth) MUST_USE;
/* A type that must be a record; t NULL: {}. NULL: it is none, or there is no memory */
const struct cedar_type *cedar_resolve_attrs(struct cedar_resolver *r, struct cedar_decl_type *t,
                                             struct cedar_decl_space *space, const char *what);

#endif
