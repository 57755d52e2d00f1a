/*
 * A call that one worker makes of a server whose home is worker 0. For relay.c and park.c, no others.
 *
 * Questions of the server's are kept at home, so that they outlive the worker's half when the call is put aside.
 */
#ifndef CONNECT_RELAY_H
#define CONNECT_RELAY_H

#include "connect/inner.h"

enum { RELAY_QUESTIONS = 16 };

struct relay_question { /* one that the client has not answered; home's */
    struct relay_question *next;
    unsigned number;
    struct str id, method, params;
    char bytes[];
};

struct relay {
    struct worker_mail mail; /* on its way home, and back with the answer */
    struct worker_mail cancel;
    struct connect_worker *home, *from;
    struct connect_call *origin; /* `from`'s half; NULL: cancelled, or put aside */
    struct connect_call call;    /* home's half */
    struct connect_answer answer;
    struct fault fault;
    struct catalogue *catalogue; /* keeps the tool */
    struct arena arena;          /* of the copied answer; home's until it is posted back */
    struct json doc;
    bool over, unwanted; /* home's: it has been answered; its caller has left before that */
    /* home's: what the server asks */
    struct relay_question *questions;
    unsigned open, asked; /* questions now, and ever */
    uint64_t serial;      /* tells it from another one in the same memory */
    struct relay *asking_next;
    bool asking; /* in the connector's list of those with questions */
    /* park.c */
    struct worker_mail park;
    struct relay *parked_next;
    struct connect_parked *owner;
    uint64_t ticket, until;
    unsigned park_ms;
    bool parked, gone, quiet; /* put aside; taken up or abandoned; nothing of it is on its way any more */
    char strings[];
};

struct relay *relay_new(struct connect_worker *from, struct connect_call *c); /* NULL: no memory */
void relay_free(struct relay *r);
struct str relay_copy(char **at, struct str s);

/* At home. */
void relay_home_done(struct connect_call *c, const struct connect_answer *a);
void relay_fail(struct relay *r, enum err e, const char *why); /* one that has no flight */
void relay_ask(struct relay *r, const struct relay_question *q);
void relay_replied(struct relay *r, unsigned number, bool error, struct str value);
void relay_forget_questions(struct relay *r);
void relay_asking(struct relay *r); /* enters it in the connector's list */

#endif
