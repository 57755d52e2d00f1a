/* A queue with a real store, a real record and real sessions, and calls that wait on a worker of their own. */
#ifndef TEST_APPROVE_HOUSE_H
#define TEST_APPROVE_HOUSE_H

#include "../conf_of.h"
#include "../folder.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "approve/inner.h"
#include "audit/key.h"
#include "base/clock.h"

struct brittle { /* the store, that stops taking anything after so many writes */
    struct store base;
    struct store *store;
    _Atomic int writes, until; /* until: -1 for ever */
    _Atomic unsigned slow_us;
};

struct house {
    char dir[64], db[96], record[96], keys[96];
    struct conf *conf;
    struct conf_audit audit_conf;
    struct audit *audit;
    struct brittle store;
    struct agents *agents;
    struct lease_store *leases;
    struct sessions *sessions;
    struct approvals *queue;
    struct worker worker;
    _Atomic unsigned resumed, news;
};

/* ---- the store ---- */

static inline struct store *brittle_of(struct store *s)
{
    return ((struct brittle *)s)->store;
}

static inline enum err brittle_put(struct store *s, const struct store_approval *p, size_t n,
                                   const struct store_held *h, size_t hn, struct fault *f)
{
    struct brittle *b = (struct brittle *)s;
    int at = atomic_fetch_add(&b->writes, 1), until = atomic_load(&b->until);
    usleep(b->slow_us);
    if (until >= 0 && at >= until)
        return fault_set(f, ERR_STORE, "the disk is full");
    return b->store->ops->approvals_put(b->store, p, n, h, hn, f);
}

static inline enum err brittle_load(struct store *s, int64_t since,
                                    void (*row)(void *ctx, const struct store_approval *p), void *ctx, struct fault *f)
{
    return brittle_of(s)->ops->approvals_load(brittle_of(s), since, row, ctx, f);
}

static inline enum err brittle_read(struct store *s, struct str id,
                                    void (*row)(void *ctx, const struct store_approval *p), void *ctx, struct fault *f)
{
    return brittle_of(s)->ops->approval_read(brittle_of(s), id, row, ctx, f);
}

static inline enum err brittle_prune(struct store *s, int64_t before, struct fault *f)
{
    return brittle_of(s)->ops->approvals_prune(brittle_of(s), before, f);
}

static inline enum err brittle_held(struct store *s, void (*held)(void *ctx, const struct store_held *h), void *ctx,
                                    struct fault *f)
{
    return brittle_of(s)->ops->held_load(brittle_of(s), held, ctx, f);
}

static inline enum err brittle_notes(struct store *s, struct str about,
                                     void (*note)(void *ctx, const struct store_note *n), void *ctx, struct fault *f)
{
    return brittle_of(s)->ops->notes_load(brittle_of(s), about, note, ctx, f);
}

static inline bool brittle_full(struct store *s)
{
    struct brittle *b = (struct brittle *)s;
    int at = atomic_fetch_add(&b->writes, 1), until = atomic_load(&b->until);
    return until >= 0 && at >= until;
}

static inline enum err brittle_note(struct store *s, const struct store_note *n, struct fault *f)
{
    return brittle_full(s) ? fault_set(f, ERR_STORE, "the disk is full")
                           : brittle_of(s)->ops->note_put(brittle_of(s), n, f);
}

static inline enum err brittle_drop(struct store *s, struct str about, struct str key, struct fault *f)
{
    return brittle_full(s) ? fault_set(f, ERR_STORE, "the disk is full")
                           : brittle_of(s)->ops->note_drop(brittle_of(s), about, key, f);
}

/* ---- the house ---- */

static inline void house_told(void *ctx, enum session_event event, const struct lease *l, struct str by,
                              struct str reason)
{
    struct house *h = ctx;
    (void)l, (void)by, (void)reason;
    h->resumed += event == SESSION_RESUMED;
}

static inline void house_news(void *ctx, const struct approval_news *n)
{
    struct house *h = ctx;
    (void)n;
    h->news++;
}

