/*
 * Schemas: which entities and actions there are, and of what types. Two forms: the human-readable
 * (https://docs.cedarpolicy.com/schema/human-readable-schema.html) and JSON
 * (https://docs.cedarpolicy.com/schema/json-schema.html). Both become the same model, with all names resolved and
 * common types replaced by what they stand for.
 */
#ifndef CEDAR_SCHEMA_H
#define CEDAR_SCHEMA_H

#include "cedar/types.h"

struct cedar_entity_type {
    struct str name;                /* with its namespace */
    const struct cedar_type *attrs; /* a record */
    const struct cedar_type *tags;  /* NULL: it has none */
    const struct str *choice;       /* of an enum: the ids that there are */
    uint32_t choices;               /* 0: no enum */
    const struct str *ancestor;     /* types that it may be in, transitively; sorted; not itself unless declared */
    uint32_t ancestors;
};

struct cedar_action {
    struct cedar_uid uid;
    const struct str *principal, *resource; /* types that it applies to; sorted */
    uint32_t principals, resources;         /* one of them 0: it applies to nothing */
    const struct cedar_type *context;       /* a record */
    const struct cedar_uid *parent;         /* groups, direct */
    uint32_t parents;
    const struct cedar_uid *ancestor; /* groups, transitively */
    uint32_t ancestors;
};

struct cedar_schema {
    struct arena arena;
    struct cedar_entity_type *entity; /* sorted by name */
    uint32_t entities;
    struct cedar_action *action; /* sorted by uid */
    uint32_t actions;
    void *decls; /* the declarations as they were written, for schema_print.c and schema_json_out.c */
};

/* Faults as lines; ERR_SYNTAX, ERR_LIMIT, ERR_NOMEM. Names, types, cycles of common types and of groups are checked. */
enum err cedar_schema_parse(struct str file, struct str text, struct cedar_schema **ret, struct buf *faults) MUST_USE;
enum err cedar_schema_read(struct str file, struct str json, struct cedar_schema **ret, struct buf *faults) MUST_USE;
void cedar_schema_free(struct cedar_schema *s);
void cedar_schema_freep(struct cedar_schema **s); /* for CLEANUP */
/* As it was declared, common types and annotations with it; what is written reads as an equal schema. ERR_SYNTAX: the
 * human-readable form cannot say it (in JSON, an entity type may be meant that a common type of the same name hides).
 */
enum err cedar_schema_print(const struct cedar_schema *s, struct buf *out, struct fault *f) MUST_USE;
void cedar_schema_json(const struct cedar_schema *s, struct json_out *out);

const struct cedar_entity_type *cedar_schema_entity(const struct cedar_schema *s, struct str name); /* NULL: none */
const struct cedar_action *cedar_schema_action(const struct cedar_schema *s, const struct cedar_uid *uid);
/* type may be in ancestor (or is it). */
bool cedar_schema_below(const struct cedar_schema *s, struct str type, struct str ancestor);

#endif
