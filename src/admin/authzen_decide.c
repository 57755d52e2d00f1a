/*
 * One evaluation. What the house knows goes before what the question says: an agent of the registry is what is
 * registered, a session that is open here is what it is. Whatever is not known, or not clear, is denied.
 */
#include "admin/authzen.h"
#include "base/clock.h"
#include "gate/rewrite.h"

/* ---- who ---- */

static enum err decide_property(struct authzen *z, const struct authzen_asked *q, const char *key, struct str *ret,
                                struct fault *f)
{
    *ret = json_str(z->doc, json_get(z->doc, q->subject_properties, str_of(key)), &z->arena);
    return ret->n ? ERR_OK
                  : fault_set(f, ERR_NOT_FOUND,
                              "the registry has no agent " STR_FMT ", and subject.properties.%s is not a string: "
                              "an agent that is not registered needs type, version, environment and owner",
                              STR_ARG(q->subject_id), key);
}

/* The strings live in the document, the arena or the agent. */
static enum err decide_agent(struct authzen *z, const struct authzen_asked *q, const struct agent *a, struct lease *l,
                             struct fault *f)
{
    l->agent_id = q->subject_id;
    if (a) {
        l->agent_type = a->type;
        l->agent_version = a->version;
        l->agent_env = a->env;
        l->agent_owner = a->owner;
        return agent_usable(a, clock_wall_ms(), f);
    }
    TRY(decide_property(z, q, "type", &l->agent_type, f));
    TRY(decide_property(z, q, "version", &l->agent_version, f));
    TRY(decide_property(z, q, "environment", &l->agent_env, f));
    return decide_property(z, q, "owner", &l->agent_owner, f);
}

static void decide_session(const struct authzen_asked *q, struct lease *l)
{
    l->sid = q->session_id;
    l->user = q->user;
    l->tier = q->tier;
    l->trigger = q->trigger;
    l->scope = q->scope;
    l->scope_count = q->scopes;
    l->used = q->calls;
    l->created = q->now_ms - q->age_ms;
}

/* A session of this gateway, which is more than what is said of it. */
static enum err decide_own_session(const struct authzen_asked *q, struct lease *l, struct fault *f)
{
    if (!str_eq(l->agent_id, q->subject_id))
        return fault_set(f, ERR_CONFLICT, "the session " STR_FMT " is another agent's", STR_ARG(q->session_id));
    return lease_is_open(l, clock_mono_ns())
               ? ERR_OK
               : fault_set(f, ERR_SESSION_ENDED, "the session " STR_FMT " is over", STR_ARG(q->session_id));
}

/* ---- what ---- */

static enum err decide_tool(const struct authzen *z, const struct authzen_asked *q, const struct tool **ret,
                            struct fault *f)
{
    if (!str_is(q->subject_type, "agent"))
        return fault_set(f, ERR_NOT_FOUND, "subjects are of type agent; " STR_FMT " is not known",
                         STR_ARG(q->subject_type));
    if (!str_is(q->resource_type, "tool"))
        return fault_set(f, ERR_NOT_FOUND, "resources are of type tool; " STR_FMT " is not known",
                         STR_ARG(q->resource_type));
    const struct tool *t = z->tools ? catalogue_by_id(z->tools, q->resource_id) : NULL;
    if (!t)
        return fault_set(f, ERR_TOOL_UNKNOWN, "there is no tool " STR_FMT " (server/tool), or its server is away",
                         STR_ARG(q->resource_id));
    if (!tool_served(t))
        return fault_set(f, ERR_TOOL_WITHHELD, "the tool " STR_FMT " is withheld: nobody has accepted its definition",
                         STR_ARG(t->id));
    if (!str_eq(q->action, t->name) && !str_is(q->action, "tools/call"))
        return fault_set(f, ERR_NOT_FOUND, "the action of " STR_FMT " is " STR_FMT " or tools/call, not " STR_FMT,
                         STR_ARG(t->id), STR_ARG(t->name), STR_ARG(q->action));
    *ret = t;
    return ERR_OK;
}

/* Policies were validated for arguments of the tool's schema, and are asked about no others. */
static enum err decide_fits(struct authzen *z, const struct tool *t, const struct json *doc, uint32_t input,
                            struct fault *f)
{
    static struct json_node none_nodes[] = {{.type = JSON_NONE}, {.off = 0, .len = 2, .next = 2, .type = JSON_OBJECT}};
    static const struct json none = {.text = {"{}", 2}, .node = none_nodes, .count = 2};
    if (!t->input)
        return fault_set(f, ERR_SCHEMA_UNUSABLE, "%s", t->fault.text);
    return schema_validate(t->input, input ? doc : &none, input ? input : JSON_ROOT, &z->arena, f);
}

