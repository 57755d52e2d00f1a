/* Deciding: one person at a time, and the first one's word is the last. */
#include <stdlib.h>

#include "approve/inner.h"
#include "approve/view.h"
#include "base/clock.h"

enum { DECIDE_ARENA = 64 << 20, DECIDE_SHAPE_MS = 86400000, DECIDE_REASON = 2000 };

/* ---- may this person? ---- */

/* Is one of these groups also one of those? any: there are some. Both are JSON arrays. */
static enum err decide_in(struct str groups, struct str mine, bool *any, bool *fits, struct fault *f)
{
    struct arena a;
    struct json want, has;
    arena_init(&a, DECIDE_ARENA);
    enum err e = groups.n ? json_parse(&want, groups, &a, NULL, f) : ERR_OK;
    if (!e && groups.n) {
        e = json_parse(&has, mine.n ? mine : STR("[]"), &a, NULL, f);
        JSON_EACH(&want, JSON_ROOT, group)
        {
            *any = true;
            if (!e)
                JSON_EACH(&has, JSON_ROOT, one)
                {
                    *fits = *fits || json_str_same(&want, group, &has, one);
                }
        }
    }
    arena_done(&a);
    return e && e != ERR_NOMEM ? fault_set(f, ERR_ROLE, "whose groups cannot be read is in none") : e;
}

static enum err decide_group(const struct approval *p, const struct person *by, struct fault *f)
{
    bool any = false, fits = false, second = p->now.escalated > 0;
    TRY(decide_in(p->reviewers, by->groups, &any, &fits, f));
    if (any && !fits && second)
        TRY(decide_in(p->escalate, by->groups, &any, &fits, f));
    return any && !fits
               ? fault_set(f, ERR_ROLE, STR_FMT " is in none of the groups that decide about this call: %.120s%s%.120s",
                           STR_ARG(by->name), p->reviewers.p, second ? ", " : "", second ? p->escalate.p : "")
               : ERR_OK;
}

/* Nobody for whom the agent acts says yes where it takes two, or where break-glass stands for somebody else. */
static enum err decide_own(const struct approval *p, const struct person *by, const char *what, struct fault *f)
{
    if (str_ieq(by->name, p->owner))
        return fault_set(f, ERR_ROLE, "the agent's owner cannot %s", what);
    if (p->user.n && str_ieq(by->name, p->user))
        return fault_set(f, ERR_ROLE, "the user on whose behalf the agent acts cannot %s", what);
    return ERR_OK;
}

/* Two people, and neither of them one for whom the agent acts. A no is everybody's. */
static enum err decide_four_eyes(const struct approval *p, const struct approval_decision *d, const char *digest,
                                 struct fault *f)
{
    if (p->people < 2)
        return ERR_OK;
    TRY(decide_own(p, &d->by, "be one of the two who approve its call", f));
    for (const struct approval_said *s = p->now.said; s && !d->glass; s = s->before)
        if (s->verdict >= APPROVE_ONCE && str_ieq(s->by, d->by.name) && strcmp(s->digest, digest) == 0)
            return fault_set(f, ERR_ROLE, STR_FMT " said yes already: the second yes is a different person's",
                             STR_ARG(d->by.name));
    return ERR_OK;
}

/* ---- break-glass ---- */

struct decide_waiver {
    bool groups, people;
};

static bool decide_alone(const struct approval *p, const struct approval_decision *d, const char *digest)
{
    unsigned others = 0;
    for (const struct approval_said *s = p->now.said; s; s = s->before)
        others += s->verdict >= APPROVE_ONCE && !str_ieq(s->by, d->by.name) && strcmp(s->digest, digest) == 0;
    return others + 1 < p->people;
}

static enum err decide_glass(const struct approvals *a, const struct approval *p, const struct approval_decision *d,
                             struct fault *f)
{
    if (!glass_open(a))
        return fault_set(f, ERR_CONFLICT, "break-glass is not open: doorward break-glass start opens it");
    return decide_own(p, &d->by, "approve its call by break-glass", f);
}

