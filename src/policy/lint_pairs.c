/*
 * Policies that others make idle. A policy covers another when its scope includes the other's and all parts of its
 * conditions are parts of the other's: whenever the other applies, it applies too.
 *
 * A policy that names one action can only cover those that name the same one; the rest is compared with all.
 */
#include <stdlib.h>

#include "cedar/print.h"
#include "policy/lint_inner.h"

enum { PAIRS_PARTS = 4096 };

/* ---- parts ---- */

struct pairs_parts {
    struct lint_part *v;
    uint32_t n;
    bool full;
};

static uint64_t pairs_hash(const struct cedar_expr *e, bool want)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, CEDAR_TEXT_MAX);
    cedar_print_expr(e, &b);
    return cedar_hash(buf_view(&b), want);
}

static void pairs_put(struct pairs_parts *x, const struct cedar_expr *e, bool want)
{
    if (e->op == CEDAR_OP_NOT) {
        pairs_put(x, e->a, !want);
    } else if ((e->op == CEDAR_OP_AND && want) || (e->op == CEDAR_OP_OR && !want)) {
        pairs_put(x, e->a, want);
        pairs_put(x, e->b, want);
    } else if (e->op == CEDAR_OP_LIT && e->lit.kind == CEDAR_BOOL && e->lit.b == want) {
        return; /* no condition at all */
    } else if (x->n == PAIRS_PARTS) {
        x->full = true;
    } else {
        x->v[x->n++] = (struct lint_part){e, want, pairs_hash(e, want)};
    }
}

static bool pairs_same(const struct lint_part *a, const struct lint_part *b)
{
    return a->hash == b->hash && a->want == b->want && cedar_expr_same(a->expr, b->expr);
}

static int pairs_by_hash(const void *a, const void *b)
{
    const struct lint_part *x = a, *y = b;
    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : 0;
}

void lint_split(struct lint_run *r, struct lint_policy *p)
{
    struct pairs_parts x = {.v = arena_raw(&r->scratch, PAIRS_PARTS * sizeof(*x.v), 16)};
    for (uint32_t i = 0; x.v && i < p->p->conditions; i++)
        pairs_put(&x, p->p->condition[i].expr, !p->p->condition[i].unless);
    if (x.n)
        qsort(x.v, x.n, sizeof(*x.v), pairs_by_hash);
    uint32_t n = 0;
    for (uint32_t i = 0; i < x.n; i++)
        if (!n || !pairs_same(&x.v[n - 1], &x.v[i]))
            x.v[n++] = x.v[i];
    struct lint_part *part = arena_alloc(&r->ps->arena, (n + 1) * sizeof(*part));
    if (!part || !x.v)
        return;
    for (uint32_t i = 0; i < n; i++) {
        part[i] = x.v[i];
        p->hashes |= (uint64_t)1 << (part[i].hash & 63);
    }
    p->part = part;
    p->parts = x.full ? UINT32_MAX : n; /* too many to be compared */
    if (p->p->action.kind == CEDAR_EQ)
        p->action = p->p->action.uid->hash | 1;
    arena_reset(&r->scratch);
}

/* ---- covering ---- */

/* All parts of a are parts of b. */
static bool pairs_within(const struct lint_policy *a, const struct lint_policy *b)
{
    if (a->parts > b->parts || b->parts == UINT32_MAX || (a->hashes & ~b->hashes))
        return false;
    for (uint32_t i = 0, k = 0; i < a->parts; i++) {
        while (k < b->parts && b->part[k].hash < a->part[i].hash)
            k++;
        uint32_t at = k;
        while (at < b->parts && b->part[at].hash == a->part[i].hash && !pairs_same(&a->part[i], &b->part[at]))
            at++;
        if (at == b->parts || b->part[at].hash != a->part[i].hash)
            return false;
    }
    return true;
}

static bool pairs_is_duty(struct str name)
{
    return str_is(name, "risk") || str_is(name, "approve") || str_is(name, "limit") || str_is(name, "set") ||
           str_is(name, "mask");
}

/* Every annotation of a, of those that count, is one of b's. */
static bool pairs_annotated(const struct cedar_policy *a, const struct cedar_policy *b, bool all)
{
    for (uint32_t i = 0; i < a->annotations; i++) {
        const struct cedar_annotation *x = &a->annotation[i], *y = cedar_annotation_find(b, x->name);
        bool counts = all ? !str_is(x->name, "id") : pairs_is_duty(x->name);
        if (counts && (!y || !str_eq(x->value, y->value)))
            return false;
    }
    return true;
}

