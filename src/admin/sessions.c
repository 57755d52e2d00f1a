/* Sessions: opened with their context by the platform that starts the agent, shown, ended. */
#include <stdatomic.h>

#include "admin/request.h"
#include "base/clock.h"

static void session_write_members(struct json_out *o, struct lease *l)
{
    static const char *const states[] = {"none", "open", "expired", "ended", "stopped"};
    int state = atomic_load(&l->state);
    json_kv_str(o, "sessionId", l->sid);
    json_kv_str(o, "agentId", l->agent_id);
    json_kv_str(o, "agentType", l->agent_type);
    json_kv_z(o, "state", lease_is_open(l, clock_mono_ns()) ? "open" : state == LEASE_OPEN ? "expired" : states[state]);
    json_kv_str(o, "user", l->user);
    json_kv_str(o, "tier", l->tier);
    json_kv_str(o, "trigger", l->trigger);
    clock_kv(o, "createdAt", l->created);
    clock_kv(o, "expiresAt", l->expires);
    json_kv_i64(o, "maxToolCalls", l->max_calls);
    json_kv_i64(o, "usedToolCalls", atomic_load(&l->used));
    json_kv_strs(o, "scopes", l->scope, l->scope_count);
}

static void session_write_one(void *ctx, struct lease *l)
{
    struct json_out *o = ctx;
    json_open(o, '{');
    session_write_members(o, l);
    json_close(o, '}');
}

enum err admin_sessions_list(struct admin_request *r, struct fault *f)
{
    (void)f;
    struct lease_store *s = r->admin->leases;
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_key(&o, STR("sessions"));
    json_open(&o, '[');
    s->ops->each(s, session_write_one, &o);
    json_close(&o, ']');
    json_close(&o, '}');
    return ERR_OK;
}

enum err admin_sessions_get(struct admin_request *r, struct fault *f)
{
    struct lease_store *s = r->admin->leases;
    struct lease *l = s->ops->find(s, r->id);
    if (!l)
        return fault_set(f, ERR_NOT_FOUND, "there is no session " STR_FMT, STR_ARG(r->id));
    struct json_out o = json_out(&r->out);
    session_write_one(&o, l);
    lease_unref(l);
    return ERR_OK;
}

static enum err session_wish_read(struct admin_request *r, struct session_wish *w, struct fault *f)
{
    static const char *const keys[] = {"agentId", "user",         "tier",     "trigger",
                                       "scopes",  "maxToolCalls", "lifetime", NULL};
    struct str lifetime;
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "user", &w->context.user, f));
    TRY(admin_str(r, "tier", &w->context.tier, f));
    TRY(admin_str(r, "trigger", &w->context.trigger, f));
    TRY(admin_str(r, "scopes", &w->scopes, f));
    TRY(admin_str(r, "lifetime", &lifetime, f));
    TRY(admin_i64(r, "maxToolCalls", &w->max_calls, f));
    struct str t = w->context.trigger;
    if (t.n && !str_is(t, "user") && !str_is(t, "schedule") && !str_is(t, "event") && !str_is(t, "agent"))
        return fault_set(f, ERR_PARAMS, "trigger must be user, schedule, event or agent");
    if (w->context.user.n > 256 || w->context.tier.n > 64)
        return fault_set(f, ERR_PARAMS, "user: at most 256 bytes; tier: at most 64");
    if (!t.n && w->context.user.n)
        w->context.trigger = STR("user");
    if (lifetime.n && (clock_duration(lifetime, &w->lifetime) || w->lifetime < 1000))
        return fault_set(f, ERR_PARAMS, "lifetime must be a duration of at least 1s, such as 15m");
    w->by = r->operator;
    return ERR_OK;
}

static enum err session_answer(struct admin_request *r, struct lease *l, struct fault *f)
{
    struct admin *a = r->admin;
    struct buf token;
    buf_init(&token, JOSE_TOKEN_MAX);
    enum err e = token_mint(a->keys, l, a->issuer, a->resource, &token, f);
    if (!e) {
        struct json_out o = json_out(&r->out);
        json_open(&o, '{');
        session_write_members(&o, l);
        json_kv_str(&o, "access_token", buf_view(&token));
        json_kv_z(&o, "token_type", "Bearer");
        json_kv_i64(&o, "expires_in", (l->expires - clock_wall_ms()) / 1000);
        json_close(&o, '}');
        r->status = 201;
        e = buf_failed(&r->out) ? fault_set(f, ERR_NOMEM, "no memory for the answer") : ERR_OK;
    }
    if (e) /* nobody could use it */
        session_end(a->sessions, l->sid, r->operator, STR("its token could not be given out"));
    secret_wipe(token.p, token.n);
    buf_done(&token);
    return e;
}

enum err admin_sessions_post(struct admin_request *r, struct fault *f)
{
    struct session_wish w = {0};
    struct str id;
    struct lease *l;
    TRY(session_wish_read(r, &w, f));
    TRY(admin_str(r, "agentId", &id, f));
    struct agent *agent CLEANUP(agent_unrefp) = id.n ? agents_find(r->admin->agents, id) : NULL;
    if (!agent)
        return fault_set(f, ERR_NOT_FOUND, "there is no agent " STR_FMT, STR_ARG(id));
    if (session_open(r->admin->sessions, agent, &w, &l, f)) /* an operator is not told to authenticate as an agent */
        return err_http(f->err) == 401 ? (f->err = ERR_CONFLICT) : f->err;
    enum err e = session_answer(r, l, f);
    lease_unref(l);
    return e;
}

enum err admin_sessions_end_one(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"reason", NULL};
    struct str reason;
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "reason", &reason, f));
    if (!session_end(r->admin->sessions, r->id, r->operator, reason.n ? reason : STR("an operator ended it")))
        return fault_set(f, ERR_NOT_FOUND, "no session " STR_FMT " is open", STR_ARG(r->id));
    TRY(admin_settle(r, f));
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_str(&o, "ended", r->id);
    json_close(&o, '}');
    return ERR_OK;
}
