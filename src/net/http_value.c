/* Values that a header field cannot carry as they are: "=?base64?…?=" (MCP 2026-07-28 basic/transports/streamable-http,
 * "Value Encoding"). */
#include "base/enc.h"
#include "net/http.h"

static const struct str http_value_open = {"=?base64?", 9}, http_value_close = {"?=", 2};

static bool http_value_plain(struct str s)
{
    if (s.n && (s.p[0] == ' ' || s.p[s.n - 1] == ' ' || str_starts(s, http_value_open)))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return false;
    return true;
}

struct str http_value_write(struct str s, struct arena *a)
{
    if (http_value_plain(s))
        return s;
    char *coded = arena_raw(a, (s.n + 2) / 3 * 4 + 1, 1);
    if (!coded)
        return STR_NONE;
    enc_b64(s.p, s.n, coded);
    return arena_fmt(a, STR_FMT "%s" STR_FMT, STR_ARG(http_value_open), coded, STR_ARG(http_value_close));
}

/* What no field can carry in plain ASCII has to come in its form. */
static bool http_value_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > 0x7e)
            return false;
    return true;
}

struct str http_value_read(struct str value, struct arena *a)
{
    if (!http_value_ascii(value))
        return STR_NONE;
    if (!str_starts(value, http_value_open) || !str_ends(value, http_value_close) ||
        value.n < http_value_open.n + http_value_close.n)
        return value;
    struct str inner = {value.p + http_value_open.n, value.n - http_value_open.n - http_value_close.n};
    unsigned char *out = arena_raw(a, inner.n + 1, 1);
    size_t n;
    if (!out || enc_unb64(inner, out, inner.n + 1, &n) || !str_utf8_valid((struct str){(char *)out, n}))
        return STR_NONE;
    return (struct str){(char *)out, n};
}
