/*
 * A call of one worker to a server whose home is worker 0: posted there, and its events posted back. The caller sees no
 * difference. One object travels; each side touches its own half.
 */
#include <stdlib.h>

#include "connect/inner.h"

struct relay {
    struct worker_mail mail; /* on its way home, and back with the answer */
    struct worker_mail cancel;
    struct connect_worker *home, *from;
    struct connect_call *origin; /* `from`'s half; NULL: cancelled */
    struct connect_call call;    /* home's half */
    struct connect_answer answer;
    struct fault fault;
    struct catalogue *catalogue; /* keeps the tool */
    struct arena arena;          /* of the copied answer; home's until it is posted back */
    struct json doc;
    bool over, unwanted; /* home's: it has been answered; its caller has left before that */
    char strings[];
};

struct relay_progress {
    struct worker_mail mail;
    struct relay *relay;
    struct str progress, total, text;
    char bytes[];
};

static struct relay *relay_of(struct connect_call *c)
{
    return (struct relay *)((char *)c - offsetof(struct relay, call));
}

static struct str relay_copy(char **at, struct str s)
{
    struct str copy = {s.p ? *at : NULL, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

/* ---- back on the caller's worker ---- */

static void relay_free(struct relay *r)
{
    catalogue_unref(r->catalogue);
    arena_done(&r->arena);
    free(r);
}

static void relay_answered(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay *r = (struct relay *)mail;
    struct connect_call *c = r->origin;
    if (!c)
        return; /* cancelled meanwhile: relay_gone follows */
    c->wire = NULL;
    c->events->done(c, &r->answer);
    relay_free(r);
}

static void relay_gone(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    relay_free((struct relay *)((char *)mail - offsetof(struct relay, cancel)));
}

static void relay_progressed(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay_progress *p = (struct relay_progress *)mail;
    struct connect_call *c = p->relay->origin; /* the answer comes behind its progress, so that the relay is alive */
    if (c)
        c->events->progress(c, p->progress, p->total, p->text);
    free(p);
}

/* ---- at home ---- */

static void relay_home_progress(struct connect_call *c, struct str progress, struct str total, struct str text)
{
    struct relay *r = relay_of(c);
    struct relay_progress *p = malloc(sizeof(*p) + progress.n + total.n + text.n);
    if (!p)
        return;
    char *at = p->bytes;
    *p = (struct relay_progress){.mail = {.run = relay_progressed}, .relay = r};
    p->progress = relay_copy(&at, progress);
    p->total = relay_copy(&at, total);
    p->text = relay_copy(&at, text);
    worker_post(r->from->worker, &p->mail);
}

static void relay_said(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay_progress *p = (struct relay_progress *)mail;
    struct connect_call *c = p->relay->origin;
    if (c)
        c->events->said(c, p->text);
    free(p);
}

static void relay_home_said(struct connect_call *c, struct str params)
{
    struct relay *r = relay_of(c);
    struct relay_progress *p = malloc(sizeof(*p) + params.n);
    if (!p)
        return;
    char *at = p->bytes;
    *p = (struct relay_progress){.mail = {.run = relay_said}, .relay = r};
    p->text = relay_copy(&at, params);
    worker_post(r->from->worker, &p->mail);
}

static void relay_home_done(struct connect_call *c, const struct connect_answer *a)
{
    struct relay *r = relay_of(c);
    r->over = true;
    if (r->unwanted) {
        r->cancel.run = relay_gone;
        worker_post(r->from->worker, &r->cancel);
        return;
    }
    r->answer = *a;
    if (a->fault) {
        r->fault = *a->fault;
        r->answer.fault = &r->fault;
    }
    if (a->doc) { /* the same text gives the same nodes */
        struct json_limits limits = {.depth = CONNECT_RESULT_DEPTH};
        struct str text = arena_str(&r->arena, a->doc->text);
        if (text.p && json_parse(&r->doc, text, &r->arena, &limits, NULL) == ERR_OK) {
            r->answer.doc = &r->doc;
        } else {
            fault_set(&r->fault, ERR_NOMEM, "no memory for the server's answer");
            r->answer = (struct connect_answer){.err = ERR_NOMEM, .fault = &r->fault, .sent = true};
        }
    }
    r->mail.run = relay_answered;
    worker_post(r->from->worker, &r->mail);
}

static const struct connect_events relay_events = {
    .progress = relay_home_progress, .said = relay_home_said, .done = relay_home_done};

static void relay_arrived(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay *r = (struct relay *)mail;
    r->call.upstream->kind->send(r->home, &r->call);
}

static void relay_cancelled(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay *r = (struct relay *)((char *)mail - offsetof(struct relay, cancel));
    struct flight *flight = r->over ? NULL : r->call.wire;
    if (!r->over && !flight) { /* it has failed, and its `done` is on its way here */
        r->unwanted = true;
        return;
    }
    if (flight)
        flight->upstream->kind->cancel(flight);
    r->over = true;
    r->cancel.run = relay_gone;
    worker_post(r->from->worker, &r->cancel); /* behind an answer that may be on its way */
}

/* ---- on the caller's worker ---- */

void relay_send(struct connect_worker *from, struct connect_call *c)
{
    struct relay *r = calloc(1, sizeof(*r) + c->agent.n + c->session.n + c->name.n + c->arguments.n + c->traceparent.n);
    if (!r) {
        connect_fail_later(c, ERR_NOMEM, "no memory for the call");
        return;
    }
    char *at = r->strings;
    r->home = &from->connect->local[0];
    r->from = from;
    r->origin = c;
    r->call = *c;
    r->call.events = &relay_events;
    r->call.worker = r->home->worker;
    r->call.wire = NULL;
    r->call.relayed = false;
    r->call.agent = relay_copy(&at, c->agent);
    r->call.session = relay_copy(&at, c->session);
    r->call.name = relay_copy(&at, c->name);
    r->call.arguments = relay_copy(&at, c->arguments);
    r->call.traceparent = relay_copy(&at, c->traceparent);
    r->catalogue = catalogue_ref(c->catalogue);
    arena_init(&r->arena, 256u << 20);
    r->mail.run = relay_arrived;
    c->wire = r;
    c->relayed = true;
    worker_post(r->home->worker, &r->mail);
}

void relay_cancel(struct connect_call *c)
{
    struct relay *r = c->wire;
    r->origin = NULL;
    c->wire = NULL;
    r->cancel.run = relay_cancelled;
    worker_post(r->home->worker, &r->cancel);
}
