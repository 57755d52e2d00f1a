/*
 * A number's text as sign, digits and exponent, without a change of its value: value = 0.d1d2d3… × 10^exp. Leading and
 * trailing zeros are gone; zero has no digits. The digits stay where they lie and may be split by the decimal point.
 */
#ifndef BASE_JSON_DECIMAL_H
#define BASE_JSON_DECIMAL_H

#include "base/json.h"

struct json_decimal {
    bool negative;
    const char *p; /* first digit that counts */
    size_t n;      /* bytes up to the last one that counts, a '.' between them included */
    size_t digits; /* of these, digits */
    size_t point;  /* of these, digits before the '.' */
    int64_t exp;   /* beyond ±JSON_EXP_MAX it is that of a text whose exponent was clamped, and not exact */
};
#define JSON_EXP_MAX (INT64_C(1) << 39)

void json_decimal_of(struct str text, struct json_decimal *ret);
/* Digit number i, from 0; '0' behind the last. */
char json_decimal_digit(const struct json_decimal *d, size_t i);

#endif
