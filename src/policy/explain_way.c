/*
 * The smallest change that lets a denied call through: first every single one, then every pair of changes, then of
 * three. After each the whole set is asked again, so that what is told is true.
 */
#include "policy/explain.h"
#include "policy/set.h"

enum { WAY_MEMORY = 64 << 20 }; /* when the search has taken this, it ends with what it has found */

struct way_node {
    struct cedar_request r;
    struct explain_way way;
    struct explain_path at[EXPLAIN_CHANGES];
};
struct ways {
    const struct policy_set *s;
    struct arena *a;
    struct explain *e;
    struct way_node **node; /* in the order in which they are tried */
    unsigned nodes, now;
    size_t most; /* of the arena's total */
};

static bool ways_same(const struct explain_path *a, const struct explain_path *b)
{
    bool same = a->var == b->var && a->names == b->names;
    for (unsigned i = 0; same && i < a->names; i++)
        same = str_eq(a->name[i], b->name[i]);
    return same;
}

/* A way that changes nothing but what another one changes, in the same way, is none of its own. */
static bool way_known(const struct ways *w, const struct way_node *n)
{
    for (unsigned i = 0; i < w->nodes; i++) {
        const struct explain_way *b = &w->node[i]->way;
        unsigned same = 0;
        for (unsigned k = 0; b->changes == n->way.changes && k < b->changes; k++)
            for (unsigned m = 0; m < b->changes; m++)
                same += ways_same(&w->node[i]->at[k], &n->at[m]) &&
                        cedar_value_eq(b->change[k].after, n->way.change[m].after);
        if (b->changes == n->way.changes && same == b->changes)
            return true;
    }
    return false;
}

static void way_found(void *ctx, const struct explain_fix *fix)
{
    struct ways *w = ctx;
    const struct way_node *from = w->node[w->now];
    unsigned k = 0;
    if (w->nodes == EXPLAIN_TRIALS || w->a->total > w->most || arena_failed(w->a))
        return;
    while (k < from->way.changes && !ways_same(&from->at[k], &fix->at))
        k++;
    struct way_node *n = k < EXPLAIN_CHANGES ? arena_raw(w->a, sizeof(*n), 16) : NULL;
    if (!n)
        return;
    *n = *from;
    if (explain_apply(w->s, &from->r, fix, w->a, &n->r))
        return;
    struct explain_change *c = &n->way.change[k];
    if (k == n->way.changes) {
        *c = (struct explain_change){.path = explain_path_text(&fix->at, w->a),
                                     .before = explain_path_value(&fix->at, &from->r)};
        n->at[n->way.changes++] = fix->at;
    }
    c->after = fix->value;
    c->example = fix->example;
    if (!way_known(w, n))
        w->node[w->nodes++] = n;
}

/* The first condition that keeps a permit from applying; its other ones come up when that one holds. */
static void way_permit(struct ways *w, const struct cedar_request *r, const struct cedar_policy *p)
{
    if (!explain_scope(&p->action, &r->action, &r->world) || !explain_scope(&p->resource, &r->resource, &r->world))
        return;
    if (!explain_scope(&p->principal, &r->principal, &r->world)) {
        const struct cedar_scope *s = &p->principal;
        struct explain_fix fix = {{CEDAR_PRINCIPAL, {STR("type")}, 1}, {0}, false};
        if ((s->kind != CEDAR_IN && s->kind != CEDAR_IS_IN) || !s->n || !str_is(s->uid[0].type, "AgentType"))
            return;
        fix.value = cedar_string(s->uid[0].id);
        way_found(w, &fix);
        return;
    }
    for (uint32_t i = 0; i < p->conditions; i++) {
        struct cedar_value v;
        struct cedar_error error;
        bool want = !p->condition[i].unless;
        if (!cedar_eval(p->condition[i].expr, r, w->a, &v, &error) && v.kind == CEDAR_BOOL && v.b == want)
            continue;
        explain_fixes(w->s, r, p, p->condition[i].expr, want, w->a, way_found, w);
        return;
    }
}

/* One condition that does not hold is enough. */
static void way_forbid(struct ways *w, const struct cedar_request *r, const struct cedar_policy *p)
{
    for (uint32_t i = 0; i < p->conditions; i++)
        explain_fixes(w->s, r, p, p->condition[i].expr, p->condition[i].unless, w->a, way_found, w);
}

/* What stands in the way now; more of it comes up when that is away. */
static void way_expand(struct ways *w, const struct cedar_request *r, const struct policy_answer *answer)
{
    uint32_t errors = answer->errors < POLICY_ERRORS ? answer->errors : POLICY_ERRORS;
    if (answer->reasons && answer->reason[0]->effect == CEDAR_FORBID) {
        way_forbid(w, r, answer->reason[0]);
        return;
    }
    for (uint32_t i = 0; i < errors; i++)
        if (answer->error[i].policy->effect == CEDAR_FORBID) {
            way_forbid(w, r, answer->error[i].policy);
            return;
        }
    for (uint32_t i = 0; !answer->reasons && i < w->s->policies->n && w->a->total < w->most; i++)
        if (w->s->policies->policy[i]->effect == CEDAR_PERMIT)
            way_permit(w, r, w->s->policies->policy[i]);
}

void explain_ways(const struct policy_set *s, const struct cedar_request *r, struct arena *a, struct explain *ret)
{
    struct ways w = {.s = s, .a = a, .e = ret, .most = a->total + WAY_MEMORY};
    struct policy_answer answer;
    w.node = arena_alloc(a, (EXPLAIN_TRIALS + 1) * sizeof(struct way_node *));
    struct way_node *start = arena_alloc(a, sizeof(*start));
    if (!w.node || !start)
        return;
    start->r = *r;
    w.node[w.nodes++] = start;
    for (; w.now < w.nodes && ret->ways < EXPLAIN_WAYS && a->total < w.most && !arena_failed(a); w.now++) {
        struct way_node *n = w.node[w.now];
        if (ret->ways && n->way.changes > ret->way[0].changes) /* what follows is not the smallest */
            return;
        policy_judge_by(s, &n->r, a, &answer);
        ret->trials++;
        if (answer.effect == POLICY_DENY) {
            if (n->way.changes < EXPLAIN_CHANGES || ret->ways == 0)
                way_expand(&w, &n->r, &answer);
            continue;
        }
        n->way.effect = answer.effect;
        n->way.by = answer.reasons ? answer.reason[0] : NULL;
        ret->way[ret->ways++] = n->way;
    }
}
