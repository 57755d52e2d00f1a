/* Groups within groups: what is reached from where. */
#ifndef CEDAR_SCHEMA_GRAPH_H
#define CEDAR_SCHEMA_GRAPH_H

#include "base/arena.h"

struct cedar_graph {
    uint32_t n;
    uint32_t *first; /* of node i: edge[first[i]] … edge[first[i + 1] - 1] */
    uint32_t *edge;
    uint32_t *stack, *reached, *mark;
    uint32_t steps; /* that are left */
};

/* Room for n nodes and their edges; first and edge are the caller's to fill. */
enum err cedar_graph_init(struct cedar_graph *g, uint32_t n, uint32_t edges, uint32_t steps, struct arena *a) MUST_USE;
/* All that is reached from a node, by their numbers; the node itself when a way leads back to it. They stay there until
 * the next call. ERR_LIMIT: the steps are used up. */
enum err cedar_graph_reach(struct cedar_graph *g, uint32_t from, const uint32_t **ret, uint32_t *ret_n) MUST_USE;
/* Sorts numbers and removes doubles. */
void cedar_graph_numbers(uint32_t *v, uint32_t *n);

#endif
