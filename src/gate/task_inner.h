/* What the two files of tasks share: the table (task.c), and the call of one (task_run.c). */
#ifndef GATE_TASK_INNER_H
#define GATE_TASK_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "gate/stage.h"
#include "gate/task.h"

enum { TASK_SLOTS = 1024, TASK_RESULT = 17 << 20, TASK_RESULTS = 64 << 20 };

/* ASKS: its server answered that it wants something of the client, and the call is made again with that. */
enum task_state { TASK_WAITS = 0, TASK_CALLS, TASK_ASKS, TASK_OVER };

struct task_run; /* the call that is made */

struct task_ask { /* something that a server wants of the client */
    struct task_ask *next;
    unsigned number;           /* of a legacy server's question; 0: of a modern server's answer */
    struct str name, own;      /* under which the client hears of it, never twice; under which the server knows it */
    struct str method, params; /* params: a JSON object, or empty */
    struct str value;          /* what the client said: JSON, heap; or empty */
    bool told;                 /* and its server knows it, or does not want to any more */
    char bytes[];
};

struct gate_task {
    struct approval_wait wait; /* with the question whose id it has */
    struct gate_tasks *all;
    struct gate_worker *home;
    struct lease *lease;
    struct gate_task *chain, *next, **link; /* of its slot; of all, the oldest first */
    /* with the lock */
    enum task_state state;
    bool cancelled;
    bool late;   /* what it asks was not answered in time */
    bool posted; /* its home is told that something of it is another way now */
    struct task_run *run;
    struct worker_mail news;
    struct task_ask *asks;
    unsigned rounds, names;
    int64_t asks_until;       /* monotonic, ns; of one that asks */
    int64_t created, changed; /* wall clock, ms */
    uint64_t version;
    int64_t over, asked; /* monotonic, ns */
    enum err err;        /* of one that is over: why its call was refused, and … */
    struct str text;     /* … in which words; or its answer (share.c). Heap */
    char trace_id[33];
};

struct gate_tasks {
    struct gate *gate;
    pthread_mutex_t lock;
    struct gate_task *slot[TASK_SLOTS], *first, **last;
    size_t count, calls; /* calls: under way */
    size_t bytes;        /* of all texts */
    _Atomic uint64_t version;
    bool open, closing;
    void (*idle)(void *ctx);
    void *ctx;
};

/* task.c, with the lock */
struct gate_task *task_find(struct gate_tasks *all, struct str id);
bool task_is_of(const struct gate_task *t, const struct lease *l);
/* It waits with its question from here on. False: no room, or there is no such question any more. */
bool task_new(struct gate_tasks *all, struct gate_worker *home, struct str id, struct lease *l, const char *trace);
/* The end of a task's way, on its home. text is copied. task.c */
void task_over(struct gate_task *t, enum err e, struct str text);
/* Something of it is another way now: who listens is told. With the lock; task.c */
void task_changes(struct gate_task *t);
/* Its call waits for the client, or goes on. False: none begins any more. With the lock; task.c */
bool task_turns(struct gate_task *t, enum task_state s);
void task_idle(struct gate_tasks *all); /* without the lock, after task_turns */
/* People said yes: its call is made; or it is not, and task_over is called. On its home. task_run.c */
void task_make(struct gate_task *t);
void task_run_news(struct task_run *run);
void task_run_free(struct task_run *run); /* one that waits for its client, or is over */
/* The records of a task whose call is not made (f), or shares the answer of another one (f: ERR_OK). task_run.c */
void task_record(struct gate_task *t, const struct fault *f);

/* task_asks.c, with the lock. */
enum { TASK_ASKS_MOST = 64 };
bool task_asks_add(struct gate_task *t, unsigned number, struct str own, struct str method, struct str params);
bool task_asks_open(const struct gate_task *t);
void task_asks_forget(struct gate_task *t);
struct str task_asks_put(const struct gate_task *t, struct arena *a);  /* a JSON object of those that are open */
struct str task_asks_said(const struct gate_task *t, struct arena *a); /* what the client said, for a modern server */
void task_asks_post(struct gate_task *t);

#endif
