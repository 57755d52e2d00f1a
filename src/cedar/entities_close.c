/*
 * Ancestors of all entities, and the refusal of circles. Depth first, with a stack of its own, so that a chain may be
 * as long as it likes; entities with a single parent share what lies above it.
 */
#include <stdlib.h>

#include "cedar/entities_inner.h"

struct names { /* in the order of hash and uid */
    const struct cedar_uid **uid;
    uint32_t n;
};

#define UNSEEN  0
#define OPEN    1 /* on the stack */
#define CLOSED  2
#define UNKNOWN UINT32_MAX /* a parent that is no entity of the store */

#define SHARED 256 /* lists of parents that are remembered */

struct frame {
    uint32_t entity, next; /* next: of its parents */
};
struct closure {
    struct cedar_entities *s;
    struct names *up; /* of each entity: itself and its ancestors; made when a child asks for it */
    uint8_t *state;
    struct frame *stack;
    uint32_t depth, stack_cap;
    struct names room[2]; /* for a union while it grows */
    uint32_t room_cap[2];
    uint32_t shared[SHARED]; /* entity + 1, by its parents: others with the same parents have the same ancestors */
};

static void closure_done(struct closure *c)
{
    free(c->up);
    free(c->state);
    free(c->stack);
    free(c->room[0].uid);
    free(c->room[1].uid);
}

static int name_order(const struct cedar_uid *a, const struct cedar_uid *b)
{
    if (a == b)
        return 0;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return cedar_uid_cmp(a, b);
}

static uint32_t index_of(const struct cedar_entities *s, const struct cedar_uid *uid)
{
    const struct cedar_entity *e = cedar_entities_find(s, uid);
    return e ? (uint32_t)(e - s->entity) : UNKNOWN;
}

static struct names names_copy(struct closure *c, const struct names *from)
{
    struct names copy = {arena_raw(&c->s->arena, (from->n + 1) * sizeof(struct cedar_uid *), 8), from->n};
    if (copy.uid && from->n)
        memcpy(copy.uid, from->uid, from->n * sizeof(struct cedar_uid *));
    return copy;
}

static bool room_for(struct closure *c, unsigned which, uint32_t n)
{
    if (c->room[which].uid && n <= c->room_cap[which])
        return true;
    const struct cedar_uid **uid = realloc(c->room[which].uid, (2 * (size_t)n + 1) * sizeof(struct cedar_uid *));
    if (!uid)
        return false;
    c->room[which].uid = uid;
    c->room_cap[which] = 2 * n;
    return true;
}

/* The union of the names in room[*which] and of `more` goes to the other room. */
static bool names_add(struct closure *c, unsigned *which, const struct names *more)
{
    struct names *from = &c->room[*which], *to = &c->room[!*which];
    uint32_t i = 0, k = 0;
    if (!room_for(c, !*which, from->n + more->n))
        return false;
    for (to->n = 0; i < from->n || k < more->n; to->n++) {
        int order = i == from->n ? 1 : k == more->n ? -1 : name_order(from->uid[i], more->uid[k]);
        to->uid[to->n] = order <= 0 ? from->uid[i] : more->uid[k];
        i += order <= 0;
        k += order >= 0;
    }
    *which = !*which;
    return true;
}

static struct names names_above(const struct cedar_entity *e)
{
    return (struct names){(const struct cedar_uid **)e->ancestors, e->n};
}

/* Of one parent: itself and what is above it; its children have it in common. */
static bool above_one(struct closure *c, const struct cedar_uid *const *parent, struct names *ret)
{
    uint32_t i = index_of(c->s, *parent);
    if (i == UNKNOWN) {
        *ret = (struct names){(const struct cedar_uid **)parent, 1};
        return true;
    }
    if (!c->up[i].uid) {
        const struct cedar_uid *name = &c->s->entity[i].uid;
        struct names self = {&name, 1}, above = names_above(&c->s->entity[i]);
        unsigned which = 0;
        c->room[0].n = 0;
        if (!names_add(c, &which, &self) || !names_add(c, &which, &above))
            return false;
        c->up[i] = names_copy(c, &c->room[which]);
    }
    *ret = c->up[i];
    return ret->uid;
}

static int by_name(const void *a, const void *b)
{
    return name_order(*(const struct cedar_uid *const *)a, *(const struct cedar_uid *const *)b);
}

