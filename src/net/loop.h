/*
 * A worker: one thread, one libuv loop, one mailbox. Everything that belongs to a worker (connections, calls, upstream
 * pools) is touched on its thread only; others reach it through worker_post(), the only function here that any thread
 * may call.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"

struct worker {
    uv_loop_t loop;
    unsigned index; /* 0 … count-1 */
    /* the rest is loop.c's */
    uv_async_t wake;
    uv_mutex_t lock;
    struct worker_mail *first, *last;
    uv_thread_t thread;
    uv_prepare_t prepare;
    uv_poll_t room;
    struct worker_errand {
        void (*run)(void *ctx);
        void *ctx;
    } errand[4]; /* before the loop waits */
    unsigned errands;
    bool threaded, stopping;
};

/* Mail is embedded in whatever is posted; the poster gives it up until `run` is called on the worker's thread. */
struct worker_mail {
    struct worker_mail *next;
    void (*run)(struct worker *w, struct worker_mail *m);
};

enum err worker_init(struct worker *w, unsigned index, struct fault *f) MUST_USE;
enum err worker_start(struct worker *w, struct fault *f) MUST_USE; /* runs the loop on a thread of its own */
void worker_run(struct worker *w);                                 /* runs the loop on this thread until worker_stop */
void worker_post(struct worker *w, struct worker_mail *m);         /* any thread; order is kept per poster */
/* The worker whose loop runs on this thread; NULL: none. */
struct worker *worker_current(void);
/* Before the loop waits for events again, run(ctx): once, however often it was asked for meanwhile. What many events of
 * one turn cause is done in one go so. The worker's own thread only. */
void worker_before_wait(struct worker *w, void (*run)(void *ctx), void *ctx);
void worker_stop(struct worker *w); /* any thread: closes the mailbox; the loop ends when its handles are closed */
void worker_join(struct worker *w);
void worker_done(struct worker *w);

#endif
