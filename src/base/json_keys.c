#include "base/json_keys.h"

#include <stdlib.h>

enum { KEYS_FEW = 8, KEYS_SLOTS = JSON_PRINTS * 4, KEYS_PROBES = 8 };

static uint32_t keys_next(const struct json *j, uint32_t key)
{
    return j->node[key + 1].next;
}

/* Every key with every one before it. */
static enum err keys_by_pairs(const struct json *j, const struct json_key_print *prints, uint32_t n,
                              uint32_t *ret_twice)
{
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = 0; k < i; k++)
            if (prints[i].print == prints[k].print && json_str_same(j, prints[i].node, j, prints[k].node)) {
                *ret_twice = prints[i].node;
                return ERR_SYNTAX;
            }
    return ERR_OK;
}

/* A small table on the stack. Anybody can choose keys whose prints collide: then *ret_crowded, and it is not the table
 * that answers. */
static enum err keys_by_prints(const struct json *j, const struct json_key_print *prints, uint32_t n, bool *ret_crowded,
                               uint32_t *ret_twice)
{
    uint16_t slot[KEYS_SLOTS];
    int bits = 32 - __builtin_clz(n * 4 - 1);
    uint32_t mask = (1u << bits) - 1, budget = n * KEYS_PROBES;
    memset(slot, 0, sizeof(slot[0]) << bits);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = prints[i].print >> (32 - bits);
        for (; slot[at]; at = (at + 1) & mask) {
            const struct json_key_print *other = &prints[slot[at] - 1];
            if (other->print == prints[i].print && json_str_same(j, other->node, j, prints[i].node)) {
                *ret_twice = prints[i].node;
                return ERR_SYNTAX;
            }
            if (budget-- == 0) {
                *ret_crowded = true;
                return ERR_OK;
            }
        }
        slot[at] = (uint16_t)(i + 1);
    }
    return ERR_OK;
}

struct keys_named {
    struct str name;
    uint32_t node;
};

static int keys_cmp(const void *x, const void *y)
{
    const struct keys_named *a = x, *b = y;
    int c = str_cmp(a->name, b->name);
    return c ? c : (a->node > b->node) - (a->node < b->node);
}

/* In order, so that doubles stand side by side: whatever the keys are, it takes no longer than sorting. */
static enum err keys_by_order(const struct json *j, uint32_t object, struct arena *a, uint32_t *ret_twice)
{
    uint32_t n = j->node[object].size, i = 0, twice = 0;
    struct keys_named *key = malloc(n * sizeof(*key));
    if (!key)
        return ERR_NOMEM;
    for (uint32_t k = object + 1; k < j->node[object].next; k = keys_next(j, k))
        key[i++] = (struct keys_named){json_str(j, k, a), k};
    qsort(key, n, sizeof(*key), keys_cmp);
    for (i = 1; i < n; i++)
        if (str_eq(key[i - 1].name, key[i].name) && (!twice || key[i].node < twice))
            twice = key[i].node;
    free(key);
    if (arena_failed(a))
        return ERR_NOMEM;
    if (!twice)
        return ERR_OK;
    *ret_twice = twice;
    return ERR_SYNTAX;
}

enum err json_keys_check(const struct json *j, uint32_t object, const struct json_key_print *prints, struct arena *a,
                         uint32_t *ret_twice)
{
    uint32_t n = j->node[object].size;
    bool crowded = false;
    if (n < 2)
        return ERR_OK;
    if (prints && n <= KEYS_FEW)
        return keys_by_pairs(j, prints, n, ret_twice);
    enum err e = prints ? keys_by_prints(j, prints, n, &crowded, ret_twice) : ERR_OK;
    return prints && !crowded ? e : keys_by_order(j, object, a, ret_twice);
}
