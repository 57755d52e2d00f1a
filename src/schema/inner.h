/*
 * What a compiled schema is made of; for the files of this room only.
 *
 * Subschemas are nodes of one flat array and know each other by index. A node holds a mask of the allowed types and,
 * for each family of keywords that it uses, a pointer to a group; a family that is not used costs one test. Everything
 * but the patterns' code and the array of nodes lives in the schema's arena.
 */
#ifndef SCHEMA_INNER_H
#define SCHEMA_INNER_H

#include "schema/schema.h"

#include <stdatomic.h>

#define SCHEMA_NONE UINT32_MAX /* no such subschema */

/* Bits of schema_node.types: 1 << enum json_type; SCHEMA_INTEGER for numbers without a fractional part. */
enum {
    SCHEMA_INTEGER = 1 << JSON_NONE,
    SCHEMA_NUMBER = 1 << JSON_NUMBER,
    SCHEMA_BOOLEAN = 1 << JSON_FALSE | 1 << JSON_TRUE,
    SCHEMA_ANY = 0xff,
};

/* A number as digits times ten to an exponent; zero has no digits. The digits skip the text's sign, point and zeros at
 * both ends, and are read through schema_decimal_digit(). */
struct schema_decimal {
    struct str digits; /* from the first to the last digit that is not 0; may hold the point */
    int64_t exponent;
    bool negative, huge; /* huge: the exponent is beyond what is computed with */
};
struct schema_decimal schema_decimal(struct str number);
bool schema_decimal_integer(const struct schema_decimal *d);
/* Whole number >= 0; larger than 64 bits reads as UINT64_MAX. False: negative or a fraction. */
bool schema_decimal_count(const struct schema_decimal *d, uint64_t *ret);

struct schema_divisor {
    uint64_t mantissa;
    int64_t exponent;
    struct str text;
};
/* False: zero, negative or more than 18 significant digits. */
bool schema_divisor(struct str number, struct schema_divisor *ret);
bool schema_divides(const struct schema_divisor *d, struct str number); /* exact */

/* An immutable table of names. Hashed with a secret of the process, since the names are a stranger's. */
struct schema_name {
    struct str name;
    uint32_t node; /* SCHEMA_NONE: the name is only listed */
    bool required;
};
struct schema_names {
    struct schema_name *entry;
    uint32_t *slot; /* index + 1 into entry, 0: free */
    uint32_t count, mask;
};
bool schema_names_build(struct schema_names *t, struct arena *a); /* entry and count are filled in; false: no memory */
struct schema_name *schema_names_find(const struct schema_names *t, struct str name);

/* A pattern: ECMA-262 with the u flag, run by PCRE2. */
struct schema_pattern;
struct schema_meter { /* draws what a match costs from the budget of steps */
    uint32_t *steps;
    uint32_t toll;
    size_t last;
};
struct schema_matcher { /* of one validation; made when the first pattern is met */
    struct pcre2_real_match_data_8 *data;
    struct pcre2_real_match_context_8 *context;
    struct schema_meter meter;
};
enum err schema_pattern_new(struct str source, struct schema_pattern **ret, struct fault *f) MUST_USE;
void schema_pattern_free(struct schema_pattern *p);
struct str schema_pattern_source(const struct schema_pattern *p);
size_t schema_pattern_size(const struct schema_pattern *p); /* bytes of compiled code, without JIT */
/* ERR_LIMIT: the steps are used up, or a bound of PCRE2. */
enum err schema_pattern_match(const struct schema_pattern *p, struct schema_matcher *m, uint32_t *steps, struct str s,
                              bool *ret) MUST_USE;
void schema_matcher_done(struct schema_matcher *m);
/* Rewrites ECMA-262 to PCRE2. repeat: the largest lower bound of a quantifier. ERR_SCHEMA_UNUSABLE says what is wrong.
 */
struct schema_ecma {
    uint32_t repeat;
    bool backreference;
};
enum err schema_ecma_translate(struct str source, struct buf *out, struct schema_ecma *ret, struct fault *f) MUST_USE;

struct schema_bound {
    struct str text; /* p == NULL: no such bound */
    int64_t value;
    bool small; /* value is exact */
};
struct schema_numeric {
    struct schema_bound minimum, maximum, above, below; /* above, below: the exclusive ones */
    struct schema_divisor multiple;                     /* mantissa 0: none */
};

struct schema_text {
    uint64_t min, max; /* code points */
    struct schema_pattern *pattern;
};

struct schema_list {
    uint32_t *node;
    uint32_t count;
};

struct schema_items {
    uint64_t min, max, min_contains, max_contains;
    struct schema_list prefix;
    uint32_t rest, contains;
    bool unique, contains_marks; /* contains_marks: what `contains` found counts as evaluated (2020-12) */
};

struct schema_rule {
    struct schema_pattern *pattern;
    uint32_t node;
};
struct schema_depend { /* when `name` is there: the names that must be there too, and a schema to fit */
    struct str name;
    struct str *needs;
    uint32_t needs_count, node;
};
struct schema_members {
    uint64_t min, max;
    struct schema_names names; /* of properties and required together */
    uint32_t required;
    struct schema_rule *rule;
    uint32_t rules;
    uint32_t rest, keys; /* additionalProperties, propertyNames */
    struct schema_depend *depend;
    uint32_t depends;
};