/* Of several: they themselves, and then what is above each, unless that is what is above the one before. */
static bool above_all(struct closure *c, const struct cedar_parents *p, struct names *ret)
{
    const struct cedar_uid *const *last = NULL;
    unsigned which = 0;
    if (!room_for(c, 0, p->n))
        return false;
    c->room[0].n = p->n;
    memcpy(c->room[0].uid, p->uid, p->n * sizeof(struct cedar_uid *));
    qsort(c->room[0].uid, p->n, sizeof(struct cedar_uid *), by_name);
    for (uint32_t k = 0; k < p->n; k++) {
        const struct cedar_entity *e = cedar_entities_find(c->s, p->uid[k]);
        if (!e || e->ancestors == last)
            continue;
        struct names above = names_above(e);
        if (!names_add(c, &which, &above))
            return false;
        last = e->ancestors;
    }
    *ret = names_copy(c, &c->room[which]);
    return ret->uid;
}

static bool same_parents(const struct cedar_parents *a, const struct cedar_parents *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (!cedar_uid_eq(a->uid[i], b->uid[i]))
            return false;
    return true;
}

/* All parents are closed. */
static bool close_entity(struct closure *c, uint32_t i)
{
    const struct cedar_parents *p = &c->s->parents[i];
    struct cedar_entity *e = &c->s->entity[i];
    struct names all = {0};
    uint64_t hash = 0;
    c->state[i] = CLOSED;
    if (p->n == 0)
        return true;
    for (uint32_t k = 0; k < p->n; k++)
        hash = hash * 31 + p->uid[k]->hash;
    uint32_t *shared = &c->shared[hash % SHARED];
    if (*shared && same_parents(p, &c->s->parents[*shared - 1])) {
        e->ancestors = c->s->entity[*shared - 1].ancestors;
        e->n = c->s->entity[*shared - 1].n;
        return true;
    }
    if (!(p->n == 1 ? above_one(c, p->uid, &all) : above_all(c, p, &all)))
        return false;
    e->ancestors = all.uid;
    e->n = all.n;
    *shared = i + 1;
    return true;
}

static enum err no_room(struct closure *c, struct fault *f)
{
    if (arena_failed(&c->s->arena))
        return fault_set(f, ERR_LIMIT, "the ancestors of the entities need more than %zu bytes of memory",
                         c->s->arena.cap);
    return fault_set(f, ERR_NOMEM, "no memory for the ancestors of the entities");
}

/* The stack from the entity that is its own ancestor on, and it again. */
static enum err circle(const struct closure *c, uint32_t entity, struct fault *f)
{
    struct buf words;
    uint32_t from = c->depth;
    while (from && c->stack[from - 1].entity != entity)
        from--;
    buf_init(&words, 4096);
    for (uint32_t i = from - 1; i < c->depth && words.n < 200; i++) {
        buf_z(&words, CEDAR_UID_WORDS(&c->s->entity[c->stack[i].entity].uid));
        buf_z(&words, " in ");
        if (words.n >= 200 && i + 1 < c->depth)
            buf_z(&words, "... in ");
    }
    buf_z(&words, CEDAR_UID_WORDS(&c->s->entity[entity].uid));
    struct str text = buf_view(&words);
    enum err e = fault_set(f, ERR_SYNTAX, "an entity is among its own ancestors: " STR_FMT, STR_ARG(text));
    buf_done(&words);
    return e;
}

static bool push(struct closure *c, uint32_t entity)
{
    if (c->depth == c->stack_cap) {
        uint32_t cap = c->stack_cap ? c->stack_cap * 2 : 64;
        struct frame *stack = realloc(c->stack, cap * sizeof(*stack));
        if (!stack)
            return false;
        c->stack = stack;
        c->stack_cap = cap;
    }
    c->stack[c->depth++] = (struct frame){entity, 0};
    c->state[entity] = OPEN;
    return true;
}

static enum err close_from(struct closure *c, uint32_t start, struct fault *f)
{
    if (c->state[start] != UNSEEN)
        return ERR_OK;
    if (!push(c, start))
        return no_room(c, f);
    while (c->depth) {
        struct frame *top = &c->stack[c->depth - 1];
        const struct cedar_parents *p = &c->s->parents[top->entity];
        if (top->next == p->n) {
            if (!close_entity(c, top->entity))
                return no_room(c, f);
            c->depth--;
            continue;
        }
        uint32_t above = index_of(c->s, p->uid[top->next++]);
        if (above == UNKNOWN || c->state[above] == CLOSED)
            continue;
        if (c->state[above] == OPEN)
            return circle(c, above, f);
        if (!push(c, above))
            return no_room(c, f);
    }
    return ERR_OK;
}

enum err cedar_entities_close(struct cedar_entities *s, struct fault *f)
{
    struct closure c = {.s = s};
    enum err e = ERR_OK;
    c.up = calloc(s->n + 1, sizeof(*c.up));
    c.state = calloc(s->n + 1, 1);
    if (!c.up || !c.state)
        e = no_room(&c, f);
    for (uint32_t i = 0; i < s->n && !e; i++)
        e = close_from(&c, i, f);
    closure_done(&c);
    return e;
}
