/* The tape: one strict pass, no recursion. Strings are scanned 16 bytes at a time where the machine has SSE2. */
#include "base/json.h"

#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { JSON_DEPTH_MAX = 1024, JSON_PAIRS_MAX = (1 << 24) - 1, JSON_SMALL_OBJECT = 12 };

struct json_parser {
    const char *start, *p, *end;
    struct arena *arena;
    struct fault *fault;
    struct json_node *node;
    uint32_t count, cap, nodes_max, depth_max;
};

static enum err json_fail(struct json_parser *s, const char *at, enum err e, const char *what)
{
    unsigned line = 1;
    const char *begin = s->start;
    for (const char *c = s->start; c < at && c < s->end; c++) {
        if (*c == '\n') {
            line++;
            begin = c + 1;
        }
    }
    return fault_set(s->fault, e, "line %u, column %zu: %s", line, (size_t)(at - begin) + 1, what);
}

static enum err json_expected(struct json_parser *s, const char *what)
{
    if (s->p >= s->end)
        return json_fail(s, s->end, ERR_SYNTAX, "the text ends too early");
    return json_fail(s, s->p, ERR_SYNTAX, what);
}

static enum err json_node_new(struct json_parser *s, enum json_type type, size_t off, uint32_t *ret)
{
    if (s->count == s->nodes_max)
        return fault_set(s->fault, ERR_LIMIT, "more than %u values", s->nodes_max);
    if (s->count == s->cap) {
        uint32_t cap = s->cap * 2 < s->nodes_max ? s->cap * 2 : s->nodes_max;
        struct json_node *n = arena_raw(s->arena, (size_t)cap * sizeof(*n), 16);
        if (!n)
            return fault_set(s->fault, ERR_NOMEM, "no memory for %u values", cap);
        memcpy(n, s->node, (size_t)s->count * sizeof(*n));
        s->node = n;
        s->cap = cap;
    }
    s->node[s->count] = (struct json_node){.off = (uint32_t)off, .type = type & 15};
    *ret = s->count++;
    return ERR_OK;
}

static inline void json_space(struct json_parser *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

/* Skips bytes that need no look: not a quote, not a backslash, not a control, all ASCII. */
static inline const char *json_plain(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* signed: bytes from 0x80 on are negative and so below 0x20 too */
        __m128i bad = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back)),
                                   _mm_cmplt_epi8(v, space));
        int mask = _mm_movemask_epi8(bad);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* One character beyond ASCII, by table 3-7 of the Unicode standard; 0 when ill-formed. */
static size_t json_utf8(const unsigned char *p, const unsigned char *end)
{
    unsigned c = p[0], low = 0x80, high = 0xbf, more;
    if (c >= 0xc2 && c <= 0xdf) {
        more = 1;
    } else if (c >= 0xe0 && c <= 0xef) {
        more = 2;
        low = c == 0xe0 ? 0xa0 : low;
        high = c == 0xed ? 0x9f : high;
    } else if (c >= 0xf0 && c <= 0xf4) {
        more = 3;
        low = c == 0xf0 ? 0x90 : low;
        high = c == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }
    if ((size_t)(end - p) <= more || p[1] < low || p[1] > high)
        return 0;
    for (unsigned i = 2; i <= more; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return more + 1;
}

static int json_hex4(const char *p, const char *end)
{
    int v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)p[i], d;
        if (c >= '0' && c <= '9')
            d = c - '0';
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            d = (c | 32) - 'a' + 10;
        else
            return -1;
        v = v << 4 | d;
    }
    return v;
}

/* At the backslash. */
static enum err json_escape(struct json_parser *s)
{
    const char *at = s->p;
    if (s->end - s->p < 2)
        return json_fail(s, s->end, ERR_SYNTAX, "the text ends inside a string");
    char c = s->p[1];
    if (c != 'u') {
        if (!memchr("\"\\/bfnrt", c, 8))
            return json_fail(s, at, ERR_SYNTAX, "no such escape; \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX are allowed");
        s->p += 2;
        return ERR_OK;
    }
    int v = json_hex4(s->p + 2, s->end);
    if (v < 0)
        return json_fail(s, at, ERR_SYNTAX, "\\u needs four hexadecimal digits");
    s->p += 6;
    if (v < 0xd800 || v > 0xdfff)
        return ERR_OK;
    int low = v < 0xdc00 && s->end - s->p >= 2 && s->p[0] == '\\' && s->p[1] == 'u' ? json_hex4(s->p + 2, s->end) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return json_fail(s, at, ERR_SYNTAX, "half of a surrogate pair stands alone");
    s->p += 6;
    return ERR_OK;
}

