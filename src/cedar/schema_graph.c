#include "cedar/schema_graph.h"

#include <stdlib.h>

enum err cedar_graph_init(struct cedar_graph *g, uint32_t n, uint32_t edges, uint32_t steps, struct arena *a)
{
    *g = (struct cedar_graph){.n = n, .steps = steps};
    g->first = arena_alloc(a, (n + 2) * sizeof(*g->first));
    g->edge = arena_alloc(a, (edges + 1) * sizeof(*g->edge));
    g->stack = arena_alloc(a, (n + 1) * sizeof(*g->stack));
    g->reached = arena_alloc(a, (n + 1) * sizeof(*g->reached));
    g->mark = arena_alloc(a, (n + 1) * sizeof(*g->mark));
    return arena_failed(a) ? ERR_NOMEM : ERR_OK;
}

static int number_cmp(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

void cedar_graph_numbers(uint32_t *v, uint32_t *n)
{
    uint32_t keep = 0;
    if (*n > 1)
        qsort(v, *n, sizeof(*v), number_cmp);
    for (uint32_t i = 0; i < *n; i++)
        if (!keep || v[keep - 1] != v[i])
            v[keep++] = v[i];
    *n = keep;
}

enum err cedar_graph_reach(struct cedar_graph *g, uint32_t from, const uint32_t **ret, uint32_t *ret_n)
{
    uint32_t depth = 0, n = 0;
    g->stack[depth++] = from; /* a node gets there once at most, `from` aside: it is taken off before anything else */
    while (depth) {
        uint32_t at = g->stack[--depth];
        for (uint32_t i = g->first[at]; i < g->first[at + 1]; i++) {
            uint32_t to = g->edge[i];
            if (g->steps == 0)
                return ERR_LIMIT;
            g->steps--;
            if (g->mark[to] == from + 1)
                continue;
            g->mark[to] = from + 1;
            g->reached[n++] = to;
            if (to != from)
                g->stack[depth++] = to;
        }
    }
    cedar_graph_numbers(g->reached, &n);
    *ret = g->reached;
    *ret_n = n;
    return ERR_OK;
}
