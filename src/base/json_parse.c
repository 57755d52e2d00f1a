/* The tape: one strict pass, no recursion. Each step takes the place in the text and returns the next one, NULL when it
 * failed. */
#include "base/json_keys.h"
#include "base/json_scan.h"

#include <stdio.h>

enum { JSON_DEPTH_MAX = 1024, JSON_PAIRS_MAX = (1 << 24) - 1 };

struct json_parser {
    const char *start, *end;
    struct arena *arena;
    struct fault *fault;
    struct json_node *node;
    uint32_t count, cap, nodes_max, depth_max;
    enum err err;
    uint32_t key_count; /* of the open objects; those from JSON_PRINTS on have no print */
    struct json_key_print key[JSON_PRINTS];
};

/* A container around the present place. */
struct json_open {
    uint32_t node, size, first_key;
    char close;
    bool escaped; /* one of its keys is, so that prints say nothing */
};

static const char *json_fail(struct json_parser *s, const char *at, enum err e, const char *what)
{
    unsigned line = 1;
    const char *begin = s->start;
    for (const char *c = s->start; c < at && c < s->end; c++) {
        if (*c == '\n') {
            line++;
            begin = c + 1;
        }
    }
    s->err = fault_set(s->fault, e, "line %u, column %zu: %s", line, (size_t)(at - begin) + 1, what);
    return NULL;
}

static const char *json_expected(struct json_parser *s, const char *p, const char *what)
{
    return p >= s->end ? json_fail(s, s->end, ERR_SYNTAX, "the text ends too early")
                       : json_fail(s, p, ERR_SYNTAX, what);
}

static bool json_grow(struct json_parser *s)
{
    if (s->count == s->nodes_max) {
        s->err = fault_set(s->fault, ERR_LIMIT, "more than %u values", s->nodes_max - 1);
        return false;
    }
    uint32_t cap = s->cap < s->nodes_max / 2 ? s->cap * 2 : s->nodes_max;
    struct json_node *n = arena_raw(s->arena, (size_t)cap * sizeof(*n), 16);
    if (!n) {
        s->err = fault_set(s->fault, ERR_NOMEM, "no memory for %u values", cap);
        return false;
    }
    memcpy(n, s->node, (size_t)s->count * sizeof(*n));
    s->node = n;
    s->cap = cap;
    return true;
}

/* Room for one node; false when failed. */
static inline bool json_room(struct json_parser *s)
{
    return s->count < s->cap || json_grow(s);
}

