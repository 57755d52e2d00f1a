/* The record as the gateway streams it. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/enc.h"
#include "cli/audit_tail.h"
#include "cli/http.h"
#include "net/sse.h"

enum {
    STREAM_EVENT_MAX = 80 << 20,
    STREAM_SILENCE_S = 40, /* the gateway says something every 15 s */
    STREAM_PAUSE_MS = 200,
    STREAM_PAUSE_MAX_MS = 10000
};

struct tail_stream {
    struct tail *t;
    struct cli_http http; /* the same each time */
    struct secret *token;
    struct sse sse;
    uint64_t at;   /* the last entry that was seen, or passed over */
    uint64_t last; /* 0: for ever */
    uint64_t skip, count;
    bool print;
    bool lost, begun, heard; /* heard: by this connection */
    enum err err;            /* what an event said, or who reads us */
    struct fault fault;
};

/* ---- events ---- */

static void stream_said_error(struct tail_stream *s, struct str data)
{
    struct json j;
    arena_reset(&s->t->arena);
    if (json_parse(&j, data, &s->t->arena, NULL, NULL))
        return;
    struct str code = json_str(&j, json_get(&j, JSON_ROOT, STR("error")), &s->t->arena);
    struct str text = json_str(&j, json_get(&j, JSON_ROOT, STR("message")), &s->t->arena);
    s->err = fault_set(&s->fault, cli_error_by_code(code), STR_FMT, STR_ARG(text));
}

static void stream_said_pruned(struct tail_stream *s, struct str data)
{
    struct json j;
    int64_t from, to;
    arena_reset(&s->t->arena);
    if (!json_parse(&j, data, &s->t->arena, NULL, NULL) && json_i64(&j, json_get(&j, JSON_ROOT, STR("from")), &from) &&
        json_i64(&j, json_get(&j, JSON_ROOT, STR("to")), &to))
        fprintf(stderr, "doorward: audit tail: entries %" PRId64 " to %" PRId64 " are not kept any more\n", from, to);
}

static bool stream_event(void *ctx, const struct sse_event *e)
{
    struct tail_stream *s = ctx;
    uint64_t id;
    if (str_is(e->event, "pruned"))
        stream_said_pruned(s, e->data);
    else if (str_is(e->event, "error") || str_is(e->event, "end"))
        stream_said_error(s, e->data);
    if (!str_is(e->event, "entry") || !str_u64(e->id, &id))
        return true;
    if (id <= s->at || (s->last && id > s->last))
        return true;
    s->at = id;
    if (s->count++ >= s->skip && s->print)
        s->err = tail_print(s->t, e->data, &s->fault);
    return !s->err;
}

static bool stream_take(void *ctx, struct str bytes)
{
    struct tail_stream *s = ctx;
    uint64_t id;
    if (s->lost)
        fprintf(stderr, "doorward: audit tail: the gateway is back\n");
    s->lost = false;
    s->begun = s->heard = true;
    enum err e = sse_feed(&s->sse, bytes, stream_event, s, &s->fault);
    if (e && !s->err)
        s->err = e;
    /* an id without an entry: nothing before it is wanted */
    if (!s->err && s->sse.between && !s->sse.line.n && str_u64(buf_view(&s->sse.id), &id) && id > s->at)
        s->at = id;
    if (!s->err && (fflush(stdout) || ferror(stdout)))
        s->err = fault_set(&s->fault, ERR_IO, "standard output takes no more");
    return !s->err && (!s->last || s->at < s->last);
}

/* ---- connections ---- */

static enum err stream_request(struct tail_stream *s, struct fault *f)
{
    struct cli *c = s->t->c;
    struct str path = arena_fmt(&c->arena, "/admin/v1/audit/stream?after=%" PRIu64 "%s%s%s%s", s->at,
                                s->t->agent ? "&agent=" : "", s->t->agent ? cli_percent(c, str_of(s->t->agent)) : "",
                                s->t->event ? "&event=" : "", s->t->event ? cli_percent(c, str_of(s->t->event)) : "");
    if (!path.p)
        return fault_set(f, ERR_NOMEM, "no memory for an address");
    return cli_admin_request(c, "GET", path.p, &s->http, &s->token, f);
}

