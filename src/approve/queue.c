/* The queue: its tables, and what follows from how a question stands. */
#include <stdlib.h>

#include "approve/inner.h"
#include "base/clock.h"
#include "base/hash.h"

/* ---- the tables ---- */

static struct approval **queue_id_slot(struct approvals *a, struct str id)
{
    return &a->by_id[str_hash(id) % APPROVAL_SLOTS];
}

static struct approval **queue_binding_slot(struct approvals *a, const unsigned char *binding)
{
    return &a->by_binding[str_hash((struct str){(const char *)binding, SHA256_BYTES}) % APPROVAL_SLOTS];
}

struct approval *approvals_by_id(struct approvals *a, struct str id)
{
    struct approval *p = *queue_id_slot(a, id);
    while (p && !str_is(id, p->id))
        p = p->next_id;
    return p;
}

struct approval *approvals_by_binding(struct approvals *a, const unsigned char binding[SHA256_BYTES])
{
    struct approval *p = *queue_binding_slot(a, binding);
    while (p && memcmp(p->binding, binding, SHA256_BYTES) != 0)
        p = p->next_binding;
    return p;
}

/* Waits it for people? */
void approvals_count(struct approvals *a, struct approval *p)
{
    bool counts = p->listed && p->now.state <= APPROVAL_PENDING;
    if (counts != p->counted)
        a->pending += counts ? 1 : (size_t)-1;
    p->counted = counts;
}

void approvals_unbind(struct approvals *a, struct approval *p)
{
    struct approval **at = queue_binding_slot(a, p->binding);
    while (*at && *at != p)
        at = &(*at)->next_binding;
    if (*at)
        *at = p->next_binding;
    p->next_binding = NULL;
}

void approvals_list_in(struct approvals *a, struct approval *p)
{
    struct approval **id = queue_id_slot(a, str_of(p->id)), **binding = queue_binding_slot(a, p->binding);
    atomic_fetch_add(&p->refs, 1);
    p->next_id = *id;
    *id = p;
    p->next_binding = *binding;
    *binding = p;
    p->prev = a->last;
    *(a->last ? &a->last->next : &a->first) = p;
    a->last = p;
    p->listed = true;
    a->count++;
    approvals_count(a, p);
}

void approvals_list_out(struct approvals *a, struct approval *p)
{
    struct approval **at = queue_id_slot(a, str_of(p->id));
    if (!p->listed)
        return;
    while (*at != p)
        at = &(*at)->next_id;
    *at = p->next_id;
    approvals_unbind(a, p);
    *(p->prev ? &p->prev->next : &a->first) = p->next;
    *(p->next ? &p->next->prev : &a->last) = p->prev;
    p->listed = false;
    a->count--;
    a->over -= approval_over(p->now.state);
    a->dirty -= p->dirty;
    a->breaking -= p->breaking;
    p->dirty = p->breaking = false;
    a->result_bytes -= p->result.n;
    approvals_count(a, p);
    approval_unref(p);
}

/* ---- moves ---- */

struct approval_move *approvals_move(struct approvals *a, struct approval *p, enum approval_event e)
{
    enum approval_state next = approval_after(p->now.state, e);
    struct approval_move *m = next && !p->move ? calloc(1, sizeof(*m)) : NULL;
    if (!m)
        return NULL;
    *m = (struct approval_move){.on = p, .event = e, .before = p->now.state, .next = p->now, .queue = a};
    buf_init(&m->question, APPROVAL_QUESTION);
    m->next.state = next;
    if (approval_over(next))
        m->next.ended = clock_wall_ms();
    if (e == APPROVAL_ESCALATE)
        m->next.escalated = clock_wall_ms();
    if (e == APPROVAL_BREAK)
        memcpy(m->next.why, p->why, sizeof(m->next.why));
    return m;
}

void approvals_put(struct approvals *a, struct approval_move *m)
{
    atomic_fetch_add(&m->on->refs, 1);
    m->on->move = m;
    m->after = NULL;
    *a->moves_end = m;
    a->moves_end = &m->after;
    a->moved++;
    pthread_cond_signal(&a->work);
}

/* What is not in force goes with it. */
void approvals_move_free(struct approval_move *m)
{
    buf_done(&m->question);
    if (m->changes)
        changes_done(m->changes);
    free(m->changes);
    free(m);
}

void approvals_break(struct approvals *a, struct approval *p, const char *why)
{
    if (!p->breaking) {
        p->breaking = true;
        a->breaking++;
        snprintf(p->why, sizeof(p->why), "%s", why);
    }
    struct approval_move *m = approvals_move(a, p, APPROVAL_BREAK);
    if (m)
        approvals_put(a, m);
}

