/* Deciding: one person at a time, and the first one's word is the last. */
#include <stdlib.h>

#include "approve/inner.h"
#include "approve/view.h"
#include "base/clock.h"

enum { DECIDE_ARENA = 64 << 20, DECIDE_SHAPE_MS = 86400000, DECIDE_REASON = 2000 };

/* ---- what was decided before ---- */

static enum err decide_conflict(const struct approval *p, struct fault *f)
{
    char at[CLOCK_RFC3339];
    const struct approval_said *s = p->now.said;
    switch (p->now.state) {
    case APPROVAL_EXPIRED:
        clock_format(p->now.ended, at);
        return fault_set(f, ERR_CONFLICT, "its time ran out at %s: it counts as denied", at);
    case APPROVAL_VOID: return fault_set(f, ERR_CONFLICT, "the question is void: %.200s", p->now.why);
    default: break;
    }
    if (!s)
        return fault_set(f, ERR_CONFLICT, "it is decided already");
    clock_format(s->at, at);
    return fault_set(f, ERR_CONFLICT, STR_FMT " said %s already, at %s, by " STR_FMT, STR_ARG(s->by),
                     s->verdict >= APPROVE_ONCE ? "yes" : "no", at, STR_ARG(s->channel));
}

struct decide_past {
    struct arena arena;
    struct approval *p;
    struct fault *f;
    enum err e;
};

static void decide_past_row(void *ctx, const struct store_approval *row)
{
    struct decide_past *d = ctx;
    int64_t written;
    d->e = row_read(row, &d->arena, &d->p, &written, d->f);
}

static enum err decide_past(struct approvals *a, struct str id, enum approval_state *ret, struct fault *f)
{
    struct decide_past d = {.f = f};
    arena_init(&d.arena, DECIDE_ARENA);
    enum err e = a->store->ops->approval_read(a->store, id, decide_past_row, &d, f);
    if (!e)
        e = d.e;
    if (!e) {
        *ret = d.p->now.state;
        e = decide_conflict(d.p, f);
    }
    approval_unref(d.p);
    arena_done(&d.arena);
    return e;
}

/* ---- what is decided ---- */

/* Edited arguments in the form that their digest is of. */
static enum err decide_canonical(struct str arguments, struct buf *out, struct fault *f)
{
    struct arena a;
    struct json j;
    arena_init(&a, DECIDE_ARENA);
    enum err e = json_parse(&j, arguments, &a, NULL, f);
    if (!e && json_type(&j, JSON_ROOT) != JSON_OBJECT)
        e = fault_set(f, ERR_PARAMS, "arguments are a JSON object, not %s", json_type_name(json_type(&j, JSON_ROOT)));
    else if (e && e != ERR_NOMEM)
        e = fault_set(f, ERR_PARAMS, "the edited arguments are no JSON");
    else if (!e)
        e = json_canonical(&j, JSON_ROOT, out, &a);
    arena_done(&a);
    return e;
}

static enum err decide_check(const struct approval_decision *d, struct buf *edited, struct fault *f)
{
    if (!d->by.name.n)
        return fault_set(f, ERR_ROLE, "who decides has a name");
    if (d->verdict > APPROVE_SHAPE)
        return fault_set(f, ERR_PARAMS, "there is no such verdict");
    if (d->verdict == APPROVE_SHAPE && (d->shape_ms <= 0 || d->shape_ms > DECIDE_SHAPE_MS))
        return fault_set(f, ERR_PARAMS, "a shape is approved for some time, 24 hours at most");
    if (d->glass && d->verdict != APPROVE_ONCE)
        return fault_set(f, ERR_PARAMS, "by break-glass one call is approved, once");
    if (d->reason.n > DECIDE_REASON)
        return fault_set(f, ERR_PARAMS, "a reason is %d bytes at most", DECIDE_REASON);
    if (!d->arguments.n)
        return ERR_OK;
    if (d->verdict != APPROVE_ONCE)
        return fault_set(f, ERR_PARAMS, "edited arguments are approved once: neither denied nor as a shape");
    return decide_canonical(d->arguments, edited, f);
}

/* The shortest of what those said who said yes to it; 0: one of them said once. */
static int64_t decide_shape(const struct approval_said *s, const char *digest)
{
    int64_t least = INT64_MAX;
    for (; s; s = s->before)
        if (s->verdict >= APPROVE_ONCE && strcmp(s->digest, digest) == 0 && s->shape_ms < least)
            least = s->shape_ms;
    return least == INT64_MAX ? 0 : least;
}

/* What a decision brings with it. */
struct decide_edit {
    struct str arguments;    /* canonical; or empty */
    struct changes *changes; /* between what was looked at and these; taken by the move */
};

/* What is said, or NULL: *e says why. */
static struct approval_said *decide_said(struct approvals *a, struct approval *p, const struct approval_decision *d,
                                         const struct decide_edit *with, const char *digest,
                                         struct decide_waiver *waives, enum err *e, struct fault *f)
{
    const struct changes *c = with->changes;
    *e = decide_may(a, p, d, digest, waives, f);
    if (!*e && with->arguments.n && !c)
        *e = fault_set(f, ERR_PARAMS, "the arguments have changed meanwhile. Look again");
    if (*e)
        return NULL;
    struct approval_said *said =
        approval_say(d, digest, c ? buf_view(&c->all) : STR_NONE, c ? buf_view(&c->paths) : STR_NONE, clock_wall_ms());
    if (!said)
        *e = fault_set(f, ERR_NOMEM, "no memory for a decision");
    else if (waives->groups || waives->people)
        memcpy(said->glass, a->glass.now.id, sizeof(said->glass));
    return said;
}

