/* Questions to people: what waits, what one is about, and a decision. */
#include "admin/looks.h"
#include "admin/request.h"
#include "approve/glass.h"
#include "approve/view.h"
#include "base/clock.h"

enum { APPROVAL_REASON_MAX = 1000, APPROVAL_MINUTES_MAX = 24 * 60, APPROVAL_ARGUMENTS_MAX = 16 << 20 };

/* ---- looking ---- */

enum err admin_approvals_list(struct admin_request *r, struct fault *f)
{
    struct str state;
    const struct admin_query query[] = {{"state", &state}};
    TRY(admin_query_read(r, query, 1, f));
    if (state.n && !str_is(state, "pending") && !str_is(state, "all"))
        return fault_set(f, ERR_PARAMS, "state must be pending (the default) or all");
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_i64(&o, "pending", (int64_t)approvals_pending(r->admin->approvals));
    json_key(&o, STR("breakGlass"));
    approvals_glass_json(r->admin->approvals, &o);
    json_key(&o, STR("approvals"));
    approvals_list(r->admin->approvals, !str_is(state, "all"), &o);
    json_close(&o, '}');
    return ERR_OK;
}

enum err admin_approvals_get(struct admin_request *r, struct fault *f)
{
    struct json_out o = json_out(&r->out);
    TRY(approvals_show(r->admin->approvals, r->id, &o, f));
    looks_seen(r->admin->looks, r->operator, r->id);
    return ERR_OK;
}

/* ---- deciding ---- */

static enum err approval_reason(struct admin_request *r, struct str *ret, struct fault *f)
{
    TRY(admin_str(r, "reason", ret, f));
    return ret->n <= APPROVAL_REASON_MAX ? ERR_OK
                                         : fault_set(f, ERR_PARAMS, "reason: at most %d bytes", APPROVAL_REASON_MAX);
}

/* What was not shown cannot have been edited: a mask in the place of a value would be sent as it is. */
static bool approval_holds_mask(struct str canonical)
{
    return memmem(canonical.p, canonical.n, "[masked]", 8) || memmem(canonical.p, canonical.n, "[sealed]", 8);
}

static enum err approval_arguments(struct admin_request *r, struct str *ret, struct fault *f)
{
    uint32_t node = json_get(&r->doc, JSON_ROOT, STR("arguments"));
    struct buf b CLEANUP(buf_done);
    buf_init(&b, APPROVAL_ARGUMENTS_MAX);
    if (!node || json_type(&r->doc, node) == JSON_NULL)
        return ERR_OK;
    if (json_type(&r->doc, node) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "arguments must be an object, but is %s",
                         json_type_name(json_type(&r->doc, node)));
    if (json_canonical(&r->doc, node, &b, r->arena))
        return fault_set(f, ERR_PARAMS, "arguments: they have no canonical form, or are larger than %d bytes",
                         APPROVAL_ARGUMENTS_MAX);
    *ret = arena_buf(r->arena, &b);
    if (!ret->p)
        return fault_set(f, ERR_NOMEM, "no memory for the arguments");
    return approval_holds_mask(*ret)
               ? fault_set(
                     f, ERR_PARAMS,
                     "arguments: they hold [masked] or [sealed] in the place of a value that was not shown; a call "
                     "with such values can be approved or denied, but not edited here")
               : ERR_OK;
}

static enum err approval_digest(struct admin_request *r, bool needed, struct str *ret, struct fault *f)
{
    TRY(admin_str(r, "digest", ret, f));
    return ret->n || !needed ? ERR_OK
                             : fault_set(f, ERR_PARAMS, "digest: needed, that of the arguments that were looked at");
}

static enum err approval_minutes(struct admin_request *r, int64_t *ret_ms, struct fault *f)
{
    int64_t minutes = 0;
    if (!json_get(&r->doc, JSON_ROOT, STR("minutes")))
        return ERR_OK;
    TRY(admin_i64(r, "minutes", &minutes, f));
    if (minutes < 1 || minutes > APPROVAL_MINUTES_MAX)
        return fault_set(f, ERR_PARAMS, "minutes must be from 1 to %d", APPROVAL_MINUTES_MAX);
    *ret_ms = minutes * 60000;
    return ERR_OK;
}

