/* Expressions to nodes: constants folded, chains flattened. Everything lies in the arena of the program. */
#include <stdlib.h>

#include "cedar/parse.h"
#include "cedar/program.h"

struct compiler {
    struct arena *arena;
    struct cedar_node_names *names;  /* or NULL */
    const struct cedar_node **stack; /* items of the chains and lists that are being made */
    uint32_t n, cap;
};

static enum err make(struct compiler *c, const struct cedar_expr *e, unsigned depth, const struct cedar_node **ret);

static struct cedar_node *node_new(struct compiler *c, enum cedar_node_op op, const struct cedar_expr *e)
{
    struct cedar_node *n = arena_raw(c->arena, sizeof(*n), 16);
    if (n)
        *n = (struct cedar_node){.op = (uint8_t)op, .expr = e};
    return n;
}

static enum err literal(struct compiler *c, const struct cedar_expr *e, struct cedar_value v,
                        const struct cedar_node **ret)
{
    struct cedar_node *n = node_new(c, CEDAR_N_LIT, e);
    if (!n)
        return ERR_NOMEM;
    n->lit = v;
    *ret = n;
    return ERR_OK;
}

static struct str name_of(struct compiler *c, struct str name)
{
    if (!c->names)
        return name;
    struct str *recent = &c->names->recent[cedar_hash(name, 0) % 256];
    if (!recent->p || !str_eq(*recent, name))
        *recent = name;
    return *recent;
}

static bool is_lit(const struct cedar_node *n)
{
    return n->op == CEDAR_N_LIT;
}

static bool is_bool(const struct cedar_node *n, bool b)
{
    return is_lit(n) && n->lit.kind == CEDAR_BOOL && n->lit.b == b;
}

/* n depends on constants only. What fails stays as it is, and fails when it is evaluated. */
static enum err fold(struct compiler *c, const struct cedar_node *n, const struct cedar_node **ret)
{
    struct cedar_run x = {.scratch = c->arena};
    struct cedar_value v = cedar_run_value(&x, n);
    *ret = n;
    if (v.kind)
        return literal(c, n->expr, v, ret);
    return x.why == CEDAR_WHY_MEMORY ? ERR_NOMEM : ERR_OK;
}

static bool push(struct compiler *c, const struct cedar_node *n)
{
    if (c->n == c->cap) {
        uint32_t cap = c->cap ? c->cap * 2 : 32;
        const struct cedar_node **stack = realloc(c->stack, cap * sizeof(struct cedar_node *));
        if (!stack)
            return false;
        c->stack = stack;
        c->cap = cap;
    }
    c->stack[c->n++] = n;
    return true;
}

/* The stack from base on becomes the items of n. */
static bool take_items(struct compiler *c, uint32_t base, struct cedar_node *n)
{
    n->n = c->n - base;
    const struct cedar_node **item = arena_raw(c->arena, (n->n + 1) * sizeof(struct cedar_node *), 8);
    if (!item)
        return false;
    if (n->n)
        memcpy(item, c->stack + base, n->n * sizeof(struct cedar_node *));
    n->item = item;
    c->n = base;
    return true;
}

/* Whether the chain ends here already: `false` in a chain of &&, `true` in one of ||. */
static bool chain_ended(const struct compiler *c, uint32_t base, bool all)
{
    return c->n > base && is_bool(c->stack[c->n - 1], !all);
}

/* a && (b && c) is a && b && c: each part must be a bool, and each is looked at only when those before it let it. */
static enum err chain_parts(struct compiler *c, const struct cedar_expr *e, bool all, uint32_t base, unsigned depth)
{
    const struct cedar_node *n;
    if (chain_ended(c, base, all))
        return ERR_OK;
    if (e->op == (all ? CEDAR_OP_AND : CEDAR_OP_OR)) {
        if (depth > CEDAR_DEPTH)
            return ERR_LIMIT;
        TRY(chain_parts(c, e->a, all, base, depth + 1));
        return chain_parts(c, e->b, all, base, depth + 1);
    }
    TRY(make(c, e, depth, &n));
    if (n->op == CEDAR_N_ALL && all) { /* an `is … in` */
        for (uint32_t i = 0; i < n->n; i++)
            if (!push(c, n->item[i]))
                return ERR_NOMEM;
        return ERR_OK;
    }
    return is_bool(n, all) || push(c, n) ? ERR_OK : ERR_NOMEM;
}

