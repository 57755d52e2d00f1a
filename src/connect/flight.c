/* Calls that are with a server: their deadlines, and the word to the caller. */
#include "connect/inner.h"

enum { FLIGHT_PROLONGED = 10 };

void flight_begin(struct flight *f, struct connect_worker *w, struct connect_call *c)
{
    uint64_t now = uv_now(&w->worker->loop);
    f->call = c;
    f->upstream = upstream_ref(c->upstream);
    f->worker = w;
    f->timeout_ms = upstream_timeout(f->upstream);
    if (!f->timeout_ms)
        f->timeout_ms = c->timeout_ms;
    f->deadline = now + f->timeout_ms;
    f->latest = now + (uint64_t)f->timeout_ms * FLIGHT_PROLONGED;
    f->next = w->flights;
    f->link = &w->flights;
    if (w->flights)
        w->flights->link = &f->next;
    w->flights = f;
    c->wire = f;
}

void flight_forget(struct flight *f)
{
    *f->link = f->next;
    if (f->next)
        f->next->link = f->link;
    f->call->wire = NULL;
    f->call = NULL;
    upstream_unref(f->upstream);
}

void flight_progress(struct flight *f, struct str progress, struct str total, struct str message)
{
    uint64_t until = uv_now(&f->worker->worker->loop) + f->timeout_ms;
    f->deadline = until < f->latest ? until : f->latest;
    if (f->call->wants_progress)
        f->call->events->progress(f->call, progress, total, message);
}

void flight_said(struct flight *f, struct str params)
{
    f->call->events->said(f->call, params);
}

void flight_put_off(struct flight *f)
{
    f->call->events->put_off(f->call);
}

void flight_done(struct flight *f, const struct connect_answer *a)
{
    struct connect_call *c = f->call;
    flight_forget(f);
    c->events->done(c, a);
}

void flight_fail(struct flight *f, enum err e, const char *why, bool sent)
{
    struct fault fault;
    struct str name = f->upstream->server->name;
    fault_set(&fault, e, "the server " STR_FMT ": %s", STR_ARG(name), why);
    struct connect_answer a = {.err = e, .fault = &fault, .sent = sent};
    flight_done(f, &a);
}
