/* One question as JSON: what programs need of it, and then what an approver sees. */
#include "approve/view.h"
#include "base/clock.h"

static void show_raw(struct json_out *o, const char *key, struct str json)
{
    json_kv_raw(o, key, json.n ? json : STR("[]"));
}

static void show_card(const struct approval_card *c, struct json_out *o)
{
    json_kv_str(o, "id", c->id);
    json_kv_z(o, "state", approval_states[c->state]);
    json_kv_z(o, "risk", duty_risks[c->risk]);
    json_kv_str(o, "tool", c->tool);
    json_kv_str(o, "agentId", c->agent);
    json_kv_str(o, "agentType", c->agent_type);
    json_kv_str(o, "agentVersion", c->agent_version);
    json_kv_str(o, "owner", c->owner);
    json_kv_str(o, "sessionId", c->session);
    json_kv_str(o, "user", c->user);
    clock_kv(o, "createdAt", c->created);
    clock_kv(o, "expiresAt", c->expires);
    json_kv_str(o, "digest", c->digest);
    json_kv_str(o, "definition", c->definition);
    json_kv_str(o, "policyVersion", c->policy_version);
    show_raw(o, "policies", c->policy_ids);
    show_raw(o, "why", c->why);
    json_kv_i64(o, "people", c->people);
    show_raw(o, "reviewers", c->reviewers);
    show_raw(o, "escalateTo", c->escalate);
    clock_kv(o, "escalatesAt", c->escalates);
    clock_kv(o, "escalatedAt", c->escalated);
    show_raw(o, "decisions", c->decisions);
    json_kv_str(o, "reason", c->reason);
    json_kv_bool(o, "made", c->state == APPROVAL_DONE && !c->unmade.n);
    json_kv_str(o, "traceId", c->trace_id);
}

enum err approvals_show(struct approvals *a, struct str id, struct json_out *o, struct fault *f)
{
    struct approval_card c;
    struct approval_view v;
    struct arena arena;
    arena_init(&arena, VIEW_ARENA);
    enum err e = approvals_view(a, id, &arena, &v, &c, f);
    if (!e) {
        json_open(o, '{');
        show_card(&c, o);
        view_json(&v, o);
        json_close(o, '}');
    }
    arena_done(&arena);
    return e;
}
