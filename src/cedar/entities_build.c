/* Building a store: copies of what is added, then the table, and away with what stands there twice. */
#include <stdlib.h>

#include "cedar/entities_inner.h"
#include "cedar/parse.h"
#include "cedar/schema.h"
#include "cedar/validate.h"

#define SHORT_TEXT 32 /* texts up to so long are kept once when they come again soon */

struct cedar_entities_new *cedar_entities_begin(size_t memory)
{
    struct cedar_entities_new *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->store = calloc(1, sizeof(*b->store));
    if (!b->store) {
        free(b);
        return NULL;
    }
    b->memory = memory;
    arena_init(&b->store->arena, memory);
    return b;
}

void cedar_entities_drop(struct cedar_entities_new *b)
{
    if (!b)
        return;
    cedar_entities_free(b->store);
    free(b);
}

static struct str copy_str(struct cedar_entities_new *b, struct str s)
{
    if (s.n > SHORT_TEXT)
        return arena_str(&b->store->arena, s);
    struct str *recent = &b->recent[cedar_hash(s, 0) % CEDAR_RECENT];
    if (!recent->p || !str_eq(*recent, s))
        *recent = arena_str(&b->store->arena, s);
    return *recent;
}

static const struct cedar_uid *copy_uid(struct cedar_entities_new *b, const struct cedar_uid *uid)
{
    const struct cedar_uid **recent = &b->recent_uid[uid->hash % CEDAR_RECENT];
    if (*recent && cedar_uid_eq(*recent, uid))
        return *recent;
    struct cedar_uid *copy = arena_raw(&b->store->arena, sizeof(*copy), 8);
    if (!copy)
        return NULL;
    *copy = (struct cedar_uid){copy_str(b, uid->type), arena_str(&b->store->arena, uid->id), uid->hash};
    *recent = copy;
    return copy;
}

static struct cedar_value copy_value(struct cedar_entities_new *b, struct cedar_value v, unsigned depth);

static const struct cedar_record *copy_record(struct cedar_entities_new *b, const struct cedar_record *r,
                                              unsigned depth)
{
    if (!r || r->n == 0)
        return &cedar_record_empty;
    struct cedar_record *copy = arena_raw(&b->store->arena, sizeof(*r) + r->n * sizeof(r->f[0]), 8);
    if (!copy)
        return NULL;
    copy->n = r->n;
    for (uint32_t i = 0; i < r->n; i++) {
        copy->f[i].name = copy_str(b, r->f[i].name);
        copy->f[i].v = copy_value(b, r->f[i].v, depth);
    }
    return copy;
}

static const struct cedar_set *copy_set(struct cedar_entities_new *b, const struct cedar_set *s, unsigned depth)
{
    struct cedar_set *copy = arena_raw(&b->store->arena, sizeof(*s) + s->n * sizeof(s->v[0]), 8);
    if (!copy)
        return NULL;
    copy->n = s->n;
    for (uint32_t i = 0; i < s->n; i++)
        copy->v[i] = copy_value(b, s->v[i], depth);
    return copy;
}

/* Fails the arena when it fails. */
static struct cedar_value copy_value(struct cedar_entities_new *b, struct cedar_value v, unsigned depth)
{
    struct arena *a = &b->store->arena;
    if (depth > CEDAR_DEPTH) {
        a->failed = true;
        return v;
    }
    switch ((enum cedar_kind)v.kind) {
    case CEDAR_STRING: v.p = copy_str(b, cedar_value_str(v)).p; break;
    case CEDAR_ENTITY: v.uid = copy_uid(b, v.uid); break;
    case CEDAR_SET: v.set = copy_set(b, v.set, depth + 1); break;
    case CEDAR_RECORD: v.record = copy_record(b, v.record, depth + 1); break;
    case CEDAR_IP: {
        struct cedar_ip *ip = arena_raw(a, sizeof(*ip), 1);
        if (ip)
            *ip = *v.ip;
        v.ip = ip;
        break;
    }
    case CEDAR_NONE:
    case CEDAR_BOOL:
    case CEDAR_LONG:
    case CEDAR_DECIMAL:
    case CEDAR_DATETIME:
    case CEDAR_DURATION: break;
    }
    return v;
}

