/* The index of the rules: built once, asked at every request. */
#include <stdlib.h>

#include "cedar/bytes.h"
#include "cedar/program.h"

#define FEW_RULES 8 /* are looked through */
#define VIA_ANY   UINT32_MAX

static uint64_t key_hash(uint64_t hash, uint32_t branch, enum cedar_key_kind kind)
{
    hash = (hash ^ (branch * 4 + kind + 1) * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 31;
}

static struct cedar_uid type_key(struct str type)
{
    return cedar_uid(type, STR_NONE);
}

/* ---- building ---- */

/* A rule on its way down, with what it says of the variable that a branch looks at. */
struct item {
    uint32_t rule, via;
    struct cedar_uid key;
    enum cedar_key_kind kind;
};
struct builder {
    struct cedar_program *p;
    uint32_t branch_cap, entry_cap, key_cap;
    bool failed;
};

static void *grown(struct builder *b, void *old, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return old;
    uint32_t more = *cap ? *cap * 2 : 64;
    void *p = realloc(old, more * size);
    if (!p) {
        b->failed = true;
        return old;
    }
    *cap = more;
    return p;
}

static uint32_t branch_new(struct builder *b)
{
    struct cedar_index *x = &b->p->index;
    x->branch = grown(b, x->branch, x->branches, &b->branch_cap, sizeof(*x->branch));
    if (b->failed)
        return 0;
    x->branch[x->branches] = (struct cedar_branch){.dim = CEDAR_LEAF};
    return x->branches++;
}

static void leaf(struct builder *b, uint32_t branch, const struct item *item, uint32_t n)
{
    struct cedar_index *x = &b->p->index;
    x->branch[branch].from = x->entries;
    for (uint32_t i = 0; i < n && !b->failed; i++) {
        x->entry = grown(b, x->entry, x->entries, &b->entry_cap, sizeof(*x->entry));
        if (!b->failed)
            x->entry[x->entries++] = (struct cedar_entry){item[i].rule, item[i].via};
    }
    x->branch[branch].to = x->entries;
}

static int item_order(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->key.hash != y->key.hash)
        return x->key.hash < y->key.hash ? -1 : 1;
    int c = cedar_uid_cmp(&x->key, &y->key);
    return c ? c : (x->rule > y->rule) - (x->rule < y->rule);
}

static bool same_key(const struct item *a, const struct item *b)
{
    return a->kind == b->kind && cedar_uid_eq(&a->key, &b->key);
}

static enum cedar_key_kind kind_of(const struct cedar_scope *s)
{
    return s->kind == CEDAR_EQ ? CEDAR_KEY_EQ : s->kind == CEDAR_IS ? CEDAR_KEY_IS : CEDAR_KEY_IN;
}

static uint32_t keys_of(const struct cedar_scope *s)
{
    return s->kind == CEDAR_ANY ? 0 : s->kind == CEDAR_IN_ANY ? s->n : 1;
}

/* The items as a branch of this dimension sees them: those with keys first, sorted, one for each key; then, from
 * `keyed` on, those without. */
struct split {
    struct item *item;
    uint32_t keyed, n;
    double cost; /* rules that a request has to look at, when requests are like rules */
};

static void split_cost(struct split *s)
{
    double squares = 0;
    for (uint32_t i = 0, from = 0; i < s->keyed; i++) {
        if (i + 1 < s->keyed && same_key(&s->item[i], &s->item[i + 1]))
            continue;
        squares += (double)(i + 1 - from) * (i + 1 - from);
        from = i + 1;
    }
    s->cost = s->n - s->keyed + (s->keyed ? squares / s->keyed : 0);
}

static bool split(const struct builder *b, unsigned dim, const struct item *item, uint32_t n, struct split *ret)
{
    uint64_t total = 0, keyed = 0, rest;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t keys = keys_of(&b->p->rule[item[i].rule].scope[dim]);
        bool none = b->p->rule[item[i].rule].scope[dim].kind == CEDAR_ANY;
        keyed += keys;
        total += none ? 1 : keys;
    }
    *ret = (struct split){.keyed = (uint32_t)keyed, .n = (uint32_t)total};
    if (total >= UINT32_MAX || !(ret->item = malloc((total + 1) * sizeof(*ret->item))))
        return false;
    rest = keyed;
    keyed = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct cedar_scope *s = &b->p->rule[item[i].rule].scope[dim];
        if (s->kind == CEDAR_ANY)
            ret->item[rest++] = item[i];
        for (uint32_t k = 0; k < keys_of(s); k++)
            ret->item[keyed++] = (struct item){.rule = item[i].rule,
                                               .via = s->kind == CEDAR_IN_ANY ? k : item[i].via,
                                               .key = s->kind == CEDAR_IS ? type_key(s->type) : s->uid[k],
                                               .kind = kind_of(s)};
    }
    if (keyed)
        qsort(ret->item, keyed, sizeof(*ret->item), item_order);
    split_cost(ret);
    return true;
}