static bool pairs_covers(const struct lint_run *r, const struct lint_policy *a, const struct lint_policy *b)
{
    return pairs_within(a, b) && lint_includes(r, a->p, b->p);
}

static struct str pairs_named(struct lint_run *r, const struct lint_policy *p)
{
    return arena_fmt(r->a, "\"" STR_FMT "\"", STR_ARG(p->p->id));
}

/* Of two that could each be taken out the later one is told of. */
static bool pairs_tell_equal(struct lint_run *r, const struct lint_policy *by, struct lint_policy *p)
{
    bool either = p->p->effect == CEDAR_FORBID || pairs_annotated(by->p, p->p, false);
    if (either && p->enforced == by->enforced && p->p->order < by->p->order)
        return false;
    if (pairs_annotated(by->p, p->p, true) && pairs_annotated(p->p, by->p, true))
        lint_tell(r, LINT_CODE_DUPLICATE, p, p->p->at,
                  arena_fmt(r->a, "this is what %s says already", pairs_named(r, by).p), STR("one of them is enough"));
    else
        lint_tell(r, LINT_CODE_SHADOWED, p, p->p->at,
                  arena_fmt(r->a, "%s applies to the same calls", pairs_named(r, by).p),
                  STR("what that one asks for holds for them all: take this out"));
    return true;
}

static bool pairs_tell(struct lint_run *r, const struct lint_policy *by, struct lint_policy *p)
{
    bool forbidden = by->p->effect == CEDAR_FORBID && p->p->effect == CEDAR_PERMIT;
    if (forbidden) {
        lint_tell(r, LINT_CODE_SHADOWED, p, p->p->at,
                  arena_fmt(r->a, "all that this permits is forbidden by %s", pairs_named(r, by).p),
                  STR("a forbid wins always: take this out, or narrow the forbid"));
        return true;
    }
    if (p->p->effect == CEDAR_PERMIT && !pairs_annotated(p->p, by->p, false))
        return false; /* it asks for more */
    if (pairs_covers(r, p, by))
        return pairs_tell_equal(r, by, p);
    struct str what = arena_fmt(r->a, "%s covers all that this %s", pairs_named(r, by).p,
                                p->p->effect == CEDAR_PERMIT ? "permits" : "forbids");
    if (p->p->effect == CEDAR_FORBID && cedar_annotation_find(p->p, STR("reason")))
        lint_note(r, LINT_CODE_SHADOWED, p, p->p->at, what, STR("only its @reason may be of use"));
    else
        lint_tell(r, LINT_CODE_SHADOWED, p, p->p->at, what, STR("take this out, or narrow the other"));
    return true;
}

/* ---- who is compared with whom ---- */

/* First those that name no single action, then the others by action. */
static int pairs_by_action(const void *a, const void *b)
{
    const struct lint_policy *x = *(struct lint_policy *const *)a, *y = *(struct lint_policy *const *)b;
    if (x->action != y->action)
        return x->action < y->action ? -1 : 1;
    return x->p->order < y->p->order ? -1 : x->p->order > y->p->order;
}

static bool pairs_try(struct lint_run *r, const struct lint_policy *by, struct lint_policy *p)
{
    if (by == p || by->waits || by->never || (!by->enforced && p->enforced) || ++r->steps > LINT_STEPS ||
        (by->p->effect == CEDAR_PERMIT && p->p->effect == CEDAR_FORBID))
        return false;
    return pairs_covers(r, by, p) && pairs_tell(r, by, p);
}

void lint_pairs(struct lint_run *r)
{
    struct lint_policy **v = arena_alloc(&r->ps->arena, (r->policies + 1) * sizeof(*v));
    uint32_t wide = 0;
    if (!v)
        return;
    for (uint32_t i = 0; i < r->policies; i++) {
        v[i] = &r->policy[i];
        wide += !v[i]->action;
    }
    qsort(v, r->policies, sizeof(*v), pairs_by_action);
    for (uint32_t i = 0, from = wide; i < r->policies; i++) {
        bool told = v[i]->waits || v[i]->never; /* that is enough */
        if (i >= wide && v[i]->action != v[from]->action)
            from = i;
        for (uint32_t k = 0; k < wide && !told; k++)
            told = pairs_try(r, v[k], v[i]);
        for (uint32_t k = from; i >= wide && k < r->policies && v[k]->action == v[i]->action && !told; k++)
            told = pairs_try(r, v[k], v[i]);
    }
}
