#include "base/visible.h"

/* The code point at s, and its bytes; 0 bytes: not well-formed. */
static unsigned visible_point(struct str s, size_t *ret_n)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    *ret_n = 0;
    if (n > s.n || !str_utf8_valid((struct str){s.p, n}))
        return 0;
    unsigned v = n == 1 ? c : n == 2 ? c & 31u : n == 3 ? c & 15u : c & 7u;
    for (size_t i = 1; i < n; i++)
        v = v << 6 | ((unsigned char)s.p[i] & 63u);
    *ret_n = n;
    return v;
}

/* Control characters, and what makes a line read other than it is written. */
static bool visible_hidden(unsigned v)
{
    return v < 0x20 || (v >= 0x7f && v < 0xa0) || v == 0xad || v == 0x61c || (v >= 0x200b && v <= 0x200f) ||
           (v >= 0x2028 && v <= 0x202e) || (v >= 0x2060 && v <= 0x206f) || v == 0xfeff || v == 0x34f || v == 0x115f ||
           v == 0x1160 || v == 0x17b4 || v == 0x17b5 || (v >= 0x180b && v <= 0x180f) || v == 0x3164 ||
           (v >= 0xfe00 && v <= 0xfe0d) || v == 0xffa0 || (v >= 0xfff0 && v <= 0xfffb) ||
           (v >= 0x1d173 && v <= 0x1d17a) || (v >= 0xe0000 && v <= 0xe0fff);
}

void visible_put(struct buf *out, struct str s, bool lines)
{
    while (s.n) {
        size_t n;
        unsigned v = visible_point(s, &n);
        if (!n) {
            buf_fmt(out, "\\x%02x", (unsigned char)s.p[0]);
            n = 1;
        } else if (lines && (v == '\n' || v == '\t')) {
            buf_char(out, (char)v);
        } else if (v == '\n') {
            buf_z(out, "\\n");
        } else if (v < 0x80 && visible_hidden(v)) {
            buf_fmt(out, "\\x%02x", v);
        } else if (visible_hidden(v)) {
            buf_fmt(out, "\\u{%x}", v);
        } else {
            buf_put(out, s.p, n);
        }
        s = str_skip(s, n);
    }
}

size_t visible_width(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}