static enum err json_parse_string(struct json_parser *s, uint32_t *ret)
{
    const char *open = s->p++;
    unsigned flags = 0;
    for (;;) {
        s->p = json_plain(s->p, s->end);
        if (s->p >= s->end)
            return json_fail(s, s->end, ERR_SYNTAX, "the text ends inside a string");
        unsigned char c = (unsigned char)*s->p;
        if (c == '"')
            break;
        if (c == '\\') {
            flags = JSON_ESCAPED;
            TRY(json_escape(s));
        } else if (c < 0x20) {
            return json_fail(s, s->p, ERR_SYNTAX, "control characters in strings must be escaped");
        } else {
            size_t n = json_utf8((const unsigned char *)s->p, (const unsigned char *)s->end);
            if (!n)
                return json_fail(s, s->p, ERR_SYNTAX, "these bytes are not UTF-8");
            s->p += n;
        }
    }
    s->p++;
    TRY(json_node_new(s, JSON_STRING, (size_t)(open - s->start), ret));
    s->node[*ret].len = (uint32_t)(s->p - open);
    s->node[*ret].flags = flags & 15;
    s->node[*ret].next = s->count;
    return ERR_OK;
}

static bool json_digits(struct json_parser *s)
{
    const char *from = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > from;
}

static enum err json_parse_number(struct json_parser *s, uint32_t *ret)
{
    const char *open = s->p;
    unsigned flags = JSON_INTEGER;
    if (*s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (!json_digits(s))
        return json_expected(s, "a digit is missing");
    if (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        return json_fail(s, s->p, ERR_SYNTAX, "a number must not begin with 0");
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        flags = 0;
        if (!json_digits(s))
            return json_expected(s, "a digit must follow the point");
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        flags = 0;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        if (!json_digits(s))
            return json_expected(s, "a digit must follow the e");
    }
    TRY(json_node_new(s, JSON_NUMBER, (size_t)(open - s->start), ret));
    s->node[*ret].len = (uint32_t)(s->p - open);
    s->node[*ret].flags = flags & 15;
    s->node[*ret].next = s->count;
    return ERR_OK;
}

static enum err json_parse_word(struct json_parser *s, const char *word, size_t n, enum json_type type, uint32_t *ret)
{
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return json_fail(s, s->p, ERR_SYNTAX, "expected a value: object, array, string, number, true, false or null");
    TRY(json_node_new(s, type, (size_t)(s->p - s->start), ret));
    s->p += n;
    s->node[*ret].len = (uint32_t)n;
    s->node[*ret].next = s->count;
    return ERR_OK;
}

static enum err json_parse_scalar(struct json_parser *s, uint32_t *ret)
{
    switch (*s->p) {
    case '"': return json_parse_string(s, ret);
    case 't': return json_parse_word(s, "true", 4, JSON_TRUE, ret);
    case 'f': return json_parse_word(s, "false", 5, JSON_FALSE, ret);
    case 'n': return json_parse_word(s, "null", 4, JSON_NULL, ret);
    case '-':
    case '0' ... '9': return json_parse_number(s, ret);
    default: return json_expected(s, "expected a value: object, array, string, number, true, false or null");
    }
}

static bool json_same_key(const struct json *j, uint32_t a, uint32_t b, struct arena *arena)
{
    if (!((j->node[a].flags | j->node[b].flags) & JSON_ESCAPED))
        return str_eq(json_raw(j, a), json_raw(j, b));
    return str_eq(json_str(j, a, arena), json_str(j, b, arena));
}

static enum err json_duplicate(struct json_parser *s, uint32_t key)
{
    return json_fail(s, s->start + s->node[key].off, ERR_SYNTAX, "this key stands in the object twice");
}

/* A keyed hash for large objects, so that nobody can choose keys that collide. */
static enum err json_check_many_keys(struct json_parser *s, const struct json *j, uint32_t object)
{
    uint32_t slots = 16;
    while (slots < (uint32_t)j->node[object].size * 2)
        slots *= 2;
    uint32_t *set = calloc(slots, sizeof(*set));
    if (!set)
        return fault_set(s->fault, ERR_NOMEM, "no memory for an object's keys");
    enum err e = ERR_OK;
    for (uint32_t k = object + 1; k < j->node[object].next && !e; k = j->node[k + 1].next) {
        struct str key = json_str(j, k, s->arena);
        uint32_t at = (uint32_t)str_hash(key) & (slots - 1);
        for (; set[at] && !e; at = (at + 1) & (slots - 1))
            if (json_same_key(j, set[at], k, s->arena))
                e = json_duplicate(s, k);
        set[at] = k;
    }
    free(set);
    return e ? e : arena_failed(s->arena) ? fault_set(s->fault, ERR_NOMEM, "no memory for an object's keys") : ERR_OK;
}

static enum err json_check_keys(struct json_parser *s, uint32_t object)
{
    struct json j = {.text = {s->start, (size_t)(s->end - s->start)}, .node = s->node, .count = s->count};
    uint32_t size = s->node[object].size;
    if (size < 2)
        return ERR_OK;
    if (size > JSON_SMALL_OBJECT)
        return json_check_many_keys(s, &j, object);
    for (uint32_t k = s->node[object + 2].next; k < s->count; k = s->node[k + 1].next)
        for (uint32_t b = object + 1; b < k; b = s->node[b + 1].next)
            if ((s->node[k].len == s->node[b].len || ((s->node[k].flags | s->node[b].flags) & JSON_ESCAPED)) &&
                json_same_key(&j, b, k, s->arena))
                return json_duplicate(s, k);
    return ERR_OK;
}

static enum err json_close_container(struct json_parser *s, uint32_t at)
{
    struct json_node *n = &s->node[at];
    s->p++;
    n->len = (uint32_t)(s->p - (s->start + n->off));
    n->next = s->count;
    return n->type == JSON_OBJECT ? json_check_keys(s, at) : ERR_OK;
}

/* "key" : */
static enum err json_parse_key(struct json_parser *s)
{
    uint32_t key;
    json_space(s);
    if (s->p >= s->end || *s->p != '"')
        return json_expected(s, "expected a key in double quotes");
    TRY(json_parse_string(s, &key));
    json_space(s);
    if (s->p >= s->end || *s->p != ':')
        return json_expected(s, "expected ':' after the key");
    s->p++;
    return ERR_OK;
}

/* Values until the outermost one is closed. open[] are the containers around the present place. */
static enum err json_parse_values(struct json_parser *s)
{
    uint32_t open[JSON_DEPTH_MAX], depth = 0, at;
    for (;;) {
        json_space(s);
        if (s->p >= s->end)
            return json_expected(s, "");
        bool container = *s->p == '{' || *s->p == '[';
        if (container) {
            char close = *s->p == '{' ? '}' : ']';
            if (depth == s->depth_max)
                return json_fail(s, s->p, ERR_LIMIT, "nested too deep");
            TRY(json_node_new(s, close == '}' ? JSON_OBJECT : JSON_ARRAY, (size_t)(s->p - s->start), &at));
            s->p++;
            json_space(s);
            if (s->p >= s->end || *s->p != close) {
                open[depth++] = at;
                if (close == '}')
                    TRY(json_parse_key(s));
                continue;
            }
            TRY(json_close_container(s, at));
        } else {
            TRY(json_parse_scalar(s, &at));
        }
        /* A value is complete: close what it completes, up to the next comma or the end. */
        for (;;) {
            if (depth == 0)
                return ERR_OK;
            uint32_t up = open[depth - 1];
            if (s->node[up].size == JSON_PAIRS_MAX)
                return fault_set(s->fault, ERR_LIMIT, "more than %d elements", JSON_PAIRS_MAX);
            s->node[up].size++;
            bool object = s->node[up].type == JSON_OBJECT;
            json_space(s);
            if (s->p < s->end && *s->p == ',') {
                s->p++;
                if (object)
                    TRY(json_parse_key(s));
                break;
            }
            if (s->p >= s->end || *s->p != (object ? '}' : ']'))
                return json_expected(s, object ? "expected ',' or '}'" : "expected ',' or ']'");
            TRY(json_close_container(s, up));
            depth--;
        }
    }
}

enum err json_parse(struct json *ret, struct str text, struct arena *a, const struct json_limits *limits, struct fault *f)
{
    struct json_parser s = {.start = text.p, .p = text.p, .end = text.p + text.n, .arena = a, .fault = f};
    s.depth_max = limits && limits->depth ? limits->depth : JSON_DEPTH;
    s.nodes_max = limits && limits->nodes ? limits->nodes : JSON_NODES;
    if (s.depth_max > JSON_DEPTH_MAX)
        s.depth_max = JSON_DEPTH_MAX;
    if (text.n > INT32_MAX)
        return fault_set(f, ERR_LIMIT, "the text is larger than 2 GiB");
    /* A value takes about 8 bytes of text in MCP messages: mostly one piece of memory is enough. */
    s.cap = (uint32_t)(text.n / 8 + 16);
    if (s.cap > 4096)
        s.cap = 4096;
    if (s.cap > s.nodes_max)
        s.cap = s.nodes_max + 1;
    s.node = arena_raw(a, (size_t)s.cap * sizeof(*s.node), 16);
    if (!s.node)
        return fault_set(f, ERR_NOMEM, "no memory for %u values", s.cap);
    s.node[s.count++] = (struct json_node){.type = JSON_NONE}; /* nothing: index 0 */
    s.nodes_max++;
    TRY(json_parse_values(&s));
    json_space(&s);
    if (s.p < s.end)
        return json_fail(&s, s.p, ERR_SYNTAX, "something follows the value");
    *ret = (struct json){.text = text, .node = s.node, .count = s.count};
    return ERR_OK;
}
