#include "sink/export.h"

#include <stdlib.h>

#include "audit/log.h"
#include "base/clock.h"

enum {
    EXPORT_ARENA = 512 << 20,  /* of one entry */
    EXPORT_INTENTS = 32 << 20, /* bytes of parameters that wait for their outcome */
};

struct export
{
    struct export_what what;
    struct audit_reader *reader, *intents; /* intents: moves about on its own */
    struct sink_format_how how;
    struct arena arena; /* of one entry */
    struct json doc;
    struct export_state state;
};

void export_close(struct export *x)
{
    if (!x)
        return;
    audit_reader_close(x->reader);
    audit_reader_close(x->intents);
    sink_intents_free(x->how.intents);
    arena_done(&x->arena);
    free(x);
}

/* By what can be read, or by the newest checkpoint when that knows of more: then the end is damaged. */
static uint64_t export_last(struct export *x, const char *dir)
{
    struct log_checkpoint c;
    uint64_t last = audit_reader_last(x->reader);
    if (log_checkpoint_read(dir, &c, NULL))
        return last;
    last = c.is.size > last ? c.is.size : last;
    log_checkpoint_done(&c);
    return last;
}

static enum err export_begin(struct export *x, const char *dir, struct fault *f)
{
    TRY(audit_reader_open(dir, &x->reader, f));
    x->state.last = x->what.last ? x->what.last : export_last(x, dir);
    if (x->what.since > INT64_MIN && x->state.last)
        TRY(audit_reader_before(x->reader, x->what.since, f));
    if (!x->what.arguments)
        return ERR_OK;
    TRY(audit_reader_open(dir, &x->intents, f));
    x->how = (struct sink_format_how){.arguments = true, .reader = x->intents};
    x->how.intents = sink_intents_new(EXPORT_INTENTS);
    return x->how.intents ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory to export the record");
}

enum err export_open(const char *audit_dir, const struct export_what *what, struct export **ret, struct fault *f)
{
    struct export *x = calloc(1, sizeof(*x));
    if (!x)
        return fault_set(f, ERR_NOMEM, "no memory to export the record");
    x->what = *what;
    arena_init(&x->arena, EXPORT_ARENA);
    enum err e = export_begin(x, audit_dir, f);
    if (e) {
        export_close(x);
        return e;
    }
    *ret = x;
    return ERR_OK;
}

/* ---- which entries ---- */

static bool export_is(struct export *x, const char *key, struct str pattern)
{
    struct str s = json_str(&x->doc, json_get(&x->doc, JSON_ROOT, str_of(key)), &x->arena);
    return !pattern.n || str_match(pattern, s);
}

static bool export_in_time(struct export *x)
{
    int64_t when;
    if (x->what.since == INT64_MIN && x->what.until == INT64_MAX)
        return true;
    if (clock_parse(json_str(&x->doc, json_get(&x->doc, JSON_ROOT, STR("timestamp")), &x->arena), &when))
        return true; /* a record hides nothing */
    return when >= x->what.since && when < x->what.until;
}

static bool export_wants(struct export *x)
{
    uint32_t agent = json_get(&x->doc, JSON_ROOT, STR("agentId"));
    return (!x->what.agent.n || json_str_is(&x->doc, agent, x->what.agent)) && export_is(x, "event", x->what.event) &&
           export_in_time(x);
}

/* ---- how they are written ---- */

static enum err export_parse(struct export *x, uint64_t seq, struct str entry, struct fault *f)
{
    static const struct json_limits deep = {.depth = 1024};
    arena_reset(&x->arena);
    if (json_parse(&x->doc, entry, &x->arena, &deep, f))
        return fault_wrap(f, "entry %llu", (unsigned long long)seq);
    return ERR_OK;
}

static bool export_write(struct export *x, uint64_t seq, struct str entry, struct buf *out, unsigned *count)
{
    const struct sink_format *format = x->what.format;
    struct sink_entry e = {.seq = seq, .text = entry, .doc = &x->doc};
    size_t before = out->n;
    tlog_leaf(entry, &e.leaf);
    if (format->begin)
        buf_z(out, *count ? format->between : format->begin);
    if (!format->write(&e, &x->how, out)) {
        out->n = before;
        return false;
    }
    if (!format->begin)
        buf_char(out, '\n');
    ++*count;
    x->state.written++;
    return true;
}

static bool export_full(const struct export *x, const struct buf *out, size_t before, unsigned count)
{
    return out->n - before >= EXPORT_PIECE || (x->what.format->begin && count >= EXPORT_BATCH);
}

/* The next entry, up to the last that is asked for. */
static enum err export_read(struct export *x, struct str *ret, uint64_t *ret_seq, struct fault *f)
{
    if (x->state.at >= x->state.last)
        return fault_set(f, ERR_NOT_FOUND, "that was all");
    enum err e = audit_reader_next(x->reader, ret, ret_seq, f);
    if (e == ERR_NOT_FOUND)
        return fault_set(f, ERR_CORRUPT, "the record breaks off behind entry %llu, though it goes on to %llu",
                         (unsigned long long)x->state.at, (unsigned long long)x->state.last);
    if (!e && *ret_seq > x->state.last) /* the last ones were pruned meanwhile */
        return fault_set(f, ERR_NOT_FOUND, "that was all");
    return e;
}

enum err export_next(struct export *x, struct buf *out, struct fault *f)
{
    size_t before = out->n;
    unsigned count = 0, looked = 0;
    enum err e = ERR_OK;
    while (!e && !buf_failed(out) && looked++ < EXPORT_LOOK && !export_full(x, out, before, count)) {
        struct str entry;
        uint64_t seq;
        e = export_read(x, &entry, &seq, f);
        if (e)
            break;
        x->state.at = seq;
        e = export_parse(x, seq, entry, f);
        if (!e && export_wants(x))
            export_write(x, seq, entry, out, &count);
    }
    if (count && x->what.format->begin) {
        buf_z(out, x->what.format->end);
        buf_char(out, '\n');
    }
    if (buf_failed(out))
        return fault_set(f, ERR_NOMEM, "no memory to export entry %llu", (unsigned long long)x->state.at);
    return e;
}

void export_state(const struct export *x, struct export_state *ret)
{
    *ret = x->state;
}