/* The one that waits longest takes it. */
static void queue_take(struct approvals *a, struct approval *p)
{
    struct approval_move *m = approvals_move(a, p, APPROVAL_TAKE);
    if (!m) {
        approvals_tell(a, p, p->waits, APPROVAL_VOID, ERR_NOMEM, "no memory to take up what was approved: call again");
        return;
    }
    m->taker = p->waits;
    approvals_put(a, m);
}

void approvals_follow(struct approvals *a, struct approval *p)
{
    int64_t mono = clock_mono_ns();
    if (p->move || a->closing || (p->now.state != APPROVAL_PENDING && p->now.state != APPROVAL_GRANTED))
        return;
    if (p->breaking)
        approvals_break(a, p, p->why);
    else if (approval_late(p, clock_wall_ms(), mono)) {
        struct approval_move *m = approvals_move(a, p, APPROVAL_TIMEOUT);
        if (m) /* else the sweep tries again */
            approvals_put(a, m);
    } else if (approval_homeless(p, mono))
        approvals_break(a, p, "the session is over");
    else if (approval_escalates(p, clock_wall_ms(), mono)) {
        struct approval_move *m = approvals_move(a, p, APPROVAL_ESCALATE);
        if (m)
            approvals_put(a, m);
    } else if (p->now.state == APPROVAL_GRANTED && p->waits)
        queue_take(a, p);
}

/* ---- what comes from outside ---- */

void approvals_void(struct approvals *a, struct str agent, struct str session, struct str tool, const char *why)
{
    pthread_mutex_lock(&a->lock);
    for (struct approval *p = a->first; p && !a->closing; p = p->next) {
        if ((agent.n && !str_eq(agent, p->agent)) || (session.n && !str_eq(session, p->sid)) ||
            (tool.n && !str_eq(tool, p->tool)) || p->breaking || approval_over(p->now.state) ||
            p->now.state == APPROVAL_TAKEN)
            continue;
        approvals_break(a, p, why);
    }
    pthread_mutex_unlock(&a->lock);
}

static void queue_keep_result(struct approvals *a, struct approval *p, struct str result)
{
    if (!result.n || result.n > APPROVAL_RESULT || a->result_bytes + result.n > APPROVAL_RESULTS)
        return;
    char *copy = malloc(result.n);
    if (!copy)
        return;
    memcpy(copy, result.p, result.n);
    p->result = (struct str){copy, result.n};
    a->result_bytes += result.n;
}

static void queue_end(struct approvals *a, struct approval *p)
{
    struct approval_move *m = approvals_move(a, p, APPROVAL_END);
    if (!m)
        return;
    if (p->unmade)
        snprintf(m->next.why, sizeof(m->next.why), "judged again it was refused, or it could not be sent");
    approvals_put(a, m);
}

void approvals_done(struct approvals *a, const char *id, struct str result, bool known)
{
    pthread_mutex_lock(&a->lock);
    struct approval *p = approvals_by_id(a, str_of(id));
    if (p && p->now.state == APPROVAL_TAKEN && !p->move && !p->finished) {
        p->known = known;
        p->unmade = known && !result.n;
        p->finished = true;
        if (known)
            queue_keep_result(a, p, result);
        queue_end(a, p);
    }
    pthread_mutex_unlock(&a->lock);
}

/* ---- once a second ---- */

/* How long is an end known to the same call? */
static bool queue_forgets(const struct approvals *a, const struct approval *p, int64_t mono)
{
    int64_t ms = a->result_ms;
    if (!approval_over(p->now.state) || p->move || p->dirty || p->waits)
        return false;
    if (!p->told && ms < APPROVAL_TOLD_MS)
        ms = APPROVAL_TOLD_MS;
    return p->now.state == APPROVAL_VOID || (mono - p->over_mono > ms * 1000000 && mono > p->shape_until_mono);
}

static void queue_rewrite(struct approvals *a, struct approval *p)
{
    struct approval_move *m = calloc(1, sizeof(*m));
    if (!m)
        return;
    *m = (struct approval_move){.on = p, .before = p->now.state, .next = p->now, .rewrite = true, .queue = a};
    buf_init(&m->question, 1);
    approvals_put(a, m);
}

void approvals_keep_session(struct approvals *a, struct approval *p)
{
    int64_t used = p->lease ? atomic_load(&p->lease->used) : 0;
    if (!p->lease || used == p->used_kept || a->keeps == APPROVAL_BATCH)
        return;
    p->used_kept = used;
    for (unsigned i = 0; i < a->keeps; i++)
        if (a->keep[i] == p->lease)
            return;
    a->keep[a->keeps++] = lease_ref(p->lease);
    pthread_cond_signal(&a->work);
}