static int parent_order(const void *a, const void *b)
{
    return cedar_uid_cmp(*(const struct cedar_uid *const *)a, *(const struct cedar_uid *const *)b);
}

static struct cedar_parents copy_parents(struct cedar_entities_new *b, const struct cedar_uid *parent, size_t n)
{
    struct cedar_parents p = {0};
    if (n == 0 || !(p.uid = arena_raw(&b->store->arena, n * sizeof(struct cedar_uid *), 8)))
        return p;
    for (size_t i = 0; i < n; i++)
        if (!(p.uid[i] = copy_uid(b, &parent[i])))
            return p;
    qsort(p.uid, n, sizeof(struct cedar_uid *), parent_order);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !cedar_uid_eq(p.uid[p.n - 1], p.uid[i]))
            p.uid[p.n++] = p.uid[i];
    return p;
}

static bool is_action(const struct cedar_uid *uid)
{
    return str_is(uid->type, "Action") || str_ends(uid->type, STR("::Action"));
}

/* Entities and parents lie in arrays of their own, since they grow. */
static bool grow(struct cedar_entities *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : 64;
    struct cedar_entity *entity = realloc(s->entity, cap * sizeof(*entity));
    if (!entity)
        return false;
    s->entity = entity;
    struct cedar_parents *parents = realloc(s->parents, cap * sizeof(*parents));
    if (!parents)
        return false;
    s->parents = parents;
    s->cap = cap;
    return true;
}

enum err cedar_entities_add(struct cedar_entities_new *b, const struct cedar_uid *uid, const struct cedar_record *attrs,
                            const struct cedar_record *tags, const struct cedar_uid *parent, size_t parents,
                            struct fault *f)
{
    struct cedar_entities *s = b->store;
    for (size_t i = 0; i < parents && is_action(uid); i++)
        if (!is_action(&parent[i]))
            return fault_set(f, ERR_SYNTAX, "its parent %s is no action: actions are grouped by actions only",
                             CEDAR_UID_WORDS(&parent[i]));
    if ((size_t)s->n * (sizeof(*s->entity) + sizeof(*s->parents)) > b->memory)
        return fault_set(f, ERR_LIMIT, "the entities need more than %zu bytes of memory", b->memory);
    if (s->n == s->cap && (s->cap > UINT32_MAX / 4 || !grow(s)))
        return fault_set(f, ERR_NOMEM, "no memory for the entities");
    struct cedar_entity *e = &s->entity[s->n];
    *e = (struct cedar_entity){.uid = {copy_str(b, uid->type), arena_str(&s->arena, uid->id), uid->hash},
                               .attrs = copy_record(b, attrs, 0),
                               .tags = copy_record(b, tags, 0)};
    s->parents[s->n] = copy_parents(b, parent, parents);
    if (arena_failed(&s->arena))
        return fault_set(f, ERR_LIMIT, "the entities need more than %zu bytes of memory, or are nested too deeply",
                         b->memory);
    s->n++;
    return ERR_OK;
}

/* ---- the table ---- */

static int slot_order(const void *a, const void *b, void *store)
{
    const struct cedar_entities *s = store;
    const struct cedar_uid *x = &s->entity[((const struct cedar_slot *)a)->entity].uid,
                           *y = &s->entity[((const struct cedar_slot *)b)->entity].uid;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    int c = cedar_uid_cmp(x, y);
    uint32_t first = ((const struct cedar_slot *)a)->entity, second = ((const struct cedar_slot *)b)->entity;
    return c ? c : (first > second) - (first < second);
}

bool cedar_entities_table(struct cedar_entities *s)
{
    free(s->run);
    free(s->slot);
    for (s->bits = 0; s->bits < 31 && (UINT32_C(1) << s->bits) < s->n; s->bits++)
        ;
    uint32_t runs = UINT32_C(1) << s->bits;
    s->run = calloc(runs + 1, sizeof(*s->run));
    s->slot = calloc((size_t)s->n + 1, sizeof(*s->slot));
    if (!s->run || !s->slot)
        return false;
    for (uint32_t i = 0; i < s->n; i++)
        s->run[cedar_entities_run(s, s->entity[i].uid.hash)]++;
    for (uint32_t r = 0, end = 0; r <= runs; r++)
        s->run[r] = end += s->run[r];
    for (uint32_t i = s->n; i--;) /* backwards: each run's end moves to its beginning */
        s->slot[--s->run[cedar_entities_run(s, s->entity[i].uid.hash)]] =
            (struct cedar_slot){(uint32_t)s->entity[i].uid.hash, i};
    for (uint32_t r = 0; r < runs; r++)
        if (s->run[r + 1] - s->run[r] > 1)
            qsort_r(&s->slot[s->run[r]], s->run[r + 1] - s->run[r], sizeof(*s->slot), slot_order, s);
    return true;
}

