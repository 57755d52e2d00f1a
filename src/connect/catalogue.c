#include <stdlib.h>

#include "base/hash.h"
#include "connect/inner.h"

/* What a snapshot holds beside its public face. */
struct catalogue_whole {
    struct catalogue face; /* first */
    _Atomic unsigned refs;
    struct tool *tools;
    struct tool_set **sets;
    size_t set_count;
    struct offer *offers[OFFER_KINDS];
    struct catalogue_server *servers;
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

/* What is withheld reaches no list of any face. */
static void catalogue_withhold(struct tool *t)
{
    if (!tool_served(t))
        t->listed = t->plain = t->listed_legacy = t->plain_legacy = STR_NONE;
}

static void catalogue_free(struct catalogue_whole *k)
{
    for (size_t i = 0; i < k->set_count; i++)
        tool_set_unref(k->sets[i]);
    free(k->sets);
    free(k->tools);
    for (unsigned i = 0; i < OFFER_KINDS; i++)
        free(k->offers[i]);
    free(k->servers);
    free(k->by_exposed);
    free(k->by_id);
    free(k);
}

/* All of one kind, of one set behind the other. False: no memory. */
static bool catalogue_offer(struct catalogue_whole *k, struct tool_set *const *sets, size_t count, unsigned kind)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        n += sets[i]->offers[kind].count;
    struct offer *all = calloc(n + 1, sizeof(*all));
    if (!all)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct offer_array *list = &sets[i]->offers[kind];
        for (size_t j = 0; j < list->count; j++)
            all[at++] = list->offer[j];
    }
    k->face.offer[kind] = k->offers[kind] = all;
    k->face.offers[kind] = n;
    return true;
}

static bool catalogue_servers(struct catalogue_whole *k, struct tool_set *const *sets, size_t count)
{
    struct catalogue_server *all = calloc(count + 1, sizeof(*all));
    if (!all)
        return false;
    for (size_t i = 0; i < count; i++)
        all[i] = (struct catalogue_server){sets[i]->upstream->server->name, sets[i]->upstream, sets[i]->can};
    k->face.server = k->servers = all;
    k->face.servers = count;
    return true;
}

static bool catalogue_offers(struct catalogue_whole *k, struct tool_set *const *sets, size_t count)
{
    for (unsigned kind = 0; kind < OFFER_KINDS; kind++)
        if (!catalogue_offer(k, sets, count, kind))
            return false;
    return catalogue_servers(k, sets, count);
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
        catalogue_withhold(&k->tools[i]);
        catalogue_index(k, k->by_exposed, k->tools[i].exposed, (uint32_t)i);
        catalogue_index(k, k->by_id, k->tools[i].id, (uint32_t)i);
    }
    k->face = (struct catalogue){.tool = k->tools, .count = n, .version = version};
    if (!catalogue_offers(k, sets, count)) {
        catalogue_free(k);
        return NULL;
    }
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

const struct tool *catalogue_by_id(const struct catalogue *k, struct str id)
{
    const struct catalogue_whole *w = (const struct catalogue_whole *)k;
    for (size_t at = str_hash(id) & (w->slots - 1); w->by_id[at]; at = (at + 1) & (w->slots - 1))
        if (str_eq(w->tools[w->by_id[at] - 1].id, id))
            return &w->tools[w->by_id[at] - 1];
    return NULL;
}

const struct tool *catalogue_by_name(const struct catalogue *k, struct str server, struct str name)
{
    char id[320];
    if (server.n + name.n + 1 > sizeof(id) || !server.n || !name.n)
        return NULL;
    memcpy(id, server.p, server.n);
    id[server.n] = '/';
    memcpy(id + server.n + 1, name.p, name.n);
    return catalogue_by_id(k, (struct str){id, server.n + 1 + name.n});
}

const struct catalogue_server *catalogue_server(const struct catalogue *k, struct str name)
{
    for (size_t i = 0; i < k->servers; i++)
        if (str_eq(k->server[i].name, name))
            return &k->server[i];
    return NULL;
}

const struct offer *catalogue_prompt(const struct catalogue *k, struct str server, struct str name)
{
    for (size_t i = 0; i < k->offers[OFFER_PROMPT]; i++) {
        const struct offer *o = &k->offer[OFFER_PROMPT][i];
        if (str_eq(o->server, server) && str_eq(o->name, name))
            return o;
    }
    return NULL;
}

const struct catalogue_server *catalogue_uri(const struct catalogue *k, struct str server, struct str uri)
{
    if (server.n)
        return catalogue_server(k, server);
    for (size_t i = 0; i < k->offers[OFFER_RESOURCE]; i++)
        if (str_eq(k->offer[OFFER_RESOURCE][i].name, uri))
            return catalogue_server(k, k->offer[OFFER_RESOURCE][i].server);
    for (size_t i = 0; i < k->offers[OFFER_TEMPLATE]; i++)
        if (str_eq(k->offer[OFFER_TEMPLATE][i].name, uri) || offer_template_fits(k->offer[OFFER_TEMPLATE][i].name, uri))
            return catalogue_server(k, k->offer[OFFER_TEMPLATE][i].server);
    return NULL;
}
