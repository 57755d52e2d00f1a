/*
 * JSON Schema: compiled once when a tool's definition is loaded, run for every call on the JSON tape.
 * Draft 2020-12 (json-schema.org/draft/2020-12/json-schema-core and -validation) and draft-07. `format`, `content*` and
 * the other annotations are accepted and assert nothing. Nothing is ever fetched.
 *
 * A schema comes from an upstream server and is not trusted: its size, nesting, number of subschemas and patterns are
 * bounded when it is compiled; the work that judging one instance may cost is bounded by a deterministic budget of
 * steps, which patterns draw from as well. Whatever goes over a bound refuses the instance.
 *
 * A struct schema is immutable and reference counted; many threads may validate with the same one.
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "base/json.h"

struct schema;

/* A document that $ref (or $schema, for its $vocabulary) may reach by its absolute URI without fragment. An array of
 * them ends with an entry whose uri.p is NULL. The metaschemas of both drafts are built in and need not be given. */
struct schema_source {
    struct str uri, text;
};

/* 0 takes the default. */
struct schema_limits {
    uint32_t text;       /* bytes of the schema and the documents it refers to, together */
    uint32_t depth;      /* nesting of a schema's JSON */
    uint32_t subschemas; /* number of them, the documents it refers to included */
    uint32_t pattern;    /* bytes of one pattern */
    uint32_t patterns;   /* number of them */
    uint32_t recursion;  /* validation: subschemas that are being judged inside one another */
    uint32_t steps;      /* validation: about 10 to 50 ns each */
};
#define SCHEMA_TEXT       (1u << 20)
#define SCHEMA_DEPTH      64
#define SCHEMA_SUBSCHEMAS 20000
#define SCHEMA_PATTERN    4096
#define SCHEMA_PATTERNS   256
#define SCHEMA_RECURSION  512
#define SCHEMA_STEPS      1000000

/* text: the schema as JSON; it need not outlive the call. The dialect is that of $schema; without one it is 2020-12, as
 * MCP has it. ERR_SCHEMA_UNUSABLE: not a schema of a known dialect, a $ref that reaches nothing, a pattern that cannot
 * be used, or a schema that refers to itself without going deeper into the instance; f says where
 * ("#/properties/age/minimum: …") and what is wrong. ERR_SYNTAX: not JSON. ERR_LIMIT: a bound above. ERR_NOMEM. */
enum err schema_compile(struct str text, const struct schema_source *others /* or NULL */,
                        const struct schema_limits *limits /* or NULL */, struct schema **ret,
                        struct fault *f) MUST_USE;
struct schema *schema_ref(struct schema *s);
void schema_unref(struct schema *s);   /* NULL is allowed */
void schema_unrefp(struct schema **s); /* for CLEANUP */

/* Judges value `at` of the document. ERR_OK: it fits. ERR_SCHEMA: it does not, and f says where (JSON pointer from
 * `at`), what would fit and what is there ("/customer/age: must be <= 120, but is 200"; values are shortened).
 * ERR_LIMIT: the budget of steps or the recursion is used up. ERR_NOMEM: the scratch arena is full. Anything but ERR_OK
 * refuses the value. */
enum err schema_validate(const struct schema *s, const struct json *doc, uint32_t at, struct arena *scratch,
                         struct fault *f) MUST_USE;

#endif
