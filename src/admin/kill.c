/* The kill switch: an agent, a session or everything is stopped, and let go on again. */
#include "admin/request.h"
#include "base/clock.h"

enum { KILL_REASON_MAX = 1000 };

/* Whoever reads the record later wants to know why. */
static enum err kill_reason(struct admin_request *r, struct str *ret, struct fault *f)
{
    static const char *const keys[] = {"reason", NULL};
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "reason", ret, f));
    return ret->n && ret->n <= KILL_REASON_MAX
               ? ERR_OK
               : fault_set(f, ERR_PARAMS, "reason must be given: 1 to %d bytes", KILL_REASON_MAX);
}

static enum err kill_run(struct admin_request *r, struct str agent, struct str session, struct fault *f)
{
    struct admin *a = r->admin;
    struct admin_kill k = {.agent = agent, .session = session, .by = r->operator};
    struct admin_killed done;
    TRY(kill_reason(r, &k.reason, f));
    TRY(a->kill(a->ctx, &k, &done, f));
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_z(&o, "killed", session.n ? "session" : agent.n ? "agent" : "all");
    if (agent.n)
        json_kv_str(&o, "agentId", agent);
    if (session.n)
        json_kv_str(&o, "sessionId", session);
    json_kv_i64(&o, "sessions", (int64_t)done.sessions);
    json_kv_i64(&o, "calls", (int64_t)done.calls);
    json_kv_bool(&o, "silent", done.silent);
    if (done.silent)
        json_kv_i64(&o, "silenceMs", done.silence_ms);
    else
        json_kv_null(&o, "silenceMs");
    json_kv_i64(&o, "waitedMs", done.waited_ms);
    json_close(&o, '}');
    return ERR_OK;
}

static void kill_find(void *ctx, const struct store_stop *p)
{
    struct str *id = ctx;
    if (id->n && str_eq(p->agent, *id))
        *id = STR_NONE;
}

/* Is it registered, has it sessions, or is it stopped? A name that means nobody must not pass for a stop. */
static bool kill_knows(struct admin *a, struct str id)
{
    struct agent *agent CLEANUP(agent_unrefp) = agents_find(a->agents, id);
    struct str left = id;
    stops_each(a->stops, kill_find, &left);
    return agent || !left.n || a->leases->ops->open_count(a->leases, id);
}

enum err admin_kill_agent(struct admin_request *r, struct fault *f)
{
    if (!kill_knows(r->admin, r->id))
        return fault_set(f, ERR_NOT_FOUND, "there is no agent " STR_FMT, STR_ARG(r->id));
    return kill_run(r, r->id, STR_NONE, f);
}

/* One that is over already may still have calls in flight. */
enum err admin_kill_session(struct admin_request *r, struct fault *f)
{
    struct lease_store *s = r->admin->leases;
    struct lease *l = s->ops->find(s, r->id);
    if (!l)
        return fault_set(f, ERR_NOT_FOUND, "there is no session " STR_FMT, STR_ARG(r->id));
    enum err e = kill_run(r, l->agent_id, r->id, f);
    lease_unref(l);
    return e;
}

enum err admin_kill_all(struct admin_request *r, struct fault *f)
{
    return kill_run(r, STR_NONE, STR_NONE, f);
}

static void kill_write(void *ctx, const struct store_stop *p)
{
    struct json_out *o = ctx;
    json_open(o, '{');
    json_kv_z(o, "stopped", p->agent.n ? "agent" : "all");
    if (p->agent.n)
        json_kv_str(o, "agentId", p->agent);
    else
        json_kv_null(o, "agentId");
    json_kv_str(o, "reason", p->reason);
    json_kv_str(o, "by", p->by);
    clock_kv(o, "stoppedAt", p->at);
    json_close(o, '}');
}

enum err admin_kill_list(struct admin_request *r, struct fault *f)
{
    (void)f;
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_key(&o, STR("stops"));
    json_open(&o, '[');
    stops_each(r->admin->stops, kill_write, &o);
    json_close(&o, ']');
    json_close(&o, '}');
    return ERR_OK;
}

static enum err kill_lift(struct admin_request *r, struct str agent, struct fault *f)
{
    struct admin *a = r->admin;
    struct str reason;
    struct audit_entry e;
    TRY(kill_reason(r, &reason, f));
    TRY(stops_lift(a->stops, agent, f));
    audit_entry_init(&e, AUDIT_REVIVED, AUDIT_HUMAN);
    e.actor = r->operator;
    e.agent_id = agent;
    e.reason = reason;
    e.judged = e.allowed = true;
    e.result = AUDIT_SUCCESS;
    e.details = agent.n ? STR("{\"scope\":\"agent\"}") : STR("{\"scope\":\"all\"}");
    audit_note(a->audit, &e);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_z(&o, "revived", agent.n ? "agent" : "all");
    if (agent.n)
        json_kv_str(&o, "agentId", agent);
    json_close(&o, '}');
    return ERR_OK;
}

enum err admin_revive_agent(struct admin_request *r, struct fault *f)
{
    return kill_lift(r, r->id, f);
}

enum err admin_revive_all(struct admin_request *r, struct fault *f)
{
    return kill_lift(r, STR(""), f);
}
