#include "cedar/value.h"

#include <stdlib.h>

#include "cedar/bytes.h"

const struct cedar_record cedar_record_empty = {.n = 0};
_Static_assert(sizeof(struct cedar_value) == 16, "a value is two registers");

#define HASH_MUL UINT64_C(0x9e3779b97f4a7c15)

static uint64_t hash_mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * HASH_MUL;
    return h ^ h >> 32;
}

uint64_t cedar_hash(struct str s, uint64_t seed)
{
    uint64_t h = hash_mix(seed, s.n);
    while (s.n > 8) {
        h = hash_mix(h, cedar_load8(s.p));
        s = str_skip(s, 8);
    }
    uint64_t rest = 0;
    if (s.n)
        memcpy(&rest, s.p, s.n);
    h = hash_mix(h, rest);
    h ^= h >> 29;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ h >> 32;
}

uint64_t cedar_uid_hash(struct str type, struct str id)
{
    return cedar_hash(id, cedar_hash(type, 1));
}

struct cedar_uid cedar_uid(struct str type, struct str id)
{
    return (struct cedar_uid){.type = type, .id = id, .hash = cedar_uid_hash(type, id)};
}

int cedar_uid_cmp(const struct cedar_uid *a, const struct cedar_uid *b)
{
    int c = str_cmp(a->type, b->type);
    return c ? c : str_cmp(a->id, b->id);
}

static int ip_cmp(const struct cedar_ip *a, const struct cedar_ip *b)
{
    if (a->v6 != b->v6)
        return a->v6 ? 1 : -1;
    int c = memcmp(a->addr, b->addr, sizeof(a->addr));
    return c ? c : (a->prefix > b->prefix) - (a->prefix < b->prefix);
}

static int set_cmp(const struct cedar_set *a, const struct cedar_set *b)
{
    for (uint32_t i = 0; i < a->n && i < b->n; i++) {
        int c = cedar_value_cmp(a->v[i], b->v[i]);
        if (c)
            return c;
    }
    return (a->n > b->n) - (a->n < b->n);
}

static int record_cmp(const struct cedar_record *a, const struct cedar_record *b)
{
    for (uint32_t i = 0; i < a->n && i < b->n; i++) {
        int c = str_cmp(a->f[i].name, b->f[i].name);
        if (!c)
            c = cedar_value_cmp(a->f[i].v, b->f[i].v);
        if (c)
            return c;
    }
    return (a->n > b->n) - (a->n < b->n);
}

int cedar_value_cmp(struct cedar_value a, struct cedar_value b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    switch ((enum cedar_kind)a.kind) {
    case CEDAR_NONE: return 0;
    case CEDAR_BOOL: return (int)a.b - (int)b.b;
    case CEDAR_STRING: return str_cmp(cedar_value_str(a), cedar_value_str(b));
    case CEDAR_ENTITY: return cedar_uid_cmp(a.uid, b.uid);
    case CEDAR_SET: return set_cmp(a.set, b.set);
    case CEDAR_RECORD: return record_cmp(a.record, b.record);
    case CEDAR_IP: return ip_cmp(a.ip, b.ip);
    case CEDAR_LONG:
    case CEDAR_DECIMAL:
    case CEDAR_DATETIME:
    case CEDAR_DURATION: break;
    }
    return (a.i > b.i) - (a.i < b.i);
}

static bool set_eq(const struct cedar_set *a, const struct cedar_set *b)
{
    if (a == b)
        return true;
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (!cedar_value_eq(a->v[i], b->v[i]))
            return false;
    return true;
}

static bool record_eq(const struct cedar_record *a, const struct cedar_record *b)
{
    if (a == b)
        return true;
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (!cedar_str_same(a->f[i].name, b->f[i].name) || !cedar_value_eq(a->f[i].v, b->f[i].v))
            return false;
    return true;
}

