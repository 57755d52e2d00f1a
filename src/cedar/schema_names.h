/*
 * What is declared, to be found by name. Within a namespace a name means what the namespace declares, else what the
 * empty one does, else one of Cedar's own types; a common type before an entity type of the same name. No declaration
 * may hide one of the empty namespace, so that a name there has one meaning only.
 */
#ifndef CEDAR_SCHEMA_NAMES_H
#define CEDAR_SCHEMA_NAMES_H

#include "cedar/schema_inner.h"

struct cedar_symbol {
    struct str space, id;
    struct cedar_decl_common *common; /* one of the three */
    struct cedar_decl_entity *entity;
    struct cedar_decl_action *action;
    uint32_t at;
};

struct cedar_schema_names {
    struct cedar_symbol *type, *action; /* by id, then namespace; of one name the common type first */
    uint32_t types, actions;
    struct cedar_decl_space **space; /* by name */
    uint32_t spaces;
};

/* Checks the declared names on the way: reserved ones, doubles, hidden ones. */
enum err cedar_schema_names(struct cedar_schema_build *b, struct cedar_schema_names *ret) MUST_USE;

enum { CEDAR_MAY_COMMON = 1, CEDAR_MAY_ENTITY = 2 };
struct cedar_schema_found { /* one of them */
    struct cedar_decl_common *common;
    struct cedar_decl_entity *entity;
    struct cedar_decl_space *action; /* the entity type Action of this namespace */
    const struct cedar_type *builtin;
};
bool cedar_schema_find(const struct cedar_schema_names *names, const struct cedar_decl_space *from,
                       struct cedar_decl_name name, unsigned may, struct cedar_schema_found *ret);
/* A type of the same id in some other namespace, to be told of. NULL: none */
const struct cedar_symbol *cedar_schema_elsewhere(const struct cedar_schema_names *names, struct str id, unsigned may);
struct cedar_decl_action *cedar_schema_find_action(const struct cedar_schema_names *names,
                                                   const struct cedar_decl_space *from,
                                                   const struct cedar_decl_parent *parent);

#endif
