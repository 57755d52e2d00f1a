/*
 * A call of one worker to a server whose home is worker 0: posted there, and its events posted back. The caller sees no
 * difference. One object travels; each side touches its own half.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "connect/relay.h"

struct relay_progress {
    struct worker_mail mail;
    struct relay *relay;
    struct str progress, total, text;
    unsigned number; /* of a question: its method stands in progress, its params in text */
    char bytes[];
};

static struct relay *relay_of(struct connect_call *c)
{
    return (struct relay *)((char *)c - offsetof(struct relay, call));
}

struct str relay_copy(char **at, struct str s)
{
    struct str copy = {s.p ? *at : NULL, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

/* ---- back on the caller's worker ---- */

void relay_free(struct relay *r)
{
    relay_forget_questions(r);
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
        return; /* cancelled meanwhile: relay_gone follows. Or put aside */
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
    struct relay_progress *p = r->parked ? NULL : malloc(sizeof(*p) + progress.n + total.n + text.n);
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
    struct relay_progress *p = r->parked ? NULL : malloc(sizeof(*p) + params.n);
    if (!p)
        return;
    char *at = p->bytes;
    *p = (struct relay_progress){.mail = {.run = relay_said}, .relay = r};
    p->text = relay_copy(&at, params);
    worker_post(r->from->worker, &p->mail);
}

static void relay_put_off(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay_progress *p = (struct relay_progress *)mail;
    struct connect_call *c = p->relay->origin;
    if (c)
        c->events->put_off(c);
    free(p);
}

static void relay_home_put_off(struct connect_call *c)
{
    struct relay *r = relay_of(c);
    struct relay_progress *p = r->parked ? NULL : malloc(sizeof(*p));
    if (!p)
        return;
    *p = (struct relay_progress){.mail = {.run = relay_put_off}, .relay = r};
    worker_post(r->from->worker, &p->mail);
}

/* ---- questions, at home ---- */

static void relay_asked(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay_progress *p = (struct relay_progress *)mail;
    struct connect_call *c = p->relay->origin;
    struct connect_question q = {.number = p->number, .method = p->progress, .params = p->text};
    if (c)
        c->events->asked(c, &q);
    free(p);
}

void relay_ask(struct relay *r, const struct relay_question *q)
{
    struct relay_progress *p = malloc(sizeof(*p) + q->method.n + q->params.n);
    if (!p)
        return;
    char *at = p->bytes;
    *p = (struct relay_progress){.mail = {.run = relay_asked}, .relay = r, .number = q->number};
    p->progress = relay_copy(&at, q->method);
    p->text = relay_copy(&at, q->params);
    worker_post(r->from->worker, &p->mail);
}

void relay_asking(struct relay *r)
{
    struct connect *c = r->home->connect;
    if (r->asking)
        return;
    r->asking = true;
    r->asking_next = c->asking;
    c->asking = r;
}

static bool relay_home_asked(struct connect_call *c, const struct connect_question *asked)
{
    struct relay *r = relay_of(c);
    struct relay_question *q =
        r->open < RELAY_QUESTIONS ? malloc(sizeof(*q) + asked->id.n + asked->method.n + asked->params.n) : NULL;
    if (!q)
        return false;
    char *at = q->bytes;
    *q = (struct relay_question){.number = ++r->asked};
    q->id = relay_copy(&at, asked->id);
    q->method = relay_copy(&at, asked->method);
    q->params = relay_copy(&at, asked->params);
    struct relay_question **last = &r->questions;
    while (*last)
        last = &(*last)->next;
    *last = q;
    r->open++;
    relay_asking(r);
    if (!r->parked)
        relay_ask(r, q);
    return true;
}

static void relay_withdrawn(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay_progress *p = (struct relay_progress *)mail;
    struct connect_call *c = p->relay->origin;
    struct connect_question q = {.number = p->number};
    if (c)
        c->events->withdrawn(c, &q);
    free(p);
}

static void relay_home_withdrawn(struct connect_call *c, const struct connect_question *withdrawn)
{
    struct relay *r = relay_of(c);
    for (struct relay_question **at = &r->questions; *at; at = &(*at)->next) {
        struct relay_question *q = *at;
        if (!str_eq(q->id, withdrawn->id))
            continue;
        struct relay_progress *p = r->parked ? NULL : malloc(sizeof(*p));
        if (p) {
            *p = (struct relay_progress){.mail = {.run = relay_withdrawn}, .relay = r, .number = q->number};
            worker_post(r->from->worker, &p->mail);
        }
        *at = q->next;
        r->open--;
        flight_replied(r->call.wire);
        free(q);
        return;
    }
}

void relay_replied(struct relay *r, unsigned number, bool error, struct str value)
{
    struct flight *f = r->over ? NULL : r->call.wire;
    for (struct relay_question **at = &r->questions; *at; at = &(*at)->next) {
        struct relay_question *q = *at;
        if (q->number != number)
            continue;
        *at = q->next;
        r->open--;
        if (f) {
            f->upstream->kind->reply(f, q->id, error, value);
            flight_replied(f);
        }
        free(q);
        return;
    }
}

void relay_forget_questions(struct relay *r)
{
    while (r->questions) {
        struct relay_question *q = r->questions;
        r->questions = q->next;
        free(q);
    }
    r->open = 0;
    for (struct relay **at = &r->home->connect->asking; r->asking && *at; at = &(*at)->asking_next) {
        if (*at != r)
            continue;
        *at = r->asking_next;
        break;
    }
    r->asking = false;
}

struct relay_reply {
    struct worker_mail mail;
    struct connect *connect;
    const struct relay *relay; /* may be gone by then */
    uint64_t serial;
    unsigned number;
    bool error;
    struct str value;
    char bytes[];
};

static void relay_reply_arrived(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay_reply *m = (struct relay_reply *)mail;
    for (struct relay *r = m->connect->asking; r; r = r->asking_next) {
        if (r != m->relay || r->serial != m->serial)
            continue;
        relay_replied(r, m->number, m->error, m->value);
        break;
    }
    free(m);
}

void connect_reply(struct connect_call *c, unsigned number, bool error, struct str value)
{
    struct relay *r = c->relayed ? c->wire : NULL;
    struct relay_reply *m = r ? malloc(sizeof(*m) + value.n) : NULL;
    if (!m)
        return; /* the server's own patience ends it */
    char *at = m->bytes;
    *m = (struct relay_reply){.mail = {.run = relay_reply_arrived},
                              .connect = r->home->connect,
                              .relay = r,
                              .serial = r->serial,
                              .number = number,
                              .error = error};
    m->value = relay_copy(&at, value);
    worker_post(r->home->worker, &m->mail);
}

/* ---- the answer, at home ---- */

void relay_fail(struct relay *r, enum err e, const char *why)
{
    struct fault f;
    fault_set(&f, e, "%s", why);
    relay_home_done(&r->call, &(struct connect_answer){.err = e, .fault = &f});
}

void relay_home_done(struct connect_call *c, const struct connect_answer *a)
{
    struct relay *r = relay_of(c);
    r->over = true;
    relay_forget_questions(r);
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
    if (r->parked)
        return; /* whoever takes it up gets it */
    r->mail.run = relay_answered;
    worker_post(r->from->worker, &r->mail);
}

static const struct connect_events relay_events = {.progress = relay_home_progress,
                                                   .said = relay_home_said,
                                                   .put_off = relay_home_put_off,
                                                   .asked = relay_home_asked,
                                                   .withdrawn = relay_home_withdrawn,
                                                   .done = relay_home_done};

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
    relay_forget_questions(r);
    if (flight)
        flight->upstream->kind->cancel(flight);
    r->over = true;
    r->cancel.run = relay_gone;
    worker_post(r->from->worker, &r->cancel); /* behind an answer that may be on its way */
}

/* ---- on the caller's worker ---- */

struct relay *relay_new(struct connect_worker *from, struct connect_call *c)
{
    static _Atomic uint64_t serials;
    struct relay *r = calloc(1, sizeof(*r) + c->agent.n + c->session.n + c->client.n + c->name.n + c->arguments.n +
                                    c->responses.n + c->state.n + c->traceparent.n + c->tracestate.n);
    if (!r)
        return NULL;
    char *at = r->strings;
    r->home = &from->connect->local[0];
    r->from = from;
    r->origin = c;
    r->serial = atomic_fetch_add(&serials, 1) + 1;
    r->call = *c;
    r->call.events = &relay_events;
    r->call.worker = r->home->worker;
    r->call.wire = NULL;
    r->call.relayed = false;
    r->call.agent = relay_copy(&at, c->agent);
    r->call.session = relay_copy(&at, c->session);
    r->call.client = relay_copy(&at, c->client);
    r->call.name = relay_copy(&at, c->name);
    r->call.arguments = relay_copy(&at, c->arguments);
    r->call.responses = relay_copy(&at, c->responses);
    r->call.state = relay_copy(&at, c->state);
    r->call.traceparent = relay_copy(&at, c->traceparent);
    r->call.tracestate = relay_copy(&at, c->tracestate);
    r->catalogue = catalogue_ref(c->catalogue);
    arena_init(&r->arena, 256u << 20);
    c->wire = r;
    c->relayed = true;
    return r;
}

void relay_send(struct connect_worker *from, struct connect_call *c)
{
    struct relay *r = relay_new(from, c);
    if (!r) {
        connect_fail_later(c, ERR_NOMEM, "no memory for the call");
        return;
    }
    r->mail.run = relay_arrived;
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
