/*
 * What blocks: to get a credential and to give one back, with the command line's own login. One thread, one errand
 * after the other, with a copy of the options and an arena of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "cli/bridge.h"

enum { ERRAND_ARENA = 16 << 20, ERRAND_S = 20 };

void bridge_errand_free(struct bridge_errand *e)
{
    if (!e)
        return;
    secret_free(e->token);
    secret_free(e->fresh);
    free(e);
}

static void errand_login(struct cli *c, struct bridge_errand *e)
{
    struct json j;
    int64_t seconds = 0;
    struct fault ignored;
    e->err = cli_login(c, NULL, &j, &e->fault);
    if (e->err == ERR_SESSIONS && e->token && cli_logout(c, e->token, &ignored) == ERR_OK) {
        secret_free(e->token);
        e->token = NULL;
        e->err = cli_login(c, NULL, &j, &e->fault);
    }
    if (e->err)
        return;
    struct str token = json_str(&j, json_get(&j, JSON_ROOT, STR("access_token")), &c->arena);
    json_i64(&j, json_get(&j, JSON_ROOT, STR("expires_in")), &seconds);
    e->lifetime_ms = (seconds > 0 && seconds < 1 << 30 ? seconds : 60) * 1000;
    e->fresh = secret_new(token.p, token.n);
    secret_wipe((char *)(uintptr_t)token.p, token.n);
    if (!e->fresh)
        e->err = fault_set(&e->fault, ERR_NOMEM, "no memory for a token");
}

static void errand_run(struct bridge *b, struct bridge_errand *e)
{
    struct cli *c = b->errand_cli;
    if (e->login)
        errand_login(c, e);
    else
        e->err = cli_logout(c, e->token, &e->fault);
    arena_reset(&c->arena);
}

static void errand_turn_back(struct bridge *b, struct bridge_errand *e)
{
    pthread_mutex_unlock(&b->lock);
    secret_free(e->token);
    e->token = e->fresh;
    e->fresh = NULL;
    e->login = false;
    errand_run(b, e);
    pthread_mutex_lock(&b->lock);
}

static void *errand_thread(void *ctx)
{
    struct bridge *b = ctx;
    pthread_mutex_lock(&b->lock);
    for (;;) {
        while (!b->todo && !b->errands_end)
            pthread_cond_wait(&b->wake, &b->lock);
        struct bridge_errand *e = b->todo;
        if (!e)
            break;
        b->todo = e->next;
        b->errand_running = true;
        pthread_mutex_unlock(&b->lock);
        errand_run(b, e);
        pthread_mutex_lock(&b->lock);
        if (b->errands_end && e->fresh) /* nobody wants it any more */
            errand_turn_back(b, e);
        b->errand_running = false;
        e->next = b->done;
        b->done = e;
        pthread_cond_broadcast(&b->wake);
        curl_multi_wakeup(b->multi);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

enum err bridge_errands_start(struct bridge *b, struct fault *f)
{
    pthread_condattr_t monotonic;
    b->errand_cli = malloc(sizeof(*b->errand_cli));
    if (!b->errand_cli)
        return fault_set(f, ERR_NOMEM, "no memory for the bridge");
    *b->errand_cli = *b->cli;
    b->errand_cli->conf = NULL;
    b->errand_cli->patience_s = ERRAND_S;
    arena_init(&b->errand_cli->arena, ERRAND_ARENA);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int e = pthread_create(&b->thread, NULL, errand_thread, b);
    return e ? fault_set(f, ERR_IO, "thread: %s", strerror(e)) : ERR_OK;
}

void bridge_errand_send(struct bridge *b, struct bridge_errand *e)
{
    e->next = NULL;
    pthread_mutex_lock(&b->lock);
    struct bridge_errand **last = &b->todo;
    while (*last)
        last = &(*last)->next;
    *last = e;
    pthread_cond_broadcast(&b->wake);
    pthread_mutex_unlock(&b->lock);
}

struct bridge_errand *bridge_errands_done(struct bridge *b)
{
    pthread_mutex_lock(&b->lock);
    struct bridge_errand *e = b->done;
    if (e)
        b->done = e->next;
    pthread_mutex_unlock(&b->lock);
    return e;
}

bool bridge_errands_finish(struct bridge *b, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&b->lock);
    b->errands_end = true;
    pthread_cond_broadcast(&b->wake);
    int e = 0;
    while ((b->todo || b->errand_running) && e != ETIMEDOUT)
        e = pthread_cond_timedwait(&b->wake, &b->lock, &until);
    bool all = !b->todo && !b->errand_running;
    pthread_mutex_unlock(&b->lock);
    if (!all)
        return false; /* it waits for the network: the process ends without it */
    pthread_join(b->thread, NULL);
    arena_done(&b->errand_cli->arena);
    free(b->errand_cli);
    return true;
}
