#include "gate/request_state.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/enc.h"

enum {
    STATE_NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    STATE_TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    STATE_KEY = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    STATE_SLOTS = 16384,
    STATE_TRIES = 16,
    STATE_BOUND_MAX = 1 << 20
};

struct request_state_head { /* the grant follows, if there is one, then the state */
    int64_t until_ns;
    uint64_t ticket, nonce, granted;
};

struct request_states {
    unsigned char key[STATE_KEY];
    pthread_mutex_t lock;
    struct request_state_spent {
        uint64_t nonce;
        int64_t until_ns; /* a slot whose time is over is free */
    } spent[STATE_SLOTS];
};

struct request_states *request_states_new(void)
{
    struct request_states *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    enc_random(s->key, sizeof(s->key));
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void request_states_free(struct request_states *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    sodium_memzero(s->key, sizeof(s->key));
    free(s);
}

/* Each with its length in front, so that no two of them read alike. */
static void request_state_bound(struct buf *b, const struct request_state_of *of)
{
    const struct str parts[] = {of->agent, of->session, of->server, of->method, of->name, of->digest};
    buf_init(b, STATE_BOUND_MAX);
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        uint64_t n = parts[i].n;
        buf_put(b, &n, sizeof(n));
        buf_str(b, parts[i]);
    }
}

struct str request_state_write(const struct request_states *s, const struct request_state_of *of,
                               const struct request_state *v, int64_t until_ns, struct arena *a)
{
    struct request_state_head head = {.until_ns = until_ns, .ticket = v->ticket, .granted = v->grant.id[0] != 0};
    size_t grant_n = head.granted ? sizeof(v->grant) : 0, plain_n = sizeof(head) + grant_n + v->state.n,
           raw_n = STATE_NONCE + plain_n + STATE_TAG;
    struct buf bound CLEANUP(buf_done);
    request_state_bound(&bound, of);
    unsigned char *plain = arena_raw(a, plain_n, 1), *raw = arena_raw(a, raw_n, 1);
    char *text = arena_raw(a, raw_n * 4 / 3 + 8, 1);
    if (!plain || !raw || !text || buf_failed(&bound))
        return STR_NONE;
    enc_random(&head.nonce, sizeof(head.nonce));
    memcpy(plain, &head, sizeof(head));
    memcpy(plain + sizeof(head), &v->grant, grant_n);
    if (v->state.n)
        memcpy(plain + sizeof(head) + grant_n, v->state.p, v->state.n);
    enc_random(raw, STATE_NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(raw + STATE_NONCE, NULL, plain, plain_n, (unsigned char *)bound.p,
                                               bound.n, NULL, raw, s->key);
    return (struct str){text, enc_b64url(raw, raw_n, text)};
}

static bool request_state_open(const struct request_states *s, const struct request_state_of *of, unsigned char *raw,
                               size_t n)
{
    struct buf bound CLEANUP(buf_done);
    request_state_bound(&bound, of);
    return n >= STATE_NONCE + sizeof(struct request_state_head) + STATE_TAG && !buf_failed(&bound) &&
           crypto_aead_xchacha20poly1305_ietf_decrypt(raw + STATE_NONCE, NULL, NULL, raw + STATE_NONCE, n - STATE_NONCE,
                                                      (unsigned char *)bound.p, bound.n, raw, s->key) == 0;
}

enum err request_state_read(const struct request_states *s, const struct request_state_of *of, struct str text,
                            int64_t now_ns, struct arena *a, struct request_state *ret, int64_t *ret_until_ns,
                            struct fault *f)
{
    struct request_state_head head;
    size_t n = 0;
    unsigned char *raw = arena_raw(a, text.n + 1, 1);
    if (!raw)
        return fault_set(f, ERR_NOMEM, "no memory for the requestState");
    if (enc_unb64url(text, raw, text.n + 1, &n) || !request_state_open(s, of, raw, n))
        return fault_set(f, ERR_REQUEST_STATE, "this requestState was not given out for this call of this session");
    memcpy(&head, raw + STATE_NONCE, sizeof(head));
    if (head.until_ns <= now_ns)
        return fault_set(f, ERR_REQUEST_STATE, "this requestState is too old");
    unsigned char *rest = raw + STATE_NONCE + sizeof(head);
    size_t left = n - STATE_NONCE - STATE_TAG - sizeof(head), grant = head.granted ? sizeof(ret->grant) : 0;
    if (left < grant) /* none of ours is so short */
        return fault_set(f, ERR_REQUEST_STATE, "this requestState was not given out for this call of this session");
    *ret = (struct request_state){.ticket = head.ticket, .nonce = head.nonce};
    memcpy(&ret->grant, rest, grant);
    if (left > grant)
        ret->state = (struct str){(char *)rest + grant, left - grant};
    *ret_until_ns = head.until_ns;
    return ERR_OK;
}

bool request_state_spend(struct request_states *s, uint64_t nonce, int64_t until_ns, int64_t now_ns)
{
    struct request_state_spent *room = NULL;
    bool used = false;
    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; i < STATE_TRIES; i++) {
        struct request_state_spent *at = &s->spent[(nonce + i) % STATE_SLOTS];
        used = used || (at->nonce == nonce && at->until_ns > now_ns);
        if (!room && at->until_ns <= now_ns)
            room = at;
    }
    if (room && !used)
        *room = (struct request_state_spent){.nonce = nonce, .until_ns = until_ns};
    pthread_mutex_unlock(&s->lock);
    return room && !used;
}