static enum err decide_digest(const struct approval *p, const struct approval_decision *d, struct fault *f)
{
    bool no = d->verdict < APPROVE_ONCE;
    if (no && !d->digest.n)
        return ERR_OK;
    if (!d->digest.n)
        return fault_set(f, ERR_PARAMS, "a yes names the arguments that were looked at: digest is \"%s\" now",
                         approval_digest(p));
    return str_ieq(d->digest, str_of(approval_digest(p)))
               ? ERR_OK
               : fault_set(f, ERR_PARAMS,
                           "the arguments are not those that were looked at: their digest is %s now. Look again",
                           approval_digest(p));
}

static unsigned decide_sayings(const struct approval *p)
{
    unsigned n = 0;
    for (const struct approval_said *s = p->now.said; s; s = s->before)
        n++;
    return n;
}

static enum err decide_may(const struct approvals *a, const struct approval *p, const struct approval_decision *d,
                           const char *digest, struct decide_waiver *ret, struct fault *f)
{
    bool yes = d->verdict >= APPROVE_ONCE;
    struct decide_waiver w = {false, false};
    enum err e = decide_group(p, &d->by, f);
    if (e == ERR_ROLE && yes && d->glass)
        w.groups = true;
    else
        TRY(e);
    TRY(decide_digest(p, d, f));
    if (!yes)
        return ERR_OK;
    if (decide_sayings(p) + 1 >= APPROVAL_SAYINGS)
        return fault_set(f, ERR_LIMIT, "%d decisions about one call are the most: deny it, or let its time run out",
                         APPROVAL_SAYINGS);
    TRY(decide_four_eyes(p, d, digest, f));
    w.people = d->glass && decide_alone(p, d, digest);
    if (w.groups || w.people)
        TRY(decide_glass(a, p, d, f));
    *ret = w;
    return ERR_OK;
}

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

static enum err decide_move(struct approvals *a, struct approval *p, const struct approval_decision *d,
                            struct decide_edit *with, struct approval_move **ret, struct fault *f)
{
    struct str edited = with->arguments;
    struct approval_edit *edit = edited.n ? approval_edit_new(edited) : NULL;
    const char *digest = edit ? edit->digest : approval_digest(p);
    struct decide_waiver waives = {false, false};
    enum err e = edited.n && !edit ? fault_set(f, ERR_NOMEM, "no memory for a decision")
                                   : decide_may(a, p, d, digest, &waives, f);
    const struct changes *c = with->changes;
    if (!e && edited.n && !c)
        e = fault_set(f, ERR_PARAMS, "the arguments have changed meanwhile. Look again");
    struct approval_said *said = e ? NULL
                                   : approval_say(d, digest, c ? buf_view(&c->all) : STR_NONE,
                                                  c ? buf_view(&c->paths) : STR_NONE, clock_wall_ms());
    char *passkey = said && d->by.passkey.n ? strndup(d->by.passkey.p, d->by.passkey.n) : NULL;
    struct approval_move *m = NULL;
    if (!e && said && (passkey || !d->by.passkey.n)) {
        said->before = p->now.said;
        if (waives.groups || waives.people)
            memcpy(said->glass, a->glass.now.id, sizeof(said->glass));
        bool enough = approval_enough(p, said, digest);
        m = approvals_move(a, p, d->verdict < APPROVE_ONCE ? APPROVAL_DENY : enough ? APPROVAL_GRANT : APPROVAL_YES);
    }
    if (!m) {
        free(said);
        free(edit);
        free(passkey);
        return e ? e : fault_set(f, ERR_NOMEM, "no memory for a decision");
    }
    m->next.said = said;
    if (edit)
        m->next.edit = edit;
    m->dwell_ms = d->dwell_ms;
    m->passkey = passkey;
    m->waives_groups = waives.groups;
    m->waives_people = waives.people;
    m->changes = with->changes;
    with->changes = NULL;
    m->waited = true;
    if (m->event == APPROVAL_GRANT) {
        approval_set_until(&m->next, a->take_ms);
        m->shape_ms = m->next.edit ? 0 : decide_shape(said, digest);
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
