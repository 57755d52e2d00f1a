/*
 * uniqueItems. A few scalars are compared pair by pair; anything else by its canonical bytes in a hash table: linear,
 * with the process's secret in the hash.
 */
#include "schema/inner.h"

#include "base/hash.h"

#define UNIQUE_PAIRS    8
#define UNIQUE_PER_STEP 16 /* bytes of canonical form for one step */

static bool scalar_equal(const struct json *doc, uint32_t a, uint32_t b)
{
    const struct json_node *x = &doc->node[a], *y = &doc->node[b];
    if (x->type != y->type)
        return false;
    if (x->type == JSON_NUMBER)
        return json_number_cmp(schema_raw(doc, a), schema_raw(doc, b)) == 0;
    return x->type != JSON_STRING || str_eq(schema_raw(doc, a), schema_raw(doc, b));
}

/* False: there is something in it that needs the canonical form. */
static bool pairs(const struct json *doc, uint32_t at, bool *ret_unique, uint32_t *ret_a, uint32_t *ret_b)
{
    uint32_t n = doc->node[at].size;
    if (n > UNIQUE_PAIRS)
        return false;
    for (uint32_t i = at + 1; i < at + 1 + n; i++) {
        const struct json_node *v = &doc->node[i];
        if (v->type == JSON_ARRAY || v->type == JSON_OBJECT || (v->flags & JSON_ESCAPED) || v->len > 64)
            return false;
    }
    *ret_unique = true;
    for (uint32_t a = 0; a < n && *ret_unique; a++)
        for (uint32_t b = a + 1; b < n && *ret_unique; b++)
            if (scalar_equal(doc, at + 1 + a, at + 1 + b)) {
                *ret_unique = false;
                *ret_a = a;
                *ret_b = b;
            }
    return true;
}

struct unique_item {
    uint64_t hash;
    size_t off, n;
};

static enum err items_write(const struct json *doc, uint32_t at, struct buf *out, struct unique_item *item,
                            struct arena *scratch)
{
    uint32_t i = 0;
    for (uint32_t v = at + 1; i < doc->node[at].size; v = doc->node[v].next, i++) {
        item[i].off = out->n;
        TRY(json_canonical(doc, v, out, scratch));
        item[i].n = out->n - item[i].off;
    }
    return ERR_OK;
}

static enum err hashed(const struct json *doc, uint32_t at, struct buf *out, struct arena *scratch, uint32_t *steps,
                       bool *ret_unique, uint32_t *ret_a, uint32_t *ret_b)
{
    uint32_t n = doc->node[at].size, slots = 16;
    while (slots < 2 * n)
        slots *= 2;
    struct unique_item *item = arena_raw(scratch, n * sizeof(*item), _Alignof(struct unique_item));
    uint32_t *slot = arena_alloc(scratch, slots * sizeof(*slot));
    if (!item || !slot)
        return ERR_NOMEM;
    TRY(items_write(doc, at, out, item, scratch));
    if (!schema_spend(steps, out->n / UNIQUE_PER_STEP))
        return ERR_LIMIT;
    for (uint32_t i = 0; i < n; i++) {
        struct str s = {out->p + item[i].off, item[i].n};
        item[i].hash = str_hash(s);
        uint32_t h = (uint32_t)item[i].hash & (slots - 1);
        for (; slot[h]; h = (h + 1) & (slots - 1)) {
            const struct unique_item *other = &item[slot[h] - 1];
            if (other->hash == item[i].hash && str_eq(s, (struct str){out->p + other->off, other->n})) {
                *ret_a = slot[h] - 1;
                *ret_b = i;
                *ret_unique = false;
                return ERR_OK;
            }
        }
        slot[h] = i + 1;
    }
    *ret_unique = true;
    return ERR_OK;
}

enum err schema_unique(const struct json *doc, uint32_t at, struct arena *scratch, uint32_t *steps, bool *ret_unique,
                       uint32_t *ret_a, uint32_t *ret_b)
{
    const struct json_node *v = &doc->node[at];
    if (v->size < 2) {
        *ret_unique = true;
        return ERR_OK;
    }
    if (!schema_spend(steps, v->next - at + v->len / UNIQUE_PER_STEP))
        return ERR_LIMIT;
    if (pairs(doc, at, ret_unique, ret_a, ret_b))
        return ERR_OK;
    struct buf out;
    buf_init(&out, 64 + 8 * (size_t)v->len);
    enum err e = hashed(doc, at, &out, scratch, steps, ret_unique, ret_a, ret_b);
    buf_done(&out);
    return e;
}
