/* What the two files of tasks share: the table (task.c), and the call of one (task_run.c). */
#ifndef GATE_TASK_INNER_H
#define GATE_TASK_INNER_H

#include <pthread.h>

#include "gate/stage.h"
#include "gate/task.h"

enum { TASK_SLOTS = 1024, TASK_RESULT = 8 << 20, TASK_RESULTS = 64 << 20 };

enum task_state { TASK_WAITS = 0, TASK_CALLS, TASK_OVER };

struct task_run; /* the call that is made */

struct gate_task {
    struct approval_wait wait; /* with the question whose id it has */
    struct gate_tasks *all;
    struct gate_worker *home;
    struct lease *lease;
    struct gate_task *chain, *next, **link; /* of its slot; of all, the oldest first */
    /* with the lock */
    enum task_state state;
    bool cancelled;
    bool posted; /* its home is told so */
    struct task_run *run;
    struct worker_mail cancel;
    int64_t created, changed; /* wall clock, ms */
    int64_t over, asked;      /* monotonic, ns */
    enum err err;             /* of one that is over: why its call was refused, and … */
    struct str text;          /* … in which words; or its answer (share.c). Heap */
    char trace_id[33];
};

struct gate_tasks {
    struct gate *gate;
    pthread_mutex_t lock;
    struct gate_task *slot[TASK_SLOTS], *first, **last;
    size_t count, calls; /* calls: under way */
    size_t bytes;        /* of all texts */
    bool open, closing;
    void (*idle)(void *ctx);
    void *ctx;
};

/* The end of a task's way, on its home. text is copied. task.c */
void task_over(struct gate_task *t, enum err e, struct str text);
/* People said yes: its call is made; or it is not, and task_over is called. On its home. task_run.c */
void task_make(struct gate_task *t);
void task_run_cancel(struct task_run *run);
/* The records of a task whose call is not made (f), or shares the answer of another one (f: ERR_OK). task_run.c */
void task_record(struct gate_task *t, const struct fault *f);

#endif
