/* After a restart: the questions that wait, and the sessions that they wait in. */
#include <stdlib.h>

#include "approve/inner.h"
#include "base/clock.h"
#include "base/log.h"

enum { RESUME_ARENA = 256 << 20 };

/* ---- reading ---- */

struct resume_load {
    struct approvals *a;
    struct fault *f;
    enum err e;
    int64_t newest; /* a moment of the wall clock that was */
    unsigned unreadable;
};

/* One that cannot be read keeps nobody from starting: it waits no more, which is a no. */
static void resume_row(void *ctx, const struct store_approval *row)
{
    struct resume_load *l = ctx;
    struct arena a;
    struct approval *p = NULL;
    int64_t written = 0;
    if (l->e)
        return;
    arena_init(&a, RESUME_ARENA);
    enum err e = row_read(row, &a, &p, &written, l->f);
    arena_done(&a);
    if (e == ERR_NOMEM)
        l->e = e;
    else if (e) {
        l->unreadable++;
        log_error("approval_unreadable", LOG_S("approval", row->id));
    }
    if (e)
        return;
    l->newest = written > l->newest ? written : l->newest;
    p->created_mono = p->over_mono = clock_mono_ns();
    p->used_kept = -1;
    if (approval_over(p->now.state))
        l->a->over++;
    struct approval *same = approvals_by_binding(l->a, p->binding);
    if (same)
        approvals_unbind(l->a, same); /* the later one is the one that counts */
    approvals_list_in(l->a, p);
    approval_unref(p);
}

/* How much of a time is left: at most what was left when it was written. */
static int64_t resume_until(int64_t wall, int64_t mono, int64_t newest)
{
    struct clock_end end = {.wall_ms = wall, .mono_ns = mono, .written_ms = newest};
    if (end.mono_ns)
        end.boot = clock_boot();
    return clock_mono_ns() + clock_left(&end, newest) * 1000000;
}

static void resume_time(struct approval *p, int64_t newest)
{
    struct approval_standing *s = &p->now;
    s->until_mono = resume_until(s->until, s->until_mono, newest);
    if (s->escalates && !s->escalated)
        s->escalates_mono = resume_until(s->escalates, s->escalates_mono, newest);
}

enum err approvals_load(struct approvals *a, struct fault *f)
{
    struct resume_load l = {.a = a, .f = f};
    enum err e = a->store->ops->approvals_load(a->store, clock_wall_ms() - APPROVAL_TAKEN_MS, resume_row, &l, f);
    if (!e)
        e = l.e;
    for (struct approval *p = a->first; p && !e; p = p->next)
        if (p->now.state == APPROVAL_PENDING || p->now.state == APPROVAL_GRANTED)
            resume_time(p, l.newest);
    a->newest = l.newest;
    return e;
}

/* ---- sessions ---- */

struct resume_held {
    struct approvals *a;
    struct arena arena;
    struct resume_one {
        struct str sid, kept;
        struct resume_one *next;
    } * first;
    int64_t newest;
    bool poor;
};

static void resume_held_row(void *ctx, const struct store_held *h)
{
    struct resume_held *r = ctx;
    struct str sid;
    int64_t written;
    struct resume_one *one = arena_alloc(&r->arena, sizeof(*one));
    if (!one) {
        r->poor = true;
        return;
    }
    one->kept = arena_str(&r->arena, h->lease);
    if (session_kept(one->kept, &r->arena, &sid, &written, NULL) || !str_eq(sid, h->sid))
        return;
    r->newest = written > r->newest ? written : r->newest;
    one->sid = sid;
    one->next = r->first;
    r->first = one;
}

static bool resume_waits(const struct approval *p, struct str sid)
{
    return (p->now.state == APPROVAL_PENDING || p->now.state == APPROVAL_GRANTED) && str_eq(p->sid, sid);
}

/* Is it a session in which a question waits that can still be answered? */
static bool resume_wanted(struct approvals *a, struct str sid)
{
    int64_t wall = clock_wall_ms(), mono = clock_mono_ns();
    for (struct approval *p = a->first; p; p = p->next)
        if (resume_waits(p, sid) && !p->breaking && !approval_late(p, wall, mono))
            return true;
    return false;
}

static void resume_session(struct approvals *a, struct sessions *sessions, struct agents *agents,
                           const struct resume_one *one, int64_t newest)
{
    struct lease *l = NULL;
    struct fault f = {.text = ""};
    pthread_mutex_lock(&a->lock);
    bool wanted = resume_wanted(a, one->sid);
    pthread_mutex_unlock(&a->lock);
    if (!wanted)
        return;
    if (session_reopen(sessions, agents, one->kept, newest, &l, &f)) {
        log_info("session_not_resumed", LOG_S("session", one->sid), LOG_Z("reason", f.text));
        return;
    }
    pthread_mutex_lock(&a->lock);
    for (struct approval *p = a->first; p; p = p->next)
        if (str_eq(p->sid, one->sid) && str_eq(p->agent, l->agent_id) && !p->lease)
            p->lease = lease_ref(l);
    pthread_mutex_unlock(&a->lock);
    lease_unref(l);
}

/* What has no session, or was asked under other policies, is void; a call that was under way is over. */
static void resume_settle(struct approvals *a)
{
    for (struct approval *p = a->first; p; p = p->next) {
        if (p->now.state == APPROVAL_TAKEN) {
            p->finished = true;
            struct approval_move *m = approvals_move(a, p, APPROVAL_END);
            if (m)
                approvals_put(a, m);
        } else if (!approval_over(p->now.state) && !p->lease)
            approvals_follow(a, p); /* out of time, or without a session */
    }
}

static void resume_policies(struct approvals *a, struct str policy_version)
{
    for (struct approval *p = a->first; p && policy_version.n; p = p->next)
        if ((p->now.state == APPROVAL_PENDING || p->now.state == APPROVAL_GRANTED) &&
            !str_eq(p->policy_version, policy_version))
            approvals_break(a, p, "other policies are in force");
}

enum err approvals_resume(struct approvals *a, struct sessions *sessions, struct agents *agents,
                          struct str policy_version, struct fault *f)
{
    struct resume_held r = {.a = a, .newest = a->newest};
    arena_init(&r.arena, RESUME_ARENA);
    pthread_mutex_lock(&a->lock);
    resume_policies(a, policy_version);
    pthread_mutex_unlock(&a->lock);
    enum err e = a->store->ops->held_load(a->store, resume_held_row, &r, f);
    if (!e && (r.poor || arena_failed(&r.arena)))
        e = fault_set(f, ERR_NOMEM, "no memory for the sessions that questions wait in");
    for (struct resume_one *one = r.first; one && !e; one = one->next)
        resume_session(a, sessions, agents, one, r.newest);
    arena_done(&r.arena);
    TRY(e);
    pthread_mutex_lock(&a->lock);
    resume_settle(a);
    pthread_mutex_unlock(&a->lock);
    struct fault late = {.text = ""};
    if (approvals_settle(a, &late)) /* it is in force all the same, and offered to the store again */
        log_warn("approvals_not_written", LOG_Z("error", late.text));
    return ERR_OK;
}
