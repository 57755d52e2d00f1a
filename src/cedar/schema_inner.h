/*
 * Declarations as a schema writes them, between its two forms and the model: schema_parse.c and schema_json.c make
 * them, schema_model.c makes the model from them, schema_print.c and schema_json_out.c write them again.
 *
 * Everything lies in the arena of the schema. Positions are byte offsets in the text that was read.
 */
#ifndef CEDAR_SCHEMA_INNER_H
#define CEDAR_SCHEMA_INNER_H

#include "cedar/parse.h"
#include "cedar/schema.h"

#define CEDAR_SCHEMA_MEMORY (256u << 20)      /* of one schema */
#define CEDAR_SCHEMA_SIZE   (1u << 20)        /* parts of one type, its common types put in */
#define CEDAR_SCHEMA_HOPS   (4 * CEDAR_DEPTH) /* from common type to common type, and into their parts */
#define CEDAR_SCHEMA_STEPS  50000000          /* from group to group, over the whole schema */

enum cedar_decl_kind {
    CEDAR_D_BOOL,
    CEDAR_D_LONG,
    CEDAR_D_STRING,
    CEDAR_D_EXT,    /* name */
    CEDAR_D_SET,    /* element */
    CEDAR_D_RECORD, /* attr */
    CEDAR_D_ENTITY, /* name, of an entity type */
    CEDAR_D_COMMON, /* name, of a common type */
    CEDAR_D_NAME,   /* name, of a common type or else of an entity type */
};

struct cedar_decl_name {  /* "A::B::c" in its parts */
    struct str space, id; /* space: "" when none is written */
    uint32_t at;
};

struct cedar_note { /* @name("value") */
    struct str name, value;
    bool bare; /* no value was written */
    uint32_t at;
};
struct cedar_notes {
    struct cedar_note *v; /* sorted by name */
    uint32_t n;
};

struct cedar_decl_attr;
struct cedar_decl_type {
    enum cedar_decl_kind kind;
    uint32_t at;
    union {
        struct cedar_decl_name name;
        struct cedar_decl_type *element;
        struct {
            struct cedar_decl_attr *attr; /* sorted by name */
            uint32_t attrs;
        };
    };
    /* By the resolver: */
    const struct cedar_type *made;
    const struct cedar_decl_common *common; /* what the name stands for; NULL: an entity type, or one of Cedar's own */
    bool hidden;          /* the human-readable form would take a common type for the entity type that is meant */
    uint32_t size, depth; /* of what was made */
};

struct cedar_decl_attr {
    struct str name;
    struct cedar_decl_type *type;
    bool optional;
    struct cedar_notes notes;
    uint32_t order; /* in the text: of two with one name the later counts */
};

struct cedar_decl_space;
struct cedar_decl_common {
    struct cedar_decl_space *space;
    struct str id;
    struct cedar_decl_type *type;
    struct cedar_notes notes;
    uint32_t at;
    enum { CEDAR_D_NEW, CEDAR_D_OPEN, CEDAR_D_DONE } state; /* of the resolver */
};

struct cedar_decl_entity {
    struct cedar_decl_space *space;
    struct str id;
    struct cedar_decl_name *in;
    uint32_t ins;
    struct cedar_decl_type *shape; /* NULL: {} */
    struct cedar_decl_type *tags;  /* NULL: none */
    struct str *choice;
    uint32_t choices; /* 0: no enum */
    struct cedar_notes notes;
    uint32_t at;
    /* By the resolver: */
    struct str full;               /* with the namespace */
    const struct cedar_type *self; /* an entity of this type */
    uint32_t index;                /* in cedar_schema.entity */
};

struct cedar_decl_parent {
    struct cedar_decl_name type; /* id "": none is written, which is "Action" */
    struct str id;
    uint32_t at;
};

struct cedar_decl_action {
    struct cedar_decl_space *space;
    struct str id;
    struct cedar_decl_parent *in;
    uint32_t ins;
    bool applies; /* has appliesTo */
    struct cedar_decl_name *principal, *resource;
    uint32_t principals, resources;
    struct cedar_decl_type *context; /* NULL: {} */
    struct cedar_notes notes;
    uint32_t at;
    uint32_t index; /* by the resolver: in cedar_schema.action */
};

/* Growing arrays of pointers, in the order of the text. */
struct cedar_decl_list {
    void **v;
    uint32_t n, cap;
};

struct cedar_decl_space { /* a namespace */
    struct str name;      /* "": the empty one */
    struct cedar_notes notes;
    uint32_t at;
    /* By the resolver: */
    struct cedar_decl_list common, entity, action;
    bool acts;                    /* it has actions, and by that the entity type Action */
    struct str acting;            /* "Action" with its namespace */
    const struct cedar_type *act; /* an entity of that type */
};

struct cedar_decls {
    struct cedar_decl_list space, common, entity, action;
};

/* While a schema is made. */
struct cedar_schema_build {
    struct cedar_schema *s;
    struct cedar_decls *d;
    struct arena *a;
    struct str file, text;
    struct buf *faults;
    uint32_t count; /* of faults, those left out too */
    bool limit;     /* one of them is a bound that was passed */
};

enum err cedar_schema_begin(struct cedar_schema_build *b, struct str file, struct str text,
                            struct buf *faults) MUST_USE;
/* Resolves when there were no faults; gives the schema, or frees it. e: what reading came to. */
enum err cedar_schema_end(struct cedar_schema_build *b, enum err e, struct cedar_schema **ret) MUST_USE;
/* A line of *faults: "file:line:column: " and the words. Behind CEDAR_FAULTS lines they are only counted. */
void cedar_schema_fault(struct cedar_schema_build *b, uint32_t at, const char *fmt, ...) PRINTF(3, 4);
void cedar_schema_limit(struct cedar_schema_build *b, uint32_t at, const char *fmt, ...) PRINTF(3, 4);

/* A stranger's words for a fault, in its backquotes. Lives as long as the schema. */
const char *cedar_schema_quote(struct cedar_schema_build *b, struct str s);

enum err cedar_decl_add(struct cedar_schema_build *b, struct cedar_decl_list *l, void *v) MUST_USE;
/* NULL: no memory */
struct cedar_decl_space *cedar_decl_space(struct cedar_schema_build *b, struct str name, uint32_t at);
struct cedar_decl_name cedar_decl_name(struct str name, uint32_t at); /* cuts at the last "::" */
/* Sorts attributes by name; of several with one name the last stays. */
void cedar_decl_attrs_sort(struct cedar_decl_type *record);
/* Sorts; a name that stands there twice is a fault. */
void cedar_decl_notes_sort(struct cedar_schema_build *b, struct cedar_notes *notes);
/* The id of a common type may be none of JSON's words for types. */
bool cedar_decl_common_reserved(struct str id);
/* Names that contain the namespace __cedar are Cedar's own. */
bool cedar_decl_reserved(struct str name);
#define CEDAR_BUILTINS 7
/* Bool, Long, String, decimal, ipaddr, datetime, duration. NULL: none of them */
const struct cedar_type *cedar_decl_builtin(struct str id);
const char *cedar_decl_builtin_name(const struct cedar_type *t); /* NULL: none of them */

/* Checks all names and makes the model. Faults are told; ERR_NOMEM. */
enum err cedar_schema_resolve(struct cedar_schema_build *b) MUST_USE;

#endif
