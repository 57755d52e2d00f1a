/* Asking, joining who asked the same, and hearing what came of it. */
#include "approve/inner.h"
#include "base/clock.h"

/* ---- those that wait ---- */

void approvals_attach(struct approval *p, struct approval_wait *w)
{
    w->on = p;
    w->next = NULL;
    w->link = p->waits_end;
    w->pending = true;
    *p->waits_end = w;
    p->waits_end = &w->next;
}

static void ask_detach(struct approval *p, struct approval_wait *w)
{
    if (!w->pending)
        return;
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    else
        p->waits_end = w->link;
    w->pending = false;
}

static void ask_mail(struct worker *worker, struct worker_mail *m)
{
    struct approval_wait *w = (struct approval_wait *)((char *)m - offsetof(struct approval_wait, mail));
    struct approval *p = w->on;
    (void)worker;
    w->told(w); /* w may be gone */
    approval_unref(p);
}

/* Who said what it is now: the yeses, or the no. */
static void ask_by(const struct approval *p, struct approval_wait *w, enum approval_state s)
{
    size_t n = 0;
    w->by[0] = 0;
    for (const struct approval_said *said = p->now.said; said; said = said->before) {
        if (n >= sizeof(w->by) || (said->verdict >= APPROVE_ONCE) != (s != APPROVAL_DENIED))
            continue;
        n += (size_t)snprintf(w->by + n, sizeof(w->by) - n, "%s" STR_FMT, n ? ", " : "", STR_ARG(said->by));
    }
}

void approvals_tell(struct approvals *a, struct approval *p, struct approval_wait *w, enum approval_state s, enum err e,
                    const char *text)
{
    (void)a;
    ask_detach(p, w);
    w->on = p;
    w->state = s;
    w->err = e;
    snprintf(w->text, sizeof(w->text), "%s", text);
    ask_by(p, w, s);
    if (s == APPROVAL_TAKEN && p->now.edit) {
        w->arguments = p->now.edit->arguments;
        w->digest = str_of(p->now.edit->digest);
    }
    if (s == APPROVAL_DONE)
        w->result = p->result;
    w->mail.run = ask_mail;
    atomic_fetch_add(&p->refs, 1); /* until told returns */
    worker_post(w->worker, &w->mail);
}

void approvals_tell_over(struct approvals *a, struct approval *p, struct approval_wait *w)
{
    char text[sizeof(w->text)];
    const struct approval_said *said = p->now.said;
    p->told = true;
    switch (p->now.state) {
    case APPROVAL_DONE:
        if (p->unmade) {
            approvals_tell(a, p, w, APPROVAL_VOID, ERR_APPROVAL_VOID,
                           "the call was approved, and could not be made after all. Call again to ask anew");
            return;
        }
        approvals_tell(a, p, w, APPROVAL_DONE, ERR_OK,
                       p->result.n ? "this call was made already: here is what came of it"
                       : p->known  ? "this call was made already, and its result was not kept"
                                   : "this call was made already, and what came of it is not known");
        return;
    case APPROVAL_DENIED:
        snprintf(text, sizeof(text), "a person said no to this call%s%.200s", said && said->reason.n ? ": " : "",
                 said && said->reason.n ? said->reason.p : "");
        approvals_tell(a, p, w, APPROVAL_DENIED, ERR_APPROVAL_DENIED, text);
        return;
    case APPROVAL_EXPIRED:
        approvals_tell(a, p, w, APPROVAL_EXPIRED, ERR_APPROVAL_EXPIRED,
                       said && approval_enough(p, said, approval_digest(p))
                           ? "the call was approved and not taken up in time, so that it is not made"
                           : "nobody decided about this call in time, so that it is not made");
        return;
    default:
        snprintf(text, sizeof(text), "the question is void: %.200s", p->now.why);
        w->withdrawn = strcmp(p->now.why, APPROVAL_WITHDRAWN) == 0;
        approvals_tell(a, p, w, APPROVAL_VOID, p->err ? p->err : ERR_APPROVAL_VOID, text);
    }
}

void approvals_tell_all(struct approvals *a, struct approval *p)
{
    while (p->waits)
        approvals_tell_over(a, p, p->waits);
}

void approvals_tell_asked(struct approvals *a, struct approval *p)
{
    for (struct approval_wait *w = p->waits, *next; w; w = next) {
        next = w->next;
        if (w->asks)
            approvals_tell(a, p, w, APPROVAL_PENDING, ERR_OK, "");
    }
}

bool approvals_leave(struct approvals *a, struct approval_wait *w)
{
    pthread_mutex_lock(&a->lock);
    bool leaves = w->pending && !(w->on->move && w->on->move->taker == w);
    if (leaves) {
        ask_detach(w->on, w);
        w->left = true;
    }
    pthread_mutex_unlock(&a->lock);
    return leaves;
}

/* ---- asking ---- */

static void ask_fill(struct approval *p, struct approval_wait *w, bool joined)
{
    w->joined = joined;
    memcpy(w->id, p->id, sizeof(w->id));
    w->expires = p->now.until;
}

static bool ask_shape_holds(const struct approval *p, int64_t mono)
{
    return p->now.state == APPROVAL_DONE && mono < p->shape_until_mono && !approval_homeless(p, mono);
}