static inline void house_start(struct house *h, const char *policies)
{
    static const struct store_ops brittle = {.approvals_put = brittle_put,
                                             .approvals_load = brittle_load,
                                             .approval_read = brittle_read,
                                             .approvals_prune = brittle_prune,
                                             .held_load = brittle_held,
                                             .notes_load = brittle_notes,
                                             .note_put = brittle_note,
                                             .note_drop = brittle_drop};
    struct fault f = {.text = ""};
    struct audit_recovery found;
    h->store = (struct brittle){.base = {&brittle}, .until = -1};
    h->resumed = 0;
    if (audit_open(h->record, &h->audit_conf, &h->audit, &found, &f) || store_sqlite_open(h->db, &h->store.store, &f) ||
        agents_new(h->store.store, &h->agents, &f) || lease_memory_new(&h->leases, &f) ||
        sessions_new(h->leases, h->conf, house_told, h, &h->sessions, &f) ||
        approvals_new(&h->store.base, h->audit, &h->queue, &f) || approvals_watch(h->queue, house_news, h, &f))
        fail_msg("%s", f.text);
    approvals_conf(h->queue, h->conf);
    if (approvals_resume(h->queue, h->sessions, h->agents, str_of(policies), &f))
        fail_msg("%s", f.text);
}

static inline void house_end(struct house *h)
{
    approvals_free(h->queue);
    sessions_free(h->sessions);
    h->leases->ops->close(h->leases);
    agents_free(h->agents);
    store_close(h->store.store);
    audit_close(h->audit);
}

/* The process is gone; nothing more of it reaches the store. */
static inline void house_crash(struct house *h)
{
    h->store.until = 0;
    house_end(h);
    house_start(h, "v1");
}

static inline void house_agent(struct house *h, const char *id, const char *owner)
{
    struct fault f = {.text = ""};
    char thumbprint[64];
    snprintf(thumbprint, sizeof(thumbprint), "key-of-%s", id);
    struct store_agent a = {.id = str_of(id),
                            .type = STR("support"),
                            .version = STR("1"),
                            .env = STR("production"),
                            .owner = str_of(owner),
                            .allowed = STR("[\"desk/refund\"]"),
                            .denied = STR("[]"),
                            .created = 1000,
                            .expires = clock_wall_ms() + 86400000,
                            .max_sessions = 20000,
                            .enabled = true};
    struct store_key k = {
        STR_NONE, str_of(thumbprint),
        STR("{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"), 1000, 0};
    k.agent = a.id;
    if (h->store.store->ops->agent_create(h->store.store, &a, &k, &f))
        fail_msg("%s", f.text);
}

static inline void house_setup(struct house *h, const char *yaml)
{
    struct fault f = {.text = ""};
    struct note_verifier key;
    memset(h, 0, sizeof(*h));
    folder_make(h->dir);
    snprintf(h->db, sizeof(h->db), "%s/doorward.db", h->dir);
    snprintf(h->record, sizeof(h->record), "%s/audit", h->dir);
    snprintf(h->keys, sizeof(h->keys), "%s/keys", h->dir);
    h->conf = conf_of(yaml);
    h->audit_conf = (struct conf_audit){.durability = CONF_GROUP,
                                        .segment_bytes = 16 << 20,
                                        .queue = 64 << 20,
                                        .keys = str_of(h->keys),
                                        .origin = STR("example.com/audit"),
                                        .key_overlap = 60000};
    if (audit_keys_new(h->keys, STR("example.com/audit"), &key, &f) || worker_init(&h->worker, 0, &f) ||
        worker_start(&h->worker, &f) || store_sqlite_open(h->db, &h->store.store, &f))
        fail_msg("%s", f.text);
    house_agent(h, "agt_1", "olga");
    store_close(h->store.store);
    house_start(h, "v1");
}

static inline void house_done(struct house *h)
{
    house_end(h);
    worker_stop(&h->worker);
    worker_join(&h->worker);
    worker_done(&h->worker);
    conf_unref(h->conf);
    folder_remove(h->dir);
}

static inline struct lease *house_session(struct house *h, const char *user)
{
    struct lease *l = NULL;
    struct fault f = {.text = ""};
    struct agent *a = agents_find(h->agents, STR("agt_1"));
    struct session_wish w = {.context = {.user = str_of(user), .trigger = STR("user")}, .by = STR("ops")};
    if (!a || session_open(h->sessions, a, &w, &l, &f))
        fail_msg("no session: %s", f.text);
    agent_unref(a);
    return l;
}

/* ---- calls ---- */

