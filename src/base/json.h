/*
 * JSON as a tape: one strict pass over the bytes (RFC 8259; UTF-8 checked, no duplicate keys, depth and node count
 * bounded, lone surrogates refused), after which every value is a 16-byte node that points back into the text. What is
 * not rewritten keeps its bytes. Numbers are kept as text: 2^53+1 stays itself.
 *
 *   node JSON_ROOT is the root; a container's children follow it; `next` is the node behind the whole subtree.
 *   object: key, value, key, value …    array: value, value …
 *
 * Nodes and text belong to the caller's arena and buffer: the text must outlive the document. Node 0 is nothing
 * (JSON_NONE): what is not there has index 0, and everything that is asked of it is nothing too.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"

enum json_type { JSON_NONE, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum {
    JSON_ESCAPED = 1, /* string: has escapes, so that its bytes are not its value */
    JSON_INTEGER = 2, /* number: no fraction and no exponent in its text */
};

struct json_node {
    uint32_t off; /* of the raw bytes in the text; a string's and a container's span includes its quotes or brackets */
    uint32_t len;
    uint32_t next;                           /* index of the node behind this subtree */
    uint32_t type : 4, flags : 4, size : 24; /* size: number of elements, or of key-value pairs */
};

struct json {
    struct str text;
    struct json_node *node;
    uint32_t count;
};

#define JSON_ROOT 1

struct json_limits {
    uint32_t depth; /* 0: JSON_DEPTH */
    uint32_t nodes; /* 0: JSON_NODES */
};
#define JSON_DEPTH 64
#define JSON_NODES 1000000

/* The whole text is one JSON value, white space around it allowed. ERR_SYNTAX names line, column and what was expected;
 * duplicate keys are ERR_SYNTAX too; ERR_LIMIT names the bound; ERR_NOMEM when the arena is full. Texts up to 2^31
 * bytes. */
enum err json_parse(struct json *ret, struct str text, struct arena *a, const struct json_limits *limits /* or NULL */,
                    struct fault *f) MUST_USE;

static inline enum json_type json_type(const struct json *j, uint32_t i)
{
    return i < j->count ? (enum json_type)j->node[i].type : JSON_NONE;
}
const char *json_type_name(enum json_type t); /* "a string" … for messages */
struct str json_raw(const struct json *j, uint32_t i);
/* Value of a key of object i; 0 when i is no object or has no such key. */
uint32_t json_get(const struct json *j, uint32_t i, struct str key);
/* json_get along "a.b.c"; keys with dots need json_get. */
uint32_t json_path(const struct json *j, uint32_t i, const char *path);
/* Iteration: first child of a container (the first key of an object), 0 when empty. Next sibling, 0 at the end. */
uint32_t json_first(const struct json *j, uint32_t parent);
uint32_t json_next(const struct json *j, uint32_t parent, uint32_t child);
/* JSON_EACH(j, parent, v) over array elements; JSON_PAIRS(j, object, k, v) over pairs. */
#define JSON_EACH(j, parent, v) for (uint32_t v = json_first(j, parent); v; v = json_next(j, parent, v))
#define JSON_PAIRS(j, parent, k, v)                                                                                    \
    for (uint32_t k = json_first(j, parent), v = k ? k + 1 : 0; k; k = json_next(j, parent, v), v = k ? k + 1 : 0)

/* The value of a string. Without escapes a view of the text; with escapes a copy in the arena. STR_NONE when i is not a
 * string or the arena is full (check arena_failed). */
struct str json_str(const struct json *j, uint32_t i, struct arena *a);
bool json_str_is(const struct json *j, uint32_t i, struct str value); /* without a copy, escapes included */
bool json_str_same(const struct json *a, uint32_t i, const struct json *b,
                   uint32_t k); /* two strings by value, likewise */
bool json_bool(const struct json *j, uint32_t i, bool fallback);
/* Exact: 1.0 and 1e2 are integers, 1.5 and what does not fit are not. */
bool json_i64(const struct json *j, uint32_t i, int64_t *ret);
bool json_double(const struct json *j, uint32_t i, double *ret);
/* Exact comparison of two number texts by decimal value, in bounded time: "1.0" equals "1e0". Exponents beyond ±2^40
 * count as 2^40; no such number gets into a canonical form. */
int json_number_cmp(struct str a, struct str b);
/* Deep equality by value: objects without order, numbers by exact decimal value, strings by their value. */
bool json_equal(const struct json *a, uint32_t i, const struct json *b, uint32_t k, struct arena *scratch);

/* Canonical form: RFC 8785 order (UTF-16 code units) and string escapes; a number keeps its exact decimal value,
 * written the way ECMAScript would write it when it is a double's shortest form, and otherwise with all its digits.
 * scratch holds sorting only. ERR_NOMEM; ERR_LIMIT: out is full, or a number's exponent is beyond ±2^39. Two texts of
 * equal value have equal canonical bytes. */
enum err json_canonical(const struct json *j, uint32_t i, struct buf *out, struct arena *scratch) MUST_USE;

/* Writing: commas are the writer's business. The output is valid JSON when every open has its close. */
struct json_out {
    struct buf *b;
    bool comma;
};
struct json_out json_out(struct buf *b);
void json_open(struct json_out *o, char bracket);  /* '{' or '[' */
void json_close(struct json_out *o, char bracket); /* '}' or ']' */
void json_key(struct json_out *o, struct str key);
void json_put_str(struct json_out *o, struct str s); /* escapes; bytes that are not UTF-8 become U+FFFD */
void json_put_i64(struct json_out *o, int64_t v);
void json_put_bool(struct json_out *o, bool v);
void json_put_null(struct json_out *o);
void json_put_raw(struct json_out *o, struct str json);                /* JSON already */
void json_put_strs(struct json_out *o, const struct str *v, size_t n); /* an array of strings */
/* Key and value in one go. The key is one of ours: plain ASCII without quotes, backslashes and controls. */
void json_kv_str(struct json_out *o, const char *key, struct str s);
void json_kv_z(struct json_out *o, const char *key, const char *z);
void json_kv_i64(struct json_out *o, const char *key, int64_t v);
void json_kv_bool(struct json_out *o, const char *key, bool v);
void json_kv_null(struct json_out *o, const char *key);
void json_kv_raw(struct json_out *o, const char *key, struct str json);
void json_kv_strs(struct json_out *o, const char *key, const struct str *v, size_t n);
void json_kv_lines(struct json_out *o, const char *key,
                   struct str text); /* an array of its lines, without empty ones */

#endif