static bool same_content(const struct cedar_entities *s, uint32_t a, uint32_t b)
{
    struct cedar_value v[4] = {{.kind = CEDAR_RECORD, .record = s->entity[a].attrs},
                               {.kind = CEDAR_RECORD, .record = s->entity[b].attrs},
                               {.kind = CEDAR_RECORD, .record = s->entity[a].tags},
                               {.kind = CEDAR_RECORD, .record = s->entity[b].tags}};
    if (s->parents[a].n != s->parents[b].n || !cedar_value_eq(v[0], v[1]) || !cedar_value_eq(v[2], v[3]))
        return false;
    for (uint32_t i = 0; i < s->parents[a].n; i++)
        if (!cedar_uid_eq(s->parents[a].uid[i], s->parents[b].uid[i]))
            return false;
    return true;
}

/* Entities without a type are gone. */
static void compact(struct cedar_entities *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (!s->entity[i].uid.type.p)
            continue;
        s->entity[n] = s->entity[i];
        s->parents[n++] = s->parents[i];
    }
    s->n = n;
}

enum err cedar_entities_unique(struct cedar_entities *s, struct fault *f)
{
    uint32_t before = 0, doubles = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t e = s->slot[i].entity;
        if (i == 0 || !cedar_uid_eq(&s->entity[before].uid, &s->entity[e].uid)) {
            before = e;
            continue;
        }
        if (!same_content(s, before, e))
            return fault_set(f, ERR_SYNTAX, "%s stands here twice, with different content",
                             CEDAR_UID_WORDS(&s->entity[e].uid));
        s->entity[e].uid.type = STR_NONE;
        doubles++;
    }
    if (!doubles)
        return ERR_OK;
    compact(s);
    return cedar_entities_table(s) ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the entities");
}

/* The schema's actions are entities, whether or not the list has them. */
static enum err add_actions(struct cedar_entities_new *b, struct fault *f)
{
    struct cedar_entities *s = b->store;
    uint32_t before = s->n;
    for (uint32_t i = 0; i < b->schema->actions; i++) {
        const struct cedar_action *a = &b->schema->action[i];
        if (!cedar_entities_find(s, &a->uid))
            TRY(cedar_entities_add(b, &a->uid, NULL, NULL, a->parent, a->parents, f));
    }
    return s->n == before || cedar_entities_table(s) ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the entities");
}

/* Gives back what the arrays have grown too much. Before ancestors point into them. */
static void shrink(struct cedar_entities *s)
{
    struct cedar_entity *entity = realloc(s->entity, (s->n + 1) * sizeof(*entity));
    struct cedar_parents *parents = realloc(s->parents, (s->n + 1) * sizeof(*parents));
    s->entity = entity ? entity : s->entity;
    s->parents = parents ? parents : s->parents;
}

static enum err finish(struct cedar_entities_new *b, struct fault *f)
{
    struct cedar_entities *s = b->store;
    if (!cedar_entities_table(s))
        return fault_set(f, ERR_NOMEM, "no memory for the entities");
    TRY(cedar_entities_unique(s, f));
    if (b->schema)
        TRY(add_actions(b, f));
    shrink(s);
    TRY(cedar_entities_close(s, f));
    for (uint32_t i = 0; i < s->n && b->schema; i++)
        TRY(cedar_validate_entity(&s->entity[i], b->schema, f));
    return ERR_OK;
}

enum err cedar_entities_done(struct cedar_entities_new *b, struct cedar_entities **ret, struct fault *f)
{
    enum err e = finish(b, f);
    if (!e) {
        *ret = b->store;
        b->store = NULL;
    }
    cedar_entities_drop(b);
    return e;
}
