/*
 * Entities: attributes, tags and parents; immutable once built. Ancestors are computed when the store is built (cycles
 * are refused, with the cycle in words), so that `in` is one look at a small table.
 *
 * A request may bring a few entities of its own (the agent of this session, the tool of this call), which stand before
 * the store's of the same name.
 */
#ifndef CEDAR_ENTITIES_H
#define CEDAR_ENTITIES_H

#include "cedar/value.h"

struct cedar_schema;

struct cedar_entity {
    struct cedar_uid uid;
    const struct cedar_record *attrs, *tags;  /* never NULL */
    const struct cedar_uid *const *ancestors; /* all of them, in the order of their hashes; not the entity itself */
    uint32_t n;                               /* of ancestors */
};

struct cedar_entities; /* the store */

/* Building: add all, then done. Values, uids and parents are copied. */
struct cedar_entities_new;
struct cedar_entities_new *cedar_entities_begin(size_t memory) MUST_USE;
/* attrs and tags: records or NULL. ERR_SYNTAX: the parent of an action is none. An entity that is there already with
 * other content is a fault of cedar_entities_done; with the same content it is one entity. */
enum err cedar_entities_add(struct cedar_entities_new *b, const struct cedar_uid *uid, const struct cedar_record *attrs,
                            const struct cedar_record *tags, const struct cedar_uid *parent, size_t parents,
                            struct fault *f) MUST_USE;
/* The JSON form: [{"uid", "attrs", "parents", "tags"} …]. With a schema, attributes are read by their declared types
 * (a string where an ipaddr is declared, {"type","id"} where an entity is), entities are checked against it, and the
 * schema's actions are added. The fault names the entity and the path. */
enum err cedar_entities_read(struct cedar_entities_new *b, struct str json,
                             const struct cedar_schema *schema /* or NULL */, struct fault *f) MUST_USE;
/* Ends the building either way; the builder is gone. ERR_SYNTAX: an entity stands there twice with different content,
 * or is among its own ancestors; ERR_LIMIT: the memory is used up. */
enum err cedar_entities_done(struct cedar_entities_new *b, struct cedar_entities **ret, struct fault *f) MUST_USE;
void cedar_entities_drop(struct cedar_entities_new *b);
void cedar_entities_free(struct cedar_entities *s);
void cedar_entities_freep(struct cedar_entities **s); /* for CLEANUP */
uint32_t cedar_entities_count(const struct cedar_entities *s);
const struct cedar_entity *cedar_entities_at(const struct cedar_entities *s, uint32_t i); /* in the order added */
const struct cedar_entity *cedar_entities_find(const struct cedar_entities *s, const struct cedar_uid *uid);
void cedar_entities_json(const struct cedar_entities *s, struct json_out *out); /* parents: direct ones */

/* What a request sees. */
struct cedar_world {
    const struct cedar_entities *store; /* or NULL */
    const struct cedar_entity *const *own;
    uint32_t n; /* of own */
};
const struct cedar_entity *cedar_world_find(const struct cedar_world *w, const struct cedar_uid *uid); /* NULL: none */
/* a is b or below it */
bool cedar_entity_in(const struct cedar_entity *a, const struct cedar_uid *b);

#endif
