/*
 * An operator stops a session, an agent, or everything, in this order:
 *
 *   the stop is in force (identity/stops.h)        no new session
 *   the leases say that they are stopped           no new call, and none that waits leaves
 *   each worker gives up the calls it has          their servers are told, and clients answered
 *   worker 0, behind all that they posted there    calls that were put aside, processes, acknowledgements
 *
 * When nothing is left, that is silence, and the time until then goes on record. The store is written meanwhile, before
 * the operator is answered: a disk that is slow or full keeps nobody from being stopped.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "approve/approve.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/house.h"

/* The pool has four threads, and the next kill needs one: only so many wait for silence at one time. */
enum { KILL_PATIENCE_MS = 5000, KILL_WAIT = 2 };

struct kill;
struct kill_errand { /* to one worker, and from there to worker 0 */
    struct worker_mail mail;
    struct gate_kill gate;
    struct kill *kill;
};

struct kill {
    struct house *house;
    struct admin_kill what; /* copies */
    struct connect_kill connect;
    int64_t begun_ns;
    _Atomic unsigned refs;
    unsigned working; /* workers that have calls of theirs; worker 0's */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct admin_killed now;
    char *strings;
    struct kill_errand errand[];
};

static struct str kill_copy(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static struct kill *kill_new(struct house *h, const struct admin_kill *what)
{
    size_t strings = what->agent.n + what->session.n + what->by.n + what->reason.n + 1;
    struct kill *k = calloc(1, sizeof(*k) + h->worker_count * sizeof(k->errand[0]));
    char *at = k ? malloc(strings) : NULL;
    if (!at) {
        free(k);
        return NULL;
    }
    k->house = h;
    k->strings = at;
    k->begun_ns = clock_mono_ns();
    k->refs = 2; /* the operator, and the errands */
    k->what.agent = kill_copy(&at, what->agent);
    k->what.session = kill_copy(&at, what->session);
    k->what.by = kill_copy(&at, what->by);
    k->what.reason = kill_copy(&at, what->reason);
    pthread_mutex_init(&k->lock, NULL);
    clock_cond_init(&k->changed);
    return k;
}

static void kill_free(struct kill *k)
{
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->changed);
    free(k->strings);
    free(k);
}

static void kill_unref(struct kill *k)
{
    if (atomic_fetch_sub(&k->refs, 1) == 1)
        kill_free(k);
}

/* ---- on record ---- */

static const char *kill_scope(const struct kill *k)
{
    return k->what.session.n ? "session" : k->what.agent.n ? "agent" : "all";
}

static void kill_note(const struct kill *k, enum audit_event event, struct str actor, const char *details)
{
    struct audit_entry e;
    audit_entry_init(&e, event, actor.n ? AUDIT_HUMAN : AUDIT_SYSTEM);
    e.actor = actor;
    e.agent_id = k->what.agent;
    e.session_id = k->what.session;
    e.reason = k->what.reason;
    e.judged = true;
    e.result = AUDIT_SUCCESS;
    e.details = str_of(details);
    audit_note(k->house->audit, &e);
}

static void kill_note_order(const struct kill *k)
{
    char details[96];
    snprintf(details, sizeof(details), "{\"scope\":\"%s\",\"sessions\":%zu}", kill_scope(k), k->now.sessions);
    kill_note(k, AUDIT_KILL, k->what.by, details);
    log_warn("kill", LOG_Z("scope", kill_scope(k)), LOG_S("agent", k->what.agent), LOG_S("session", k->what.session),
             LOG_S("by", k->what.by), LOG_S("reason", k->what.reason), LOG_I("sessions", k->now.sessions));
}

static void kill_note_silence(const struct kill *k)
{
    char details[160];
    snprintf(details, sizeof(details), "{\"calls\":%zu,\"scope\":\"%s\",\"sessions\":%zu,\"silenceMs\":%lld}",
             k->now.calls, kill_scope(k), k->now.sessions, (long long)k->now.silence_ms);
    kill_note(k, AUDIT_KILL_DONE, STR_NONE, details);
    log_warn("kill_done", LOG_Z("scope", kill_scope(k)), LOG_S("agent", k->what.agent),
             LOG_S("session", k->what.session), LOG_I("calls", k->now.calls), LOG_I("silence_ms", k->now.silence_ms));
}

/* ---- worker 0 ---- */

