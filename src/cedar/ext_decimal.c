/* decimal: four digits behind the point, held as ten-thousandths. */
#include "cedar/ext_inner.h"

#define DECIMAL_DIGITS 4
#define DECIMAL_ONE    10000

static enum err decimal_malformed(struct fault *f)
{
    return fault_set(f, ERR_SYNTAX, "not a decimal: digits, a point and one to four digits are wanted, as in \"12.5\"");
}

static enum err decimal_overflow(struct fault *f)
{
    return fault_set(f, ERR_SYNTAX,
                     "the decimal is out of range: -922337203685477.5808 to 922337203685477.5807 is what there is");
}

enum err cedar_decimal_parse(struct str text, struct cedar_value *ret, struct fault *f)
{
    struct str rest = text;
    bool minus = rest.n && rest.p[0] == '-';
    if (minus)
        rest = str_skip(rest, 1);
    struct str whole = cedar_digits(&rest), part = STR_NONE;
    if (rest.n && rest.p[0] == '.') {
        rest = str_skip(rest, 1);
        part = cedar_digits(&rest);
    }
    if (!whole.n || !part.n || part.n > DECIMAL_DIGITS || rest.n)
        return decimal_malformed(f);
    int64_t v = 0;
    /* Counted downwards when negative, since the least number has no positive twin. */
    for (size_t i = 0; i < whole.n + DECIMAL_DIGITS; i++) {
        char c = i < whole.n ? whole.p[i] : i - whole.n < part.n ? part.p[i - whole.n] : '0';
        int64_t digit = minus ? '0' - c : c - '0';
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
            return decimal_overflow(f);
    }
    *ret = (struct cedar_value){.kind = CEDAR_DECIMAL, .i = v};
    return ERR_OK;
}

void cedar_decimal_write(int64_t v, char room[static CEDAR_EXT_TEXT])
{
    uint64_t size = v < 0 ? -(uint64_t)v : (uint64_t)v;
    snprintf(room, CEDAR_EXT_TEXT, "%s%" PRIu64 ".%04" PRIu64, v < 0 ? "-" : "", size / DECIMAL_ONE,
             size % DECIMAL_ONE);
    size_t n = strlen(room);
    while (room[n - 1] == '0' && room[n - 2] != '.')
        room[--n] = 0;
}