/* ---- the answer ---- */

static enum err decide_changed(struct authzen *z, const struct authzen_asked *q, const struct tool *t,
                               struct authzen_decision *d, struct fault *f)
{
    const struct json *doc = z->doc;
    uint32_t input = q->input;
    for (unsigned i = 0; i < d->answer.duty.sets; i++) {
        const struct duty_set *set = &d->answer.duty.set[i];
        TRY(rewrite_doc(doc, input, set->path, set->value, &z->arena, &doc, f));
        input = JSON_ROOT;
    }
    if (!d->answer.duty.sets)
        return ERR_OK;
    if (decide_fits(z, t, doc, input, f)) {
        fault_wrap(f, "the arguments as the policies change them are refused");
        return f->err = ERR_POLICY;
    }
    d->input = json_raw(doc, input);
    return ERR_OK;
}

/* As at the gate: critical is never made, and a person is asked about what is high. */
static enum err decide_risk(struct authzen *z, const struct tool *t, const struct policy_seen *seen,
                            struct authzen_decision *d, struct fault *f)
{
    static const enum policy_effect effects[] = {[RISK_NEVER] = POLICY_DENY,
                                                 [RISK_ASKS] = POLICY_APPROVE,
                                                 [RISK_REVIEWED] = POLICY_ALLOW,
                                                 [RISK_THROUGH] = POLICY_ALLOW};
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64u << 10);
    struct json_out o = json_out(&b);
    risk_course(&z->conf->root, t->id, seen->risk, &d->answer.duty, &d->course);
    conf_rules_approvers(&z->conf->root, t->id, &o);
    d->approvers = arena_buf(&z->arena, &b);
    if (!d->approvers.p)
        return fault_set(f, ERR_NOMEM, "no memory for an evaluation");
    d->effect = effects[d->course.turn];
    return d->course.turn == RISK_NEVER
               ? fault_set(f, ERR_CRITICAL,
                           "the risk of this call to " STR_FMT " is critical: it is never made, whoever approves",
                           STR_ARG(t->id))
               : ERR_OK;
}

static enum err decide_judge(struct authzen *z, const struct authzen_asked *q, const struct tool *t,
                             const struct lease *l, struct authzen_decision *d, struct fault *f)
{
    struct policy_seen seen = {.risk = NULL};
    const struct policy_question question = {.lease = l,
                                             .tool = t,
                                             .doc = z->doc,
                                             .arguments = q->input,
                                             .source = q->has_source ? &q->source : NULL,
                                             .taint = q->taint,
                                             .taints = q->taints,
                                             .now_ms = q->now_ms,
                                             .seen = &seen};
    policy_judge(z->set, &question, &z->arena, &d->answer);
    d->judged = true;
    if (d->answer.effect == POLICY_DENY) {
        *f = d->answer.fault;
        return f->err ? f->err : (f->err = ERR_POLICY);
    }
    TRY(decide_changed(z, q, t, d, f));
    return decide_risk(z, t, &seen, d, f);
}

static enum err decide_by(struct authzen *z, const struct authzen_asked *q, const struct agent *a, struct lease *own,
                          struct authzen_decision *d, struct fault *f)
{
    struct lease said = {0};
    const struct tool *t;
    TRY(decide_tool(z, q, &t, f));
    TRY(stops_judge(z->admin->stops, q->subject_id, f));
    TRY(decide_agent(z, q, a, &said, f));
    if (own)
        TRY(decide_own_session(q, own, f));
    else
        decide_session(q, &said);
    TRY(decide_fits(z, t, z->doc, q->input, f));
    return decide_judge(z, q, t, own ? own : &said, d, f);
}

void authzen_decide(struct authzen *z, const struct authzen_asked *q, struct authzen_decision *ret)
{
    struct lease_store *s = z->admin->leases;
    struct agent *a CLEANUP(agent_unrefp) = agents_find(z->admin->agents, q->subject_id);
    struct lease *own = q->session_id.n ? s->ops->find(s, q->session_id) : NULL;
    *ret = (struct authzen_decision){.effect = POLICY_DENY};
    enum err e = decide_by(z, q, a, own, ret, &ret->fault);
    if (e) {
        ret->effect = POLICY_DENY;
        ret->fault.err = e;
    }
    if (own)
        lease_unref(own);
}
