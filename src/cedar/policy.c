/* Sets of policies: memory, ids, positions. */
#include "cedar/policy.h"
#include "cedar/path.h"

#include <stdlib.h>

struct cedar_policies *cedar_policies_new(size_t memory)
{
    struct cedar_policies *ps = calloc(1, sizeof(*ps));
    if (ps)
        arena_init(&ps->arena, memory);
    return ps;
}

void cedar_policies_free(struct cedar_policies *ps)
{
    if (!ps)
        return;
    arena_done(&ps->arena);
    free(ps);
}

void cedar_policies_freep(struct cedar_policies **ps)
{
    cedar_policies_free(*ps);
}

static struct cedar_policy **slot_of(const struct cedar_policies *ps, struct str id)
{
    uint32_t i = (uint32_t)cedar_hash(id, 0) & (ps->slots - 1);
    while (ps->slot[i] && !str_eq(ps->slot[i]->id, id))
        i = (i + 1) & (ps->slots - 1);
    return &ps->slot[i];
}

/* The table of ids is at most half full. */
static bool reserve_slot(struct cedar_policies *ps)
{
    if (ps->slots / 2 > ps->n)
        return true;
    struct cedar_policies wide = *ps;
    wide.slots = ps->slots ? ps->slots * 2 : 16;
    if (!(wide.slot = arena_alloc(&ps->arena, sizeof(*wide.slot) * wide.slots)))
        return false;
    for (uint32_t i = 0; i < ps->n; i++)
        *slot_of(&wide, ps->policy[i]->id) = ps->policy[i];
    ps->slot = wide.slot;
    ps->slots = wide.slots;
    return true;
}

static bool reserve_policy(struct cedar_policies *ps)
{
    if (ps->n < ps->cap)
        return true;
    uint32_t cap = ps->cap ? ps->cap * 2 : 16;
    struct cedar_policy **policy = arena_alloc(&ps->arena, sizeof(struct cedar_policy *) * cap);
    if (!policy)
        return false;
    if (ps->n)
        memcpy(policy, ps->policy, sizeof(struct cedar_policy *) * ps->n);
    ps->policy = policy;
    ps->cap = cap;
    return true;
}

enum err cedar_policies_add(struct cedar_policies *ps, struct cedar_policy *p, struct fault *f)
{
    if (cedar_policy_find(ps, p->id))
        return fault_set(f, ERR_SYNTAX, "there is a policy `" STR_FMT "` already: give this one another id",
                         STR_ARG(cedar_cut(p->id)));
    if (!reserve_policy(ps) || !reserve_slot(ps))
        return fault_set(f, ERR_NOMEM, "no memory for the policies");
    *slot_of(ps, p->id) = p;
    p->order = ps->n;
    ps->policy[ps->n++] = p;
    return ERR_OK;
}

void cedar_policies_cut(struct cedar_policies *ps, uint32_t n)
{
    if (ps->slots)
        memset(ps->slot, 0, sizeof(struct cedar_policy *) * ps->slots);
    ps->n = n;
    for (uint32_t i = 0; i < n; i++)
        *slot_of(ps, ps->policy[i]->id) = ps->policy[i];
}

const struct cedar_policy *cedar_policy_find(const struct cedar_policies *ps, struct str id)
{
    return ps->slots ? *slot_of(ps, id) : NULL;
}

const struct cedar_annotation *cedar_annotation_find(const struct cedar_policy *p, struct str name)
{
    for (uint32_t i = 0; i < p->annotations; i++)
        if (str_eq(p->annotation[i].name, name))
            return &p->annotation[i];
    return NULL;
}

void cedar_position(struct str text, uint32_t at, unsigned *ret_line, unsigned *ret_column)
{
    unsigned line = 1, column = 1;
    for (uint32_t i = 0; i < at && i < text.n; i++) {
        if (text.p[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}