static enum err chain_end(struct compiler *c, const struct cedar_expr *e, bool all, uint32_t base,
                          const struct cedar_node **ret)
{
    if (c->n == base) /* nothing but what changes nothing */
        return literal(c, e, cedar_bool(all), ret);
    if (c->n == base + 1 && is_lit(c->stack[base]) && c->stack[base]->lit.kind == CEDAR_BOOL) {
        *ret = c->stack[base];
        c->n = base;
        return ERR_OK;
    }
    struct cedar_node *n = node_new(c, all ? CEDAR_N_ALL : CEDAR_N_ANY, e);
    if (!n || !take_items(c, base, n))
        return ERR_NOMEM;
    *ret = n;
    return ERR_OK;
}

static enum err make_chain(struct compiler *c, const struct cedar_expr *e, unsigned depth,
                           const struct cedar_node **ret)
{
    uint32_t base = c->n;
    bool all = e->op == CEDAR_OP_AND;
    TRY(chain_parts(c, e, all, base, depth));
    return chain_end(c, e, all, base, ret);
}

/* context.session.scopes: the names, or 0 when it does not begin with a variable. */
static uint32_t path_length(const struct cedar_expr *e)
{
    uint32_t n = 0;
    for (; e->op == CEDAR_OP_GET; e = e->of)
        n++;
    return e->op == CEDAR_OP_VAR ? n : 0;
}

static enum err make_path(struct compiler *c, const struct cedar_expr *e, uint32_t length,
                          const struct cedar_node **ret)
{
    struct cedar_node *n = node_new(c, CEDAR_N_PATH, e);
    struct str *key = n ? arena_raw(c->arena, length * sizeof(*key), 8) : NULL;
    if (!key)
        return ERR_NOMEM;
    for (n->n = length; length--; e = e->of)
        key[length] = name_of(c, e->name);
    n->sub = e->sub;
    n->key = key;
    *ret = n;
    return ERR_OK;
}

static enum err make_list(struct compiler *c, const struct cedar_expr *e, enum cedar_node_op op, unsigned depth,
                          const struct cedar_node **ret)
{
    uint32_t base = c->n;
    bool constant = true;
    for (uint32_t i = 0; i < e->n; i++) {
        const struct cedar_node *item;
        TRY(make(c, e->item[i], depth + 1, &item));
        constant &= is_lit(item);
        if (!push(c, item))
            return ERR_NOMEM;
    }
    struct cedar_node *n = node_new(c, op, e);
    if (!n || !take_items(c, base, n))
        return ERR_NOMEM;
    n->sub = e->sub;
    n->key = e->key;
    *ret = n;
    return constant ? fold(c, n, ret) : ERR_OK;
}

static enum err make_if(struct compiler *c, const struct cedar_expr *e, unsigned depth, const struct cedar_node **ret)
{
    const struct cedar_node *test;
    TRY(make(c, e->a, depth + 1, &test));
    if (is_bool(test, true) || is_bool(test, false))
        return make(c, test->lit.b ? e->b : e->c, depth + 1, ret);
    struct cedar_node *n = node_new(c, CEDAR_N_IF, e);
    if (!n)
        return ERR_NOMEM;
    n->a = test;
    TRY(make(c, e->b, depth + 1, &n->b));
    TRY(make(c, e->c, depth + 1, &n->c));
    *ret = n;
    return ERR_OK;
}