static void queue_sweep_one(struct approvals *a, struct approval *p, int64_t wall, int64_t mono)
{
    if (p->dirty && !p->move)
        queue_rewrite(a, p);
    else if (p->now.state == APPROVAL_TAKEN && !p->move &&
             (p->finished || mono - p->over_mono > APPROVAL_TAKEN_MS * INT64_C(1000000)))
        queue_end(a, p); /* what came of it nobody knows, or its end found no memory */
    else if (approval_late(p, wall, mono) || approval_homeless(p, mono) || p->breaking ||
             approval_escalates(p, wall, mono))
        approvals_follow(a, p);
    if (!approval_over(p->now.state))
        approvals_keep_session(a, p);
}

void approvals_sweep(struct approvals *a, int64_t now_wall_ms)
{
    int64_t mono = clock_mono_ns();
    pthread_mutex_lock(&a->lock);
    size_t too_many = 2 * a->most_pending + 1000;
    if (glass_due(a) && !a->closing) {
        a->glass_work = true;
        pthread_cond_signal(&a->work);
    }
    for (struct approval *p = a->first, *next; p && !a->closing; p = next) {
        next = p->next;
        queue_sweep_one(a, p, now_wall_ms, mono);
        if (queue_forgets(a, p, mono) || (a->over > too_many && approval_over(p->now.state) && !p->move && !p->waits))
            approvals_list_out(a, p);
    }
    pthread_mutex_unlock(&a->lock);
}

size_t approvals_pending(struct approvals *a)
{
    pthread_mutex_lock(&a->lock);
    size_t n = a->pending;
    pthread_mutex_unlock(&a->lock);
    return n;
}

enum err approvals_settle(struct approvals *a, struct fault *f)
{
    pthread_mutex_lock(&a->lock);
    while (a->breaking && a->running)
        pthread_cond_wait(&a->changed, &a->lock);
    uint64_t until = a->moved;
    while (a->written < until && a->running)
        pthread_cond_wait(&a->changed, &a->lock);
    size_t dirty = a->dirty;
    pthread_mutex_unlock(&a->lock);
    return dirty ? fault_set(f, ERR_STORE, "%zu ends of questions are in force and not in the store yet", dirty)
                 : ERR_OK;
}

/* ---- life ---- */

void approvals_conf(struct approvals *a, const struct conf *conf)
{
    pthread_mutex_lock(&a->lock);
    a->most_pending = (size_t)conf->root.limits.pending_approvals;
    a->take_ms = conf->root.approval.take_within;
    a->result_ms = conf->root.approval.result_time;
    a->glass_most_ms = conf->root.approval.break_glass;
    pthread_mutex_unlock(&a->lock);
}

enum err approvals_watch(struct approvals *a, void (*told)(void *ctx, const struct approval_news *n), void *ctx,
                         struct fault *f)
{
    if (a->watches == APPROVAL_WATCHES)
        return fault_set(f, ERR_LIMIT, "%d watch the approvals, which is the most", APPROVAL_WATCHES);
    a->watch[a->watches] = (struct approval_watcher){told, ctx};
    a->watches++; /* now the thread sees it, whole */
    return ERR_OK;
}

enum err approvals_new(struct store *store, struct audit *audit, struct approvals **ret, struct fault *f)
{
    struct approvals *a = calloc(1, sizeof(*a));
    if (!a)
        return fault_set(f, ERR_NOMEM, "no memory for approvals");
    *a = (struct approvals){
        .store = store, .audit = audit, .most_pending = 10000, .take_ms = 300000, .result_ms = 600000};
    a->moves_end = &a->moves;
    pthread_mutex_init(&a->lock, NULL);
    pthread_mutex_init(&a->log_lock, NULL);
    pthread_mutex_init(&a->glass_lock, NULL);
    pthread_cond_init(&a->work, NULL);
    pthread_cond_init(&a->changed, NULL);
    pthread_cond_init(&a->logged, NULL);
    enum err e = approvals_load(a, f);
    if (!e)
        e = glass_load(a, f);
    if (!e)
        e = approvals_start(a, f);
    if (e) {
        approvals_free(a);
        return e;
    }
    *ret = a;
    return ERR_OK;
}

void approvals_close(struct approvals *a)
{
    approvals_stop(a);
}

void approvals_free(struct approvals *a)
{
    if (!a)
        return;
    approvals_stop(a);
    while (a->first) {
        a->first->move = NULL;
        approvals_list_out(a, a->first);
    }
    for (unsigned i = 0; i < a->keeps; i++)
        lease_unref(a->keep[i]);
    pthread_mutex_destroy(&a->lock);
    pthread_mutex_destroy(&a->log_lock);
    pthread_mutex_destroy(&a->glass_lock);
    pthread_cond_destroy(&a->work);
    pthread_cond_destroy(&a->changed);
    pthread_cond_destroy(&a->logged);
    free(a);
}