static uint32_t build(struct builder *b, const struct item *item, uint32_t n, unsigned done);

static void key_add(struct builder *b, uint32_t branch, const struct item *item, uint32_t child)
{
    struct cedar_index *x = &b->p->index;
    struct cedar_uid *uid = arena_raw(&b->p->arena, sizeof(*uid), 8);
    x->key = grown(b, x->key, x->keys, &b->key_cap, sizeof(*x->key));
    b->failed |= !uid;
    if (b->failed)
        return;
    *uid = item->key;
    x->key[x->keys++] = (struct cedar_key){.hash = key_hash(item->key.hash, branch, item->kind),
                                           .uid = uid,
                                           .branch = branch,
                                           .child = child,
                                           .kind = item->kind};
}

static void split_build(struct builder *b, uint32_t branch, unsigned dim, const struct split *s, unsigned done)
{
    uint8_t kinds = 0;
    for (uint32_t i = 0, from = 0; i < s->keyed && !b->failed; i++) {
        kinds |= 1u << s->item[i].kind;
        if (i + 1 < s->keyed && same_key(&s->item[i], &s->item[i + 1]))
            continue;
        uint32_t child = build(b, s->item + from, i + 1 - from, done);
        key_add(b, branch, &s->item[i], child);
        from = i + 1;
    }
    uint32_t rest = build(b, s->item + s->keyed, s->n - s->keyed, done);
    if (!b->failed) {
        struct cedar_branch *to = &b->p->index.branch[branch];
        *to = (struct cedar_branch){.dim = (uint8_t)dim, .kinds = kinds, .rest = rest};
    }
}

/* By the variable that tells the rules apart best; `done` are those that were asked above. */
static uint32_t build(struct builder *b, const struct item *item, uint32_t n, unsigned done)
{
    struct split best = {0}, s;
    unsigned dim = CEDAR_LEAF;
    uint32_t branch = branch_new(b);
    for (unsigned d = 0; d < CEDAR_DIMS && n > FEW_RULES && !b->failed; d++) {
        if (done & 1u << d)
            continue;
        if (!split(b, d, item, n, &s)) {
            b->failed = true;
        } else if (s.cost < 0.75 * n && (dim == CEDAR_LEAF || s.cost < best.cost)) {
            free(best.item);
            best = s;
            dim = d;
        } else {
            free(s.item);
        }
    }
    if (!b->failed && dim == CEDAR_LEAF)
        leaf(b, branch, item, n);
    else if (!b->failed)
        split_build(b, branch, dim, &best, done | 1u << dim);
    free(best.item);
    return branch;
}

static int key_order(const void *a, const void *b)
{
    const struct cedar_key *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static unsigned run_of(const struct cedar_index *x, uint64_t hash)
{
    return x->bits ? (unsigned)(hash >> (64 - x->bits)) : 0;
}

/* Sorts the keys, and notes where the runs begin. */
static bool table(struct cedar_index *x)
{
    while (x->bits < 31 && (UINT32_C(1) << x->bits) < x->keys)
        x->bits++;
    uint32_t runs = UINT32_C(1) << x->bits;
    x->run = calloc(runs + 1, sizeof(*x->run));
    if (!x->run)
        return false;
    if (x->keys)
        qsort(x->key, x->keys, sizeof(*x->key), key_order);
    for (uint32_t i = 0; i < x->keys; i++)
        x->run[run_of(x, x->key[i].hash) + 1]++;
    for (uint32_t r = 0; r < runs; r++)
        x->run[r + 1] += x->run[r];
    return true;
}

enum err cedar_index_build(struct cedar_program *p)
{
    struct builder b = {.p = p};
    struct item *item = malloc((p->rules + 1) * sizeof(*item));
    if (!item)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < p->rules; i++)
        item[i] = (struct item){.rule = i, .via = VIA_ANY};
    build(&b, item, p->rules, 0);
    free(item);
    return b.failed || !table(&p->index) ? ERR_NOMEM : ERR_OK;
}

void cedar_index_done(struct cedar_index *x)
{
    free(x->branch);
    free(x->entry);
    free(x->key);
    free(x->run);
}

