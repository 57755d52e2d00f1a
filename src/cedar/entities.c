#include "cedar/entities_inner.h"

#include <stdio.h>
#include <stdlib.h>

#include "cedar/bytes.h"
#include "cedar/path.h"

void cedar_entities_free(struct cedar_entities *s)
{
    if (!s)
        return;
    arena_done(&s->arena);
    free(s->entity);
    free(s->parents);
    free(s->run);
    free(s->slot);
    free(s);
}

void cedar_entities_freep(struct cedar_entities **s)
{
    cedar_entities_free(*s);
}

uint32_t cedar_entities_count(const struct cedar_entities *s)
{
    return s->n;
}

const struct cedar_entity *cedar_entities_at(const struct cedar_entities *s, uint32_t i)
{
    return i < s->n ? &s->entity[i] : NULL;
}

/* The first slot of the run that is not before the uid. */
static uint32_t run_find(const struct cedar_entities *s, uint32_t from, uint32_t to, const struct cedar_uid *uid)
{
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        const struct cedar_uid *other = &s->entity[s->slot[mid].entity].uid;
        int c = other->hash != uid->hash ? (other->hash < uid->hash ? -1 : 1) : cedar_uid_cmp(other, uid);
        if (c < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

const struct cedar_entity *cedar_entities_find(const struct cedar_entities *s, const struct cedar_uid *uid)
{
    if (!s->n)
        return NULL;
    unsigned run = cedar_entities_run(s, uid->hash);
    uint32_t from = s->run[run], to = s->run[run + 1], tag = (uint32_t)uid->hash;
    if (to - from > CEDAR_FEW)
        from = run_find(s, from, to, uid);
    for (uint32_t i = from; i < to && i < from + CEDAR_FEW; i++) {
        const struct cedar_entity *e = &s->entity[s->slot[i].entity];
        if (s->slot[i].tag == tag && cedar_uid_same(&e->uid, uid))
            return e;
    }
    return NULL;
}

const struct cedar_entity *cedar_world_find(const struct cedar_world *w, const struct cedar_uid *uid)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (cedar_uid_same(&w->own[i]->uid, uid))
            return w->own[i];
    return w->store ? cedar_entities_find(w->store, uid) : NULL;
}

bool cedar_entity_in(const struct cedar_entity *a, const struct cedar_uid *b)
{
    uint32_t from = 0, to = a->n;
    if (cedar_uid_same(&a->uid, b))
        return true;
    while (to - from > CEDAR_FEW) {
        uint32_t mid = from + (to - from) / 2;
        if (a->ancestors[mid]->hash < b->hash)
            from = mid + 1;
        else
            to = mid;
    }
    for (uint32_t i = from; i < a->n && a->ancestors[i]->hash <= b->hash; i++)
        if (cedar_uid_same(a->ancestors[i], b))
            return true;
    return false;
}

const char *cedar_uid_text(const struct cedar_uid *uid, char room[static CEDAR_UID_TEXT])
{
    struct str type = cedar_cut(uid->type), id = cedar_cut(uid->id);
    snprintf(room, CEDAR_UID_TEXT, STR_FMT "%s::\"" STR_FMT "%s\"", STR_ARG(type), type.n < uid->type.n ? "..." : "",
             STR_ARG(id), id.n < uid->id.n ? "..." : "");
    return room;
}
