/*
 * Comparing short strings without a call: names of attributes, ids and scopes mostly differ in their length or in their
 * first or last bytes. For the files of this room that decide.
 */
#ifndef CEDAR_BYTES_H
#define CEDAR_BYTES_H

#include "cedar/value.h"

static inline uint64_t cedar_load8(const char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}
static inline uint32_t cedar_load4(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

/* Whether n bytes are the same. */
static inline bool cedar_bytes_eq(const char *a, const char *b, size_t n)
{
    if (n >= 8) {
        if (((cedar_load8(a) ^ cedar_load8(b)) | (cedar_load8(a + n - 8) ^ cedar_load8(b + n - 8))) != 0)
            return false;
        return n <= 16 || memcmp(a + 8, b + 8, n - 16) == 0;
    }
    if (n >= 4)
        return ((cedar_load4(a) ^ cedar_load4(b)) | (cedar_load4(a + n - 4) ^ cedar_load4(b + n - 4))) == 0;
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static inline bool cedar_str_same(struct str a, struct str b)
{
    return a.n == b.n && cedar_bytes_eq(a.p, b.p, a.n);
}

static inline bool cedar_uid_same(const struct cedar_uid *a, const struct cedar_uid *b)
{
    return a == b || (a->hash == b->hash && cedar_str_same(a->id, b->id) && cedar_str_same(a->type, b->type));
}

#define CEDAR_FEW 8 /* up to so many entries are looked through from the first one on; more are halved */

static inline const struct cedar_value *cedar_record_field(const struct cedar_record *r, struct str name)
{
    if (r->n > CEDAR_FEW)
        return cedar_record_get(r, name);
    for (uint32_t i = 0; i < r->n; i++)
        if (cedar_str_same(r->f[i].name, name))
            return &r->f[i].v;
    return NULL;
}

#endif
