/*
 * The queue's thread. What is to change comes here: first it is handed to the record, then it goes into the store, all
 * that waits in one transaction, and then it is in force and told. What the record or the store does not take is not in
 * force, unless it is a no: that is, and is written again until it is taken.
 */
#include <stdlib.h>

#include "approve/inner.h"
#include "base/clock.h"
#include "base/log.h"

struct write_batch {
    struct approval_move *move[APPROVAL_BATCH];
    unsigned n;
    struct lease *lease[2 * APPROVAL_BATCH];
    unsigned leases;
    struct store_approval row[APPROVAL_BATCH];
    struct buf standing[APPROVAL_BATCH];
    struct store_held held[2 * APPROVAL_BATCH];
    struct buf kept[2 * APPROVAL_BATCH];
};

/* ---- the record ---- */

static void write_told(struct approval_move *m, const struct audit_done *d)
{
    struct approvals *a = m->queue;
    pthread_mutex_lock(&a->log_lock);
    if (d->err)
        m->err = fault_set(&m->fault, d->err, "the record does not take it");
    a->logging--;
    pthread_cond_signal(&a->logged);
    pthread_mutex_unlock(&a->log_lock);
}

static void write_logged(struct audit_done *d)
{
    write_told((struct approval_move *)((char *)d - offsetof(struct approval_move, logged)), d);
}

static void write_glassed(struct audit_done *d)
{
    write_told((struct approval_move *)((char *)d - offsetof(struct approval_move, glassed)), d);
}

static void write_log_one(struct approvals *a, struct approval_move *m, bool glass)
{
    struct audit_done *done = glass ? &m->glassed : &m->logged;
    *done = (struct audit_done){.done = glass ? write_glassed : write_logged};
    pthread_mutex_lock(&a->log_lock);
    a->logging++;
    pthread_mutex_unlock(&a->log_lock);
    struct fault f = {.text = ""};
    enum err e = (glass ? approvals_log_glass : approvals_log)(a, m, done, &f);
    if (!e)
        return;
    pthread_mutex_lock(&a->log_lock);
    m->err = e;
    m->fault = f;
    a->logging--;
    pthread_mutex_unlock(&a->log_lock);
}

static void write_log(struct approvals *a, struct write_batch *b)
{
    for (unsigned i = 0; i < b->n; i++) {
        struct approval_move *m = b->move[i];
        if (m->rewrite || !approvals_logs(m))
            continue;
        if (m->waives_groups || m->waives_people)
            write_log_one(a, m, true);
        write_log_one(a, m, false);
    }
    pthread_mutex_lock(&a->log_lock);
    while (a->logging)
        pthread_cond_wait(&a->logged, &a->log_lock);
    pthread_mutex_unlock(&a->log_lock);
}

/* ---- the store ---- */

static void write_hold(struct write_batch *b, struct lease *l)
{
    for (unsigned i = 0; i < b->leases; i++)
        if (b->lease[i] == l)
            return;
    b->lease[b->leases++] = lease_ref(l);
}

static enum err write_store(struct approvals *a, struct write_batch *b, struct fault *f)
{
    unsigned n = 0, h = 0;
    bool poor = false;
    for (unsigned i = 0; i < b->n; i++) {
        struct approval_move *m = b->move[i];
        struct approval *p = m->on;
        if (m->err && !approval_event_is_no(m->event))
            continue;
        if (m->question.n && p->lease)
            write_hold(b, p->lease);
        buf_init(&b->standing[n], APPROVAL_QUESTION);
        row_standing(&m->next, &b->standing[n]);
        b->row[n] = (struct store_approval){str_of(p->id),
                                            p->sid,
                                            p->tool,
                                            m->next.state,
                                            m->next.ended,
                                            buf_view(&m->question),
                                            buf_view(&b->standing[n])};
        poor = poor || buf_failed(&b->standing[n]) || buf_failed(&m->question);
        n++;
    }
    for (; h < b->leases; h++) {
        buf_init(&b->kept[h], APPROVAL_QUESTION);
        session_keep(b->lease[h], &b->kept[h]);
        b->held[h] = (struct store_held){b->lease[h]->sid, buf_view(&b->kept[h])};
        poor = poor || buf_failed(&b->kept[h]);
    }
    enum err e = ERR_OK;
    if (poor)
        e = fault_set(f, ERR_NOMEM, "no memory to write down an approval");
    else if (n || h)
        e = a->store->ops->approvals_put(a->store, b->row, n, b->held, h, f);
    for (unsigned i = 0; i < n; i++)
        buf_done(&b->standing[i]);
    for (unsigned i = 0; i < h; i++)
        buf_done(&b->kept[i]);
    return e;
}