static void kill_silent(struct connect_kill *connect)
{
    struct kill *k = (struct kill *)((char *)connect - offsetof(struct kill, connect));
    pthread_mutex_lock(&k->lock);
    k->now.silent = true;
    k->now.silence_ms = (clock_mono_ns() - k->begun_ns + 999999) / 1000000;
    k->now.calls += connect->parked;
    kill_note_silence(k);
    pthread_cond_signal(&k->changed);
    pthread_mutex_unlock(&k->lock);
    kill_unref(k);
}

static void kill_worker_quiet(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct kill_errand *e = (struct kill_errand *)mail;
    struct kill *k = e->kill;
    pthread_mutex_lock(&k->lock);
    k->now.calls += e->gate.calls;
    bool last = --k->working == 0;
    pthread_mutex_unlock(&k->lock);
    if (last)
        connect_kill(k->house->connect, &k->connect);
}

/* ---- each worker ---- */

static void kill_quiet(struct gate_kill *gate)
{
    struct kill_errand *e = (struct kill_errand *)((char *)gate - offsetof(struct kill_errand, gate));
    e->mail.run = kill_worker_quiet;
    worker_post(&e->kill->house->workers[0], &e->mail);
}

static void kill_arrived(struct worker *w, struct worker_mail *mail)
{
    struct kill_errand *e = (struct kill_errand *)mail;
    struct house *h = e->kill->house;
    gate_kill(&h->stations[w->index].gate, &e->gate); /* e is not touched after this: worker 0 may have it by then */
    mcp_sessions_over(&h->mcp[w->index]);
}

/* ---- the operator ---- */

static enum err kill_put(struct kill *k, struct fault *f)
{
    const struct store_stop stop = {k->what.agent, k->what.reason, k->what.by, clock_wall_ms()};
    return k->what.session.n ? ERR_OK : stops_put(k->house->stops, &stop, f);
}

static void kill_post(struct kill *k)
{
    struct house *h = k->house;
    k->connect.agent = k->what.agent;
    k->connect.session = k->what.session;
    k->connect.alone = h->leases->ops->open_count(h->leases, k->what.agent) == 0;
    k->connect.quiet = kill_silent;
    k->working = h->worker_count;
    for (unsigned i = 0; i < h->worker_count; i++) {
        struct kill_errand *e = &k->errand[i];
        *e = (struct kill_errand){.mail = {.run = kill_arrived}, .kill = k};
        e->gate = (struct gate_kill){.agent = k->what.agent, .session = k->what.session, .quiet = kill_quiet};
        worker_post(&h->workers[i], &e->mail);
    }
}

static void kill_wait(struct kill *k, struct admin_killed *ret)
{
    int64_t until = k->begun_ns + KILL_PATIENCE_MS * INT64_C(1000000);
    struct timespec t = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    static _Atomic unsigned waiting;
    /* a worker must not wait for itself */
    bool wait = atomic_fetch_add(&waiting, 1) < KILL_WAIT && !worker_current();
    pthread_mutex_lock(&k->lock);
    while (wait && !k->now.silent)
        wait = pthread_cond_timedwait(&k->changed, &k->lock, &t) == 0;
    *ret = k->now;
    pthread_mutex_unlock(&k->lock);
    atomic_fetch_sub(&waiting, 1);
    ret->waited_ms = (clock_mono_ns() - k->begun_ns) / 1000000;
}

enum err house_kill(void *house, const struct admin_kill *what, struct admin_killed *ret, struct fault *f)
{
    struct house *h = house;
    struct session_stopped stopped;
    struct kill *k = kill_new(h, what);
    if (!k)
        return fault_set(f, ERR_NOMEM, "no memory for a kill: nothing was stopped");
    enum err e = kill_put(k, f);
    if (e) {
        kill_free(k); /* no errand has gone out */
        return e;
    }
    session_stop(h->sessions, k->what.agent, k->what.session, k->what.by, k->what.reason, &stopped);
    k->now = (struct admin_killed){.sessions = stopped.sessions, .calls = stopped.parked};
    kill_note_order(k);
    kill_post(k);
    if (!k->what.session.n && (e = stops_keep(h->stops, k->what.agent, f)))
        fault_wrap(f, "stopped, but only until the next restart: the store did not take it");
    kill_wait(k, ret);
    kill_unref(k);
    if (!e && (e = approvals_settle(h->approvals, f))) /* a restart would open a session again for what waits in it */
        fault_wrap(f, "stopped, but only until the next restart: the store did not take it");
    return e;
}
