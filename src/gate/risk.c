/*
 * How much harm a call can do, and what follows: low goes through; medium goes through, and somebody looks at it later;
 * high waits for a person; critical is never made. The configuration says it of tools (of several patterns that fit the
 * highest; without any: high), and policies raise it, never lower it.
 */
#include "gate/risk.h"

#include "gate/gate.h"
#include "gate/stage.h"

enum duty_risk risk_of(const char *of_tool, const struct duty *d)
{
    enum duty_risk risk = DUTY_RISK_HIGH; /* what nobody has looked at */
    for (unsigned i = DUTY_RISK_LOW; of_tool && duty_risks[i]; i++)
        if (strcmp(of_tool, duty_risks[i]) == 0)
            risk = (enum duty_risk)i;
    return d->risk > risk ? d->risk : risk;
}

const char *const risk_turns[] = {"never", "asks", "reviewed", "through"};

enum risk_turn risk_turn(enum duty_risk risk, unsigned people_of_policies)
{
    if (risk >= DUTY_RISK_CRITICAL)
        return RISK_NEVER;
    if (risk != DUTY_RISK_LOW && risk != DUTY_RISK_MEDIUM)
        return RISK_ASKS;
    return people_of_policies ? RISK_ASKS : risk == DUTY_RISK_MEDIUM ? RISK_REVIEWED : RISK_THROUGH;
}

void risk_course(const struct conf_root *r, struct str tool, const char *of_tool, const struct duty *d,
                 struct risk_course *ret)
{
    struct conf_rules rules;
    conf_rules(r, tool, &rules);
    ret->risk = risk_of(of_tool, d);
    ret->turn = risk_turn(ret->risk, d->approvals);
    ret->people = rules.people > d->approvals ? rules.people : d->approvals;
}

/* ---- the question ---- */

/* Groups, as a JSON array in the arena. */
static struct str risk_groups(struct call *c, const struct conf_root *r,
                              void (*groups)(const struct conf_root *r, struct str tool, struct json_out *o))
{
    struct buf b CLEANUP(buf_done);
    struct json_out o = json_out(&b);
    buf_init(&b, 64u << 10);
    groups(r, c->target, &o);
    return arena_buf(c->arena, &b);
}

/* Why it is held, in sentences. */
static struct str risk_why(struct call *c, bool said)
{
    struct buf b CLEANUP(buf_done);
    struct json_out o = json_out(&b);
    const char *of_tool = c->seen.risk ? c->seen.risk : duty_risks[DUTY_RISK_HIGH];
    bool raised = strcmp(of_tool, duty_risks[c->risk]) != 0;
    buf_init(&b, 64u << 10);
    json_open(&o, '[');
    if (!said)
        json_put_str(&o, STR("the configuration says no risk of this tool, which counts as high"));
    else if (!raised && c->risk >= DUTY_RISK_HIGH)
        json_put_str(&o, arena_fmt(c->arena, "the configuration says that the risk of this tool is %s", of_tool));
    if (raised)
        json_put_str(&o, arena_fmt(c->arena, "policies raise the risk of this call from %s to %s", of_tool,
                                   duty_risks[c->risk]));
    if (c->people)
        json_put_str(&o, c->people > 1 ? STR("policies want two people to say yes")
                                       : STR("policies want a person to say yes"));
    json_close(&o, ']');
    return arena_buf(c->arena, &b);
}

/* A member of the tool's definition, as it is written there; or nothing. */
static struct str risk_member(struct call *c, const struct json *definition, const char *name, bool text)
{
    uint32_t at = json_get(definition, JSON_ROOT, str_of(name));
    if (!at || (text && json_type(definition, at) != JSON_STRING))
        return STR("");
    return text ? json_str(definition, at, c->arena) : json_raw(definition, at);
}

void risk_question(struct call *c, struct approval_ask *ask)
{
    struct json definition;
    struct conf *conf = conf_slot_get(c->gate->gate->conf);
    struct conf_rules rules;
    conf_rules(&conf->root, c->target, &rules);
    *ask = (struct approval_ask){.lease = c->lease,
                                 .tool = c->target,
                                 .definition = str_of(c->tool->hash),
                                 .arguments = c->arguments,
                                 .digest = str_of(c->digest),
                                 .policy_version = str_of(policy_set_texts(c->policies)->version),
                                 .policy_ids = c->policy_ids,
                                 .risk = c->risk,
                                 .why = risk_why(c, rules.risk != CONF_RISK_UNSET),
                                 .people = rules.people > c->people ? rules.people : c->people,
                                 .reviewers = risk_groups(c, &conf->root, conf_rules_approvers),
                                 .escalate = risk_groups(c, &conf->root, conf_rules_escalate),
                                 .escalate_ms = rules.escalate_ms,
                                 .seal = record_seals(c),
                                 .reasoning = c->reasoning,
                                 .trace_id = str_of(c->trace_id),
                                 .limit_ms = conf->root.approval.time_limit};
    if (json_parse(&definition, c->tool->definition, c->arena, NULL, NULL) == ERR_OK) {
        ask->schema = risk_member(c, &definition, "inputSchema", false);
        ask->title = risk_member(c, &definition, "title", true);
        ask->description = risk_member(c, &definition, "description", true);
    }
    conf_unref(conf);
}

/* ---- looked at later ---- */

bool risk_reviewed(const struct call *c)
{
    return c->kind == CALL_TOOL && c->risk == DUTY_RISK_MEDIUM && !c->grant.by[0] && !c->answer.input;
}
