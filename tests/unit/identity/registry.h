/* A registry on a real store in a directory of its own, with agents whose keys are real. For the tests of this folder.
 */
#ifndef TEST_IDENTITY_REGISTRY_H
#define TEST_IDENTITY_REGISTRY_H

#include "../conf_of.h"
#include "../folder.h"

#include "base/clock.h"
#include "identity/agents.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct registry {
    char dir[64], db[96];
    struct conf *conf;
    struct store *store;
    struct agents *agents;
};

static inline void registry_load(struct registry *r)
{
    struct fault f = {0};
    if (store_sqlite_open(r->db, &r->store, &f) || agents_new(r->store, &r->agents, &f))
        fail_msg("%s", f.text);
}

static inline void registry_open(struct registry *r)
{
    *r = (struct registry){.conf = conf_of("agents: { max_lifetime: 30d }")};
    folder_make(r->dir);
    snprintf(r->db, sizeof(r->db), "%s/doorward.db", r->dir);
    registry_load(r);
}

/* As the gateway does it: what comes back was on the disk. */
static inline void registry_restart(struct registry *r)
{
    agents_free(r->agents);
    store_close(r->store);
    registry_load(r);
}

static inline void registry_done(struct registry *r)
{
    agents_free(r->agents);
    store_close(r->store);
    conf_unref(r->conf);
    folder_remove(r->dir);
}

/* A new key pair. The public half as text in `jwk`. */
static inline struct jose_key *key_of(enum jose_alg alg, char jwk[512])
{
    struct jose_key *k = NULL;
    struct fault f;
    struct buf b;
    assert_int_equal(jose_key_generate(alg, &k, &f), ERR_OK);
    buf_init(&b, 512);
    jose_key_write_public(k, &b);
    snprintf(jwk, 512, "%.*s", (int)b.n, b.p);
    buf_done(&b);
    return k;
}

static inline void key_text(char jwk[512])
{
    jose_key_free(key_of(JOSE_EDDSA, jwk));
}

static inline struct agent_wish wish_of(const char *id, const char *jwk)
{
    return (struct agent_wish){.id = str_of(id),
                               .type = STR("support"),
                               .version = STR("2.4.1"),
                               .owner = STR("support-team"),
                               .jwk = str_of(jwk)};
}

static inline enum err register_agent(struct registry *r, const struct agent_wish *w, struct fault *f)
{
    struct agent *a = NULL;
    enum err e = agents_create(r->agents, w, &r->conf->root, &a, f);
    agent_unref(a);
    return e;
}

#endif
