/*
 * Calls that are put aside: their server has asked something, and the client that has to answer keeps no stream open in
 * the meantime. The client comes back with another request, maybe to another worker, and that goes on with the call.
 *
 * All of it at home, worker 0. What is still on its way to the worker that put the call aside is waited for (quiet)
 * before the memory is given back: a letter goes there behind everything else, and returns.
 */
#include <stdio.h>
#include <stdlib.h>

#include "connect/relay.h"

static struct relay *park_relay(struct worker_mail *mail)
{
    return (struct relay *)((char *)mail - offsetof(struct relay, park));
}

void connect_question_name(unsigned number, char ret[24])
{
    snprintf(ret, 24, "input-%u", number);
}

static void park_unlink(struct relay *r)
{
    struct relay **at = &r->home->connect->parked;
    while (*at && *at != r)
        at = &(*at)->parked_next;
    if (*at)
        *at = r->parked_next;
}

static void park_gone(struct relay *r)
{
    r->gone = true;
    if (r->quiet)
        relay_free(r);
}

static void park_abandon(struct relay *r, enum err e, const char *why)
{
    struct flight *flight = r->over ? NULL : r->call.wire;
    struct fault f;
    park_unlink(r);
    relay_forget_questions(r);
    if (flight)
        flight->upstream->kind->cancel(flight);
    fault_set(&f, e, "%s", why);
    struct connect_answer left = {.err = e, .fault = &f, .sent = true};
    r->owner->abandoned(r->owner, r->over ? &r->answer : &left);
    r->over = true;
    park_gone(r);
}

/* ---- put aside ---- */

static void park_quiet(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay *r = park_relay(mail);
    r->quiet = true;
    if (r->gone)
        relay_free(r);
}

static void park_returns(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    mail->run = park_quiet;
    worker_post(park_relay(mail)->home->worker, mail);
}

static void park_arrived(struct worker *w, struct worker_mail *mail)
{
    struct relay *r = park_relay(mail);
    struct connect *c = r->home->connect;
    r->parked = true;
    r->until = uv_now(&w->loop) + r->park_ms;
    r->parked_next = c->parked;
    c->parked = r;
    mail->run = park_returns;
    worker_post(r->from->worker, mail);
    if (c->closing)
        park_abandon(r, ERR_STOPPING, "Doorward is stopping");
}

void connect_park(struct connect_call *c, uint64_t ticket, unsigned ms, struct connect_parked *p)
{
    struct relay *r = c->wire; /* a call that was asked something is a relayed one */
    r->origin = NULL;
    c->wire = NULL;
    r->ticket = ticket;
    r->park_ms = ms;
    r->owner = p;
    r->park.run = park_arrived;
    worker_post(r->home->worker, &r->park);
}

/* ---- taken up ---- */

static void park_answer_questions(struct relay *r)
{
    struct json doc;
    struct arena a;
    arena_init(&a, 64u << 20);
    struct str text = r->call.responses.n ? r->call.responses : STR("{}");
    if (json_parse(&doc, text, &a, NULL, NULL) == ERR_OK) {
        for (struct relay_question *q = r->questions, *next; q; q = next) {
            char name[24];
            next = q->next;
            connect_question_name(q->number, name);
            uint32_t value = json_get(&doc, JSON_ROOT, str_of(name));
            if (value)
                relay_replied(r, q->number, false, json_raw(&doc, value));
        }
    }
    arena_done(&a);
    for (const struct relay_question *q = r->questions; q; q = q->next)
        relay_ask(r, q);
}

/* The call has another caller from here on. */
static void park_move(struct relay *from, struct relay *to)
{
    struct flight *flight = from->call.wire;
    flight->call = &to->call;
    to->call.wire = flight;
    from->call.wire = NULL;
    to->questions = from->questions;
    to->open = from->open;
    to->asked = from->asked;
    from->questions = NULL;
    relay_asking(to);
}

static void park_taken(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct relay *to = (struct relay *)mail, *r = to->home->connect->parked;
    while (r && (r->ticket != to->ticket || !str_eq(r->call.session, to->call.session)))
        r = r->parked_next;
    if (!r) {
        relay_fail(to, ERR_REQUEST_STATE,
                   "the call that waited for this input waits no more: it was answered before, or too late");
        return;
    }
    park_unlink(r);
    r->owner->taken(r->owner);
    if (r->over) {
        relay_home_done(&to->call, &r->answer);
    } else {
        park_move(r, to);
        park_answer_questions(to);
    }
    relay_forget_questions(r);
    park_gone(r);
}

void connect_resume(struct connect *c, struct connect_call *call, uint64_t ticket)
{
    struct connect_worker *w = &c->local[call->worker->index];
    call->wire = NULL;
    call->late_fault = (struct fault){0};
    call->relayed = false;
    struct relay *r = c->closing || w->closed ? NULL : relay_new(w, call);
    if (!r) {
        connect_fail_later(call, ERR_STOPPING, "Doorward is stopping, or there is no memory");
        return;
    }
    r->ticket = ticket;
    r->mail.run = park_taken;
    worker_post(r->home->worker, &r->mail);
}

/* ---- their ends ---- */

void park_sweep(struct connect *c)
{
    uint64_t now = uv_now(&c->workers[0].loop);
    for (struct relay *r = c->parked, *next; r; r = next) {
        next = r->parked_next;
        if (now >= r->until)
            park_abandon(r, ERR_CANCELLED, "the client did not answer what the server asked in time");
    }
}

void park_forget(struct connect *c, struct str session)
{
    for (struct relay *r = c->parked, *next; r; r = next) {
        next = r->parked_next;
        if (str_eq(r->call.session, session))
            park_abandon(r, ERR_CANCELLED, "its session is over");
    }
}

unsigned park_kill(struct connect *c, const struct connect_kill *k)
{
    unsigned n = 0;
    for (struct relay *r = c->parked, *next; r; r = next) {
        next = r->parked_next;
        if (k->session.n ? !str_eq(r->call.session, k->session) : k->agent.n && !str_eq(r->call.agent, k->agent))
            continue;
        park_abandon(r, ERR_SESSION_STOPPED, "an operator has stopped the session");
        n++;
    }
    return n;
}

void park_close(struct connect *c)
{
    while (c->parked)
        park_abandon(c->parked, ERR_STOPPING, "Doorward is stopping");
}
