/* Agents: registered, shown, rotated, disabled, deleted. A change that narrows what an agent may do ends its sessions.
 */
#include "admin/request.h"
#include "base/clock.h"

static void agent_write(struct json_out *o, const struct agent *a)
{
    json_open(o, '{');
    json_kv_str(o, "agentId", a->id);
    json_kv_str(o, "agentType", a->type);
    json_kv_str(o, "version", a->version);
    json_kv_str(o, "deploymentEnv", a->env);
    json_kv_str(o, "owner", a->owner);
    clock_kv(o, "createdAt", a->created);
    clock_kv(o, "expiresAt", a->expires);
    json_kv_bool(o, "enabled", a->enabled);
    json_kv_i64(o, "maxConcurrentSessions", a->max_sessions);
    json_kv_strs(o, "allowedTools", a->allowed.v, a->allowed.n);
    json_kv_strs(o, "deniedTools", a->denied.v, a->denied.n);
    json_key(o, STR("keys"));
    json_open(o, '[');
    for (size_t i = 0; i < a->key_count; i++) {
        json_open(o, '{');
        json_kv_z(o, "kid", jose_key_thumbprint(a->key[i].key));
        json_kv_z(o, "alg", jose_alg_name(jose_key_alg(a->key[i].key)));
        clock_kv(o, "createdAt", a->key[i].created);
        clock_kv(o, "retiresAt", a->key[i].retires);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

/* ---- on record ---- */

static void agent_details(const struct agent *a, bool rights, struct buf *out)
{
    struct json_out o = json_out(out); /* in the order of RFC 8785 */
    json_open(&o, '{');
    if (rights) {
        json_kv_strs(&o, "allowedTools", a->allowed.v, a->allowed.n);
        json_kv_strs(&o, "deniedTools", a->denied.v, a->denied.n);
        clock_kv(&o, "expiresAt", a->expires);
    }
    json_key(&o, STR("keys"));
    json_open(&o, '[');
    for (size_t i = 0; i < a->key_count; i++) {
        json_open(&o, '{');
        json_kv_z(&o, "kid", jose_key_thumbprint(a->key[i].key));
        clock_kv(&o, "retiresAt", a->key[i].retires);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    if (rights) {
        json_kv_i64(&o, "maxConcurrentSessions", a->max_sessions);
        json_kv_str(&o, "owner", a->owner);
    }
    json_close(&o, '}');
}

static void agent_note(struct admin_request *r, enum audit_event event, const struct agent *a, struct str details)
{
    struct audit_entry e;
    audit_entry_init(&e, event, AUDIT_HUMAN);
    e.actor = r->operator;
    e.agent_id = a->id;
    e.agent_type = a->type;
    e.agent_version = a->version;
    e.agent_env = a->env;
    e.details = details;
    e.result = AUDIT_SUCCESS;
    audit_note(r->admin->audit, &e);
}

/* What it is and what it may do: of one that is new; or only its keys. */
static void agent_note_whole(struct admin_request *r, enum audit_event event, const struct agent *a, bool rights)
{
    struct buf details CLEANUP(buf_done);
    buf_init(&details, 1 << 20);
    agent_details(a, rights, &details);
    agent_note(r, event, a, buf_view(&details));
}

static struct str agent_ended(struct admin_request *r, size_t sessions)
{
    return arena_fmt(r->arena, "{\"sessionsEnded\":%zu}", sessions);
}

static void agent_answer(struct admin_request *r, int status, const struct agent *a)
{
    struct json_out o = json_out(&r->out);
    agent_write(&o, a);
    r->status = status;
}

static void agent_list_one(void *ctx, struct agent *a)
{
    agent_write(ctx, a);
}

enum err admin_agents_list(struct admin_request *r, struct fault *f)
{
    (void)f;
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_key(&o, STR("agents"));
    json_open(&o, '[');
    agents_each(r->admin->agents, agent_list_one, &o);
    json_close(&o, ']');
    json_close(&o, '}');
    return ERR_OK;
}

enum err admin_agents_get(struct admin_request *r, struct fault *f)
{
    struct agent *a CLEANUP(agent_unrefp) = agents_find(r->admin->agents, r->id);
    if (!a)
        return fault_set(f, ERR_NOT_FOUND, "there is no agent " STR_FMT, STR_ARG(r->id));
    agent_answer(r, 200, a);
    return ERR_OK;
}

static struct str agent_jwk(struct admin_request *r)
{
    uint32_t node = json_get(&r->doc, JSON_ROOT, STR("publicKey"));
    return json_type(&r->doc, node) == JSON_OBJECT ? json_raw(&r->doc, node) : STR_NONE;
}

static enum err agent_wish_read(struct admin_request *r, struct agent_wish *w, struct fault *f)
{
    static const char *const keys[] = {"agentId",
                                       "agentType",
                                       "version",
                                       "deploymentEnv",
                                       "owner",
                                       "expiresAt",
                                       "maxConcurrentSessions",
                                       "allowedTools",
                                       "deniedTools",
                                       "publicKey",
                                       NULL};
    struct str expires;
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "agentId", &w->id, f));
    TRY(admin_str(r, "agentType", &w->type, f));
    TRY(admin_str(r, "version", &w->version, f));
    TRY(admin_str(r, "deploymentEnv", &w->env, f));
    TRY(admin_str(r, "owner", &w->owner, f));
    TRY(admin_str(r, "expiresAt", &expires, f));
    TRY(admin_i64(r, "maxConcurrentSessions", &w->max_sessions, f));
    TRY(admin_strings(r, "allowedTools", &w->allowed, f));
    TRY(admin_strings(r, "deniedTools", &w->denied, f));
    if (expires.n && (clock_parse(expires, &w->expires) || w->expires <= 0)) /* 0 would mean: not given */
        return fault_set(f, ERR_PARAMS, "expiresAt must be a date such as 2026-12-24T18:00:00Z");
    w->jwk = agent_jwk(r);
    return w->jwk.n ? ERR_OK : fault_set(f, ERR_PARAMS, "publicKey must be a JWK with the agent's public key");
}

enum err admin_agents_post(struct admin_request *r, struct fault *f)
{
    struct agent_wish w = {0};
    struct agent *a CLEANUP(agent_unrefp) = NULL;
    TRY(agent_wish_read(r, &w, f));
    struct conf *conf = conf_slot_get(r->admin->conf);
    enum err e = agents_create(r->admin->agents, &w, &conf->root, &a, f);
    conf_unref(conf);
    TRY(e);
    agent_note_whole(r, AUDIT_AGENT_CREATED, a, true);
    agent_answer(r, 201, a);
    return ERR_OK;
}

enum err admin_agents_drop(struct admin_request *r, struct fault *f)
{
    TRY(agents_delete(r->admin->agents, r->id, f));
    size_t ended = session_end_agent(r->admin->sessions, r->id, r->operator, STR("the agent was deleted"));
    admin_note(r->admin, AUDIT_AGENT_DELETED, r->operator, r->id, agent_ended(r, ended));
    TRY(admin_settle(r, f));
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_str(&o, "deleted", r->id);
    json_kv_i64(&o, "sessionsEnded", (int64_t)ended);
    json_close(&o, '}');
    return ERR_OK;
}

enum err admin_agents_turn(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"publicKey", "overlap", NULL};
    struct agent *a CLEANUP(agent_unrefp) = NULL;
    struct str overlap;
    int64_t overlap_ms = 600000;
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "overlap", &overlap, f));
    if (overlap.n && (clock_duration(overlap, &overlap_ms) || overlap_ms > 86400000))
        return fault_set(f, ERR_PARAMS,
                         "overlap must be a duration of at most 24h, such as 10m; 0s takes the old key out at once");
    struct str jwk = agent_jwk(r);
    if (!jwk.n)
        return fault_set(f, ERR_PARAMS, "publicKey must be a JWK with the agent's new public key");
    TRY(agents_rotate(r->admin->agents, r->id, jwk, overlap_ms, &a, f));
    agent_note_whole(r, AUDIT_AGENT_ROTATED, a, false);
    if (overlap_ms == 0) /* the old key is not trusted any more, nor is what it opened */
        session_end_agent(r->admin->sessions, a->id, r->operator, STR("the agent's key was replaced at once"));
    TRY(admin_settle(r, f));
    agent_answer(r, 200, a);
    return ERR_OK;
}

static enum err agent_switch(struct admin_request *r, bool enabled, struct fault *f)
{
    struct agent *a CLEANUP(agent_unrefp) = NULL;
    TRY(agents_enable(r->admin->agents, r->id, enabled, &a, f));
    size_t ended = 0;
    if (!enabled)
        ended = session_end_agent(r->admin->sessions, a->id, r->operator, STR("the agent was disabled"));
    agent_note(r, enabled ? AUDIT_AGENT_ENABLED : AUDIT_AGENT_DISABLED, a, enabled ? STR_NONE : agent_ended(r, ended));
    TRY(admin_settle(r, f));
    agent_answer(r, 200, a);
    return ERR_OK;
}

enum err admin_agents_disable(struct admin_request *r, struct fault *f)
{
    return agent_switch(r, false, f);
}

enum err admin_agents_enable_again(struct admin_request *r, struct fault *f)
{
    return agent_switch(r, true, f);
}
