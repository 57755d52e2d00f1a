/* The operators that look into sets, records and texts. */
#include "cedar/bytes.h"
#include "cedar/program.h"

#define LIST_ROOM 16 /* values of a set or record before the arena is asked */

static struct cedar_value no_memory(struct cedar_run *x, const struct cedar_node *n)
{
    return cedar_run_fail(x, n->expr, CEDAR_WHY_MEMORY);
}

/* The entity or one of its ancestors is in the set, or an entity of the set is the one or an ancestor of it: whichever
 * is quicker to see. */
struct cedar_value cedar_run_in_set(struct cedar_run *x, const struct cedar_node *n, const struct cedar_uid *uid,
                                    const struct cedar_set *set)
{
    const struct cedar_entity *e = cedar_run_entity(x, uid);
    /* values are in the order of their kinds: when both ends are entities, all are */
    if (set->n && (set->v[0].kind != CEDAR_ENTITY || set->v[set->n - 1].kind != CEDAR_ENTITY))
        return cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE);
    if (!e || e->n < set->n) {
        bool found = cedar_set_has(set, cedar_entity_value(uid));
        for (uint32_t i = 0; e && i < e->n && !found; i++)
            found = cedar_set_has(set, cedar_entity_value(e->ancestors[i]));
        return cedar_bool(found);
    }
    for (uint32_t i = 0; i < set->n; i++)
        if (cedar_entity_in(e, set->v[i].uid))
            return cedar_bool(true);
    return cedar_bool(false);
}

static bool has_all(const struct cedar_set *s, const struct cedar_set *of)
{
    if (of->n > s->n)
        return false;
    for (uint32_t i = 0; i < of->n; i++)
        if (!cedar_set_has(s, of->v[i]))
            return false;
    return true;
}

static bool has_any(const struct cedar_set *s, const struct cedar_set *of)
{
    const struct cedar_set *few = s->n < of->n ? s : of, *many = few == s ? of : s;
    for (uint32_t i = 0; i < few->n; i++)
        if (cedar_set_has(many, few->v[i]))
            return true;
    return false;
}

struct cedar_value cedar_run_contain(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_value s = cedar_run_value(x, n->a), v = {.kind = CEDAR_SET};
    if (!s.kind)
        return s;
    if (n->op != CEDAR_N_IS_EMPTY && !(v = cedar_run_value(x, n->b)).kind)
        return v;
    if (s.kind != CEDAR_SET || (n->op != CEDAR_N_CONTAINS && v.kind != CEDAR_SET))
        return cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE);
    switch (n->op) {
    case CEDAR_N_IS_EMPTY: return cedar_bool(s.set->n == 0);
    case CEDAR_N_CONTAINS: return cedar_bool(cedar_set_has(s.set, v));
    case CEDAR_N_CONTAINS_ALL: return cedar_bool(has_all(s.set, v.set));
    default: return cedar_bool(has_any(s.set, v.set));
    }
}

struct cedar_value cedar_run_tag(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_value of = cedar_run_value(x, n->a), name;
    if (!of.kind)
        return of;
    name = cedar_run_value(x, n->b);
    if (!name.kind)
        return name;
    if (of.kind != CEDAR_ENTITY || name.kind != CEDAR_STRING)
        return cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE);
    const struct cedar_entity *e = cedar_run_entity(x, of.uid);
    const struct cedar_value *tag = e ? cedar_record_field(e->tags, cedar_value_str(name)) : NULL;
    if (n->op == CEDAR_N_HAS_TAG)
        return cedar_bool(tag);
    if (tag)
        return *tag;
    return cedar_run_fail(x, n->expr, e ? CEDAR_WHY_NO_TAG : CEDAR_WHY_NO_ENTITY);
}

/* ---- building ---- */

static struct cedar_value run_set(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_value few[LIST_ROOM], *v = few;
    if (n->n > LIST_ROOM && !(v = arena_raw(x->scratch, n->n * sizeof(*v), 16)))
        return no_memory(x, n);
    for (uint32_t i = 0; i < n->n; i++)
        if (!(v[i] = cedar_run_value(x, n->item[i])).kind)
            return v[i];
    struct cedar_value set = cedar_set_of(v, n->n, x->scratch);
    return set.kind ? set : no_memory(x, n);
}

static struct cedar_value run_record(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_field few[LIST_ROOM], *f = few;
    struct cedar_value record;
    if (n->n > LIST_ROOM && !(f = arena_raw(x->scratch, n->n * sizeof(*f), 16)))
        return no_memory(x, n);
    for (uint32_t i = 0; i < n->n; i++) {
        f[i].name = n->key[i];
        if (!(f[i].v = cedar_run_value(x, n->item[i])).kind)
            return f[i].v;
    }
    enum err e = cedar_record_of(f, n->n, x->scratch, &record);
    return !e ? record : e == ERR_NOMEM ? no_memory(x, n) : cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE);
}

static struct cedar_value run_call(struct cedar_run *x, const struct cedar_node *n)
{
    const struct cedar_ext_info *info = cedar_ext_info(n->sub);
    struct cedar_value arg[2], ret;
    if (n->n != info->n)
        return cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE);
    for (uint32_t i = 0; i < n->n; i++)
        if (!(arg[i] = cedar_run_value(x, n->item[i])).kind)
            return arg[i];
    for (uint32_t i = 0; i < n->n; i++)
        if (arg[i].kind != info->arg[i])
            return cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE);
    enum err e = cedar_ext_call(n->sub, arg, x->scratch, &ret, NULL);
    return !e ? ret : e == ERR_NOMEM ? no_memory(x, n) : cedar_run_fail(x, n->expr, CEDAR_WHY_EXT);
}

struct cedar_value cedar_run_list(struct cedar_run *x, const struct cedar_node *n)
{
    return n->op == CEDAR_N_CALL ? run_call(x, n) : n->op == CEDAR_N_SET ? run_set(x, n) : run_record(x, n);
}

/* ---- like ---- */

/* The first piece is the beginning, the last one the end, and those between them come in their order: each as early as
 * it can, which leaves the most for the others. */
bool cedar_like(struct str s, const struct cedar_pattern *p)
{
    struct str first = p->piece[0], last = p->piece[p->n - 1];
    if (p->n == 1)
        return str_eq(s, first);
    if (s.n < first.n + last.n || !str_starts(s, first) || !str_ends(s, last))
        return false;
    s = str_skip(s, first.n);
    s.n -= last.n;
    for (uint32_t i = 1; i < p->n - 1; i++) {
        struct str piece = p->piece[i];
        const char *at = piece.n == 0 ? s.p : s.n ? memmem(s.p, s.n, piece.p, piece.n) : NULL;
        if (piece.n && !at)
            return false;
        if (piece.n)
            s = str_skip(s, (size_t)(at - s.p) + piece.n);
    }
    return true;
}
