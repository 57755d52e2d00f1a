/* Exact decimal arithmetic on number texts, in time linear in the text. */
#include "base/json_decimal.h"

/* So far beyond JSON_EXP_MAX that no mantissa that fits into memory leads back. */
#define EXP_CLAMP (JSON_EXP_MAX * 2)

static int64_t json_exponent(struct str s)
{
    bool negative = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = str_skip(s, 1);
    int64_t v = 0;
    for (size_t i = 0; i < s.n && v < EXP_CLAMP; i++)
        v = v * 10 + (s.p[i] - '0');
    if (v > EXP_CLAMP)
        v = EXP_CLAMP;
    return negative ? -v : v;
}

void json_decimal_of(struct str text, struct json_decimal *ret)
{
    struct json_decimal d = {0};
    struct str exponent = text, mantissa;
    if (text.n && text.p[0] == '-')
        d.negative = true;
    const char *e = memchr(text.p, 'e', text.n);
    if (!e)
        e = memchr(text.p, 'E', text.n);
    mantissa = e ? (struct str){text.p, (size_t)(e - text.p)} : text;
    exponent = e ? str_skip(text, mantissa.n + 1) : STR_NONE;
    mantissa = str_skip(mantissa, d.negative);
    const char *point = memchr(mantissa.p, '.', mantissa.n), *end = mantissa.p + mantissa.n, *p = mantissa.p;
    int64_t whole = point ? point - mantissa.p : (int64_t)mantissa.n;
    while (p < end && (*p == '0' || *p == '.'))
        p++;
    if (p == end) { /* zero, whatever its sign and exponent */
        *ret = (struct json_decimal){0};
        return;
    }
    while (end[-1] == '0' || end[-1] == '.')
        end--;
    d.p = p;
    d.n = (size_t)(end - p);
    bool split = point && point > p && point < end;
    d.digits = d.n - split;
    d.point = split ? (size_t)(point - p) : d.digits;
    int64_t skipped = p - mantissa.p; /* zeros and maybe the point before the first digit that counts */
    d.exp = (point && p > point ? -(skipped - whole - 1) : whole - skipped) + json_exponent(exponent);
    *ret = d;
}

char json_decimal_digit(const struct json_decimal *d, size_t i)
{
    if (i >= d->digits)
        return '0';
    return d->p[i < d->point ? i : i + 1];
}

static int json_cmp_digits(const struct json_decimal *a, const struct json_decimal *b)
{
    const char *x = a->p, *y = b->p, *xe = a->p + a->n, *ye = b->p + b->n;
    for (;;) {
        if (x < xe && *x == '.')
            x++;
        if (y < ye && *y == '.')
            y++;
        if (x >= xe || y >= ye)
            return (x < xe) - (y < ye);
        if (*x != *y)
            return *x < *y ? -1 : 1;
        x++;
        y++;
    }
}

int json_number_cmp(struct str a, struct str b)
{
    struct json_decimal x, y;
    json_decimal_of(a, &x);
    json_decimal_of(b, &y);
    if (!x.digits || !y.digits) {
        int sx = x.digits ? (x.negative ? -1 : 1) : 0, sy = y.digits ? (y.negative ? -1 : 1) : 0;
        return (sx > sy) - (sx < sy);
    }
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    int c = x.exp != y.exp ? (x.exp < y.exp ? -1 : 1) : json_cmp_digits(&x, &y);
    return x.negative ? -c : c;
}

bool json_i64(const struct json *j, uint32_t i, int64_t *ret)
{
    if (json_type(j, i) != JSON_NUMBER)
        return false;
    struct json_decimal d;
    json_decimal_of(json_raw(j, i), &d);
    if (!d.digits) {
        *ret = 0;
        return true;
    }
    if (d.exp < (int64_t)d.digits || d.exp > 19)
        return false;
    uint64_t v = 0;
    for (size_t k = 0; k < (size_t)d.exp; k++)
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(json_decimal_digit(&d, k) - '0'), &v))
            return false;
    if (v > (uint64_t)INT64_MAX + d.negative)
        return false;
    *ret = d.negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}
