/* Which attributes any policy reads, by their names alone. */
#include <stdlib.h>

#include "policy/set.h"

struct reads {
    struct str *v;
    size_t n, cap;
    struct arena *a;
    bool context; /* any looks at it */
};

static void reads_put(struct reads *r, struct str name)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 64;
        struct str *v = arena_raw(r->a, cap * sizeof(*v), 16);
        if (!v)
            return;
        if (r->n)
            memcpy(v, r->v, r->n * sizeof(*v));
        r->v = v;
        r->cap = cap;
    }
    r->v[r->n++] = arena_str(r->a, name);
}

/* The tree is as deep as the parser lets it be (CEDAR_DEPTH). */
static void reads_of(struct reads *r, const struct cedar_expr *e)
{
    switch (e->op) {
    case CEDAR_OP_VAR: r->context = r->context || e->sub == CEDAR_CONTEXT; return;
    case CEDAR_OP_LIT:
    case CEDAR_OP_SLOT: return;
    case CEDAR_OP_GET:
    case CEDAR_OP_HAS:
        reads_put(r, e->name);
        reads_of(r, e->of);
        return;
    case CEDAR_OP_LIKE: reads_of(r, e->of); return;
    case CEDAR_OP_IS:
        reads_of(r, e->of);
        if (e->in)
            reads_of(r, e->in);
        return;
    case CEDAR_OP_SET:
    case CEDAR_OP_RECORD:
    case CEDAR_OP_CALL:
        for (uint32_t i = 0; i < e->n; i++)
            reads_of(r, e->item[i]);
        return;
    default:
        reads_of(r, e->a);
        if (e->b)
            reads_of(r, e->b);
        if (e->c)
            reads_of(r, e->c);
    }
}

static int reads_cmp(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void policy_reads(struct policy_set *s, const struct cedar_policies *ps)
{
    struct reads r = {.a = &s->arena};
    for (uint32_t i = 0; i < ps->n; i++)
        for (uint32_t k = 0; k < ps->policy[i]->conditions; k++)
            reads_of(&r, ps->policy[i]->condition[k].expr);
    if (r.n)
        qsort(r.v, r.n, sizeof(*r.v), reads_cmp);
    s->read = r.v;
    s->reads = r.n;
    s->blind = !r.context;
}

bool policy_set_reads(const struct policy_set *s, struct str name)
{
    return s->reads && bsearch(&name, s->read, s->reads, sizeof(*s->read), reads_cmp);
}
