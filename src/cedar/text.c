/* Names and strings, as the language writes them. */
#include "cedar/lex.h"
#include "cedar/policy.h"

bool cedar_ident_valid(struct str ident)
{
    for (size_t i = 0; i < ident.n; i++) {
        char c = ident.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9')))
            return false;
    }
    enum cedar_word w = ident.n ? cedar_word(ident) : CEDAR_W_NONE;
    return ident.n && (w == CEDAR_W_NONE || w > CEDAR_W_RESERVED);
}

bool cedar_name_valid(struct str name)
{
    for (;;) {
        size_t n = 0;
        while (n < name.n && name.p[n] != ':')
            n++;
        if (!cedar_ident_valid((struct str){name.p, n}))
            return false;
        if (n == name.n)
            return true;
        if (n + 1 == name.n || name.p[n + 1] != ':')
            return false;
        name = str_skip(name, n + 2);
    }
}

uint32_t cedar_utf8_get(struct str text, uint32_t *at)
{
    unsigned char c = (unsigned char)text.p[(*at)++];
    unsigned more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    uint32_t u = c < 0x80 ? c : c & (0x3fu >> more);
    for (; more && *at < text.n; more--)
        u = u << 6 | ((unsigned char)text.p[(*at)++] & 0x3f);
    return u;
}

size_t cedar_utf8_put(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; --i;) {
        to[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    to[0] = (char)((0xf00 >> n) | c);
    return n;
}

/* ---- reading ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* \x41, behind the x */
static bool hex_escape(struct str raw, uint32_t *at, uint32_t *ret)
{
    int high = *at < raw.n ? hex_digit(raw.p[*at]) : -1, low = *at + 1 < raw.n ? hex_digit(raw.p[*at + 1]) : -1;
    if (high < 0 || high > 7 || low < 0)
        return false;
    *at += 2;
    *ret = (uint32_t)(high << 4 | low);
    return true;
}

/* \u{1F600}, behind the u: one to six digits, underscores behind the first */
static bool unicode_escape(struct str raw, uint32_t *at, uint32_t *ret)
{
    uint32_t i = *at, digits = 0, u = 0;
    if (i >= raw.n || raw.p[i++] != '{' || i >= raw.n || raw.p[i] == '_')
        return false;
    for (; i < raw.n && raw.p[i] != '}'; i++) {
        int d = hex_digit(raw.p[i]);
        if (raw.p[i] == '_')
            continue;
        if (d < 0 || ++digits > 6)
            return false;
        u = u << 4 | (uint32_t)d;
    }
    if (i >= raw.n || !digits || u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff))
        return false;
    *at = i + 1;
    *ret = u;
    return true;
}

static bool escape(struct str raw, uint32_t *at, uint32_t *ret)
{
    static const char letter[] = "nrt0\\'\"", stands[] = "\n\r\t\0\\'\"";
    char c = *at < raw.n ? raw.p[*at] : 0;
    const char *l = c ? strchr(letter, c) : NULL;
    if (l) {
        ++*at;
        *ret = (unsigned char)stands[l - letter];
        return true;
    }
    if (c == 'x' || c == 'u') {
        ++*at;
        return c == 'x' ? hex_escape(raw, at, ret) : unicode_escape(raw, at, ret);
    }
    return false;
}

enum err cedar_unescape_char(struct str raw, uint32_t *at, bool pattern, uint32_t *ret_char, bool *ret_star,
                             struct fault *f)
{
    *ret_star = false;
    uint32_t start = *at, i = start, c = cedar_utf8_get(raw, &i);
    if (c == '\r')
        return fault_set(f, ERR_SYNTAX, "a bare carriage return in a string: write \\r");
    if (c == '\\' && pattern && i < raw.n && raw.p[i] == '*') {
        *ret_star = true;
        c = '*';
        i++;
    } else if (c == '\\' && !escape(raw, &i, &c)) {
        uint32_t end = start + 1;
        if (end < raw.n)
            cedar_utf8_get(raw, &end);
        return fault_set(
            f, ERR_SYNTAX,
            "`%.*s` is no escape here: the escapes are \\n \\r \\t \\0 \\\\ \\' \\\" \\x41 (up to \\x7f) and "
            "\\u{1F600}%s",
            (int)(end - start), raw.p + start, pattern ? " and, in a pattern, \\*" : "");
    }
    *at = i;
    *ret_char = c;
    return ERR_OK;
}

