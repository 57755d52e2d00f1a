/*
 * GET /admin/v1/audit/export: the record in another form, up to what is on record when it is asked for. Piece after
 * piece is read on a pool thread and written on the loop; the next one is read when the client has taken the one
 * before, so that a long record costs no memory and a slow client no thread. An answer that cannot go on is cut off.
 */
#include "admin/request.h"
#include "base/log.h"
#include "sink/export.h"

/* The pool has four threads, and others need them. */
enum { EXPORTS = 2, EXPORT_PATIENCE_MS = 600000 };

struct audit_export { /* lives in the exchange's arena */
    struct admin_flow flow;
    struct admin *admin;
    struct exchange *x;
    struct export_what what;
    const char *dir;
    uv_work_t work;
    bool reading, gone;
    size_t sent; /* of piece */
    /* the pool thread's, while reading */
    struct export *export;
    struct buf piece;
    enum err err;
    struct fault fault;
};

static void export_work(uv_work_t *w)
{
    struct audit_export *e = w->data;
    e->err = e->export ? ERR_OK : export_open(e->dir, &e->what, &e->export, &e->fault);
    if (!e->err)
        e->err = export_next(e->export, &e->piece, &e->fault);
}

/* Its memory is the exchange's: it is gone when this returns. */
static void export_over(struct audit_export *e, void (*end)(struct exchange *x))
{
    struct exchange *x = e->x;
    e->admin->exports--;
    export_close(e->export);
    buf_done(&e->piece);
    x->user = NULL;
    end(x);
}

/* Before its first bytes it can be told why there are none. */
static void export_failed(struct audit_export *e)
{
    struct fault f = e->fault;
    f.err = e->err == ERR_NOT_FOUND ? ERR_INTERNAL : e->err;
    log_error("audit_export_failed", LOG_Z("code", err_code(f.err)), LOG_Z("reason", f.text));
    if (e->x->answered) {
        export_over(e, exchange_stream_abort);
        return;
    }
    struct exchange *x = e->x;
    e->admin->exports--;
    export_close(e->export);
    buf_done(&e->piece);
    x->user = NULL;
    exchange_answer_fault(x, &f);
}

static void export_answer(struct audit_export *e)
{
    const struct http_header headers[] = {{STR("Cache-Control"), STR("no-store")}};
    bool json = str_starts(str_of(e->what.format->content_type), STR("application/json"));
    struct str type = json ? STR("application/x-ndjson") : str_of(e->what.format->content_type);
    exchange_stream_begin(e->x, 200, type, headers, 1);
    exchange_stream_patience(e->x, EXPORT_PATIENCE_MS);
}

static void export_read(struct audit_export *e);

/* Slices of what was read, as the client takes them; then the next is read, or that was all. */
static void export_pump(struct audit_export *e)
{
    if (e->reading || e->gone)
        return;
    while (e->sent < e->piece.n && !exchange_stream_queued(e->x) && !e->x->gone) {
        struct str rest = str_skip(buf_view(&e->piece), e->sent);
        rest.n = rest.n < EXPORT_PIECE ? rest.n : EXPORT_PIECE;
        exchange_stream_write(e->x, rest);
        e->sent += rest.n;
    }
    if (e->x->gone || e->sent < e->piece.n || exchange_stream_queued(e->x))
        return; /* gone: it is told in a moment */
    if (e->err == ERR_NOT_FOUND)
        export_over(e, exchange_stream_end);
    else if (e->err)
        export_failed(e);
    else
        export_read(e);
}

static void export_worked(uv_work_t *w, int status)
{
    struct audit_export *e = w->data;
    e->reading = false;
    if (status)
        e->err = fault_set(&e->fault, ERR_STOPPING, "Doorward is stopping");
    if (e->gone) {
        export_over(e, exchange_stream_end);
    } else if (!e->export || status || buf_failed(&e->piece)) {
        e->err = e->err ? e->err : ERR_INTERNAL;
        export_failed(e);
    } else {
        if (!e->x->answered)
            export_answer(e);
        export_pump(e);
    }
}

static void export_read(struct audit_export *e)
{
    buf_clear(&e->piece);
    e->sent = 0;
    e->reading = true;
    e->work.data = e;
    if (uv_queue_work(&e->admin->worker->loop, &e->work, export_work, export_worked) == 0)
        return;
    e->reading = false;
    e->err = fault_set(&e->fault, ERR_STOPPING, "Doorward is stopping");
    export_failed(e);
}

static void export_gone(struct admin_flow *f)
{
    struct audit_export *e = (struct audit_export *)f;
    e->gone = true;
    if (!e->reading)
        export_over(e, exchange_stream_end);
}

static void export_drained(struct admin_flow *f)
{
    export_pump((struct audit_export *)f);
}

/* ---- what is asked for ---- */

static enum err export_asked(struct admin_request *r, struct export_what *what, struct fault *f)
{
    struct str format = STR_NONE, since = STR_NONE, until = STR_NONE, arguments = STR_NONE;
    const struct admin_query query[] = {{"format", &format},     {"since", &since},       {"until", &until},
                                        {"agent", &what->agent}, {"event", &what->event}, {"arguments", &arguments}};
    TRY(admin_query_read(r, query, sizeof(query) / sizeof(query[0]), f));
    what->format = sink_format_find(format.p ? format : STR("json"));
    if (!what->format)
        return fault_set(f, ERR_PARAMS, "format must be json, ocsf, cef, otlp-logs or otlp-spans");
    if (what->event.n && !audit_event_known(what->event, true))
        return fault_set(f, ERR_PARAMS, "there is no event " STR_FMT "; `doorward events` lists them",
                         STR_ARG(what->event));
    TRY(admin_query_when("since", since, &what->since, f));
    TRY(admin_query_when("until", until, &what->until, f));
    if (what->since >= what->until)
        return fault_set(f, ERR_PARAMS, "since must be before until");
    what->arguments = str_is(arguments, "true");
    if (arguments.p && !what->arguments && !str_is(arguments, "false"))
        return fault_set(f, ERR_PARAMS, "arguments must be true or false");
    return what->arguments && what->format != &format_spans
               ? fault_set(f, ERR_PARAMS, "arguments goes with format=otlp-spans: in the other forms they always are")
               : ERR_OK;
}

enum err admin_audit_export(struct admin_request *r, struct fault *f)
{
    struct export_what what = {.since = INT64_MIN, .until = INT64_MAX, .last = audit_committed(r->admin->audit)};
    TRY(export_asked(r, &what, f));
    if (r->admin->exports >= EXPORTS)
        return fault_set(f, ERR_STREAMS, "%d exports of the record are on their way, which is the most there may be",
                         EXPORTS);
    struct audit_export *e = arena_alloc(r->arena, sizeof(*e));
    struct str dir = admin_audit_dir(r);
    if (!e || !dir.p)
        return fault_set(f, ERR_NOMEM, "no memory for an export");
    *e = (struct audit_export){
        .flow = {export_gone, export_drained}, .admin = r->admin, .x = r->x, .what = what, .dir = dir.p};
    buf_init(&e->piece, EXPORT_PIECE_MAX);
    r->admin->exports++;
    r->x->user = e;
    export_read(e);
    return ERR_OK;
}