/* ---- asking ---- */

/* Whether the uid that a rule with action in [..] was found by is the first one that fits: it counts for no other. */
static bool fits_first(const struct cedar_run *x, const struct cedar_uid *self, const struct cedar_scope *s,
                       uint32_t via)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (i == via || cedar_run_in(x, self, &s->uid[i]))
            return i == via || via == VIA_ANY;
    return false;
}

/* asked: a branch has found that the key fits. */
static bool fits(const struct cedar_run *x, const struct cedar_scope *s, const struct cedar_uid *self, bool asked,
                 uint32_t via)
{
    switch (s->kind) {
    case CEDAR_ANY: return true;
    case CEDAR_EQ: return asked || cedar_uid_same(self, s->uid);
    case CEDAR_IN: return asked || cedar_run_in(x, self, s->uid);
    case CEDAR_IS: return asked || cedar_str_same(self->type, s->type);
    case CEDAR_IS_IN: return cedar_str_same(self->type, s->type) && (asked || cedar_run_in(x, self, s->uid));
    case CEDAR_IN_ANY: return fits_first(x, self, s, via);
    }
    return false;
}

struct search {
    const struct cedar_program *p;
    const struct cedar_run *x;
    cedar_found *found;
    void *ctx;
};

static void visit(const struct search *s, uint32_t branch, unsigned asked);

static bool rule_fits(const struct search *s, const struct cedar_rule *rule, uint32_t via, unsigned asked)
{
    unsigned left = ((1u << CEDAR_DIMS) - 1) & (~(asked | rule->free) | rule->twofold);
    for (unsigned d = 0; left; d++, left >>= 1)
        if (left & 1 && !fits(s->x, &rule->scope[d], s->x->var[d].uid, asked & 1u << d, via))
            return false;
    return true;
}

static void visit_leaf(const struct search *s, const struct cedar_branch *b, unsigned asked)
{
    for (uint32_t i = b->from; i < b->to; i++) {
        const struct cedar_entry *e = &s->p->index.entry[i];
        const struct cedar_rule *rule = &s->p->rule[e->rule];
        if (rule_fits(s, rule, e->via, asked))
            s->found(s->ctx, rule);
    }
}

static void visit_key(const struct search *s, uint32_t branch, const struct cedar_uid *uid, enum cedar_key_kind kind,
                      unsigned asked)
{
    const struct cedar_index *x = &s->p->index;
    uint64_t hash = key_hash(uid->hash, branch, kind);
    unsigned run = run_of(x, hash);
    uint32_t from = x->run[run], to = x->run[run + 1], end = to;
    while (to - from > CEDAR_FEW) {
        uint32_t mid = from + (to - from) / 2;
        if (x->key[mid].hash < hash)
            from = mid + 1;
        else
            to = mid;
    }
    for (; from < end && x->key[from].hash <= hash; from++) {
        const struct cedar_key *k = &x->key[from];
        if (k->hash == hash && k->branch == branch && k->kind == kind && cedar_uid_same(k->uid, uid)) {
            visit(s, k->child, asked);
            return;
        }
    }
}

static void visit(const struct search *s, uint32_t branch, unsigned asked)
{
    const struct cedar_branch *b = &s->p->index.branch[branch];
    if (b->dim == CEDAR_LEAF) {
        visit_leaf(s, b, asked);
        return;
    }
    const struct cedar_uid *self = s->x->var[b->dim].uid, *before = self;
    const struct cedar_entity *e = s->x->entity[b->dim];
    unsigned now = asked | 1u << b->dim;
    if (b->kinds & 1u << CEDAR_KEY_EQ)
        visit_key(s, branch, self, CEDAR_KEY_EQ, now);
    if (b->kinds & 1u << CEDAR_KEY_IN) {
        visit_key(s, branch, self, CEDAR_KEY_IN, now);
        for (uint32_t i = 0; e && i < e->n; before = e->ancestors[i++])
            if (!cedar_uid_same(e->ancestors[i], before) && !cedar_uid_same(e->ancestors[i], self))
                visit_key(s, branch, e->ancestors[i], CEDAR_KEY_IN, now);
    }
    if (b->kinds & 1u << CEDAR_KEY_IS) {
        struct cedar_uid type = type_key(self->type);
        visit_key(s, branch, &type, CEDAR_KEY_IS, now);
    }
    visit(s, b->rest, now);
}

void cedar_index_find(const struct cedar_program *p, const struct cedar_run *x, cedar_found *found, void *ctx)
{
    visit(&(struct search){p, x, found, ctx}, 0, 0);
}
