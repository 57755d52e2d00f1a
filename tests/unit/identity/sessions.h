/* Sessions over leases in memory, for an agent that no store knows. For the tests of this folder. */
#ifndef TEST_IDENTITY_SESSIONS_H
#define TEST_IDENTITY_SESSIONS_H

#include "registry.h"

#include <stdatomic.h>

#include "identity/session.h"

struct desk {
    struct conf *conf;
    struct lease_store *leases;
    struct sessions *sessions;
    struct agent agent;
    struct str allowed[4], denied[4];
    unsigned told[5]; /* of each enum session_event */
    char by[64], reason[64];
};

static inline void desk_told(void *ctx, enum session_event event, const struct lease *l, struct str by,
                             struct str reason)
{
    struct desk *d = ctx;
    (void)l;
    d->told[event]++;
    snprintf(d->by, sizeof(d->by), STR_FMT, STR_ARG(by));
    snprintf(d->reason, sizeof(d->reason), STR_FMT, STR_ARG(reason));
}

static inline void desk_open(struct desk *d, const char *yaml)
{
    struct fault f = {0};
    *d = (struct desk){
        .conf = conf_of(yaml), .allowed = {STR("desk/lookup"), STR("desk/refund")}, .denied = {STR("desk/delete_*")}};
    d->agent = (struct agent){.id = STR("support-1"),
                              .type = STR("support"),
                              .version = STR("1"),
                              .env = STR("production"),
                              .owner = STR("team"),
                              .allowed = {d->allowed, 2, true},
                              .denied = {d->denied, 1, true},
                              .enabled = true,
                              .max_sessions = 3,
                              .expires = clock_wall_ms() + 3600000};
    if (lease_memory_new(&d->leases, &f) || sessions_new(d->leases, d->conf, desk_told, d, &d->sessions, &f))
        fail_msg("%s", f.text);
}

static inline void desk_close(struct desk *d)
{
    sessions_free(d->sessions);
    d->leases->ops->close(d->leases);
    conf_unref(d->conf);
}

static inline struct lease *desk_session(struct desk *d, const struct session_wish *w)
{
    struct lease *l = NULL;
    struct fault f = {0};
    if (session_open(d->sessions, &d->agent, w, &l, &f))
        fail_msg("%s", f.text);
    return l;
}

#endif
