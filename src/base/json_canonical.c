/*
 * Canonical form. Keys by UTF-16 code units and strings as RFC 8785 says. Numbers are written as ECMAScript's
 * Number::toString lays digits out (ECMA-262 6.1.6.1.20), applied to the exact digits of the text: for a number that is
 * a double's shortest form this is RFC 8785, and any other keeps its value.
 */
#include <stdlib.h>

#include "base/json_decimal.h"

static void canonical_zeros(struct buf *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        buf_char(b, '0');
}

static void canonical_digits(struct buf *b, const struct json_decimal *d, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        buf_char(b, json_decimal_digit(d, i));
}

static enum err canonical_number(struct str raw, struct buf *b)
{
    struct json_decimal d;
    json_decimal_of(raw, &d);
    if (!d.digits) {
        buf_char(b, '0');
        return ERR_OK;
    }
    if (d.exp > JSON_EXP_MAX || d.exp < -JSON_EXP_MAX)
        return ERR_LIMIT; /* its value is not known, so that another one would be written */
    if (d.negative)
        buf_char(b, '-');
    int64_t k = (int64_t)d.digits, n = d.exp;
    if (k <= n && n <= 21) {
        canonical_digits(b, &d, 0, d.digits);
        canonical_zeros(b, n - k);
    } else if (0 < n && n <= 21) {
        canonical_digits(b, &d, 0, (size_t)n);
        buf_char(b, '.');
        canonical_digits(b, &d, (size_t)n, d.digits);
    } else if (-6 < n && n <= 0) {
        buf_z(b, "0.");
        canonical_zeros(b, -n);
        canonical_digits(b, &d, 0, d.digits);
    } else {
        canonical_digits(b, &d, 0, 1);
        if (k > 1)
            buf_char(b, '.');
        canonical_digits(b, &d, 1, d.digits);
        buf_char(b, 'e');
        if (n - 1 > 0)
            buf_char(b, '+');
        buf_i64(b, n - 1);
    }
    return ERR_OK;
}

/* RFC 8785 3.2.2.2: the short escapes, \u00xx in lower case for other controls, everything else as it is. */
static void canonical_string(const struct json *j, uint32_t i, struct buf *b, struct arena *scratch)
{
    if (!(j->node[i].flags & JSON_ESCAPED)) {
        buf_str(b, json_raw(j, i)); /* nothing that needs an escape can be in it */
        return;
    }
    struct json_out o = json_out(b);
    json_put_str(&o, json_str(j, i, scratch));
}

struct canonical_key {
    struct str value;
    uint32_t node;
};

/* The order of UTF-16 code units is that of UTF-8 bytes, but for surrogates: U+10000 and above (first byte F0…) sort
 * before U+E000 to U+FFFF (first byte EE, EF). */
static int canonical_cmp(const void *a, const void *b)
{
    struct str x = ((const struct canonical_key *)a)->value, y = ((const struct canonical_key *)b)->value;
    size_t n = x.n < y.n ? x.n : y.n;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)x.p[i], d = (unsigned char)y.p[i];
        if (c == d)
            continue;
        if (c >= 0xee && d >= 0xee && (c >= 0xf0) != (d >= 0xf0))
            return c >= 0xf0 ? -1 : 1;
        return c < d ? -1 : 1;
    }
    return (x.n > y.n) - (x.n < y.n);
}

static enum err canonical_value(const struct json *j, uint32_t i, struct buf *b, struct arena *scratch);

static enum err canonical_object(const struct json *j, uint32_t i, struct buf *b, struct arena *scratch)
{
    size_t count = j->node[i].size, at = 0;
    bool sorted = true;
    struct canonical_key *keys = arena_raw(scratch, count * sizeof(*keys) + 1, 16);
    if (!keys)
        return ERR_NOMEM;
    JSON_PAIRS(j, i, k, v)
    {
        keys[at] = (struct canonical_key){json_str(j, k, scratch), k};
        if (at && sorted && canonical_cmp(&keys[at - 1], &keys[at]) > 0)
            sorted = false;
        at++;
    }
    if (arena_failed(scratch))
        return ERR_NOMEM;
    if (!sorted)
        qsort(keys, count, sizeof(*keys), canonical_cmp);
    buf_char(b, '{');
    for (size_t n = 0; n < count; n++) {
        if (n)
            buf_char(b, ',');
        canonical_string(j, keys[n].node, b, scratch);
        buf_char(b, ':');
        TRY(canonical_value(j, keys[n].node + 1, b, scratch));
    }
    buf_char(b, '}');
    return ERR_OK;
}

static enum err canonical_array(const struct json *j, uint32_t i, struct buf *b, struct arena *scratch)
{
    bool first = true;
    buf_char(b, '[');
    JSON_EACH(j, i, v)
    {
        if (!first)
            buf_char(b, ',');
        first = false;
        TRY(canonical_value(j, v, b, scratch));
    }
    buf_char(b, ']');
    return ERR_OK;
}

/* Recursion is as deep as the parser's bound. */
static enum err canonical_value(const struct json *j, uint32_t i, struct buf *b, struct arena *scratch)
{
    switch (json_type(j, i)) {
    case JSON_OBJECT: return canonical_object(j, i, b, scratch);
    case JSON_ARRAY: return canonical_array(j, i, b, scratch);
    case JSON_NUMBER: return canonical_number(json_raw(j, i), b);
    case JSON_STRING: canonical_string(j, i, b, scratch); return ERR_OK;
    case JSON_NONE: return ERR_INTERNAL;
    default: buf_str(b, json_raw(j, i)); return ERR_OK;
    }
}

enum err json_canonical(const struct json *j, uint32_t i, struct buf *out, struct arena *scratch)
{
    TRY(canonical_value(j, i, out, scratch));
    if (arena_failed(scratch))
        return ERR_NOMEM;
    return buf_error(out);
}