static enum err make_is(struct compiler *c, const struct cedar_expr *e, unsigned depth, const struct cedar_node **ret)
{
    uint32_t base = c->n;
    struct cedar_node *is = node_new(c, CEDAR_N_IS, e), *in = e->b ? node_new(c, CEDAR_N_IN, e) : NULL;
    if (!is || (e->b && !in))
        return ERR_NOMEM;
    TRY(make(c, e->a, depth + 1, &is->of));
    is->name = name_of(c, e->name);
    *ret = is;
    if (!in)
        return is_lit(is->of) ? fold(c, is, ret) : ERR_OK;
    in->a = is->of;
    TRY(make(c, e->b, depth + 1, &in->b));
    return push(c, is) && push(c, in) ? chain_end(c, e, true, base, ret) : ERR_NOMEM;
}

/* has, . and like: one operand, and something that is written. */
static enum err make_named(struct compiler *c, const struct cedar_expr *e, enum cedar_node_op op, unsigned depth,
                           const struct cedar_node **ret)
{
    struct cedar_node *n = node_new(c, op, e);
    if (!n)
        return ERR_NOMEM;
    TRY(make(c, e->of, depth + 1, &n->of));
    if (op == CEDAR_N_LIKE)
        n->pattern = e->pattern;
    else
        n->name = name_of(c, e->name);
    *ret = n;
    return is_lit(n->of) && n->of->lit.kind != CEDAR_ENTITY ? fold(c, n, ret) : ERR_OK;
}

static enum err make_operator(struct compiler *c, const struct cedar_expr *e, enum cedar_node_op op, unsigned depth,
                              const struct cedar_node **ret)
{
    struct cedar_node *n = node_new(c, op, e);
    bool world = op == CEDAR_N_IN || op == CEDAR_N_HAS_TAG || op == CEDAR_N_GET_TAG;
    if (!n)
        return ERR_NOMEM;
    TRY(make(c, e->a, depth + 1, &n->a));
    if (e->b)
        TRY(make(c, e->b, depth + 1, &n->b));
    *ret = n;
    return !world && is_lit(n->a) && (!n->b || is_lit(n->b)) ? fold(c, n, ret) : ERR_OK;
}

static enum err make_variable(struct compiler *c, const struct cedar_expr *e, enum cedar_node_op op,
                              const struct cedar_node **ret)
{
    struct cedar_node *n = node_new(c, op, e);
    if (!n)
        return ERR_NOMEM;
    n->sub = e->sub;
    *ret = n;
    return ERR_OK;
}

