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

/* The union of the names in room[*which] and of `more` goes to the other room. */
static bool names_add(struct closure *c, unsigned *which, const struct names *more)
{
    struct names *from = &c->room[*which], *to = &c->room[!*which];
    uint32_t i = 0, k = 0, need = from->n + more->n;
    if (need > c->room_cap[!*which]) {
        const struct cedar_uid **uid = realloc(to->uid, 2 * (size_t)need * sizeof(struct cedar_uid *));
        if (!uid)
            return false;
        to->uid = uid;
        c->room_cap[!*which] = 2 * need;
    }
    for (to->n = 0; i < from->n || k < more->n; to->n++) {
        int order = i == from->n ? 1 : k == more->n ? -1 : name_order(from->uid[i], more->uid[k]);
        to->uid[to->n] = order <= 0 ? from->uid[i] : more->uid[k];
        i += order <= 0;
        k += order >= 0;
    }
    *which = !*which;
    return true;
}

/* Makes c->up of an entity that is closed. */
static bool up_of(struct closure *c, uint32_t i)
{
    const struct cedar_entity *e = &c->s->entity[i];
    const struct cedar_uid *name = &e->uid;
    struct names self = {&name, 1}, above = {(const struct cedar_uid **)e->ancestors, e->n};
    unsigned which = 0;
    if (c->up[i].uid)
        return true;
    c->room[0].n = 0;
    if (!names_add(c, &which, &self) || !names_add(c, &which, &above))
        return false;
    c->up[i] = names_copy(c, &c->room[which]);
    return c->up[i].uid;
}

/* The k-th parent and what is above it. */
static struct names above_parent(const struct closure *c, const struct cedar_parents *p, uint32_t k)
{
    uint32_t i = index_of(c->s, p->uid[k]);
    return i == UNKNOWN ? (struct names){&p->uid[k], 1} : c->up[i];
}

/* All parents are closed. */
static bool close_entity(struct closure *c, uint32_t i)
{
    const struct cedar_parents *p = &c->s->parents[i];
    struct cedar_entity *e = &c->s->entity[i];
    struct names all = {0};
    unsigned which = 0;
    for (uint32_t k = 0; k < p->n; k++) {
        uint32_t parent = index_of(c->s, p->uid[k]);
        if (parent != UNKNOWN && !up_of(c, parent))
            return false;
    }
    if (p->n == 1)
        all = above_parent(c, p, 0);
    if (p->n > 1) {
        c->room[0].n = 0;
        for (uint32_t k = 0; k < p->n; k++) {
            struct names more = above_parent(c, p, k);
            if (!names_add(c, &which, &more))
                return false;
        }
        all = names_copy(c, &c->room[which]);
        if (!all.uid)
            return false;
    }
    e->ancestors = all.uid;
    e->n = all.n;
    c->state[i] = CLOSED;
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
