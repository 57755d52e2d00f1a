/*
 * May this agent call this tool with these arguments, in this session, now? The policies say (policy/policy.h): deny,
 * allow, or only when a person approves, who is asked further down (approval.c); and what else they ask for. Arguments
 * that they change are judged by the tool's schema again, and the digest is of the changed ones. Their limits count
 * what goes through: a call that waits for a person takes of them when it was approved.
 */
#include "base/clock.h"
#include "gate/gate.h"
#include "gate/stage.h"

/* Who decided, for the record: a JSON array of ids. */
static struct str policy_ids(struct call *c, const struct policy_answer *a)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64u << 10);
    struct json_out o = json_out(&b);
    json_open(&o, '[');
    for (uint32_t i = 0; i < a->reasons && i < POLICY_REASONS; i++)
        json_put_str(&o, a->reason[i]->id);
    json_close(&o, ']');
    return arena_buf(c->arena, &b);
}

static enum verdict policy_said(struct call *c, const struct policy_answer *a)
{
    static const char *const shadows[] = {"deny", "needs approval", "allow"};
    c->policy_ids = policy_ids(c, a);
    if (a->shadowed && a->shadow != a->effect)
        c->policy_shadow = shadows[a->shadow];
    if (a->effect != POLICY_ALLOW && a->effect != POLICY_APPROVE) {
        c->fault = a->fault;
        return VERDICT_DENY;
    }
    c->risk = risk_of(c->seen.risk, &a->duty);
    c->people = a->duty.approvals;
    bool asks = !c->took && (c->people || c->risk >= DUTY_RISK_HIGH);
    for (unsigned i = 0; i < a->duty.masks; i++)
        c->mask[c->masks++] = a->duty.mask[i];
    enum verdict v = duty_change(c, &a->duty);
    return v == VERDICT_NEXT && !asks ? duty_limits(c, &a->duty) : v;
}

enum verdict stage_policy(struct call *c)
{
    struct policy_answer answer;
    if (c->kind != CALL_TOOL) /* what else servers offer is allowed by the server (whitelist.c) */
        return VERDICT_NEXT;
    if (!c->asked_doc) {
        c->asked_doc = c->doc;
        c->asked_node = c->arguments_node;
    }
    c->policies = policy_force_get(c->gate->gate->policies);
    if (!c->policies)
        return gate_deny(c, ERR_POLICY_UNREADY, "no policies are in force: those of the configuration do not validate");
    const struct policy_question q = {.lease = c->lease,
                                      .tool = c->tool,
                                      .doc = c->doc,
                                      .arguments = c->arguments_node,
                                      .source = c->source,
                                      .now_ms = clock_wall_ms(),
                                      .seen = &c->seen};
    policy_judge(c->policies, &q, c->arena, &answer);
    return policy_said(c, &answer);
}