static enum err make(struct compiler *c, const struct cedar_expr *e, unsigned depth, const struct cedar_node **ret)
{
    static const uint8_t operators[] = {
        [CEDAR_OP_NOT] = CEDAR_N_NOT,
        [CEDAR_OP_NEG] = CEDAR_N_NEG,
        [CEDAR_OP_EQ] = CEDAR_N_EQ,
        [CEDAR_OP_NE] = CEDAR_N_NE,
        [CEDAR_OP_LT] = CEDAR_N_LT,
        [CEDAR_OP_LE] = CEDAR_N_LE,
        [CEDAR_OP_GT] = CEDAR_N_GT,
        [CEDAR_OP_GE] = CEDAR_N_GE,
        [CEDAR_OP_ADD] = CEDAR_N_ADD,
        [CEDAR_OP_SUB] = CEDAR_N_SUB,
        [CEDAR_OP_MUL] = CEDAR_N_MUL,
        [CEDAR_OP_IN] = CEDAR_N_IN,
        [CEDAR_OP_CONTAINS] = CEDAR_N_CONTAINS,
        [CEDAR_OP_CONTAINS_ALL] = CEDAR_N_CONTAINS_ALL,
        [CEDAR_OP_CONTAINS_ANY] = CEDAR_N_CONTAINS_ANY,
        [CEDAR_OP_IS_EMPTY] = CEDAR_N_IS_EMPTY,
        [CEDAR_OP_HAS_TAG] = CEDAR_N_HAS_TAG,
        [CEDAR_OP_GET_TAG] = CEDAR_N_GET_TAG,
    };
    uint32_t length;
    if (depth > CEDAR_DEPTH)
        return ERR_LIMIT;
    switch ((enum cedar_op)e->op) {
    case CEDAR_OP_LIT: return literal(c, e, e->lit, ret);
    case CEDAR_OP_VAR: return make_variable(c, e, CEDAR_N_VAR, ret);
    case CEDAR_OP_SLOT: return make_variable(c, e, CEDAR_N_SLOT, ret);
    case CEDAR_OP_IF: return make_if(c, e, depth, ret);
    case CEDAR_OP_AND:
    case CEDAR_OP_OR: return make_chain(c, e, depth, ret);
    case CEDAR_OP_IS: return make_is(c, e, depth, ret);
    case CEDAR_OP_HAS: return make_named(c, e, CEDAR_N_HAS, depth, ret);
    case CEDAR_OP_LIKE: return make_named(c, e, CEDAR_N_LIKE, depth, ret);
    case CEDAR_OP_GET:
        length = path_length(e);
        return length ? make_path(c, e, length, ret) : make_named(c, e, CEDAR_N_GET, depth, ret);
    case CEDAR_OP_SET: return make_list(c, e, CEDAR_N_SET, depth, ret);
    case CEDAR_OP_RECORD: return make_list(c, e, CEDAR_N_RECORD, depth, ret);
    case CEDAR_OP_CALL: return make_list(c, e, CEDAR_N_CALL, depth, ret);
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG:
    case CEDAR_OP_EQ:
    case CEDAR_OP_NE:
    case CEDAR_OP_LT:
    case CEDAR_OP_LE:
    case CEDAR_OP_GT:
    case CEDAR_OP_GE:
    case CEDAR_OP_ADD:
    case CEDAR_OP_SUB:
    case CEDAR_OP_MUL:
    case CEDAR_OP_IN:
    case CEDAR_OP_CONTAINS:
    case CEDAR_OP_CONTAINS_ALL:
    case CEDAR_OP_CONTAINS_ANY:
    case CEDAR_OP_IS_EMPTY:
    case CEDAR_OP_HAS_TAG:
    case CEDAR_OP_GET_TAG: return make_operator(c, e, operators[e->op], depth, ret);
    }
    return ERR_INTERNAL;
}

enum err cedar_node_of(const struct cedar_expr *e, struct arena *a, const struct cedar_node **ret)
{
    struct compiler c = {.arena = a};
    enum err err = make(&c, e, 0, ret);
    free(c.stack);
    return err;
}

/* when {a} unless {b} is a && !b. */
static enum err conditions(struct compiler *c, const struct cedar_policy *p, const struct cedar_node **ret)
{
    uint32_t base = c->n;
    for (uint32_t i = 0; i < p->conditions; i++) {
        const struct cedar_expr *e = p->condition[i].expr;
        if (!p->condition[i].unless) {
            TRY(chain_parts(c, e, true, base, 0));
            continue;
        }
        if (chain_ended(c, base, true))
            break;
        struct cedar_node *n = node_new(c, CEDAR_N_NOT, e);
        const struct cedar_node *folded = n;
        if (!n)
            return ERR_NOMEM;
        TRY(make(c, e, 0, &n->a));
        if (is_lit(n->a))
            TRY(fold(c, n, &folded));
        if (!is_bool(folded, true) && !push(c, folded))
            return ERR_NOMEM;
    }
    if (c->n == base) {
        *ret = NULL;
        return ERR_OK;
    }
    return chain_end(c, p->condition[0].expr, true, base, ret);
}

enum err cedar_node_conditions(const struct cedar_policy *p, struct arena *a, struct cedar_node_names *names,
                               const struct cedar_node **ret)
{
    struct compiler c = {.arena = a, .names = names};
    enum err err = conditions(&c, p, ret);
    free(c.stack);
    return err;
}
