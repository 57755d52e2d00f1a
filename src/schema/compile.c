#include "schema/build.h"

#include <stdlib.h>

#define COMPILE_ARENA (64u << 20) /* a schema within its bounds needs a fraction of it */
#define COMPILE_WORK  20000000    /* keys that may be passed over while references are followed */

static uint32_t or_default(uint32_t v, uint32_t fallback)
{
    return v ? v : fallback;
}

static struct schema_limits limits_fill(const struct schema_limits *l)
{
    struct schema_limits none = {0};
    if (!l)
        l = &none;
    return (struct schema_limits){
        .text = or_default(l->text, SCHEMA_TEXT),
        .depth = or_default(l->depth, SCHEMA_DEPTH),
        .subschemas = or_default(l->subschemas, SCHEMA_SUBSCHEMAS),
        .pattern = or_default(l->pattern, SCHEMA_PATTERN),
        .patterns = or_default(l->patterns, SCHEMA_PATTERNS),
        .recursion = or_default(l->recursion, SCHEMA_RECURSION),
        .steps = or_default(l->steps, SCHEMA_STEPS),
    };
}

#define COMPILE_HOPS 8 /* references that are stepped over; a longer chain is merely slower */

/* A node that is nothing but a $ref is stepped over: whoever points at it points at its target. With a dynamic scope
 * the resource in between matters, so that it stays. */
static uint32_t straight(const struct schema *s, uint32_t node)
{
    for (int i = 0; node != SCHEMA_NONE && i < COMPILE_HOPS; i++) {
        const struct schema_node *n = &s->node[node];
        const struct schema_logic *l = n->logic;
        bool only_ref = l && l->ref != SCHEMA_NONE && l->dynamic == SCHEMA_NONE && !l->all.count && !l->any.count &&
                        !l->one.count && l->not == SCHEMA_NONE && l->cond == SCHEMA_NONE &&
                        l->left_items == SCHEMA_NONE && l->left_members == SCHEMA_NONE;
        if (!only_ref || n->types != SCHEMA_ANY || n->values || n->constant || n->numeric || n->text || n->items ||
            n->members)
            return node;
        node = l->ref;
    }
    return node;
}

static void straighten(struct schema *s)
{
    s->root = straight(s, s->root);
    for (uint32_t i = 0; i < s->nodes; i++) {
        struct schema_members *m = s->node[i].members;
        struct schema_items *t = s->node[i].items;
        for (uint32_t k = 0; m && k < m->names.count; k++)
            m->names.entry[k].node = straight(s, m->names.entry[k].node);
        if (m)
            m->rest = straight(s, m->rest);
        if (t)
            t->rest = straight(s, t->rest);
    }
}

static enum err compile(struct schema_build *b, struct str text)
{
    struct schema_doc *root;
    TRY(schema_load(b, STR(""), text, SCHEMA_2020, false, &root));
    b->s->root = root->node_of[JSON_ROOT] - 1;
    for (uint32_t i = 0; i < b->s->nodes; i++)
        TRY(schema_words_compile(b, i));
    TRY(schema_loops_refuse(b));
    if (arena_failed(b->a))
        return schema_no_memory(b);
    if (!b->s->dynamic)
        straighten(b->s);
    return ERR_OK;
}

enum err schema_compile(struct str text, const struct schema_source *others, const struct schema_limits *limits,
                        struct schema **ret, struct fault *f)
{
    struct schema *s = calloc(1, sizeof(*s));
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for a schema");
    atomic_init(&s->refs, 1);
    arena_init(&s->arena, COMPILE_ARENA);
    struct schema_build b = {
        .s = s, .a = &s->arena, .f = f, .limits = limits_fill(limits), .others = others, .work = COMPILE_WORK};
    s->recursion = b.limits.recursion;
    s->steps = b.limits.steps;
    enum err e = compile(&b, text);
    if (e) {
        schema_unref(s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

struct schema *schema_ref(struct schema *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void schema_unref(struct schema *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < s->patterns; i++)
        schema_pattern_free(s->pattern[i]);
    free(s->pattern);
    free(s->node);
    free(s->resource);
    arena_done(&s->arena);
    free(s);
}

void schema_unrefp(struct schema **s)
{
    schema_unref(*s);
}
