/* The decision: every rule whose scope fits is evaluated, since reasons and errors are told in full. */
#include "cedar/parse.h"
#include "cedar/program.h"

struct deciding {
    struct cedar_run run;
    struct cedar_answer *answer;
    bool forbidden, poor;
};

/* Both lists are in the order of the set, and keep the first ones when there is no room for all. */
static void add_reason(struct cedar_answer *a, const struct cedar_policy *p)
{
    uint32_t at = a->reasons < a->reasons_max ? a->reasons : a->reasons_max;
    a->reasons++;
    if (at == a->reasons_max && (at == 0 || a->reason[--at]->order < p->order))
        return;
    for (; at > 0 && a->reason[at - 1]->order > p->order; at--)
        a->reason[at] = a->reason[at - 1];
    a->reason[at] = p;
}

static void add_error(struct cedar_answer *a, const struct cedar_error *e)
{
    uint32_t at = a->errors < a->errors_max ? a->errors : a->errors_max;
    a->errors++;
    if (at == a->errors_max && (at == 0 || a->error[--at].policy->order < e->policy->order))
        return;
    for (; at > 0 && a->error[at - 1].policy->order > e->policy->order; at--)
        a->error[at] = a->error[at - 1];
    a->error[at] = *e;
}

static void judge(void *ctx, const struct cedar_rule *rule)
{
    struct deciding *d = ctx;
    int test = rule->condition ? cedar_run_test(&d->run, rule->condition) : 1;
    if (test < 0) {
        d->poor |= d->run.why == CEDAR_WHY_MEMORY;
        add_error(d->answer, &(struct cedar_error){rule->policy, d->run.expr, d->run.why});
        return;
    }
    if (!test || (d->forbidden && !rule->forbid))
        return;
    if (rule->forbid && !d->forbidden)
        d->answer->reasons = 0; /* permits do not count any more */
    d->forbidden |= rule->forbid;
    add_reason(d->answer, rule->policy);
}

/* A policy that failed for want of memory might have been a forbid: then nothing is allowed. */
enum err cedar_decide(const struct cedar_program *p, const struct cedar_request *r, struct arena *scratch,
                      struct cedar_answer *ret)
{
    struct deciding d = {.answer = ret};
    ret->decision = CEDAR_DENY;
    ret->reasons = ret->errors = 0;
    cedar_run_init(&d.run, r, scratch);
    cedar_index_find(p, &d.run, judge, &d);
    if (d.poor)
        return ERR_NOMEM;
    if (ret->reasons && !d.forbidden)
        ret->decision = CEDAR_ALLOW;
    return ERR_OK;
}

enum err cedar_eval(const struct cedar_expr *e, const struct cedar_request *r, struct arena *scratch,
                    struct cedar_value *ret, struct cedar_error *ret_error)
{
    const struct cedar_node *n;
    struct cedar_run x;
    enum err err = cedar_node_of(e, scratch, &n);
    if (err) {
        *ret_error = (struct cedar_error){.expr = e, .why = err == ERR_LIMIT ? CEDAR_WHY_DEPTH : CEDAR_WHY_MEMORY};
        return ERR_SYNTAX;
    }
    cedar_run_init(&x, r, scratch);
    struct cedar_value v = cedar_run_value(&x, n);
    if (!v.kind) {
        *ret_error = (struct cedar_error){.expr = x.expr, .why = x.why};
        return ERR_SYNTAX;
    }
    *ret = v;
    return ERR_OK;
}
