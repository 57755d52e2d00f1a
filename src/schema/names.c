#include "schema/inner.h"

#include <pthread.h>

#include "base/hash.h"

static uint64_t names_seed;
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

static void names_seed_set(void)
{
    names_seed = str_hash(STR("schema names"));
}

static uint64_t names_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* A multiply-fold hash: a few nanoseconds for a key of an object. */
static uint32_t names_hash(struct str s)
{
    uint64_t h = names_seed ^ s.n * 0x9e3779b97f4a7c15u, w;
    const char *p = s.p;
    size_t n = s.n;
    for (; n > 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = names_mix(h ^ w, 0xa0761d6478bd642fu ^ names_seed);
    }
    w = 0;
    if (n >= 4) { /* two reads that may overlap, instead of a loop over the bytes */
        uint32_t lo, hi;
        memcpy(&lo, p, 4);
        memcpy(&hi, p + n - 4, 4);
        w = (uint64_t)hi << 32 | lo;
    } else if (n) {
        w = (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << 8 |
            (uint64_t)(unsigned char)p[n - 1] << 16;
    }
    h = names_mix(h ^ w, 0xe7037ed1a0b428dbu ^ names_seed);
    return (uint32_t)(h ^ h >> 32);
}

bool schema_names_build(struct schema_names *t, struct arena *a)
{
    pthread_once(&names_once, names_seed_set);
    uint32_t slots = 4;
    while (slots < t->count * 2)
        slots *= 2;
    t->slot = arena_alloc(a, slots * sizeof(*t->slot));
    if (!t->slot)
        return false;
    t->mask = slots - 1;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t h = names_hash(t->entry[i].name) & t->mask;
        while (t->slot[h])
            h = (h + 1) & t->mask;
        t->slot[h] = i + 1;
    }
    return true;
}

struct schema_name *schema_names_find(const struct schema_names *t, struct str name)
{
    if (t->count == 0)
        return NULL;
    for (uint32_t h = names_hash(name) & t->mask; t->slot[h]; h = (h + 1) & t->mask) {
        struct schema_name *e = &t->entry[t->slot[h] - 1];
        if (str_eq(e->name, name))
            return e;
    }
    return NULL;
}
