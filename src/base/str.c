#include "base/str.h"

bool str_ends(struct str a, struct str b)
{
    return a.n >= b.n && (b.n == 0 || memcmp(a.p + a.n - b.n, b.p, b.n) == 0);
}

static char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Eight bytes with the letters among them in lower case: a byte gets its bit 0x20 when it is ASCII, at least 'A' and at
 * most 'Z'. */
static uint64_t str_lower8(uint64_t v)
{
    uint64_t low = v & 0x7f7f7f7f7f7f7f7f, from_a = low + 0x3f3f3f3f3f3f3f3f, past_z = low + 0x2525252525252525;
    return v | ((from_a & ~past_z & ~v & 0x8080808080808080) >> 2);
}

bool str_ieq_bytes(const char *a, const char *b, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t x, y;
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y && str_lower8(x) != str_lower8(y))
            return false;
    }
    for (; i < n; i++)
        if (a[i] != b[i] && str_lower(a[i]) != str_lower(b[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

struct str str_trim(struct str a)
{
    while (a.n && (a.p[0] == ' ' || a.p[0] == '\t'))
        a = str_skip(a, 1);
    while (a.n && (a.p[a.n - 1] == ' ' || a.p[a.n - 1] == '\t'))
        a.n--;
    return a;
}

bool str_cut(struct str *s, char c, struct str *ret_head)
{
    const char *at = s->n ? memchr(s->p, c, s->n) : NULL;
    if (!at) {
        *ret_head = *s;
        *s = str_skip(*s, s->n);
        return false;
    }
    *ret_head = (struct str){s->p, (size_t)(at - s->p)};
    *s = str_skip(*s, ret_head->n + 1);
    return true;
}

bool str_u64(struct str a, uint64_t *ret)
{
    uint64_t v = 0;
    if (a.n == 0)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] < '0' || a.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(a.p[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

/* Linear in pattern times name: on a mismatch only the last star is tried again. fence: what a star does not cross. */
static bool str_stars(struct str pattern, struct str name, int fence)
{
    size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;
    while (n < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = n;
        } else if (p < pattern.n && pattern.p[p] == name.p[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX && name.p[mark] != fence) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

bool str_glob(struct str pattern, struct str name)
{
    return str_stars(pattern, name, '/');
}

bool str_match(struct str pattern, struct str s)
{
    return str_stars(pattern, s, -1000); /* no char is that */
}

/* Table 3-7 of the Unicode standard: well-formed byte sequences only. */
bool str_utf8_valid(struct str a)
{
    const unsigned char *p = (const unsigned char *)a.p, *end = p + a.n;
    while (p < end) {
        unsigned c = *p++;
        if (c < 0x80)
            continue;
        unsigned more, low = 0x80, high = 0xbf;
        if (c >= 0xc2 && c <= 0xdf) {
            more = 1;
        } else if (c >= 0xe0 && c <= 0xef) {
            more = 2;
            low = c == 0xe0 ? 0xa0 : 0x80;
            high = c == 0xed ? 0x9f : 0xbf;
        } else if (c >= 0xf0 && c <= 0xf4) {
            more = 3;
            low = c == 0xf0 ? 0x90 : 0x80;
            high = c == 0xf4 ? 0x8f : 0xbf;
        } else {
            return false;
        }
        if ((size_t)(end - p) < more || *p < low || *p > high)
            return false;
        for (unsigned i = 1; i < more; i++)
            if ((p[i] & 0xc0) != 0x80)
                return false;
        p += more;
    }
    return true;
}
