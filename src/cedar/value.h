/*
 * Values: what an expression comes to. 16 bytes, passed by value. What a value points to belongs to the arena that it
 * was made in and is never changed.
 *
 * Equality is structural: sets without order and doubles, records by name, entities by type and id. Values of different
 * kinds are unequal; that is no error.
 */
#ifndef CEDAR_VALUE_H
#define CEDAR_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

enum cedar_kind {
    CEDAR_NONE, /* no value: never seen by a policy */
    CEDAR_BOOL,
    CEDAR_LONG,
    CEDAR_STRING,
    CEDAR_ENTITY,
    CEDAR_SET,
    CEDAR_RECORD,
    CEDAR_DECIMAL,  /* i: ten-thousandths */
    CEDAR_IP,       /* ip */
    CEDAR_DATETIME, /* i: milliseconds since 1970 */
    CEDAR_DURATION, /* i: milliseconds */
};

/* An entity's name. The type with its namespaces ("Shop::Agent"), the id as it is, without escapes. */
struct cedar_uid {
    struct str type, id;
    uint64_t hash; /* cedar_uid_hash: equal uids have equal ones */
};

struct cedar_set;
struct cedar_record;
struct cedar_ip;

struct cedar_value {
    uint32_t kind; /* enum cedar_kind */
    uint32_t n;    /* bytes of a string */
    union {
        bool b;
        int64_t i;
        const char *p;
        const struct cedar_uid *uid;
        const struct cedar_set *set;
        const struct cedar_record *record;
        const struct cedar_ip *ip;
    };
};

/* In the order of cedar_value_cmp, without doubles. */
struct cedar_set {
    uint32_t n;
    struct cedar_value v[];
};

struct cedar_field {
    struct str name;
    struct cedar_value v;
};
/* In the order of str_cmp of the names, no name twice. */
struct cedar_record {
    uint32_t n;
    struct cedar_field f[];
};
extern const struct cedar_record cedar_record_empty;

/* A range of addresses; a single address has the full prefix (32 or 128). */
struct cedar_ip {
    unsigned char addr[16]; /* network order; IPv4 in the first four */
    uint8_t prefix;
    bool v6;
};

uint64_t cedar_hash(struct str s, uint64_t seed); /* of any bytes; not keyed: tables bound their runs themselves */
uint64_t cedar_uid_hash(struct str type, struct str id);
struct cedar_uid cedar_uid(struct str type, struct str id); /* with its hash; the bytes stay the caller's */
static inline bool cedar_uid_eq(const struct cedar_uid *a, const struct cedar_uid *b)
{
    return a == b || (a->hash == b->hash && str_eq(a->id, b->id) && str_eq(a->type, b->type));
}
int cedar_uid_cmp(const struct cedar_uid *a, const struct cedar_uid *b); /* by type, then id */

static inline struct cedar_value cedar_bool(bool b)
{
    return (struct cedar_value){.kind = CEDAR_BOOL, .b = b};
}
static inline struct cedar_value cedar_long(int64_t i)
{
    return (struct cedar_value){.kind = CEDAR_LONG, .i = i};
}
static inline struct cedar_value cedar_string(struct str s)
{
    return (struct cedar_value){.kind = CEDAR_STRING, .n = (uint32_t)s.n, .p = s.p};
}
static inline struct cedar_value cedar_entity_value(const struct cedar_uid *uid)
{
    return (struct cedar_value){.kind = CEDAR_ENTITY, .uid = uid};
}
static inline struct str cedar_value_str(struct cedar_value v) /* of a string */
{
    return (struct str){v.p, v.n};
}

/* Sorts and removes doubles; the array is only read. CEDAR_NONE: no memory in the arena. */
struct cedar_value cedar_set_of(const struct cedar_value *v, size_t n, struct arena *a) MUST_USE;
/* Sorts; ERR_SYNTAX when a name stands there twice. */
enum err cedar_record_of(const struct cedar_field *f, size_t n, struct arena *a, struct cedar_value *ret) MUST_USE;

bool cedar_value_eq(struct cedar_value a, struct cedar_value b);
int cedar_value_cmp(struct cedar_value a,
                    struct cedar_value b); /* a total order over all kinds; 0 exactly when equal */
bool cedar_set_has(const struct cedar_set *s, struct cedar_value v);
const struct cedar_value *cedar_record_get(const struct cedar_record *r, struct str name); /* NULL: none */
const char *cedar_kind_name(enum cedar_kind k); /* "bool", "long", … as messages say it */

/* As a policy would write it: User::"alice", ip("10.0.0.0/8"), ["a", 1], {"k": true}. */
void cedar_value_print(struct cedar_value v, struct buf *out);
/* As entities and contexts are written in JSON: {"__entity": {"type", "id"}}, {"__extn": {"fn", "arg"}}. */
void cedar_value_json(struct cedar_value v, struct json_out *out);
/* The other way, without a schema: {"__entity"}, {"__extn"} and, of old, {"__expr"} refused with words that say what to
 * write. Strings are views of the text or copies in the arena. The fault names the path (context.input.amount). */
enum err cedar_value_read(const struct json *j, uint32_t at, const char *path, struct arena *a, struct cedar_value *ret,
                          struct fault *f) MUST_USE;

/* "a::B" : identifiers with :: between them, none of them reserved. */
bool cedar_name_valid(struct str name);
bool cedar_ident_valid(struct str ident);
void cedar_string_print(struct str s, struct buf *out); /* "…" with Cedar's escapes */

#endif