static enum err approval_bool(struct admin_request *r, const char *key, bool *ret, struct fault *f)
{
    uint32_t node = json_get(&r->doc, JSON_ROOT, str_of(key));
    if (node && json_type(&r->doc, node) != JSON_TRUE && json_type(&r->doc, node) != JSON_FALSE)
        return fault_set(f, ERR_PARAMS, "%s must be true or false", key);
    *ret = json_bool(&r->doc, node, false);
    return ERR_OK;
}

static void approval_answer(struct admin_request *r, enum approval_state state, const struct admin_killed *killed)
{
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_str(&o, "id", r->id);
    json_kv_z(&o, "state", approval_states[state]);
    json_kv_str(&o, "by", r->operator);
    if (killed) {
        json_kv_i64(&o, "sessionsKilled", (int64_t)killed->sessions);
        json_kv_bool(&o, "silent", killed->silent);
    }
    json_close(&o, '}');
}

static enum err approval_by(struct admin_request *r, struct approval_decision *d, struct fault *f)
{
    struct str agent = http_header(&r->x->head, "user-agent");
    struct store_person p = {.email = STR_NONE};
    if (people_find(r->admin->people, r->operator, r->arena, &p, f) == ERR_NOMEM)
        return f->err;
    d->id = r->id;
    d->by = (struct person){.name = r->operator,
                            .groups = r->groups.n ? r->groups : STR("[]"),
                            .channel = r->console.id[0]                      ? STR("console")
                                       : str_starts(agent, STR("doorward/")) ? STR("cli")
                                                                             : STR("api"),
                            .passkey = r->passkey,
                            .email = p.email};
    d->dwell_ms = looks_dwell(r->admin->looks, r->operator, r->id);
    return ERR_OK;
}

enum err admin_approvals_approve(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"digest", "reason", "minutes", "arguments", "breakGlass", NULL};
    struct approval_decision d = {.verdict = APPROVE_ONCE};
    enum approval_state state;
    TRY(admin_only(r, keys, f));
    TRY(approval_digest(r, true, &d.digest, f));
    TRY(approval_reason(r, &d.reason, f));
    TRY(approval_minutes(r, &d.shape_ms, f));
    TRY(approval_arguments(r, &d.arguments, f));
    TRY(approval_bool(r, "breakGlass", &d.glass, f));
    if (d.glass && d.shape_ms)
        return fault_set(f, ERR_PARAMS, "either minutes or breakGlass: by break-glass one call is approved, once");
    if (d.shape_ms && d.arguments.n)
        return fault_set(f, ERR_PARAMS, "either minutes or arguments: edited arguments are approved once");
    if (d.shape_ms)
        d.verdict = APPROVE_SHAPE;
    TRY(approval_by(r, &d, f));
    TRY(approvals_decide(r->admin->approvals, &d, &state, f));
    approval_answer(r, state, NULL);
    return ERR_OK;
}

/* The denial stands, also when the session could not be stopped: then the answer is an error that says so. */
static enum err approval_kill(struct admin_request *r, const struct approval_card *c, struct str reason,
                              struct admin_killed *ret, struct fault *f)
{
    struct admin *a = r->admin;
    struct str why = reason.n ? reason : STR("an approver denied a call of it, and stopped it");
    struct admin_kill k = {.agent = c->agent, .session = c->session, .by = r->operator, .reason = why };
    return a->kill(a->ctx, &k, ret, f) ? fault_wrap(f, "the call is denied, but its session is not stopped") : ERR_OK;
}

enum err admin_approvals_deny(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"digest", "reason", "kill", NULL};
    struct approval_decision d = {.verdict = APPROVE_DENY};
    struct approval_card card = {.people = 0};
    struct admin_killed killed = {.sessions = 0};
    enum approval_state state;
    TRY(admin_only(r, keys, f));
    TRY(approval_digest(r, false, &d.digest, f));
    TRY(approval_reason(r, &d.reason, f));
    bool kill = false;
    TRY(approval_bool(r, "kill", &kill, f));
    if (kill)
        d.verdict = APPROVE_DENY_AND_KILL;
    TRY(approval_by(r, &d, f));
    if (d.verdict == APPROVE_DENY_AND_KILL)
        TRY(approvals_card(r->admin->approvals, r->id, r->arena, &card, f));
    TRY(approvals_decide(r->admin->approvals, &d, &state, f));
    if (d.verdict == APPROVE_DENY_AND_KILL)
        TRY(approval_kill(r, &card, d.reason, &killed, f));
    approval_answer(r, state, d.verdict == APPROVE_DENY_AND_KILL ? &killed : NULL);
    return ERR_OK;
}
