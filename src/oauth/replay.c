#include <pthread.h>
#include <stdlib.h>

#include "base/enc.h"
#include "oauth/oauth.h"

enum { REPLAY_SLOTS = 65536, REPLAY_MAX = 262144 };

struct replay_seen {
    unsigned char hash[16];
    int64_t until;
    struct replay_seen *next;
};

struct replay {
    pthread_mutex_t lock;
    size_t count;
    struct replay_seen *slot[REPLAY_SLOTS];
};

struct replay *replay_new(void)
{
    struct replay *r = calloc(1, sizeof(*r));
    if (r)
        pthread_mutex_init(&r->lock, NULL);
    return r;
}

void replay_free(struct replay *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < REPLAY_SLOTS; i++) {
        for (struct replay_seen *s = r->slot[i], *next; s; s = next) {
            next = s->next;
            free(s);
        }
    }
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void replay_drop_late(struct replay *r, size_t slot, int64_t now)
{
    for (struct replay_seen **at = &r->slot[slot]; *at;) {
        struct replay_seen *s = *at;
        if (s->until > now) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        free(s);
        r->count--;
    }
}

enum err replay_first(struct replay *r, struct str agent, struct str jti, int64_t until, int64_t now)
{
    unsigned char hash[SHA256_BYTES];
    char text[1024];
    if (agent.n + jti.n + 1 > sizeof(text))
        return ERR_CLIENT_AUTH;
    memcpy(text, agent.p, agent.n);
    text[agent.n] = 0;
    memcpy(text + agent.n + 1, jti.p, jti.n);
    enc_sha256(text, agent.n + 1 + jti.n, hash);
    size_t slot = ((size_t)hash[16] << 8 | hash[17]) % REPLAY_SLOTS;
    struct replay_seen *fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return ERR_NOMEM;
    bool first = true;
    pthread_mutex_lock(&r->lock);
    replay_drop_late(r, slot, now);
    for (size_t i = 0; r->count >= REPLAY_MAX && i < REPLAY_SLOTS; i++)
        replay_drop_late(r, i, now);
    for (struct replay_seen *s = r->slot[slot]; s && first; s = s->next)
        first = memcmp(s->hash, hash, sizeof(s->hash)) != 0;
    first = first && r->count < REPLAY_MAX;
    if (first) {
        memcpy(fresh->hash, hash, sizeof(fresh->hash));
        fresh->until = until;
        fresh->next = r->slot[slot];
        r->slot[slot] = fresh;
        r->count++;
    }
    pthread_mutex_unlock(&r->lock);
    if (!first)
        free(fresh);
    return first ? ERR_OK : ERR_CLIENT_AUTH;
}