/* ---- in force ---- */

static void write_set_dirty(struct approvals *a, struct approval *p, bool dirty)
{
    if (dirty != p->dirty)
        a->dirty += dirty ? 1 : (size_t)-1;
    p->dirty = dirty;
}

static void write_discard(struct approval_move *m)
{
    struct approval *p = m->on;
    approval_said_free(m->next.said, p->now.said);
    if (m->next.edit != p->now.edit)
        free(m->next.edit);
}

/* The question never was. */
static void write_unasked(struct approvals *a, struct approval *p, struct approval_move *m)
{
    p->now.state = APPROVAL_VOID;
    p->now.ended = clock_wall_ms();
    p->err = m->err;
    snprintf(p->now.why, sizeof(p->now.why), "%s", "it could not be written down");
    a->over++;
    write_set_dirty(a, p, true); /* if the store took it all the same */
    approvals_tell_all(a, p);
}

static void write_enter(struct approvals *a, struct approval *p, struct approval_move *m)
{
    struct approval_edit *old = p->now.edit;
    p->now = m->next;
    if (old != p->now.edit)
        free(old);
    if (p->now.state == APPROVAL_TAKEN || approval_over(p->now.state))
        p->over_mono = clock_mono_ns();
    write_set_dirty(a, p, m->err);
    if (m->shape_ms)
        p->shape_until_mono = clock_mono_ns() + m->shape_ms * 1000000;
    if (p->now.state == APPROVAL_PENDING && m->before == APPROVAL_NONE)
        approvals_tell_asked(a, p);
    if (p->now.state == APPROVAL_TAKEN && m->taker)
        approvals_tell(a, p, m->taker, APPROVAL_TAKEN, ERR_OK, "approved");
    if (approval_over(p->now.state)) {
        a->over++;
        approvals_tell_all(a, p);
    }
}

static void write_apply(struct approvals *a, struct approval_move *m)
{
    struct approval *p = m->on;
    p->move = NULL;
    m->applied = true;
    if (m->rewrite)
        write_set_dirty(a, p, m->err);
    else if (!m->err || approval_event_is_no(m->event))
        write_enter(a, p, m);
    else {
        write_discard(m);
        if (m->event == APPROVAL_ESCALATE)
            p->again_mono = clock_mono_ns() + APPROVAL_AGAIN_MS * INT64_C(1000000);
        if (m->before == APPROVAL_NONE)
            write_unasked(a, p, m);
        else if (m->taker)
            approvals_tell(a, p, m->taker, APPROVAL_VOID, m->err, m->fault.text);
    }
    if (p->breaking && p->now.state != APPROVAL_PENDING && p->now.state != APPROVAL_GRANTED) {
        p->breaking = false;
        a->breaking--;
    }
    approvals_count(a, p);
    approvals_follow(a, p);
}

static void write_tell(struct approvals *a, const struct approval_move *m)
{
    const struct approval *p = m->on;
    const struct approval_said *said = m->next.said;
    bool person = m->event == APPROVAL_YES || m->event == APPROVAL_GRANT || m->event == APPROVAL_DENY;
    if (m->rewrite || (m->err && !approval_event_is_no(m->event)))
        return;
    struct approval_news n = {.id = str_of(p->id),
                              .tool = p->tool,
                              .agent = p->agent,
                              .before = m->before,
                              .state = m->next.state,
                              .risk = p->risk,
                              .created = p->created,
                              .expires = m->next.until,
                              .reviewers = p->reviewers,
                              .people = p->people,
                              .escalate = p->escalate,
                              .escalates = m->next.escalates,
                              .escalated = m->next.escalated,
                              .escalation = m->event == APPROVAL_ESCALATE,
                              .yes = approval_yes(said, m->next.edit ? m->next.edit->digest : p->digest)};
    if (person && said) {
        n.by = said->by;
        n.channel = said->channel;
    }
    for (unsigned i = 0; i < a->watches; i++)
        a->watch[i].told(a->watch[i].ctx, &n);
    if (m->waives_groups || m->waives_people)
        glass_used(a, m);
}

/* ---- the thread ---- */

