#include "identity/token.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"

enum { TOKEN_SLOTS = 16384, TOKEN_WAYS = 4, TOKEN_SWEPT = 64 };

struct token_slot {
    unsigned char hash[SHA256_BYTES];
    struct lease *lease;
};
struct token_cache {
    struct token_slot slot[TOKEN_SLOTS][TOKEN_WAYS];
    unsigned next;  /* whom to put out when all ways are taken */
    unsigned swept; /* how far the sweep is */
};

struct token_cache *token_cache_new(void)
{
    return calloc(1, sizeof(struct token_cache));
}

void token_cache_free(struct token_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < TOKEN_SLOTS; i++)
        for (size_t k = 0; k < TOKEN_WAYS; k++)
            lease_unref(c->slot[i][k].lease);
    free(c);
}

static struct token_slot *token_row(struct token_cache *c, const unsigned char hash[SHA256_BYTES])
{
    uint32_t at;
    memcpy(&at, hash, sizeof(at));
    return c->slot[at % TOKEN_SLOTS];
}

/* A session that is over must not stay in memory because its token was once seen: with every new token a part of the
 * table is looked through, all of it with 256 of them. */
static void token_sweep(struct token_cache *c, int64_t now)
{
    for (unsigned i = 0; i < TOKEN_SWEPT; i++) {
        struct token_slot *row = c->slot[c->swept++ % TOKEN_SLOTS];
        for (size_t k = 0; k < TOKEN_WAYS; k++)
            if (row[k].lease && !lease_is_open(row[k].lease, now)) {
                lease_unref(row[k].lease);
                row[k].lease = NULL;
            }
    }
}

static void token_remember(struct token_cache *c, const unsigned char hash[SHA256_BYTES], struct lease *l)
{
    struct token_slot *row = token_row(c, hash), *to = &row[c->next++ % TOKEN_WAYS];
    int64_t now = clock_mono_ns();
    token_sweep(c, now);
    for (size_t k = 0; k < TOKEN_WAYS; k++)
        if (!row[k].lease || !lease_is_open(row[k].lease, now))
            to = &row[k];
    lease_unref(to->lease);
    to->lease = lease_ref(l);
    memcpy(to->hash, hash, SHA256_BYTES);
}

enum err token_mint(const struct keys *k, const struct lease *l, struct str issuer, struct str audience,
                    struct buf *out, struct fault *f)
{
    struct buf b;
    char jti[ENC_ID_MAX];
    enc_id("tok", jti);
    buf_init(&b, JOSE_TOKEN_MAX);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_str(&o, "iss", issuer);
    json_kv_str(&o, "aud", audience);
    json_kv_str(&o, "sub", l->agent_id);
    json_kv_str(&o, "client_id", l->agent_id);
    json_kv_str(&o, "sid", l->sid);
    json_kv_z(&o, "jti", jti);
    json_kv_i64(&o, "iat", l->created / 1000);
    json_kv_i64(&o, "exp", (l->expires + 999) / 1000);
    json_close(&o, '}');
    enum err e = buf_failed(&b) ? fault_set(f, buf_error(&b), "the token would be too large")
                                : jose_sign(keys_signing(k), "at+jwt", buf_view(&b), out, f);
    buf_done(&b);
    return e;
}

static enum err token_claims(const struct json *j, struct str issuer, struct str audience, struct fault *f)
{
    int64_t exp, iat, now = clock_wall_ms() / 1000;
    if (!json_str_is(j, json_get(j, JSON_ROOT, STR("iss")), issuer) ||
        !json_str_is(j, json_get(j, JSON_ROOT, STR("aud")), audience))
        return fault_set(f, ERR_TOKEN, "the token was issued by or for somebody else");
    if (!json_i64(j, json_get(j, JSON_ROOT, STR("exp")), &exp) ||
        !json_i64(j, json_get(j, JSON_ROOT, STR("iat")), &iat))
        return fault_set(f, ERR_TOKEN, "the token does not say how long it is good");
    if (now >= exp)
        return fault_set(f, ERR_SESSION_ENDED, "the token has expired: open a new session");
    return ERR_OK;
}

static enum err token_prove(const struct keys *k, struct lease_store *leases, struct str token, struct str issuer,
                            struct str audience, struct arena *a, struct lease **ret, struct fault *f)
{
    struct jose_peek peek;
    struct str payload;
    struct json j;
    TRY(jose_peek(token, a, &peek, f));
    const struct jose_key *key = keys_find(k, peek.kid);
    if (!key)
        return fault_set(f, ERR_TOKEN, "the token names no key of this gateway");
    TRY(jose_verify(key, token, "at+jwt", a, &payload, f));
    if (json_parse(&j, payload, a, NULL, f))
        return fault_set(f, ERR_TOKEN, "the token's payload cannot be read");
    TRY(token_claims(&j, issuer, audience, f));
    struct lease *l = leases->ops->find(leases, json_str(&j, json_get(&j, JSON_ROOT, STR("sid")), a));
    if (!l)
        return fault_set(f, ERR_SESSION_ENDED, "the session is not known any more: open a new one");
    if (!json_str_is(&j, json_get(&j, JSON_ROOT, STR("sub")), l->agent_id)) {
        lease_unref(l);
        return fault_set(f, ERR_TOKEN, "the token's agent is not that of its session");
    }
    *ret = l;
    return ERR_OK;
}

static enum err token_open(struct lease *l, struct lease **ret, struct fault *f)
{
    if (!lease_is_open(l, clock_mono_ns())) {
        bool ended = l->state == LEASE_ENDED, stopped = lease_stopped(l);
        lease_unref(l);
        if (stopped)
            return fault_set(f, ERR_SESSION_STOPPED, "an operator has stopped the session");
        return fault_set(f, ERR_SESSION_ENDED,
                         ended ? "the session was ended: open a new one" : "the session has expired: open a new one");
    }
    *ret = l;
    return ERR_OK;
}

enum err token_verify(struct token_cache *c, const struct keys *k, struct lease_store *leases, struct str token,
                      struct str issuer, struct str audience, struct lease **ret, struct fault *f)
{
    unsigned char hash[SHA256_BYTES];
    struct lease *l = NULL;
    struct arena a;
    if (token.n > JOSE_TOKEN_MAX)
        return fault_set(f, ERR_TOKEN, "the token is longer than %d bytes", JOSE_TOKEN_MAX);
    enc_sha256(token.p, token.n, hash);
    struct token_slot *row = token_row(c, hash);
    for (size_t i = 0; i < TOKEN_WAYS; i++)
        if (row[i].lease && memcmp(row[i].hash, hash, SHA256_BYTES) == 0)
            return token_open(lease_ref(row[i].lease), ret, f);
    arena_init(&a, 256u << 10);
    enum err e = token_prove(k, leases, token, issuer, audience, &a, &l, f);
    arena_done(&a);
    if (e)
        return e;
    TRY(token_open(l, ret, f));
    token_remember(c, hash, l);
    return ERR_OK;
}