static enum err stream_refused(struct tail_stream *s, struct str body, struct fault *f)
{
    struct json j;
    arena_reset(&s->t->arena);
    if (json_parse(&j, body, &s->t->arena, NULL, NULL))
        return fault_set(f, ERR_UPSTREAM_GARBAGE, "%s answered with status %ld and no JSON: is that Doorward?",
                         s->http.url, s->http.status);
    return cli_error_of(s->t->c, &j, s->http.status, f);
}

/* ERR_OK: all that was asked for is there. */
static enum err stream_once(struct tail_stream *s, struct fault *f)
{
    struct buf out CLEANUP(buf_done);
    char last_id[64];
    buf_init(&out, 0);
    snprintf(last_id, sizeof(last_id), "Last-Event-ID: %" PRIu64, s->at);
    s->http.headers[0] = "Accept: text/event-stream";
    s->http.headers[1] = last_id;
    s->http.out = &out;
    sse_init(&s->sse, STREAM_EVENT_MAX);
    s->err = ERR_OK;
    s->heard = false;
    enum err e = cli_http_stream(&s->http, stream_take, s, STREAM_SILENCE_S, f);
    sse_done(&s->sse);
    if (s->err) {
        *f = s->fault;
        return s->err;
    }
    if (e == ERR_CANCELLED)
        return ERR_OK;
    if (e)
        return e;
    return s->http.status == 200 ? fault_set(f, ERR_UNREACHABLE, "the gateway has ended it")
                                 : stream_refused(s, buf_view(&out), f);
}

/* Who is asked again may have another answer then. */
static bool stream_may_return(enum err e)
{
    return e == ERR_UNREACHABLE || e == ERR_STOPPING || e == ERR_STREAMS || e == ERR_NOMEM;
}

static void stream_pause(int64_t *ms)
{
    unsigned char jitter;
    enc_random(&jitter, 1);
    int64_t now = *ms / 2 + *ms / 2 * jitter / 255; /* so that not all who lost it come back at once */
    const struct timespec pause = {now / 1000, now % 1000 * 1000000};
    nanosleep(&pause, NULL);
    *ms = *ms * 2 < STREAM_PAUSE_MAX_MS ? *ms * 2 : STREAM_PAUSE_MAX_MS;
}

static enum err stream_follow(struct tail_stream *s, struct fault *f)
{
    int64_t pause = STREAM_PAUSE_MS;
    for (;;) {
        enum err e = stream_once(s, f);
        if (!s->begun || !stream_may_return(e))
            return e;
        if (s->heard)
            pause = STREAM_PAUSE_MS;
        if (!s->lost)
            fprintf(stderr, "doorward: audit tail: the connection to the gateway is lost (%s); it is tried again\n",
                    f->text);
        s->lost = true;
        stream_pause(&pause);
    }
}

enum err tail_stream_follow(struct tail *t, uint64_t after, bool *ret_begun, struct fault *f)
{
    struct tail_stream s = {.t = t, .at = after, .print = true};
    enum err e = stream_request(&s, f);
    if (!e)
        e = stream_follow(&s, f);
    *ret_begun = s.begun;
    secret_free(s.token);
    return e;
}

enum err tail_stream_walk(struct tail *t, uint64_t from, uint64_t last, uint64_t skip, bool print, uint64_t *ret_count,
                          struct fault *f)
{
    struct tail_stream s = {.t = t, .at = from - 1, .last = last, .skip = skip, .print = print};
    enum err e = stream_request(&s, f);
    if (!e && s.at < last)
        e = stream_once(&s, f);
    *ret_count = s.count;
    secret_free(s.token);
    return e;
}

enum err tail_stream_last(struct tail *t, uint64_t *ret, struct fault *f)
{
    struct json j;
    int64_t seq;
    TRY(cli_admin(t->c, "GET", "/admin/v1/status", STR_NONE, &j, NULL, f));
    if (!json_i64(&j, json_path(&j, JSON_ROOT, "audit.seq"), &seq) || seq < 0)
        return fault_set(f, ERR_UPSTREAM_GARBAGE, "the gateway does not say how long its record is");
    *ret = (uint64_t)seq;
    return ERR_OK;
}