static void write_collect(struct approvals *a, struct write_batch *b)
{
    b->n = b->leases = 0;
    while (a->moves && b->n < APPROVAL_BATCH) {
        struct approval_move *m = a->moves;
        a->moves = m->after;
        b->move[b->n++] = m;
    }
    if (!a->moves)
        a->moves_end = &a->moves;
    for (unsigned i = 0; i < a->keeps; i++)
        b->lease[b->leases++] = a->keep[i];
    a->keeps = 0;
}

static void write_batch(struct approvals *a, struct write_batch *b)
{
    struct fault f = {.text = ""};
    write_log(a, b);
    enum err e = write_store(a, b, &f);
    if (e)
        log_error("approvals_not_written", LOG_Z("error", f.text), LOG_I("changes", b->n));
    for (unsigned i = 0; i < b->n; i++) {
        struct approval_move *m = b->move[i];
        bool logged = !m->err && !m->rewrite && approvals_logs(m);
        if (e && (!m->err || approval_event_is_no(m->event))) {
            m->err = e;
            m->fault = f;
            if (logged && !approval_event_is_no(m->event))
                approvals_log_failed(a, m);
        } else if (!e && approval_event_is_no(m->event))
            m->err = ERR_OK; /* the record took it not, and it is in force all the same */
    }
}

static void write_after(struct approvals *a, struct write_batch *b)
{
    for (unsigned i = 0; i < b->n; i++)
        write_tell(a, b->move[i]);
    pthread_mutex_lock(&a->lock);
    for (unsigned i = 0; i < b->n; i++) {
        struct approval_move *m = b->move[i];
        approval_unref(m->on);
        m->done = true;
        if (!m->waited)
            approvals_move_free(m);
    }
    a->written += b->n;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
    for (unsigned i = 0; i < b->leases; i++)
        lease_unref(b->lease[i]);
}

static void write_prune(struct approvals *a)
{
    struct fault f = {.text = ""};
    int64_t mono = clock_mono_ns();
    if (a->pruned_mono && mono - a->pruned_mono < INT64_C(3600) * 1000000000)
        return;
    a->pruned_mono = mono;
    if (a->store->ops->approvals_prune(a->store, clock_wall_ms() - APPROVAL_KEPT_DAYS * INT64_C(86400000), &f))
        log_warn("approvals_not_pruned", LOG_Z("error", f.text));
}

static void *write_thread(void *arg)
{
    struct approvals *a = arg;
    struct write_batch *b = a->batch;
    pthread_mutex_lock(&a->lock);
    for (;;) {
        while (!a->moves && !a->keeps && !a->glass_work && !a->closing)
            pthread_cond_wait(&a->work, &a->lock);
        if (!a->moves && !a->keeps && !a->glass_work)
            break;
        bool glass = a->glass_work;
        a->glass_work = false;
        write_collect(a, b);
        pthread_mutex_unlock(&a->lock);
        write_batch(a, b);
        pthread_mutex_lock(&a->lock);
        for (unsigned i = 0; i < b->n; i++)
            write_apply(a, b->move[i]);
        pthread_cond_broadcast(&a->changed);
        pthread_mutex_unlock(&a->lock);
        write_after(a, b);
        if (glass)
            glass_settle(a);
        write_prune(a);
        pthread_mutex_lock(&a->lock);
    }
    a->running = false;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

enum err approvals_start(struct approvals *a, struct fault *f)
{
    if (!(a->batch = calloc(1, sizeof(*a->batch))))
        return fault_set(f, ERR_NOMEM, "no memory for approvals");
    a->running = true;
    int code = pthread_create(&a->thread, NULL, write_thread, a);
    a->started = a->running = code == 0; /* under no lock: nobody else knows the queue yet */
    return code ? fault_set(f, ERR_IO, "thread of the approvals: %s", strerror(code)) : ERR_OK;
}

/* Sessions first, as they are now. */
void approvals_stop(struct approvals *a)
{
    pthread_mutex_lock(&a->lock);
    bool first = a->started && !a->closing;
    if (first)
        for (struct approval *p = a->first; p; p = p->next)
            if (!approval_over(p->now.state))
                approvals_keep_session(a, p);
    a->closing = true;
    pthread_cond_broadcast(&a->work);
    pthread_mutex_unlock(&a->lock);
    if (first)
        pthread_join(a->thread, NULL);
    free(a->batch); /* there is one call of this at a time */
    a->batch = NULL;
}
