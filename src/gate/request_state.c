#include "gate/request_state.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/file.h"
#include "base/secret.h"

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
    struct secret *kept; /* NULL: none */
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
    secret_free(s->kept);
    free(s);
}

/* ---- the key that is kept ---- */

static enum err state_key_make(const char *path, struct fault *f)
{
    unsigned char *key;
    struct secret *secret CLEANUP(secret_freep) = secret_alloc(STATE_KEY, &key), *text CLEANUP(secret_freep) = NULL;
    unsigned char *hex = NULL;
    if (!secret || !(text = secret_alloc(2 * STATE_KEY + 1, &hex)))
        return fault_set(f, ERR_NOMEM, "no memory for a key");
    enc_random(key, STATE_KEY);
    enc_hex(key, STATE_KEY, (char *)hex);
    return file_new(path, (struct str){(const char *)hex, 2 * STATE_KEY})
               ? ERR_OK
               : fault_set(f, ERR_IO, "%s: the key could not be written: %s", path, strerror(errno));
}

enum err request_states_keep(struct request_states *s, const char *path, struct fault *f)
{
    unsigned char *key;
    struct secret *text CLEANUP(secret_freep) = NULL, *kept CLEANUP(secret_freep) = NULL;
    if (access(path, F_OK) != 0)
        TRY(state_key_make(path, f));
    TRY(secret_read(path, 2 * STATE_KEY, true, &text, f));
    if (!(kept = secret_alloc(STATE_KEY, &key)))
        return fault_set(f, ERR_NOMEM, "no memory for a key");
    if (secret_len(text) != 2 * STATE_KEY ||
        !enc_unhex((struct str){(const char *)secret_bytes(text), secret_len(text)}, key, STATE_KEY))
        return fault_set(f, ERR_CORRUPT, "%s: holds no key; without the file a new one is made", path);
    s->kept = kept;
    kept = NULL;
    return ERR_OK;
}

static const unsigned char *state_key(const struct request_states *s, const struct request_state_of *of)
{
    return of->lasts && s->kept ? secret_bytes(s->kept) : s->key;
}

/* ---- writing and reading ---- */

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
                                               bound.n, NULL, raw, state_key(s, of));
    return (struct str){text, enc_b64url(raw, raw_n, text)};
}

static bool request_state_open(const struct request_states *s, const struct request_state_of *of, unsigned char *raw,
                               size_t n)
{
    struct buf bound CLEANUP(buf_done);
    request_state_bound(&bound, of);
    return n >= STATE_NONCE + sizeof(struct request_state_head) + STATE_TAG && !buf_failed(&bound) &&
           crypto_aead_xchacha20poly1305_ietf_decrypt(raw + STATE_NONCE, NULL, NULL, raw + STATE_NONCE, n - STATE_NONCE,
                                                      (unsigned char *)bound.p, bound.n, raw, state_key(s, of)) == 0;
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
