/* One line of the access log. */
#include <arpa/inet.h>

#include "access/inner.h"
#include "base/clock.h"
#include "base/json.h"

enum { LINE_VALUE_MAX = 256 }; /* of what a stranger wrote */

static void line_str(struct json_out *o, const char *key, struct str s)
{
    if (!s.n)
        return;
    if (s.n > LINE_VALUE_MAX)
        for (s.n = LINE_VALUE_MAX; s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80;)
            s.n--; /* not inside a character */
    json_kv_str(o, key, s);
}

static void line_address(struct json_out *o, const char *key, const struct sockaddr_storage *s)
{
    char text[INET6_ADDRSTRLEN] = "";
    const void *bytes = s->ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)s)->sin_addr
                                                : (const void *)&((const struct sockaddr_in6 *)s)->sin6_addr;
    inet_ntop(s->ss_family, bytes, text, sizeof(text));
    line_str(o, key, str_of(text));
}

/* The time is that of the end: lines stand in the order in which requests were over. */
void access_line(struct buf *b, const struct exchange *x, const struct sockaddr_storage *client)
{
    struct json_out o = json_out(b);
    const struct exchange_note *n = &x->note;
    char time[CLOCK_RFC3339];
    clock_format(clock_wall_ms(), time);
    json_open(&o, '{');
    json_kv_z(&o, "time", time);
    line_str(&o, "traceId", n->trace);
    line_str(&o, "face", str_of(n->face));
    line_str(&o, "verb", x->head.method);
    line_str(&o, "path", x->head.path);
    line_str(&o, "operator", n->operator);
    line_str(&o, "agentId", n->agent);
    line_str(&o, "sessionId", n->session);
    line_str(&o, "method", n->method);
    line_str(&o, "tool", n->tool);
    json_kv_i64(&o, "status", x->status);
    line_str(&o, "effect", str_of(n->effect));
    line_str(&o, "code", str_of(n->code));
    json_kv_i64(&o, "bytesIn", (int64_t)x->body.n);
    json_kv_i64(&o, "bytesOut", (int64_t)x->sent);
    json_key(&o, STR("ms"));
    buf_fmt(b, "%.3f", (double)(clock_mono_ns() - x->born_ns) / 1e6);
    o.comma = true;
    line_address(&o, "peer", &x->peer);
    line_str(&o, "certificate", x->peer_name);
    if (client)
        line_address(&o, "client", client);
    if (x->gone)
        json_kv_bool(&o, "left", true);
    json_close(&o, '}');
    buf_char(b, '\n');
}
