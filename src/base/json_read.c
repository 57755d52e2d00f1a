/* Reading the tape. */
#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

const char *json_type_name(enum json_type t)
{
    static const char *const names[] = {"nothing",  "null",     "false",    "true",
                                        "a number", "a string", "an array", "an object"};
    return (unsigned)t < sizeof(names) / sizeof(names[0]) ? names[t] : "nothing";
}

struct str json_raw(const struct json *j, uint32_t i)
{
    if (i >= j->count)
        return STR_NONE;
    return (struct str){j->text.p + j->node[i].off, j->node[i].len};
}

uint32_t json_first(const struct json *j, uint32_t parent)
{
    enum json_type t = json_type(j, parent);
    return (t == JSON_ARRAY || t == JSON_OBJECT) && j->node[parent].size ? parent + 1 : 0;
}

uint32_t json_next(const struct json *j, uint32_t parent, uint32_t child)
{
    uint32_t next = j->node[child].next;
    return next < j->node[parent].next ? next : 0;
}

static size_t json_put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

static unsigned json_hex(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        v = v << 4 | (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return v;
}

/* One unit of a validated string's inner bytes: a run without escapes or one escape. Returns its decoded bytes. */
static struct str json_unit(const char **p, const char *end, char out[4])
{
    if (**p != '\\') {
        const char *from = *p, *back = memchr(from, '\\', (size_t)(end - from));
        *p = back ? back : end;
        return (struct str){from, (size_t)(*p - from)};
    }
    static const char escapes[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char c = (*p)[1];
    if (c != 'u') {
        const char *at = strchr(escapes, c);
        out[0] = at ? values[at - escapes] : c;
        *p += 2;
        return (struct str){out, 1};
    }
    unsigned v = json_hex(*p + 2);
    *p += 6;
    if (v >= 0xd800 && v <= 0xdbff) {
        v = 0x10000 + ((v - 0xd800) << 10) + (json_hex(*p + 2) - 0xdc00);
        *p += 6;
    }
    return (struct str){out, json_put_utf8(out, v)};
}

struct str json_str(const struct json *j, uint32_t i, struct arena *a)
{
    if (json_type(j, i) != JSON_STRING)
        return STR_NONE;
    struct str raw = json_raw(j, i), inner = {raw.p + 1, raw.n - 2};
    if (!(j->node[i].flags & JSON_ESCAPED))
        return inner;
    char *out = arena_raw(a, inner.n + 1, 1), unit[4]; /* never longer than its escaped form */
    if (!out)
        return STR_NONE;
    size_t n = 0;
    for (const char *p = inner.p, *end = inner.p + inner.n; p < end;) {
        struct str u = json_unit(&p, end, unit);
        memcpy(out + n, u.p, u.n);
        n += u.n;
    }
    out[n] = 0;
    return (struct str){out, n};
}

bool json_str_is(const struct json *j, uint32_t i, struct str value)
{
    if (json_type(j, i) != JSON_STRING)
        return false;
    struct str raw = json_raw(j, i), inner = {raw.p + 1, raw.n - 2};
    if (!(j->node[i].flags & JSON_ESCAPED))
        return str_eq(inner, value);
    char unit[4];
    for (const char *p = inner.p, *end = inner.p + inner.n; p < end;) {
        struct str u = json_unit(&p, end, unit);
        if (!str_starts(value, u))
            return false;
        value = str_skip(value, u.n);
    }
    return value.n == 0;
}

bool json_str_same(const struct json *a, uint32_t i, const struct json *b, uint32_t k)
{
    if (json_type(a, i) != JSON_STRING || json_type(b, k) != JSON_STRING)
        return false;
    struct str r = json_raw(a, i), q = json_raw(b, k), x = STR_NONE, y = STR_NONE;
    if (!((a->node[i].flags | b->node[k].flags) & JSON_ESCAPED))
        return str_eq(r, q);
    const char *p = r.p + 1, *p_end = r.p + r.n - 1, *o = q.p + 1, *o_end = q.p + q.n - 1;
    char x_unit[4], y_unit[4];
    for (;;) { /* what is left of the one unit against what is left of the other */
        if (!x.n && p < p_end)
            x = json_unit(&p, p_end, x_unit);
        if (!y.n && o < o_end)
            y = json_unit(&o, o_end, y_unit);
        if (!x.n || !y.n)
            return x.n == y.n;
        size_t n = x.n < y.n ? x.n : y.n;
        if (memcmp(x.p, y.p, n) != 0)
            return false;
        x = str_skip(x, n);
        y = str_skip(y, n);
    }
}

uint32_t json_get(const struct json *j, uint32_t i, struct str key)
{
    if (json_type(j, i) != JSON_OBJECT)
        return 0;
    for (uint32_t k = i + 1, end = j->node[i].next; k < end; k = j->node[k + 1].next) {
        const struct json_node *n = &j->node[k];
        bool same = n->flags & JSON_ESCAPED ? json_str_is(j, k, key)
                                            : str_eq((struct str){j->text.p + n->off + 1, n->len - 2}, key);
        if (same)
            return k + 1;
    }
    return 0;
}

uint32_t json_path(const struct json *j, uint32_t i, const char *path)
{
    struct str rest = str_of(path), key;
    bool more;
    do {
        more = str_cut(&rest, '.', &key);
        i = json_get(j, i, key);
    } while (more && i);
    return i;
}

bool json_bool(const struct json *j, uint32_t i, bool fallback)
{
    enum json_type t = json_type(j, i);
    return t == JSON_TRUE ? true : t == JSON_FALSE ? false : fallback;
}

bool json_double(const struct json *j, uint32_t i, double *ret)
{
    struct str raw = json_raw(j, i);
    char text[64], *copy = text;
    if (json_type(j, i) != JSON_NUMBER)
        return false;
    if (raw.n >= sizeof(text) && !(copy = malloc(raw.n + 1)))
        return false;
    memcpy(copy, raw.p, raw.n);
    copy[raw.n] = 0;
    double v = strtod(copy, NULL);
    if (copy != text)
        free(copy);
    if (!isfinite(v))
        return false;
    *ret = v;
    return true;
}

static bool json_equal_objects(const struct json *a, uint32_t i, const struct json *b, uint32_t k,
                               struct arena *scratch)
{
    JSON_PAIRS(a, i, key, value)
    {
        uint32_t other = json_get(b, k, json_str(a, key, scratch));
        if (!other || !json_equal(a, value, b, other, scratch))
            return false;
    }
    return !arena_failed(scratch);
}

/* As deep as the parser's bound. */
bool json_equal(const struct json *a, uint32_t i, const struct json *b, uint32_t k, struct arena *scratch)
{
    enum json_type t = json_type(a, i);
    if (t != json_type(b, k))
        return false;
    if ((t == JSON_ARRAY || t == JSON_OBJECT) && a->node[i].size != b->node[k].size)
        return false;
    switch (t) {
    case JSON_STRING: return json_str_same(a, i, b, k);
    case JSON_NUMBER: return json_number_cmp(json_raw(a, i), json_raw(b, k)) == 0;
    case JSON_OBJECT: return json_equal_objects(a, i, b, k, scratch);
    case JSON_ARRAY: break;
    default: return true;
    }
    uint32_t y = json_first(b, k);
    JSON_EACH(a, i, x)
    {
        if (!json_equal(a, x, b, y, scratch))
            return false;
        y = json_next(b, k, y);
    }
    return true;
}
