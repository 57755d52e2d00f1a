/* Writing JSON. */
#include "base/json.h"
#include "base/json_scan.h"

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

void json_put_str(struct json_out *o, struct str s)
{
    const char *p = s.n ? s.p : "", *end = p + s.n;
    if (scan_plain(p, end) == end && buf_room(o->b, s.n + 3)) { /* nearly always */
        char *to = o->b->p + o->b->n;
        if (o->comma)
            *to++ = ',';
        *to++ = '"';
        if (s.n)
            memcpy(to, s.p, s.n);
        to[s.n] = '"';
        o->b->n = (size_t)(to + s.n + 1 - o->b->p);
        o->comma = true;
        return;
    }
    json_separate(o);
    buf_char(o->b, '"');
    while (p < end) {
        const char *from = p;
        p = scan_beyond_ascii(scan_plain(p, end), end);
        buf_put(o->b, from, (size_t)(p - from));
        if (p == end || p != from)
            continue;
        if ((unsigned char)*p < 0x80)
            json_escape_byte(o->b, (unsigned char)*p);
        else
            buf_z(o->b, "\xef\xbf\xbd");
        p++;
    }
    buf_char(o->b, '"');
}

void json_key(struct json_out *o, struct str key)
{
    json_put_str(o, key);
    buf_char(o->b, ':');
    o->comma = false;
}

/* Our own keys hold nothing that would have to be escaped. */
static inline void json_key_plain(struct json_out *o, const char *key)
{
    size_t n = strlen(key);
    if (!buf_room(o->b, n + 4))
        return;
    char *to = o->b->p + o->b->n;
    if (o->comma)
        *to++ = ',';
    *to++ = '"';
    memcpy(to, key, n);
    to[n] = '"';
    to[n + 1] = ':';
    o->b->n = (size_t)(to + n + 2 - o->b->p);
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

/* Nothing is no value: whatever should stand here got no memory. */
void json_put_raw(struct json_out *o, struct str json)
{
    json_separate(o);
    if (!json.n)
        o->b->failed = o->b->poor = true;
    buf_str(o->b, json);
}

void json_put_strs(struct json_out *o, const struct str *v, size_t n)
{
    json_open(o, '[');
    for (size_t i = 0; i < n; i++)
        json_put_str(o, v[i]);
    json_close(o, ']');
}

void json_kv_str(struct json_out *o, const char *key, struct str s)
{
    json_key_plain(o, key);
    json_put_str(o, s);
}

void json_kv_z(struct json_out *o, const char *key, const char *z)
{
    json_kv_str(o, key, str_of(z));
}

void json_kv_i64(struct json_out *o, const char *key, int64_t v)
{
    json_key_plain(o, key);
    json_put_i64(o, v);
}

void json_kv_bool(struct json_out *o, const char *key, bool v)
{
    json_key_plain(o, key);
    json_put_bool(o, v);
}

void json_kv_null(struct json_out *o, const char *key)
{
    json_key_plain(o, key);
    json_put_null(o);
}

void json_kv_raw(struct json_out *o, const char *key, struct str json)
{
    json_key_plain(o, key);
    json_put_raw(o, json);
}

void json_kv_strs(struct json_out *o, const char *key, const struct str *v, size_t n)
{
    json_key_plain(o, key);
    json_put_strs(o, v, n);
}

void json_kv_lines(struct json_out *o, const char *key, struct str text)
{
    struct str line;
    json_key(o, str_of(key));
    json_open(o, '[');
    while (text.n) {
        str_cut(&text, '\n', &line);
        if (line.n)
            json_put_str(o, line);
    }
    json_close(o, ']');
}
