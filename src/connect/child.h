/*
 * A server's process: started with a bare environment and bounds of its own, in a process group of its own, spoken to
 * line by line, ended in steps (stdin closed, SIGTERM, SIGKILL). Worker 0 only.
 */
#ifndef CONNECT_CHILD_H
#define CONNECT_CHILD_H

#include "connect/inner.h"
#include "net/lines.h"

enum child_state { CHILD_OPENING = 0, CHILD_READY, CHILD_CLOSING };

struct child {
    struct upstream *upstream; /* a reference */
    struct child *next;        /* of the upstream */
    enum wire_era era;         /* which it is spoken to in, from its start to its end */
    unsigned can;              /* what its clients can be asked (CAN_…), as a legacy one was told */
    char key[CONNECT_KEY_MAX]; /* whom it serves; "probe" for a disposable one */
    char
        agent[CONNECT_KEY_MAX]; /* whose call came first: of a process that serves a session or an agent, whose it is */
    enum child_state state;
    struct stdio_flight *flights, *waiting; /* sent; and those that wait until it is ready */
    struct probe *probe;
    unsigned changed;   /* which of its server's changes it told of last; 0: of none */
    unsigned listens;   /* subscriptions/listen that it was sent: the last one holds */
    bool roots_changed; /* what it was told of them does not hold; it hears of it with its next call */
    bool leveled;       /* it was told the least level of its log */
    int level;
    /* told on the loop: a line of its stdout; its end (once, then it is freed) */
    void (*line)(struct child *c, struct str line);
    void (*ended)(struct child *c, const char *how);
    /* child.c's */
    pid_t pid;
    uv_poll_t end; /* of the process: its pidfd */
    int handle;
    uv_work_t clearing; /* of `tmp`, after its end */
    char tmp[256];      /* the folder of its temporary files; empty: none */
    uv_pipe_t in, out, err;
    uv_timer_t timer;
    struct lines out_lines, err_lines;
    size_t queued;
    unsigned step, handles;
    bool asked;     /* to end, by child_stop */
    bool forgotten; /* nobody will call it again: it ends with its last call */
    bool killed;    /* whom it serves is stopped: it ends in quick steps, and serves nobody from now on */
    bool exited;
    char how[128]; /* it ended */
    uint64_t born;
};

/* ERR_UPSTREAM says why it cannot be started. The callbacks are set by the caller right after. */
enum err child_start(struct upstream *u, struct str key, struct child **ret, struct fault *f) MUST_USE;
/* One line, the newline is added. False: it does not read, or is gone. */
bool child_write(struct child *c, struct str message);
void child_stop(struct child *c); /* `ended` follows */
void child_kill(struct child *c); /* the same in quick steps, also of one that is stopping already */

#endif
