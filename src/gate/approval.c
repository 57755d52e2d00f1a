/*
 * A person decides: a call of high risk, or one of which policies want that, becomes a question (approve/approve.h),
 * and waits here until it is decided, its client has been held long enough, or leaves. The question stays in any case:
 * the same call waits with the first one, and is made once.
 *
 *   asks --told TAKEN--> the whole way again, by what holds now --> here: still what was granted? --> on
 *        --told DONE---> the answer of the call that was made
 *        --told no-----> denied
 *        --held long---> its client is told to come back
 */
#include "base/clock.h"
#include "gate/gate.h"
#include "gate/stage.h"

static struct call *approval_call(struct approval_wait *w)
{
    return (struct call *)((char *)w - offsetof(struct call, wait));
}

/* ---- the ends ---- */

bool approval_undecided(const struct call *c)
{
    return c->fault.err == ERR_APPROVAL_PENDING ||
           (c->cancelled && c->fault.err == ERR_CANCELLED && c->wait.id[0] && !c->grant.id[0] && !c->on_record);
}

/* What its client is told: to come back. */
static enum verdict approval_pending(struct call *c)
{
    char until[CLOCK_RFC3339];
    clock_format(c->wait.expires, until);
    if (c->gate->stopping)
        return gate_deny(c, ERR_APPROVAL_PENDING,
                         "pending %s: Doorward is stopping, and the question stays. Repeat the same call once it is "
                         "back: it waits on, and is made once when a person approves it, until %s",
                         c->wait.id, until);
    c->retry_after_ms = 1000;
    c->comes_back = c->hold == HOLD_LEG;
    return gate_deny(c, ERR_APPROVAL_PENDING,
                     "pending %s: a person has to approve this call, until %s. Repeat the same call: it waits with the "
                     "first one, and is made once",
                     c->wait.id, until);
}

static void approval_end(struct call *c)
{
    hold_leave(c);
    gate_resume(c, VERDICT_DENY);
}

void approval_put_off(struct call *c)
{
    if (!approvals_leave(c->gate->gate->approvals, &c->wait)) {
        c->hold_until = INT64_MAX; /* the answer is on its way */
        return;
    }
    approval_pending(c);
    approval_end(c);
}

void approval_cancel(struct call *c)
{
    if (approvals_leave(c->gate->gate->approvals, &c->wait))
        approval_end(c);
}

/* ---- what came of it ---- */

void approval_outcome(struct call *c)
{
    struct approvals *a = c->gate->gate->approvals;
    bool left = c->sent || !c->fault.err;
    if (!c->took)
        return;
    c->took = false;
    if (c->answer.input && !c->fault.err) {
        approvals_done(a, c->grant.id, STR_NONE, false); /* it goes on with a call of its own, which has the grant */
    } else if (!left) {
        approvals_done(a, c->grant.id, STR_NONE, true);
    } else {
        struct str kept = share_write(c, APPROVAL_RESULT, c->arena);
        approvals_done(a, c->grant.id, kept, kept.n > 0);
    }
}

void approval_unmade(struct call *c)
{
    if (c->took)
        approvals_done(c->gate->gate->approvals, c->grant.id, STR_NONE, true);
    c->took = false;
}

/* ---- told ---- */

/* What people saw is what is sent: another text of the arguments is another call. */
static enum err approval_take_arguments(struct call *c, const struct approval_wait *w, struct approval_ask *ask)
{
    char *digest = arena_raw(c->arena, sizeof(c->digest), 1);
    struct json *doc = arena_alloc(c->arena, sizeof(*doc));
    struct str text = digest && doc ? arena_str(c->arena, w->arguments) : STR_NONE;
    unsigned char hash[SHA256_BYTES];
    if (!text.p || json_parse(doc, text, c->arena, NULL, NULL))
        return ERR_NOMEM;
    enc_sha256(text.p, text.n, hash);
    enc_hex(hash, sizeof(hash), digest);
    ask->arguments = text;
    ask->digest = str_of(digest);
    c->asked_doc = doc;
    c->asked_node = JSON_ROOT;
    return ERR_OK;
}

static void approval_taken(struct call *c)
{
    struct approval_ask ask;
    struct approval_wait *w = &c->wait;
    memcpy(c->grant.id, w->id, sizeof(c->grant.id));
    snprintf(c->grant.by, sizeof(c->grant.by), "%s", w->by);
    c->took = true;
    if (c->cancelled) {
        gate_resume(c, VERDICT_DENY);
        return;
    }
    risk_question(c, &ask);
    if ((w->arguments.n && approval_take_arguments(c, w, &ask)) || arena_failed(c->arena)) {
        gate_deny(c, ERR_NOMEM, "no memory for a call that was approved: it was not made");
        gate_resume(c, VERDICT_DENY);
        return;
    }
    approval_binding(&ask, c->grant.bound);
    if (lease_is_open(c->lease, clock_mono_ns())) {
        gate_again(c);
        return;
    }
    gate_deny(c, lease_stopped(c->lease) ? ERR_SESSION_STOPPED : ERR_SESSION_ENDED,
              "the session is over: the call was approved, and not made");
    gate_resume(c, VERDICT_DENY);
}