bool cedar_value_eq(struct cedar_value a, struct cedar_value b)
{
    if (a.kind != b.kind)
        return false;
    switch ((enum cedar_kind)a.kind) {
    case CEDAR_NONE: return true;
    case CEDAR_BOOL: return a.b == b.b;
    case CEDAR_STRING: return a.n == b.n && cedar_bytes_eq(a.p, b.p, a.n);
    case CEDAR_ENTITY: return cedar_uid_same(a.uid, b.uid);
    case CEDAR_SET: return set_eq(a.set, b.set);
    case CEDAR_RECORD: return record_eq(a.record, b.record);
    case CEDAR_IP: return ip_cmp(a.ip, b.ip) == 0;
    case CEDAR_LONG:
    case CEDAR_DECIMAL:
    case CEDAR_DATETIME:
    case CEDAR_DURATION: break;
    }
    return a.i == b.i;
}

static int value_order(const void *a, const void *b)
{
    return cedar_value_cmp(*(const struct cedar_value *)a, *(const struct cedar_value *)b);
}

struct cedar_value cedar_set_of(const struct cedar_value *v, size_t n, struct arena *a)
{
    struct cedar_set *s = n < UINT32_MAX ? arena_raw(a, sizeof(*s) + n * sizeof(*v), 16) : NULL;
    if (!s)
        return (struct cedar_value){.kind = CEDAR_NONE};
    if (n)
        memcpy(s->v, v, n * sizeof(*v));
    if (n > 1)
        qsort(s->v, n, sizeof(*v), value_order);
    s->n = 0;
    for (size_t i = 0; i < n; i++)
        if (s->n == 0 || !cedar_value_eq(s->v[s->n - 1], s->v[i]))
            s->v[s->n++] = s->v[i];
    return (struct cedar_value){.kind = CEDAR_SET, .set = s};
}

static int field_order(const void *a, const void *b)
{
    return str_cmp(((const struct cedar_field *)a)->name, ((const struct cedar_field *)b)->name);
}

enum err cedar_record_of(const struct cedar_field *f, size_t n, struct arena *a, struct cedar_value *ret)
{
    struct cedar_record *r = n < UINT32_MAX ? arena_raw(a, sizeof(*r) + n * sizeof(*f), 16) : NULL;
    if (!r)
        return ERR_NOMEM;
    if (n)
        memcpy(r->f, f, n * sizeof(*f));
    if (n > 1)
        qsort(r->f, n, sizeof(*f), field_order);
    for (size_t i = 1; i < n; i++)
        if (str_eq(r->f[i - 1].name, r->f[i].name))
            return ERR_SYNTAX;
    r->n = (uint32_t)n;
    *ret = (struct cedar_value){.kind = CEDAR_RECORD, .record = r};
    return ERR_OK;
}

bool cedar_set_has(const struct cedar_set *s, struct cedar_value v)
{
    if (s->n <= CEDAR_FEW) {
        for (uint32_t i = 0; i < s->n; i++)
            if (cedar_value_eq(s->v[i], v))
                return true;
        return false;
    }
    uint32_t from = 0, to = s->n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        int c = cedar_value_cmp(v, s->v[mid]);
        if (c == 0)
            return true;
        if (c < 0)
            to = mid;
        else
            from = mid + 1;
    }
    return false;
}

const struct cedar_value *cedar_record_get(const struct cedar_record *r, struct str name)
{
    uint32_t from = 0, to = r->n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        int c = str_cmp(name, r->f[mid].name);
        if (c == 0)
            return &r->f[mid].v;
        if (c < 0)
            to = mid;
        else
            from = mid + 1;
    }
    return NULL;
}

const char *cedar_kind_name(enum cedar_kind k)
{
    static const char *const names[] = {
        [CEDAR_NONE] = "nothing",      [CEDAR_BOOL] = "bool",         [CEDAR_LONG] = "long",
        [CEDAR_STRING] = "string",     [CEDAR_ENTITY] = "entity",     [CEDAR_SET] = "set",
        [CEDAR_RECORD] = "record",     [CEDAR_DECIMAL] = "decimal",   [CEDAR_IP] = "ipaddr",
        [CEDAR_DATETIME] = "datetime", [CEDAR_DURATION] = "duration",
    };
    return (size_t)k < sizeof(names) / sizeof(names[0]) ? names[k] : "nothing";
}
