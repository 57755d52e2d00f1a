#include "conf/rules.h"

void conf_rules(const struct conf_root *r, struct str tool, struct conf_rules *ret)
{
    *ret = (struct conf_rules){.people = 1};
    for (size_t i = 0; i < r->tools.n; i++) {
        const struct conf_tool *t = &r->tools.v[i];
        int64_t after = t->escalate.after;
        if (!str_glob(t->name, tool))
            continue;
        ret->risk = t->risk > (int64_t)ret->risk ? (enum conf_risk)t->risk : ret->risk;
        ret->people = t->people > ret->people ? (unsigned)t->people : ret->people;
        if (after && (!ret->escalate_ms || after < ret->escalate_ms))
            ret->escalate_ms = after;
    }
}

static void rules_groups(const struct conf_root *r, struct str tool, bool escalate, struct json_out *o)
{
    json_open(o, '[');
    for (size_t i = 0; i < r->tools.n; i++) {
        const struct conf_tool *t = &r->tools.v[i];
        const struct conf_strings *groups = escalate ? &t->escalate.to : &t->approvers;
        for (size_t k = 0; k < groups->n && str_glob(t->name, tool); k++)
            json_put_str(o, groups->v[k]);
    }
    json_close(o, ']');
}

void conf_rules_approvers(const struct conf_root *r, struct str tool, struct json_out *o)
{
    rules_groups(r, tool, false, o);
}

void conf_rules_escalate(const struct conf_root *r, struct str tool, struct json_out *o)
{
    rules_groups(r, tool, true, o);
}
