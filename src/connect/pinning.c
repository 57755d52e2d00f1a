/*
 * The end of a probe that went well: what the server listed is pinned or compared with its pins before anybody sees it.
 * And an operator who accepts a definition.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "connect/inner.h"

struct pinning {
    uv_work_t work;
    struct upstream *upstream; /* the probe's reference */
    enum wire_era era;
    char version[16];
    struct tool_set *set;
    enum err err;
    struct fault fault;
};

/* Pool thread. */
static void pinning_work(uv_work_t *w)
{
    struct pinning *p = w->data;
    p->err = pins_first(p->upstream->connect->pins, p->set, &p->fault);
}

static void pinning_done(uv_work_t *w, int status)
{
    struct pinning *p = w->data;
    struct upstream *u = p->upstream;
    if (status)
        p->err = fault_set(&p->fault, ERR_STOPPING, "Doorward is stopping");
    if (p->err)
        log_error("tools_not_pinned", LOG_S("server", u->server->name), LOG_Z("code", err_code(p->err)),
                  LOG_Z("reason", p->fault.text));
    u->pinning = false;
    upstream_publish(u, p->era, str_of(p->version), p->set);
    free(p);
}

void upstream_up(struct upstream *u, enum wire_era era, struct str version, struct tool_set *set)
{
    bool lack = u->pin == CONF_PIN_FIRST && !u->stopping && pins_lack(u->connect->pins, set);
    struct pinning *p = lack ? calloc(1, sizeof(*p)) : NULL;
    if (!p) { /* without memory, what lacks a pin is withheld and tried again */
        upstream_publish(u, era, version, set);
        return;
    }
    *p = (struct pinning){.work = {.data = p}, .upstream = u, .era = era, .set = set};
    snprintf(p->version, sizeof(p->version), STR_FMT, STR_ARG(version));
    u->pinning = true;
    if (uv_queue_work(&u->connect->workers[0].loop, &p->work, pinning_work, pinning_done))
        pinning_done(&p->work, UV_ECANCELED);
}

/* ---- an operator accepts ---- */

/* The tool of now is judged by its new pin: the server may have changed it again while the pin was written. */
static void connect_judge(struct connect *c, struct str id)
{
    bool changed = false;
    pthread_rwlock_wrlock(&c->lock);
    for (struct upstream *u = c->upstreams; u; u = u->next)
        for (size_t i = 0; u->tools && i < u->tools->count; i++) {
            struct tool *t = &u->tools->tool[i];
            if (!str_eq(t->id, id))
                continue;
            enum tool_pin was = t->pin;
            pins_judge_one(c->pins, t);
            changed = t->pin != was;
        }
    if (changed)
        connect_rebuild(c);
    pthread_rwlock_unlock(&c->lock);
}

static enum err connect_acceptable(const struct tool *t, struct str id, struct str hash, struct fault *f)
{
    if (!t)
        return fault_set(f, ERR_NOT_FOUND, "no server offers a tool " STR_FMT " now", STR_ARG(id));
    if (!str_is(hash, t->hash))
        return fault_set(f, ERR_CONFLICT,
                         "the definition of " STR_FMT " is not the one with this hash (any more): look at it again",
                         STR_ARG(id));
    if (tool_served(t))
        return fault_set(f, ERR_CONFLICT, "nothing to accept: " STR_FMT " is served with this definition", STR_ARG(id));
    return ERR_OK;
}

enum err connect_accept(struct connect *c, struct str id, struct str hash, struct str by, char ret_before[65],
                        struct fault *f)
{
    struct catalogue *k = connect_catalogue(c);
    const struct tool *t = catalogue_by_id(k, id);
    enum err e = connect_acceptable(t, id, hash, f);
    if (!e)
        e = pins_accept(c->pins, t, by, ret_before, f);
    if (!e)
        connect_judge(c, id);
    catalogue_unref(k);
    return e;
}
