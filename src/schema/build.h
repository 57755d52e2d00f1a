/*
 * The compiler's state. Three steps: a document is scanned (every subschema gets its node, every $id and anchor is
 * entered); nodes are compiled in the order of their numbers, and a $ref may bring in further documents, whose nodes
 * queue up behind; at the end, loops that never go deeper into the instance are refused. No step recurses deeper than
 * the schema's JSON is nested.
 */
#ifndef SCHEMA_BUILD_H
#define SCHEMA_BUILD_H

#include "schema/inner.h"

enum { SCHEMA_DRAFT7 = 1, SCHEMA_2020 = 2 }; /* bits of a dialect */
enum { SCHEMA_CORE = 1, SCHEMA_APPLICATOR = 2, SCHEMA_UNEVALUATED = 4, SCHEMA_VALIDATION = 8, SCHEMA_ALL_WORDS = 15 };

struct schema_doc {
    struct schema_doc *next;
    struct json json;
    struct str uri;    /* where it was found; empty for the schema itself */
    uint32_t *node_of; /* by index on the tape: node + 1, 0: no subschema stands there */
};

/* Absolute URI without fragment -> resource; URI#name -> node of an anchor. */
struct schema_entry {
    struct str key;
    uint32_t value;
    bool dynamic;
};

struct schema_build {
    struct schema *s;
    struct arena *a; /* the schema's */
    struct fault *f;
    struct schema_limits limits;
    const struct schema_source *others;
    struct schema_doc *docs;
    struct schema_entry *map;
    uint32_t map_used, map_mask;
    uint32_t nodes_cap, resources_cap, patterns_cap;
    uint64_t text; /* bytes so far */
    uint64_t work; /* what may still be spent on following references */
    size_t code;   /* bytes of compiled patterns */
};

/* A keyword at its place. */
struct schema_place {
    uint32_t node;
    const struct json *doc;
    uint32_t key, value; /* indexes on the tape */
};

/* What a keyword's value is made of, so far as subschemas go. */
enum schema_holds {
    SCHEMA_HOLDS_NONE,
    SCHEMA_HOLDS_ONE,
    SCHEMA_HOLDS_LIST,
    SCHEMA_HOLDS_MAP,
    SCHEMA_HOLDS_ONE_OR_LIST
};

struct schema_word {
    const char *name;
    uint8_t dialects, vocabulary;
    enum schema_holds holds;
    enum err (*compile)(struct schema_build *b, const struct schema_place *p, const struct schema_word *w);
    uint8_t group;  /* of the node, for the generic compilers */
    uint16_t field; /* offset in the group */
};
/* NULL: not a keyword of this resource's dialect and vocabulary. */
const struct schema_word *schema_word_find(const struct schema_resource *r, struct str name);
enum err schema_words_compile(struct schema_build *b, uint32_t node) MUST_USE;

/* refs.c */
enum err schema_load(struct schema_build *b, struct str uri, struct str text, uint8_t dialect, bool builtin,
                     struct schema_doc **ret) MUST_USE;
/* Node of the subschema at index `at`, which belongs to `resource`; scans it when it is new. */
enum err schema_scan(struct schema_build *b, struct schema_doc *d, uint32_t at, uint32_t resource,
                     uint32_t *ret) MUST_USE;
enum err schema_resolve(struct schema_build *b, const struct schema_place *p, struct str ref, uint32_t *ret_node,
                        struct str *ret_dynamic /* name, or p == NULL */) MUST_USE;
struct schema_doc *schema_doc_of(struct schema_build *b, const struct json *doc);
/* "#/properties/age/minimum: " and the words, for a keyword's value or, when p->key is 0, for the subschema. */
/* (b, place, format …): fills the fault and is ERR_SCHEMA_UNUSABLE. */
#define schema_unusable(b, ...) (schema_fault((b), __VA_ARGS__), ERR_SCHEMA_UNUSABLE)
void schema_fault(struct schema_build *b, const struct schema_place *p, const char *fmt, ...) PRINTF(3, 4);
static inline enum err schema_no_memory(struct schema_build *b)
{
    return fault_set(b->f, ERR_NOMEM, "no memory for a schema");
}

/* loops.c */
enum err schema_loops_refuse(struct schema_build *b) MUST_USE;

#endif