/* Is the call's answer, now or later, that of a question that is there? */
static bool ask_joins(struct approvals *a, struct approval *p, struct approval_wait *w)
{
    int64_t mono = clock_mono_ns();
    bool same =
        p && strcmp(w->id, p->id) == 0; /* its client waited for this very question, and was not here when it ended */
    if (!p || ask_shape_holds(p, mono) ||
        (!same && (p->now.state == APPROVAL_VOID || (p->now.state == APPROVAL_DONE && p->unmade))))
        return false;
    bool fresh = same || mono - p->over_mono <= a->result_ms * 1000000;
    if (approval_over(p->now.state)) {
        if (!(fresh && (same || p->now.state != APPROVAL_EXPIRED)) &&
            !(!p->told && mono - p->over_mono <= APPROVAL_TOLD_MS * INT64_C(1000000)))
            return false;
        ask_fill(p, w, true);
        approvals_tell_over(a, p, w);
        return true;
    }
    ask_fill(p, w, true);
    approvals_attach(p, w);
    if (p->now.state == APPROVAL_PENDING || p->now.state == APPROVAL_TAKEN)
        approvals_tell_asked(a, p);
    approvals_follow(a, p);
    return true;
}

static struct approval *ask_new(const struct approval_ask *ask, const unsigned char binding[SHA256_BYTES])
{
    struct approval *p = approval_new(ask, ask->lease->sid);
    if (!p)
        return NULL;
    enc_id("apr", p->id);
    memcpy(p->binding, binding, SHA256_BYTES);
    p->lease = lease_ref(ask->lease);
    p->created = clock_wall_ms();
    p->created_mono = clock_mono_ns();
    approval_set_until(&p->now, ask->limit_ms);
    if (ask->escalate_ms > 0 && ask->escalate_ms < ask->limit_ms && ask->escalate.n > 2) {
        p->now.escalates = p->created + ask->escalate_ms;
        p->now.escalates_mono = p->created_mono + ask->escalate_ms * 1000000;
    }
    return p;
}

/* With the lock. The first call of a new question, or one more of a shape that was approved. */
static enum err ask_enter(struct approvals *a, struct approval *p, struct approval *old, struct approval_wait *w,
                          struct buf *question, struct fault *f)
{
    bool repeat = old && ask_shape_holds(old, clock_mono_ns());
    if (!repeat && a->pending >= a->most_pending)
        return fault_set(f, ERR_APPROVALS, "%zu calls wait for a person, which is the most (limits.pending_approvals)",
                         a->pending);
    /* Who stops a session waits for what was asked before (approvals_settle): nothing is asked behind that. */
    if (!lease_is_open(p->lease, clock_mono_ns()))
        return fault_set(f, lease_stopped(p->lease) ? ERR_SESSION_STOPPED : ERR_SESSION_ENDED,
                         "the session is over: nobody is asked about its calls");
    struct approval_move *m = approvals_move(a, p, repeat ? APPROVAL_REPEAT : APPROVAL_ASKED);
    if (!m)
        return fault_set(f, ERR_NOMEM, "no memory to ask a person");
    m->question = *question;
    *question = (struct buf){.max = 1};
    if (repeat) {
        p->shape_until_mono = old->shape_until_mono;
        memcpy(m->shape_of, old->id, sizeof(m->shape_of));
        m->taker = w;
    }
    if (old)
        approvals_unbind(a, old);
    approvals_list_in(a, p);
    ask_fill(p, w, false);
    approvals_attach(p, w);
    approvals_put(a, m);
    return ERR_OK;
}

static bool ask_again(struct approvals *a, const unsigned char *binding, struct approval_wait *w)
{
    pthread_mutex_lock(&a->lock);
    bool joined = !a->closing && ask_joins(a, approvals_by_binding(a, binding), w);
    pthread_mutex_unlock(&a->lock);
    return joined;
}

static enum err ask_check(const struct approval_ask *ask, struct fault *f)
{
    if (ask->risk >= DUTY_RISK_CRITICAL)
        return fault_set(f, ERR_CRITICAL, "calls of critical risk are not made, and nobody can approve them");
    if (ask->digest.n != 2 * SHA256_BYTES || ask->limit_ms <= 0)
        return fault_set(f, ERR_INTERNAL, "a question without a digest or without an end");
    return ERR_OK;
}

enum err approvals_ask(struct approvals *a, const struct approval_ask *ask, struct approval_wait *w, struct fault *f)
{
    unsigned char binding[SHA256_BYTES];
    struct buf question CLEANUP(buf_done);
    buf_init(&question, APPROVAL_QUESTION);
    TRY(ask_check(ask, f));
    struct approval_wait came = *w;
    *w = (struct approval_wait){
        .worker = w->worker ? w->worker : worker_current(), .told = w->told, .asks = w->asks, .queue = a};
    memcpy(w->id, came.id, sizeof(w->id));
    approval_binding(ask, binding);
    if (ask_again(a, binding, w))
        return ERR_OK;
    struct approval *p = ask_new(ask, binding);
    if (p)
        row_question(p, ask, &question);
    if (!p || buf_failed(&question)) {
        approval_unref(p);
        return fault_set(f, ERR_NOMEM, "no memory to ask a person");
    }
    enum err e = ERR_OK;
    pthread_mutex_lock(&a->lock);
    struct approval *old = approvals_by_binding(a, binding);
    if (a->closing)
        e = fault_set(f, ERR_APPROVALS, "the gateway stops: nobody is asked any more");
    else if (!ask_joins(a, old, w)) /* somebody else may have asked meanwhile */
        e = ask_enter(a, p, old, w, &question, f);
    pthread_mutex_unlock(&a->lock);
    approval_unref(p);
    return e;
}