struct caller {
    struct approval_wait w;
    sem_t told;
    char result[200], arguments[200], digest[80];
};

static inline void caller_told(struct approval_wait *w)
{
    struct caller *c = (struct caller *)w;
    snprintf(c->result, sizeof(c->result), STR_FMT, STR_ARG(w->result));
    snprintf(c->arguments, sizeof(c->arguments), STR_FMT, STR_ARG(w->arguments));
    snprintf(c->digest, sizeof(c->digest), STR_FMT, STR_ARG(w->digest));
    sem_post(&c->told);
}

static inline const char *digest_of(const char *text)
{
    static _Thread_local char hex[4][2 * SHA256_BYTES + 1];
    static _Thread_local unsigned at;
    unsigned char hash[SHA256_BYTES];
    enc_sha256(text, strlen(text), hash);
    enc_hex(hash, sizeof(hash), hex[++at % 4]);
    return hex[at % 4];
}

static inline struct approval_ask asked(struct lease *l, const char *arguments)
{
    return (struct approval_ask){.lease = l,
                                 .tool = STR("desk/refund"),
                                 .definition = STR("d1"),
                                 .arguments = str_of(arguments),
                                 .digest = str_of(digest_of(arguments)),
                                 .policy_version = STR("v1"),
                                 .policy_ids = STR("[\"p1\"]"),
                                 .risk = DUTY_RISK_HIGH,
                                 .why = STR("[\"the tool's risk is high\"]"),
                                 .people = 1,
                                 .reviewers = STR("[]"),
                                 .schema = STR("{\"type\":\"object\"}"),
                                 .title = STR("Refund"),
                                 .description = STR("Gives money back"),
                                 .reasoning = STR("the customer asked"),
                                 .trace_id = STR("4bf92f3577b34da6a3ce929d0e0e4736"),
                                 .limit_ms = 60000};
}

static inline enum err house_try(struct house *h, const struct approval_ask *ask, struct caller *c, struct fault *f)
{
    memset(c, 0, sizeof(*c));
    sem_init(&c->told, 0, 0);
    c->w.worker = &h->worker;
    c->w.told = caller_told;
    return approvals_ask(h->queue, ask, &c->w, f);
}

static inline void house_ask(struct house *h, const struct approval_ask *ask, struct caller *c)
{
    struct fault f = {.text = ""};
    if (house_try(h, ask, c, &f))
        fail_msg("not asked: %s", f.text);
}

static inline bool caller_waits(struct caller *c, int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms % 1000 * 1000000L;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return sem_timedwait(&c->told, &t) != 0;
}

static inline enum approval_state caller_hears(struct caller *c)
{
    if (caller_waits(c, 20000))
        fail_msg("the call was told nothing");
    return c->w.state;
}

static inline void house_settled(struct house *h)
{
    struct fault f = {.text = ""};
    if (approvals_settle(h->queue, &f))
        fail_msg("%s", f.text);
}

/* ---- people ---- */

static inline enum err said_by(struct house *h, const char *id, const char *who, enum approval_verdict v,
                               const char *arguments, struct fault *f)
{
    enum approval_state now;
    struct approval_decision d = {.id = str_of(id),
                                  .verdict = v,
                                  .by = {str_of(who), STR("[\"finance\"]"), STR("api")},
                                  .reason = v < APPROVE_ONCE ? STR("too much") : STR_NONE,
                                  .shape_ms = v == APPROVE_SHAPE ? 60000 : 0,
                                  .digest = str_of(digest_of(arguments))};
    return approvals_decide(h->queue, &d, &now, f);
}

static inline void house_say(struct house *h, const char *id, const char *who, enum approval_verdict v,
                             const char *arguments)
{
    struct fault f = {.text = ""};
    if (said_by(h, id, who, v, arguments, &f))
        fail_msg("%s could not decide: %s", who, f.text);
}

/* ---- tests whose state is a house ---- */

#define REFUND "{\"amount\":120}"

static inline int setup(void **state)
{
    struct house *h = calloc(1, sizeof(*h));
    house_setup(h, "{ approval: { take_within: 60s, result_time: 60s }, limits: { pending_approvals: 10000 } }");
    *state = h;
    return 0;
}

static inline int teardown(void **state)
{
    house_done(*state);
    free(*state);
    return 0;
}

#endif