static inline void json_put(struct json_parser *s, enum json_type type, unsigned flags, const char *from,
                            const char *to)
{
    s->node[s->count] = (struct json_node){.off = (uint32_t)(from - s->start),
                                           .len = (uint32_t)(to - from),
                                           .next = s->count + 1,
                                           .type = type & 15,
                                           .flags = flags & 15};
    s->count++;
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

/* \uXXXX, or two of them that make a surrogate pair. */
static const char *json_escape_unicode(struct json_parser *s, const char *at)
{
    int v = json_hex4(at + 2, s->end);
    const char *p = at + 6;
    if (v < 0)
        return json_fail(s, at, ERR_SYNTAX, "\\u needs four hexadecimal digits");
    if (v < 0xd800 || v > 0xdfff)
        return p;
    int low = v < 0xdc00 && s->end - p >= 2 && p[0] == '\\' && p[1] == 'u' ? json_hex4(p + 2, s->end) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return json_fail(s, at, ERR_SYNTAX, "half of a surrogate pair stands alone");
    return p + 6;
}

static const bool json_escapes[256] = {
    ['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true, ['f'] = true, ['n'] = true, ['r'] = true, ['t'] = true};

static const char *json_escape(struct json_parser *s, const char *at)
{
    if (s->end - at < 2)
        return json_fail(s, s->end, ERR_SYNTAX, "the text ends inside a string");
    if (json_escapes[(unsigned char)at[1]])
        return at + 2;
    if (at[1] == 'u')
        return json_escape_unicode(s, at);
    return json_fail(s, at, ERR_SYNTAX, "no such escape; \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX are allowed");
}

/* At what scan_plain stops at and is no closing quote. */
static inline const char *json_special(struct json_parser *s, const char *p, unsigned *flags)
{
    if (p >= s->end)
        return json_fail(s, s->end, ERR_SYNTAX, "the text ends inside a string");
    if (*p == '\\') {
        *flags = JSON_ESCAPED;
        return json_escape(s, p);
    }
    if ((unsigned char)*p < 0x20)
        return json_fail(s, p, ERR_SYNTAX, "control characters in strings must be escaped");
    p = scan_beyond_ascii(p, s->end);
    if (p < s->end && (unsigned char)*p >= 0x80)
        return json_fail(s, p, ERR_SYNTAX, "these bytes are not UTF-8");
    return p;
}

/* Inside a string that has more than plain bytes. Text within text is full of escapes: a block is looked at once for
 * all. */
static const char *json_text_rest(struct json_parser *s, const char *p, unsigned *flags)
{
#ifdef SCAN_BLOCK
    while (p && s->end - p > SCAN_BLOCK) {
        uint64_t mask = scan_block(p);
        int at = 0;
        bool over = false; /* an escape begins in this block and ends in the next */
        for (; mask; mask &= ~(UINT64_C(3) << at)) {
            at = __builtin_ctzll(mask);
            if (p[at] == '"')
                return p + at + 1;
            if (p[at] != '\\' || !json_escapes[(unsigned char)p[at + 1]])
                break;
            *flags = JSON_ESCAPED;
            over = at == SCAN_BLOCK - 1;
        }
        p = mask ? json_special(s, p + at, flags) : p + SCAN_BLOCK + over;
    }
#endif
    while (p) {
        p = scan_plain(p, s->end);
        if (p < s->end && *p == '"')
            return p + 1;
        p = json_special(s, p, flags);
    }
    return NULL;
}

/* From the opening quote to behind the closing one. */
static inline const char *json_text(struct json_parser *s, const char *open, unsigned *flags)
{
    const char *p = scan_plain(open + 1, s->end);
    *flags = 0;
    return p < s->end && *p == '"' ? p + 1 : json_text_rest(s, p, flags);
}

static const char *json_number(struct json_parser *s, const char *open)
{
    const char *end = s->end, *whole = open + (*open == '-'), *p = scan_digits(whole, end), *from;
    unsigned flags = JSON_INTEGER;
    if (p == whole)
        return json_expected(s, p, "a digit is missing");
    if (*whole == '0' && p > whole + 1)
        return json_fail(s, whole + 1, ERR_SYNTAX, "a number must not begin with 0");
    if (p < end && *p == '.') {
        flags = 0;
        from = p + 1;
        if ((p = scan_digits(from, end)) == from)
            return json_expected(s, p, "a digit must follow the point");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        flags = 0;
        from = p + 1;
        if (from < end && (*from == '+' || *from == '-'))
            from++;
        if ((p = scan_digits(from, end)) == from)
            return json_expected(s, p, "a digit must follow the e");
    }
    json_put(s, JSON_NUMBER, flags, open, p);
    return p;
}

static const char json_wanted[] = "expected a value: object, array, string, number, true, false or null";

static inline const char *json_word(struct json_parser *s, const char *p, const char *word, size_t n,
                                    enum json_type type)
{
    if ((size_t)(s->end - p) < n || memcmp(p, word, n) != 0)
        return json_fail(s, p, ERR_SYNTAX, json_wanted);
    json_put(s, type, 0, p, p + n);
    return p + n;
}

static inline const char *json_scalar(struct json_parser *s, const char *p)
{
    unsigned flags;
    const char *to;
    switch (*p) {
    case '"':
        if ((to = json_text(s, p, &flags)))
            json_put(s, JSON_STRING, flags, p, to);
        return to;
    case '-':
    case '0' ... '9': return json_number(s, p);
    case 't': return json_word(s, p, "true", 4, JSON_TRUE);
    case 'f': return json_word(s, p, "false", 5, JSON_FALSE);
    case 'n': return json_word(s, p, "null", 4, JSON_NULL);
    default: return json_fail(s, p, ERR_SYNTAX, json_wanted);
    }
}

/* "key" : */
static inline const char *json_member(struct json_parser *s, struct json_open *o, const char *p)
{
    unsigned flags;
    p = scan_space(p, s->end);
    if (p >= s->end || *p != '"')
        return json_expected(s, p, "expected a key in double quotes");
    const char *to = json_text(s, p, &flags);
    if (!to || !json_room(s))
        return NULL;
    if (s->key_count < JSON_PRINTS)
        s->key[s->key_count] = (struct json_key_print){json_key_print(p + 1, (size_t)(to - p) - 2), s->count};
    s->key_count++;
    o->escaped |= flags != 0;
    json_put(s, JSON_STRING, flags, p, to);
    p = scan_space(to, s->end);
    if (p >= s->end || *p != ':')
        return json_expected(s, p, "expected ':' after the key");
    return p + 1;
}

static enum err json_unique_keys(struct json_parser *s, const struct json_open *o)
{
    struct json j = {.text = {s->start, (size_t)(s->end - s->start)}, .node = s->node, .count = s->count};
    bool printed = s->key_count <= JSON_PRINTS && !o->escaped;
    uint32_t twice = 0;
    enum err e = json_keys_check(&j, o->node, printed ? s->key + o->first_key : NULL, s->arena, &twice);
    if (e == ERR_SYNTAX)
        json_fail(s, s->start + s->node[twice].off, e, "this key stands in the object twice");
    else if (e)
        s->err = fault_set(s->fault, e, "no memory for an object's keys");
    return e;
}

/* p: behind the closing bracket. */
static inline enum err json_close_container(struct json_parser *s, const struct json_open *o, const char *p)
{
    struct json_node *n = &s->node[o->node];
    n->len = (uint32_t)(p - (s->start + n->off));
    n->next = s->count;
    n->size = o->size & JSON_PAIRS_MAX;
    if (n->type != JSON_OBJECT)
        return ERR_OK;
    TRY(json_unique_keys(s, o));
    s->key_count = o->first_key;
    return ERR_OK;
}

/* After a value: closes what it completes, up to the next comma or, when *depth is 0, the end. */
static inline const char *json_complete(struct json_parser *s, struct json_open *open, uint32_t *depth, const char *p)
{
    while (*depth) {
        struct json_open *up = &open[*depth - 1];
        bool object = up->close == '}';
        if (up->size == JSON_PAIRS_MAX) {
            s->err = fault_set(s->fault, ERR_LIMIT, "more than %d elements", JSON_PAIRS_MAX);
            return NULL;
        }
        up->size++;
        p = scan_space(p, s->end);
        if (p < s->end && *p == ',')
            return object ? json_member(s, up, p + 1) : p + 1;
        if (p >= s->end || *p != up->close)
            return json_expected(s, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
        p++;
        if (json_close_container(s, up, p))
            return NULL;
        --*depth;
    }
    return p;
}

static const char *json_too_deep(struct json_parser *s, const char *p)
{
    char what[64];
    snprintf(what, sizeof(what), "nested deeper than %u", s->depth_max);
    return json_fail(s, p, ERR_LIMIT, what);
}

/* The outermost value, from p to behind it. */
static const char *json_value(struct json_parser *s, const char *p)
{
    struct json_open open[JSON_DEPTH_MAX];
    uint32_t depth = 0;
    do {
        p = scan_space(p, s->end);
        if (p >= s->end)
            return json_expected(s, p, "");
        if (!json_room(s))
            return NULL;
        if (*p == '{' || *p == '[') {
            if (depth == s->depth_max)
                return json_too_deep(s, p);
            struct json_open *o = &open[depth];
            *o = (struct json_open){.node = s->count, .first_key = s->key_count, .close = *p == '{' ? '}' : ']'};
            json_put(s, *p == '{' ? JSON_OBJECT : JSON_ARRAY, 0, p, p + 1);
            p = scan_space(p + 1, s->end);
            if (p >= s->end || *p != o->close) {
                depth++;
                if (o->close == '}' && !(p = json_member(s, o, p)))
                    return NULL;
                continue;
            }
            if (json_close_container(s, o, ++p))
                return NULL;
        } else if (!(p = json_scalar(s, p))) {
            return NULL;
        }
        if (!(p = json_complete(s, open, &depth, p)))
            return NULL;
    } while (depth);
    return p;
}

enum err json_parse(struct json *ret, struct str text, struct arena *a, const struct json_limits *limits,
                    struct fault *f)
{
    struct json_parser s; /* without its prints: they are written before they are read */
    if (text.n > INT32_MAX)
        return fault_set(f, ERR_LIMIT, "the text is larger than 2 GiB");
    s.start = text.n ? text.p : "";
    s.end = s.start + text.n;
    s.arena = a;
    s.fault = f;
    s.err = ERR_OK;
    s.key_count = 0;
    s.depth_max = limits && limits->depth ? limits->depth : JSON_DEPTH;
    s.nodes_max = (limits && limits->nodes ? limits->nodes : JSON_NODES) + 1; /* index 0 is nothing */
    if (s.depth_max > JSON_DEPTH_MAX)
        s.depth_max = JSON_DEPTH_MAX;
    /* A value takes about 8 bytes of text in MCP messages: mostly one piece of memory is enough. */
    s.cap = (uint32_t)(text.n / 8 + 16);
    if (s.cap > 4096)
        s.cap = 4096;
    if (s.cap > s.nodes_max)
        s.cap = s.nodes_max;
    s.node = arena_raw(a, (size_t)s.cap * sizeof(*s.node), 16);
    if (!s.node)
        return fault_set(f, ERR_NOMEM, "no memory for %u values", s.cap);
    s.node[0] = (struct json_node){.type = JSON_NONE};
    s.count = 1;
    const char *p = json_value(&s, s.start);
    if (!p)
        return s.err;
    p = scan_space(p, s.end);
    if (p < s.end) {
        json_fail(&s, p, ERR_SYNTAX, "something follows the value");
        return s.err;
    }
    *ret = (struct json){.text = text, .node = s.node, .count = s.count};
    return ERR_OK;
}
