/* Exact decimal arithmetic on number texts: no double, no rounding, bounded digits. */
#include "schema/inner.h"

#define EXPONENT_MAX 1000000000000000 /* beyond it nothing is computed; a text within its size bound cannot undo it */

static int64_t exponent_of(struct str s, bool *huge)
{
    bool negative = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = str_skip(s, 1);
    int64_t e = 0;
    for (size_t i = 0; i < s.n && !*huge; i++) {
        e = e * 10 + (s.p[i] - '0');
        *huge = e > EXPONENT_MAX;
    }
    return negative ? -e : e;
}

struct schema_decimal schema_decimal(struct str number)
{
    struct schema_decimal d = {0};
    if (number.n && number.p[0] == '-') {
        d.negative = true;
        number = str_skip(number, 1);
    }
    size_t end = 0, point = SIZE_MAX, first = SIZE_MAX, last = 0;
    for (; end < number.n && number.p[end] != 'e' && number.p[end] != 'E'; end++) {
        if (number.p[end] == '.') {
            point = end;
        } else if (number.p[end] != '0') {
            last = end;
            if (first == SIZE_MAX)
                first = end;
        }
    }
    if (first == SIZE_MAX)
        return (struct schema_decimal){0};
    if (end < number.n)
        d.exponent = exponent_of(str_skip(number, end + 1), &d.huge);
    if (point == SIZE_MAX)
        point = end;
    d.digits = (struct str){number.p + first, last - first + 1};
    /* value of the last digit: positions between it and the point, on either side of it */
    d.exponent += last < point ? (int64_t)(point - last) - 1 : -(int64_t)(last - point);
    return d;
}

bool schema_decimal_integer(const struct schema_decimal *d)
{
    return d->digits.n == 0 || d->exponent >= 0;
}

bool schema_decimal_count(const struct schema_decimal *d, uint64_t *ret)
{
    uint64_t v = 0;
    bool over = d->huge;
    if (!schema_decimal_integer(d) || d->negative)
        return false;
    for (size_t i = 0; i < d->digits.n && !over; i++)
        if (d->digits.p[i] != '.')
            over = __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(d->digits.p[i] - '0'), &v);
    for (int64_t e = d->digits.n ? d->exponent : 0; e > 0 && !over; e--)
        over = __builtin_mul_overflow(v, 10, &v);
    *ret = over ? UINT64_MAX : v;
    return true;
}

bool schema_divisor(struct str number, struct schema_divisor *ret)
{
    struct schema_decimal d = schema_decimal(number);
    uint64_t m = 0;
    unsigned digits = 0;
    for (size_t i = 0; i < d.digits.n; i++) {
        if (d.digits.p[i] == '.')
            continue;
        if (++digits > 18)
            return false;
        m = m * 10 + (uint64_t)(d.digits.p[i] - '0');
    }
    if (m == 0 || d.negative || d.huge)
        return false;
    *ret = (struct schema_divisor){m, d.exponent, number};
    return true;
}

static uint64_t mul_mod(uint64_t a, uint64_t b, uint64_t m)
{
    return (uint64_t)((unsigned __int128)a * b % m);
}

/* number = n * 10^e with a last digit that is not 0. When e is smaller than the divisor's exponent, the divisor is a
 * multiple of ten in that unit and n is not. Otherwise n * 10^(e - exponent) is reduced modulo the divisor's mantissa.
 */
bool schema_divides(const struct schema_divisor *d, struct str number)
{
    struct schema_decimal v = schema_decimal(number);
    if (v.digits.n == 0)
        return true;
    if (v.huge || v.exponent < d->exponent)
        return false;
    uint64_t rest = 0;
    for (size_t i = 0; i < v.digits.n; i++)
        if (v.digits.p[i] != '.')
            rest = (uint64_t)(((unsigned __int128)rest * 10 + (unsigned)(v.digits.p[i] - '0')) % d->mantissa);
    uint64_t power = 10 % d->mantissa;
    for (uint64_t k = (uint64_t)(v.exponent - d->exponent); k; k >>= 1) {
        if (k & 1)
            rest = mul_mod(rest, power, d->mantissa);
        power = mul_mod(power, power, d->mantissa);
    }
    return rest == 0;
}
