#include <stdlib.h>

#include "connect/inner.h"

/* What a snapshot holds beside its public face. */
struct catalogue_whole {
    struct catalogue face; /* first */
    _Atomic unsigned refs;
    struct tool *tools;
    struct tool_set **sets;
    size_t set_count;
    uint32_t *by_exposed, *by_id; /* open addressing; index + 1 */
    size_t slots;                 /* a power of two */
};

static int catalogue_order(const void *a, const void *b)
{
    return str_cmp(((const struct tool *)a)->id, ((const struct tool *)b)->id);
}

static void catalogue_index(struct catalogue_whole *k, uint32_t *slot, struct str key, uint32_t i)
{
    size_t at = str_hash(key) & (k->slots - 1);
    while (slot[at])
        at = (at + 1) & (k->slots - 1);
    slot[at] = i + 1;
}

static void catalogue_free(struct catalogue_whole *k)
{
    for (size_t i = 0; i < k->set_count; i++)
        tool_set_unref(k->sets[i]);
    free(k->sets);
    free(k->tools);
    free(k->by_exposed);
    free(k->by_id);
    free(k);
}

struct catalogue *catalogue_build(struct tool_set **sets, size_t count, uint64_t version)
{
    struct catalogue_whole *k = calloc(1, sizeof(*k));
    size_t tools = 0, n = 0;
    if (!k)
        return NULL;
    for (size_t i = 0; i < count; i++)
        tools += sets[i]->count;
    for (k->slots = 16; k->slots < tools * 2; k->slots *= 2)
        ;
    k->refs = 1;
    k->tools = calloc(tools + 1, sizeof(*k->tools));
    k->sets = calloc(count + 1, sizeof(*k->sets));
    k->by_exposed = calloc(k->slots, sizeof(uint32_t));
    k->by_id = calloc(k->slots, sizeof(uint32_t));
    if (!k->tools || !k->sets || !k->by_exposed || !k->by_id) {
        catalogue_free(k);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        k->sets[k->set_count++] = tool_set_ref(sets[i]);
        if (sets[i]->count)
            memcpy(k->tools + n, sets[i]->tool, sets[i]->count * sizeof(*k->tools));
        n += sets[i]->count;
    }
    qsort(k->tools, n, sizeof(*k->tools), catalogue_order);
    for (size_t i = 0; i < n; i++) {
        catalogue_index(k, k->by_exposed, k->tools[i].exposed, (uint32_t)i);
        catalogue_index(k, k->by_id, k->tools[i].id, (uint32_t)i);
    }
    k->face = (struct catalogue){k->tools, n, version};
    return &k->face;
}

struct catalogue *catalogue_ref(struct catalogue *k)
{
    atomic_fetch_add_explicit(&((struct catalogue_whole *)k)->refs, 1, memory_order_relaxed);
    return k;
}

void catalogue_unref(struct catalogue *k)
{
    struct catalogue_whole *w = (struct catalogue_whole *)k;
    if (k && atomic_fetch_sub_explicit(&w->refs, 1, memory_order_acq_rel) == 1)
        catalogue_free(w);
}

const struct tool *catalogue_by_exposed(const struct catalogue *k, struct str exposed)
{
    const struct catalogue_whole *w = (const struct catalogue_whole *)k;
    for (size_t at = str_hash(exposed) & (w->slots - 1); w->by_exposed[at]; at = (at + 1) & (w->slots - 1))
        if (str_eq(w->tools[w->by_exposed[at] - 1].exposed, exposed))
            return &w->tools[w->by_exposed[at] - 1];
    return NULL;
}

const struct tool *catalogue_by_name(const struct catalogue *k, struct str server, struct str name)
{
    const struct catalogue_whole *w = (const struct catalogue_whole *)k;
    char id[320];
    if (server.n + name.n + 1 > sizeof(id) || !server.n || !name.n)
        return NULL;
    memcpy(id, server.p, server.n);
    id[server.n] = '/';
    memcpy(id + server.n + 1, name.p, name.n);
    struct str key = {id, server.n + 1 + name.n};
    for (size_t at = str_hash(key) & (w->slots - 1); w->by_id[at]; at = (at + 1) & (w->slots - 1))
        if (str_eq(w->tools[w->by_id[at] - 1].id, key))
            return &w->tools[w->by_id[at] - 1];
    return NULL;
}