/* Its client is told of a task; where there is no room for one, to come back. */
static void approval_asked(struct call *c)
{
    c->is_task = !c->cancelled && !c->gate->stopping && task_keep(c);
    if (!c->cancelled && !c->is_task)
        c->hold = HOLD_LEG;
    if (!c->cancelled)
        approval_pending(c);
    gate_resume(c, VERDICT_DENY);
}

static void approval_shared(struct call *c)
{
    if (!c->wait.result.n && c->hold == HOLD_TASK && c->gate->gate->tasks &&
        task_known(c)) { /* which knows more, now or later */
        c->is_task = true;
        approval_pending(c);
        gate_resume(c, VERDICT_DENY);
        return;
    }
    c->shared = true;
    snprintf(c->grant.by, sizeof(c->grant.by), "%s", c->wait.by);
    if (!c->wait.result.n)
        gate_deny(
            c, ERR_APPROVAL_USED,
            "this very call was approved as %s and made once; what came of it is not known, or not kept. It is not "
            "made again by that",
            c->wait.id);
    else if (share_read(c, c->wait.result))
        gate_deny(c, ERR_NOMEM, "no memory for the answer of the call that was made");
    gate_resume(c, c->fault.err && c->fault.err != ERR_RESULT ? VERDICT_DENY : VERDICT_NEXT);
}

static void approval_told(struct approval_wait *w)
{
    struct call *c = approval_call(w);
    hold_leave(c);
    if (w->state == APPROVAL_PENDING) {
        approval_asked(c);
    } else if (w->state == APPROVAL_TAKEN) {
        approval_taken(c);
    } else if (c->cancelled) {
        gate_resume(c, VERDICT_DENY);
    } else if (w->state == APPROVAL_DONE) {
        approval_shared(c);
    } else {
        gate_deny(c, w->err ? w->err : ERR_APPROVAL_VOID, "%s", w->text[0] ? w->text : err_help(ERR_APPROVAL_VOID));
        gate_resume(c, VERDICT_DENY);
    }
}

/* ---- the stage ---- */

static int64_t approval_hold_ns(const struct call *c)
{
    struct conf *conf = conf_slot_get(c->gate->gate->conf);
    int64_t ms = conf->root.approval.hold;
    conf_unref(conf);
    return (c->hold_ms && c->hold_ms < ms ? c->hold_ms : ms) * 1000000;
}

static enum verdict approval_hold(struct call *c)
{
    struct approvals *a = c->gate->gate->approvals;
    int64_t now = clock_mono_ns();
    if (c->wait.asks)
        return VERDICT_WAIT; /* until the question is in the store */
    if (c->hold == HOLD_REPEAT && !c->wait.joined && approvals_leave(a, &c->wait))
        return approval_pending(c);
    c->asked_until = now + (c->wait.expires - clock_wall_ms()) * 1000000;
    c->hold_until = c->hold == HOLD_PROGRESS ? INT64_MAX : now + approval_hold_ns(c);
    hold_enter(c);
    return VERDICT_WAIT;
}

static enum verdict approval_ask(struct call *c)
{
    struct gate *g = c->gate->gate;
    struct approval_ask ask;
    if (!g->approvals)
        return gate_deny(c, ERR_APPROVAL, "a person has to approve this call first, and nobody can be asked here");
    risk_question(c, &ask);
    ask.stays = c->wait.asks = c->hold == HOLD_TASK && g->tasks;
    ask.call = task_call_write(c);
    if (arena_failed(c->arena))
        return gate_deny(c, ERR_NOMEM, "no memory to ask whether this call may be made");
    c->asked_people = ask.people;
    c->wait.worker = c->gate->worker;
    c->wait.told = approval_told;
    if (approvals_ask(g->approvals, &ask, &c->wait, &c->fault)) {
        c->wait.id[0] = 0;
        return VERDICT_DENY;
    }
    return approval_hold(c);
}

/* A call that people said yes to is still the one that they saw, under the same policies, of the same definition. */
static enum verdict approval_holds(struct call *c)
{
    struct approval_ask ask;
    unsigned char bound[SHA256_BYTES];
    risk_question(c, &ask);
    approval_binding(&ask, bound);
    if (arena_failed(c->arena))
        return gate_deny(c, ERR_NOMEM, "no memory for a call that was approved: it was not made");
    if (memcmp(bound, c->grant.bound, sizeof(bound)) != 0)
        return gate_deny(
            c, ERR_APPROVAL_VOID,
            "what was approved as %s is not this call any more: its arguments, the tool's definition or the "
            "policies are others now. Call again to ask anew",
            c->grant.id);
    if (c->took && ask.people > c->asked_people)
        return gate_deny(c, ERR_APPROVAL_VOID, "%u people have to approve this call by now. Call again to ask anew",
                         ask.people);
    return VERDICT_NEXT;
}

enum verdict stage_approval(struct call *c)
{
    if (c->kind != CALL_TOOL)
        return VERDICT_NEXT;
    if (risk_turn(c->risk, c->people) == RISK_NEVER)
        return gate_deny(c, ERR_CRITICAL,
                         "the risk of this call to " STR_FMT " is critical: it is never made, whoever approves",
                         STR_ARG(c->target));
    if (c->grant.id[0])
        return approval_holds(c);
    return risk_turn(c->risk, c->people) == RISK_ASKS ? approval_ask(c) : VERDICT_NEXT;
}
