/* What a stream of the record shows, read from the files. On a pool thread: nothing here may touch the loop. */
#include <inttypes.h>

#include "admin/audit_stream.h"

enum { STREAM_OUT_MAX = 80 << 20, STREAM_ID_EVERY = 1024, STREAM_LOOK_BYTES = 4 << 20 };

void audit_stream_event(struct buf *out, const char *event, uint64_t id, struct str data)
{
    if (id)
        buf_fmt(out, "id: %" PRIu64 "\n", id);
    buf_z(out, "event: ");
    buf_z(out, event);
    buf_z(out, "\ndata: ");
    buf_str(out, data);
    buf_z(out, "\n\n");
}

static bool read_is(const struct json *j, const char *key, struct str want)
{
    return !want.n || json_str_is(j, json_get(j, JSON_ROOT, str_of(key)), want);
}

/* A value that stands nowhere in the bytes needs no parser. One that JSON may write in another way is left to it. */
static bool read_may_hold(struct str entry, struct str want)
{
    for (size_t i = 0; i < want.n; i++)
        if ((unsigned char)want.p[i] < 0x20 || want.p[i] == '"' || want.p[i] == '\\' || want.p[i] == 0x7f)
            return true;
    return !want.n || memmem(entry.p, entry.n, want.p, want.n);
}

/* An entry that is no JSON is shown: a record hides nothing. */
static bool read_wants(struct audit_stream *s, struct str entry)
{
    static const struct json_limits deep = {.depth = 1024};
    const struct audit_stream_wants *w = &s->wants;
    struct json j;
    if (!w->agent.n && !w->event.n && !w->tool.n && !w->session.n)
        return true;
    if (!read_may_hold(entry, w->agent) || !read_may_hold(entry, w->event) || !read_may_hold(entry, w->tool) ||
        !read_may_hold(entry, w->session))
        return false;
    arena_reset(&s->arena);
    if (json_parse(&j, entry, &s->arena, &deep, NULL))
        return true;
    return read_is(&j, "agentId", w->agent) && read_is(&j, "event", w->event) && read_is(&j, "toolName", w->tool) &&
           read_is(&j, "sessionId", w->session);
}

/* Entries that were to be shown and are not kept any more. */
static void read_gap(struct audit_stream *s, uint64_t seq)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "{\"from\":%" PRIu64 ",\"to\":%" PRIu64 "}", s->at + 1, seq - 1);
    if (!s->from_start)
        audit_stream_event(&s->out, "pruned", seq - 1, (struct str){text, (size_t)n});
}

static enum err read_entry(struct audit_stream *s, uint64_t seq, struct str entry, struct fault *f)
{
    if (memchr(entry.p, '\n', entry.n) || memchr(entry.p, '\r', entry.n)) /* it would speak for the stream */
        return fault_set(f, ERR_CORRUPT, "entry %" PRIu64 " is not one line", seq);
    if (seq != s->at + 1)
        read_gap(s, seq);
    s->from_start = false;
    s->at = seq;
    if (read_wants(s, entry)) {
        audit_stream_event(&s->out, "entry", seq, entry);
        s->noted = seq;
    } else if (seq - s->noted >= STREAM_ID_EVERY) {
        buf_fmt(&s->out, "id: %" PRIu64 "\n\n", seq);
        s->noted = seq;
    }
    return ERR_OK;
}

static enum err read_open(struct audit_stream *s, struct fault *f)
{
    if (s->reader)
        return ERR_OK;
    TRY(audit_reader_open(s->dir, &s->reader, f));
    enum err e = audit_reader_seek(s->reader, s->at + 1, f);
    if (e) {
        audit_reader_close(s->reader);
        s->reader = NULL;
    }
    return e;
}

/* What is committed is there: otherwise the record is damaged, and looking again and again would not mend it. */
static enum err read_next(struct audit_stream *s, struct str *ret, uint64_t *ret_seq, struct fault *f)
{
    enum err e = audit_reader_next(s->reader, ret, ret_seq, f);
    return e == ERR_NOT_FOUND
               ? fault_set(f, ERR_CORRUPT,
                           "entry %" PRIu64 " is on record and cannot be read: `doorward audit verify` says more",
                           s->at + 1)
               : e;
}

enum err audit_stream_read(struct audit_stream *s, struct fault *f)
{
    struct str entry;
    uint64_t seq;
    size_t bytes = 0;
    buf_init(&s->out, STREAM_OUT_MAX);
    enum err e = read_open(s, f);
    for (unsigned looked = 0; !e && s->at < s->until && looked < AUDIT_STREAM_LOOK && bytes < STREAM_LOOK_BYTES &&
                              s->out.n < AUDIT_STREAM_SLICE;
         looked++) {
        e = read_next(s, &entry, &seq, f);
        if (e)
            break;
        if (seq > s->until) { /* not before it is committed */
            audit_reader_close(s->reader);
            s->reader = NULL;
            break;
        }
        e = read_entry(s, seq, entry, f);
        bytes += entry.n;
    }
    if (buf_failed(&s->out))
        return fault_set(f, ERR_NOMEM, "no memory to show entry %" PRIu64, s->at);
    return s->out.n ? ERR_OK : e; /* what comes before a fault goes first */
}