enum err cedar_unescape(struct str raw, struct arena *a, struct str *ret, uint32_t *ret_at, struct fault *f)
{
    if (!raw.n || (!memchr(raw.p, '\\', raw.n) && !memchr(raw.p, '\r', raw.n))) {
        *ret = raw;
        return ERR_OK;
    }
    char *to = arena_raw(a, raw.n, 1); /* no escape is shorter than what it stands for */
    if (!to)
        return fault_set(f, ERR_NOMEM, "no memory for a string");
    size_t n = 0;
    for (uint32_t at = 0; at < raw.n;) {
        uint32_t c;
        bool star;
        *ret_at = at;
        TRY(cedar_unescape_char(raw, &at, false, &c, &star, f));
        n += cedar_utf8_put(to + n, c);
    }
    *ret = (struct str){to, n};
    return ERR_OK;
}

/* Reads the whole pattern, writes what it stands for to `to` (when there is one), and where the stars are to `piece`.
 */
static enum err pattern_pass(struct str raw, char *to, struct str *piece, uint32_t *ret_stars, uint32_t *ret_at,
                             struct fault *f)
{
    size_t n = 0, from = 0;
    uint32_t stars = 0;
    for (uint32_t at = 0; at < raw.n;) {
        uint32_t c;
        bool star;
        char bytes[4];
        *ret_at = at;
        TRY(cedar_unescape_char(raw, &at, true, &c, &star, f));
        bool any = c == '*' && !star;
        size_t more = any ? 0 : cedar_utf8_put(bytes, c);
        if (to) {
            memcpy(to + n, bytes, more);
            if (any)
                piece[stars] = (struct str){to + from, n - from};
        }
        n += more;
        stars += any;
        from = any ? n : from;
    }
    if (to)
        piece[stars] = (struct str){to + from, n - from};
    *ret_stars = stars;
    return ERR_OK;
}

enum err cedar_pattern_read(struct str raw, struct arena *a, const struct cedar_pattern **ret, uint32_t *ret_at,
                            struct fault *f)
{
    uint32_t stars;
    TRY(pattern_pass(raw, NULL, NULL, &stars, ret_at, f));
    struct cedar_pattern *p = arena_alloc(a, sizeof(*p) + sizeof(struct str) * (stars + 1));
    char *to = arena_raw(a, raw.n + 1, 1);
    if (!p || !to)
        return fault_set(f, ERR_NOMEM, "no memory for a pattern");
    p->n = stars + 1;
    TRY(pattern_pass(raw, to, p->piece, &stars, ret_at, f));
    *ret = p;
    return ERR_OK;
}

/* ---- writing ---- */

/* Characters that a reader would not see, or that would move what he sees. */
static bool hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static void print_char(struct str s, uint32_t at, uint32_t end, uint32_t c, struct buf *out)
{
    static const char letters[] = {['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\'};
    if (c == 0 || (c < sizeof(letters) && letters[c])) {
        buf_char(out, '\\');
        buf_char(out, c ? letters[c] : '0');
    } else if (hidden(c)) {
        buf_fmt(out, "\\u{%x}", (unsigned)c);
    } else {
        buf_put(out, s.p + at, end - at);
    }
}

static void print_text(struct str s, bool pattern, struct buf *out)
{
    bool valid = str_utf8_valid(s);
    for (uint32_t at = 0, end = 0; at < s.n; at = end) {
        unsigned char byte = (unsigned char)s.p[at];
        end = at + 1;
        if (byte >= 0x80 && !valid) {
            buf_z(out, "\xef\xbf\xbd");
            continue;
        }
        uint32_t c = byte;
        if (byte >= 0x80) {
            end = at;
            c = cedar_utf8_get(s, &end);
        }
        if (pattern && c == '*')
            buf_char(out, '\\');
        print_char(s, at, end, c, out);
    }
}

void cedar_string_print(struct str s, struct buf *out)
{
    buf_char(out, '"');
    print_text(s, false, out);
    buf_char(out, '"');
}

void cedar_pattern_print(const struct cedar_pattern *p, struct buf *out)
{
    buf_char(out, '"');
    for (uint32_t i = 0; i < p->n; i++) {
        if (i)
            buf_char(out, '*');
        print_text(p->piece[i], true, out);
    }
    buf_char(out, '"');
}

void cedar_quote(struct str s, struct buf *out)
{
    enum { SHOWN = 60 };
    uint32_t at = 0;
    buf_char(out, '`');
    while (at < s.n && at < SHOWN) {
        uint32_t end = at, c = cedar_utf8_get(s, &end);
        if (hidden(c))
            buf_char(out, '?');
        else
            buf_put(out, s.p + at, end - at);
        at = end;
    }
    buf_z(out, at < s.n ? "...`" : "`");
}