struct schema_value {
    const struct json *doc;
    uint32_t at;
};
struct schema_values {
    struct schema_value *value; /* all, in order; for messages */
    uint32_t count;
    uint8_t kinds; /* null, true and false among them: 1 << json_type */
    struct str *number;
    uint32_t numbers;
    struct schema_names strings, shapes; /* shapes: arrays and objects by their canonical bytes */
};

struct schema_logic {
    uint32_t ref, dynamic;
    struct str dynamic_name;
    struct schema_list all, any, one;
    uint32_t not, cond, then, otherwise;
    uint32_t left_items, left_members; /* unevaluatedItems, unevaluatedProperties */
};

struct schema_node {
    uint8_t types;
    bool plain; /* nothing but `types` */
    uint32_t resource;
    const struct json *doc; /* where it stands */
    uint32_t at;
    const struct schema_values *values, *constant;
    struct schema_numeric *numeric;
    struct schema_text *text;
    struct schema_items *items;
    struct schema_members *members;
    struct schema_logic *logic;
};

struct schema_anchor { /* a $dynamicAnchor */
    struct schema_anchor *next;
    struct str name;
    uint32_t node;
};
struct schema_resource {
    struct str uri;
    uint32_t root; /* node */
    uint8_t dialect;
    uint32_t vocabulary;
    struct schema_anchor *dynamic;
};

struct schema {
    atomic_uint refs;
    struct arena arena;
    struct schema_node *node;
    struct schema_resource *resource;
    struct schema_pattern **pattern;
    uint32_t nodes, resources, patterns, root;
    uint32_t recursion, steps;
    bool dynamic; /* there is a $dynamicRef that must be looked up in the dynamic scope */
};

/* Why a value does not fit. */
enum schema_reason {
    SCHEMA_WRONG_TYPE,
    SCHEMA_NOTHING_FITS, /* the schema `false` */
    SCHEMA_NOT_CONST,
    SCHEMA_NOT_IN_ENUM,
    SCHEMA_BELOW_MINIMUM,
    SCHEMA_ABOVE_MAXIMUM,
    SCHEMA_NOT_ABOVE,
    SCHEMA_NOT_BELOW,
    SCHEMA_NOT_MULTIPLE,
    SCHEMA_TOO_SHORT, /* detail: code points */
    SCHEMA_TOO_LONG,
    SCHEMA_NO_MATCH,
    SCHEMA_FEW_ITEMS,
    SCHEMA_MANY_ITEMS,
    SCHEMA_NOT_UNIQUE,    /* detail, other: indexes of the equal items */
    SCHEMA_FEW_CONTAINED, /* detail: how many */
    SCHEMA_MANY_CONTAINED,
    SCHEMA_FEW_MEMBERS,
    SCHEMA_MANY_MEMBERS,
    SCHEMA_MEMBER_MISSING,
    SCHEMA_MEMBER_UNKNOWN, /* detail: the key's index on the tape */
    SCHEMA_MEMBER_NEEDED,  /* detail: index of the schema_depend, other: of its need */
    SCHEMA_FITS_NOT,
    SCHEMA_FITS_NONE, /* of anyOf or, when detail is set, oneOf */
    SCHEMA_FITS_MANY, /* detail, other: the first two that fit */
};
struct schema_flaw {
    const struct schema_node *node; /* NULL: nothing was noted */
    uint32_t at;
    enum schema_reason reason;
    uint32_t detail, other;
};
struct schema_miss {
    struct schema_flaw here, near; /* near: the flaw of the nearest of the alternatives */
};

enum err schema_explain(const struct schema *s, const struct schema_miss *m, const struct json *doc, uint32_t root,
                        struct arena *scratch, struct fault *f);
/* JSON pointer from root to target, with a zero; shortened to cap. ret_key: target is a key and not a value. */
void schema_pointer(const struct json *doc, uint32_t root, uint32_t target, struct arena *scratch, char *ret,
                    size_t cap, bool *ret_key);

/* The string at i: a view of the text, or a copy in the arena when it has escapes. p == NULL: the arena is full. */
static inline struct str schema_string(const struct json *doc, uint32_t i, struct arena *a)
{
    const struct json_node *n = &doc->node[i];
    if (n->flags & JSON_ESCAPED)
        return json_str(doc, i, a);
    return (struct str){doc->text.p + n->off + 1, n->len - 2};
}
static inline struct str schema_raw(const struct json *doc, uint32_t i)
{
    return (struct str){doc->text.p + doc->node[i].off, doc->node[i].len};
}
size_t schema_code_points(struct str s);
/* At most max bytes of it, never ending inside a character; for messages. */
static inline struct str schema_cut(struct str s, size_t max)
{
    if (s.n > max) {
        s.n = max;
        while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
            s.n--;
    }
    return s;
}

/* Two equal items of array `at`? Costs steps; ERR_LIMIT when they do not suffice. */
enum err schema_unique(const struct json *doc, uint32_t at, struct arena *scratch, uint32_t *steps, bool *ret_unique,
                       uint32_t *ret_a, uint32_t *ret_b) MUST_USE;
static inline bool schema_spend(uint32_t *steps, uint64_t cost)
{
    if (cost > *steps) {
        *steps = 0;
        return false;
    }
    *steps -= (uint32_t)cost;
    return true;
}

/* The built-in metaschema of this URI (no fragment), or p == NULL. */
struct str schema_meta(struct str uri);

#endif