static enum approval_event decide_event(const struct approval *p, const struct approval_said *said)
{
    if (said->verdict < APPROVE_ONCE)
        return APPROVAL_DENY;
    return approval_enough(p, said, said->digest) ? APPROVAL_GRANT : APPROVAL_YES;
}

static enum err decide_move(struct approvals *a, struct approval *p, const struct approval_decision *d,
                            struct decide_edit *with, struct approval_move **ret, struct fault *f)
{
    struct approval_edit *edit = with->arguments.n ? approval_edit_new(with->arguments) : NULL;
    struct decide_waiver waives = {false, false};
    struct approval_move *m = NULL;
    enum err e;
    if (with->arguments.n && !edit)
        return fault_set(f, ERR_NOMEM, "no memory for a decision");
    struct approval_said *said = decide_said(a, p, d, with, edit ? edit->digest : approval_digest(p), &waives, &e, f);
    if (said) {
        said->before = p->now.said;
        m = approvals_move(a, p, decide_event(p, said));
    }
    if (!m) {
        free(said);
        free(edit);
        return e ? e : fault_set(f, ERR_NOMEM, "no memory for a decision");
    }
    m->next.said = said;
    if (edit)
        m->next.edit = edit;
    m->dwell_ms = d->dwell_ms;
    m->waives_groups = waives.groups;
    m->waives_people = waives.people;
    m->changes = with->changes;
    with->changes = NULL;
    m->waited = true;
    if (m->event == APPROVAL_GRANT) {
        approval_set_until(&m->next, a->take_ms);
        m->shape_ms = m->next.edit ? 0 : decide_shape(said, said->digest);
    }
    *ret = m;
    return ERR_OK;
}

/* Until nothing is under way, and what its time or its session made of it is in force. */
static void decide_settled(struct approvals *a, struct approval *p)
{
    for (;;) {
        while (p->move && a->running)
            pthread_cond_wait(&a->changed, &a->lock);
        approvals_follow(a, p);
        if (!p->move || !a->running)
            return;
    }
}

static enum err decide_wait(struct approvals *a, struct approval_move *m, struct fault *f)
{
    while (!m->applied && a->running)
        pthread_cond_wait(&a->changed, &a->lock);
    enum err e = m->err;
    if (e)
        (void)fault_set(f, e, "%s%s", m->event == APPROVAL_DENY ? "the no is in force, and not in the store yet: " : "",
                        m->fault.text);
    if (m->done)
        approvals_move_free(m);
    else
        m->waited = false;
    return e;
}

static enum err decide_locked(struct approvals *a, struct approval *p, const struct approval_decision *d,
                              struct decide_edit *with, enum approval_state *ret, struct fault *f)
{
    struct approval_move *m;
    decide_settled(a, p);
    if (a->closing)
        return fault_set(f, ERR_STORE, "the gateway stops: decide when it runs again");
    if (p->now.state != APPROVAL_PENDING) {
        *ret = p->now.state;
        return approval_late(p, INT64_MAX, INT64_MAX) || p->now.state > APPROVAL_PENDING
                   ? decide_conflict(p, f)
                   : fault_set(f, ERR_NOT_FOUND, "nobody is asked yet");
    }
    TRY(decide_move(a, p, d, with, &m, f));
    *ret = m->next.state;
    approvals_put(a, m);
    return decide_wait(a, m, f);
}

/* What is under way comes into the store first. */
static void decide_written(struct approvals *a, struct str id)
{
    pthread_mutex_lock(&a->lock);
    struct approval *p = approvals_by_id(a, id);
    if (p) {
        atomic_fetch_add(&p->refs, 1);
        decide_settled(a, p);
    }
    pthread_mutex_unlock(&a->lock);
    approval_unref(p);
}

/* Against what was looked at, which the digest of the decision says: what else stands there by now is refused. */
static enum err decide_changes(struct approvals *a, const struct approval_decision *d, struct decide_edit *with,
                               struct fault *f)
{
    struct approval_card card;
    struct arena arena;
    if (!with->arguments.n)
        return ERR_OK;
    decide_written(a, d->id);
    arena_init(&arena, VIEW_ARENA);
    enum err e = approvals_card(a, d->id, &arena, &card, f);
    bool there = !e && card.arguments.n && str_ieq(card.digest, d->digest);
    if (there && !(with->changes = calloc(1, sizeof(*with->changes))))
        e = fault_set(f, ERR_NOMEM, "no memory for a decision");
    else if (there)
        e = changes_make(a->audit, card.arguments, with->arguments, with->changes, f);
    arena_done(&arena);
    return e;
}

static enum err decide_now(struct approvals *a, const struct approval_decision *d, struct decide_edit *with,
                           enum approval_state *ret, struct fault *f)
{
    TRY(decide_changes(a, d, with, f));
    pthread_mutex_lock(&a->lock);
    struct approval *p = approvals_by_id(a, d->id);
    if (!p) {
        pthread_mutex_unlock(&a->lock);
        return decide_past(a, d->id, ret, f);
    }
    atomic_fetch_add(&p->refs, 1);
    enum err e = decide_locked(a, p, d, with, ret, f);
    pthread_mutex_unlock(&a->lock);
    approval_unref(p);
    return e;
}

enum err approvals_decide(struct approvals *a, const struct approval_decision *d, enum approval_state *ret,
                          struct fault *f)
{
    struct buf edited CLEANUP(buf_done);
    buf_init(&edited, APPROVAL_QUESTION);
    *ret = APPROVAL_NONE;
    TRY(decide_check(d, &edited, f));
    struct decide_edit with = {.arguments = buf_view(&edited)};
    enum err e = decide_now(a, d, &with, ret, f);
    if (with.changes)
        changes_done(with.changes);
    free(with.changes);
    return e;
}
