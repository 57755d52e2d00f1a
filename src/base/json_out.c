/* Writing JSON. */
#include "base/json.h"

struct json_out json_out(struct buf *b)
{
    return (struct json_out){.b = b};
}

static void json_separate(struct json_out *o)
{
    if (o->comma)
        buf_char(o->b, ',');
    o->comma = true;
}

void json_open(struct json_out *o, char bracket)
{
    json_separate(o);
    buf_char(o->b, bracket);
    o->comma = false;
}

void json_close(struct json_out *o, char bracket)
{
    buf_char(o->b, bracket);
    o->comma = true;
}

static void json_escape_byte(struct buf *b, unsigned char c)
{
    static const char short_form[] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    static const char hex[] = "0123456789abcdef";
    if (c < sizeof(short_form) && short_form[c]) {
        buf_char(b, '\\');
        buf_char(b, short_form[c]);
        return;
    }
    buf_z(b, "\\u00");
    buf_char(b, hex[c >> 4]);
    buf_char(b, hex[c & 15]);
}

/* The longest prefix that is well-formed UTF-8, in one go through it. */
static size_t json_valid_prefix(struct str s)
{
    size_t at = 0;
    while (at < s.n) {
        unsigned char c = (unsigned char)s.p[at];
        size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (n > s.n - at || !str_utf8_valid((struct str){s.p + at, n}))
            break;
        at += n;
    }
    return at;
}

static void json_put_valid(struct buf *b, struct str s)
{
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_put(b, s.p + from, i - from);
        json_escape_byte(b, c);
        from = i + 1;
    }
    buf_put(b, s.p + from, s.n - from);
}

void json_put_str(struct json_out *o, struct str s)
{
    json_separate(o);
    buf_char(o->b, '"');
    while (s.n) {
        size_t n = str_utf8_valid(s) ? s.n : json_valid_prefix(s);
        json_put_valid(o->b, (struct str){s.p, n});
        s = str_skip(s, n);
        if (s.n) {
            buf_z(o->b, "\xef\xbf\xbd");
            s = str_skip(s, 1);
        }
    }
    buf_char(o->b, '"');
}

void json_key(struct json_out *o, struct str key)
{
    json_put_str(o, key);
    buf_char(o->b, ':');
    o->comma = false;
}

void json_put_i64(struct json_out *o, int64_t v)
{
    json_separate(o);
    buf_i64(o->b, v);
}

void json_put_bool(struct json_out *o, bool v)
{
    json_put_raw(o, v ? STR("true") : STR("false"));
}

void json_put_null(struct json_out *o)
{
    json_put_raw(o, STR("null"));
}

void json_put_raw(struct json_out *o, struct str json)
{
    json_separate(o);
    buf_str(o->b, json);
}

void json_kv_str(struct json_out *o, const char *key, struct str s)
{
    json_key(o, str_of(key));
    json_put_str(o, s);
}

void json_kv_z(struct json_out *o, const char *key, const char *z)
{
    json_kv_str(o, key, str_of(z));
}

void json_kv_i64(struct json_out *o, const char *key, int64_t v)
{
    json_key(o, str_of(key));
    json_put_i64(o, v);
}

void json_kv_bool(struct json_out *o, const char *key, bool v)
{
    json_key(o, str_of(key));
    json_put_bool(o, v);
}

void json_kv_null(struct json_out *o, const char *key)
{
    json_key(o, str_of(key));
    json_put_null(o);
}

void json_kv_raw(struct json_out *o, const char *key, struct str json)
{
    json_key(o, str_of(key));
    json_put_raw(o, json);
}
