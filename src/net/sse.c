#include "net/sse.h"

void sse_init(struct sse *s, size_t max_event)
{
    *s = (struct sse){.retry_ms = -1};
    buf_init(&s->data, max_event);
    buf_init(&s->line, max_event);
    buf_init(&s->event, 256);
    buf_init(&s->id, 1024);
}

void sse_done(struct sse *s)
{
    buf_done(&s->data);
    buf_done(&s->line);
    buf_done(&s->event);
    buf_done(&s->id);
}

static enum err sse_dispatch(struct sse *s, bool (*event)(void *, const struct sse_event *), void *ctx, struct fault *f)
{
    struct sse_event e = {buf_view(&s->event), buf_view(&s->data), buf_view(&s->id), s->retry_ms};
    bool go = !s->has_data || event(ctx, &e);
    buf_clear(&s->data);
    buf_clear(&s->event);
    s->has_data = false;
    return go ? ERR_OK : fault_set(f, ERR_CANCELLED, "the stream is not wanted any more");
}

static enum err sse_field(struct sse *s, struct str line, struct fault *f)
{
    struct str name, value = line;
    str_cut(&value, ':', &name);
    if (value.n && value.p[0] == ' ')
        value = str_skip(value, 1);
    if (str_is(name, "data")) {
        if (s->has_data)
            buf_char(&s->data, '\n');
        s->has_data = true;
        buf_str(&s->data, value);
        if (buf_failed(&s->data))
            return fault_set(f, ERR_LIMIT, "an event is larger than %zu bytes", s->data.max);
    } else if (str_is(name, "event")) {
        buf_clear(&s->event);
        buf_str(&s->event, value);
        if (buf_failed(&s->event))
            return fault_set(f, ERR_LIMIT, "the type of an event is larger than %zu bytes", s->event.max);
    } else if (str_is(name, "id") && !memchr(value.n ? value.p : "", 0, value.n)) {
        buf_clear(&s->id);
        buf_str(&s->id, value);
        if (buf_failed(&s->id))
            return fault_set(f, ERR_LIMIT, "the id of an event is larger than %zu bytes", s->id.max);
    } else if (str_is(name, "retry")) {
        uint64_t ms;
        if (str_u64(value, &ms) && ms <= INT32_MAX)
            s->retry_ms = (int64_t)ms;
    }
    return ERR_OK;
}

static enum err sse_line(struct sse *s, bool (*event)(void *, const struct sse_event *), void *ctx, struct fault *f)
{
    struct str line = buf_view(&s->line);
    s->between = !line.n;
    if (!s->bom_checked && str_starts(line, STR("\xef\xbb\xbf")))
        line = str_skip(line, 3);
    s->bom_checked = true;
    enum err e = ERR_OK;
    if (line.n == 0)
        e = sse_dispatch(s, event, ctx, f);
    else if (line.p[0] != ':')
        e = sse_field(s, line, f);
    buf_clear(&s->line);
    return e;
}

enum err sse_feed(struct sse *s, struct str bytes, bool (*event)(void *ctx, const struct sse_event *e), void *ctx,
                  struct fault *f)
{
    while (bytes.n) {
        if (s->cr && bytes.p[0] == '\n') { /* the second half of CRLF */
            s->cr = false;
            bytes = str_skip(bytes, 1);
            continue;
        }
        s->cr = false;
        size_t n = 0;
        while (n < bytes.n && bytes.p[n] != '\n' && bytes.p[n] != '\r')
            n++;
        buf_put(&s->line, bytes.p, n);
        if (buf_failed(&s->line))
            return fault_set(f, ERR_LIMIT, "a line of an event is larger than %zu bytes", s->line.max);
        if (n == bytes.n)
            return ERR_OK;
        s->cr = bytes.p[n] == '\r';
        bytes = str_skip(bytes, n + 1);
        TRY(sse_line(s, event, ctx, f));
    }
    return ERR_OK;
}

void sse_write(struct buf *out, struct str data)
{
    buf_z(out, "event: message\ndata: ");
    buf_str(out, data);
    buf_z(out, "\n\n");
}

void sse_write_comment(struct buf *out)
{
    buf_z(out, ":\n\n");
}
