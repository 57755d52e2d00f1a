/*
 * A schema that reaches itself again at the same place of the instance ({"$ref": "#"}, or two that refer to each other
 * through allOf) can never be judged. It is refused when it is compiled. Only $dynamicRef is left to the bound on
 * recursion, since what it reaches is known at run time only.
 */
#include "schema/build.h"

#include <stdlib.h>

/* The next subschema that is applied to the same value, from the k-th on; SCHEMA_NONE behind the last. */
static uint32_t in_place(const struct schema_node *n, uint32_t *k)
{
    const struct schema_logic *l = n->logic;
    uint32_t before = 0;
    if (l) {
        bool cond = l->cond != SCHEMA_NONE;
        const uint32_t few[] = {l->ref, l->not, l->cond, cond ? l->then : SCHEMA_NONE,
                                cond ? l->otherwise : SCHEMA_NONE};
        const struct schema_list lists[] = {{(uint32_t *)few, 5}, l->all, l->any, l->one};
        for (size_t i = 0; i < 4; before += lists[i++].count)
            while (*k - before < lists[i].count) {
                uint32_t to = lists[i].node[(*k)++ - before];
                if (to != SCHEMA_NONE)
                    return to;
            }
    }
    while (n->members && *k - before < n->members->depends) {
        uint32_t to = n->members->depend[(*k)++ - before].node;
        if (to != SCHEMA_NONE)
            return to;
    }
    return SCHEMA_NONE;
}

enum { LOOP_NEW, LOOP_OPEN, LOOP_DONE };
struct loop_frame {
    uint32_t node, next;
};

static enum err walk(struct schema_build *b, uint32_t start, char *state, struct loop_frame *stack)
{
    uint32_t depth = 1;
    stack[0] = (struct loop_frame){start, 0};
    state[start] = LOOP_OPEN;
    while (depth) {
        struct loop_frame *top = &stack[depth - 1];
        const struct schema_node *n = &b->s->node[top->node];
        uint32_t to = in_place(n, &top->next);
        if (to == SCHEMA_NONE) {
            state[top->node] = LOOP_DONE;
            depth--;
        } else if (state[to] == LOOP_OPEN) {
            struct schema_place p = {.node = top->node, .doc = n->doc, .value = n->at};
            return schema_unusable(b, &p,
                                   "refers to itself without going deeper into the value, so that it has no end");
        } else if (state[to] == LOOP_NEW) {
            state[to] = LOOP_OPEN;
            stack[depth++] = (struct loop_frame){to, 0};
        }
    }
    return ERR_OK;
}

enum err schema_loops_refuse(struct schema_build *b)
{
    uint32_t count = b->s->nodes;
    char *state = calloc(count, 1);
    struct loop_frame *stack = calloc(count, sizeof(*stack));
    enum err e = state && stack ? ERR_OK : schema_no_memory(b);
    for (uint32_t i = 0; i < count && !e; i++)
        if (state[i] == LOOP_NEW)
            e = walk(b, i, state, stack);
    free(state);
    free(stack);
    return e;
}
