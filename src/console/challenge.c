/*
 * What passkeys are asked to sign, and what comes back.
 *
 * Signing in, there is no session yet, and nothing is kept for whoever asks: such a challenge is known again by its
 * MAC.
 *
 *   nonce (16) | until (8, monotonic ns) | HMAC over both and the rpId (32)
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/le.h"
#include "console/inner.h"

enum {
    CHALLENGE_END = CONSOLE_NONCE,
    CHALLENGE_MAC = CONSOLE_NONCE + 8,
    CHALLENGE_BYTES = CHALLENGE_MAC + SHA256_BYTES
};
_Static_assert((int)CHALLENGE_BYTES <= (int)PASSKEY_CHALLENGE_MAX, "a passkey takes it");

/* ---- what browsers hand over ---- */

static enum err signed_member(const struct json *j, const char *key, size_t max, bool needed, struct arena *a,
                              struct str *ret, struct fault *f)
{
    uint32_t node = json_get(j, JSON_ROOT, str_of(key));
    struct str text = json_str(j, node, a);
    size_t n = 0;
    if (!node && !needed)
        return ERR_OK;
    if (json_type(j, node) != JSON_STRING || text.n > max / 3 * 4 + 4)
        return fault_set(f, ERR_PASSKEY, "%s must be base64url of at most %zu bytes", key, max);
    unsigned char *bytes = arena_raw(a, max, 1);
    if (!text.p || !bytes)
        return fault_set(f, ERR_NOMEM, "no memory for a passkey");
    if (enc_unb64url(text, bytes, max, &n))
        return fault_set(f, ERR_PASSKEY, "%s is not base64url without padding, or longer than %zu bytes", key, max);
    *ret = (struct str){(const char *)bytes, n};
    return ERR_OK;
}

enum err console_signed_read(const struct json *j, bool handle, struct arena *a, struct console_signed *ret,
                             struct fault *f)
{
    struct console_signed s = {.id = STR_NONE};
    TRY(signed_member(j, "id", PASSKEY_ID_MAX, true, a, &s.id, f));
    TRY(signed_member(j, "clientDataJSON", PASSKEY_CLIENT_DATA_MAX, true, a, &s.proof.client_data, f));
    TRY(signed_member(j, "authenticatorData", PASSKEY_OBJECT_MAX, true, a, &s.proof.authenticator_data, f));
    TRY(signed_member(j, "signature", PASSKEY_SIGNATURE_MAX, true, a, &s.proof.signature, f));
    if (handle)
        TRY(signed_member(j, "userHandle", PASSKEYS_USER, true, a, &s.proof.user_handle, f));
    *ret = s;
    return ERR_OK;
}

enum err console_signed_header(struct str value, struct arena *a, struct console_signed *ret, struct fault *f)
{
    static const char *const members[] = {"id", "clientDataJSON", "authenticatorData", "signature", NULL};
    const struct json_limits limits = {.depth = 2, .nodes = 32};
    struct json j;
    size_t max = value.n / 4 * 3 + 3, n = 0;
    unsigned char *bytes = arena_raw(a, max, 1);
    if (!bytes)
        return fault_set(f, ERR_NOMEM, "no memory for a passkey");
    if (enc_unb64url(value, bytes, max, &n))
        return fault_set(f, ERR_PASSKEY, "the header Passkey is not base64url without padding");
    enum err e = json_parse(&j, (struct str){(const char *)bytes, n}, a, &limits, NULL);
    if (e == ERR_NOMEM)
        return fault_set(f, e, "no memory for a passkey");
    if (e || json_type(&j, JSON_ROOT) != JSON_OBJECT)
        return fault_set(f, ERR_PASSKEY, "the header Passkey holds no JSON object");
    JSON_PAIRS(&j, JSON_ROOT, k, v)
    {
        bool known = false;
        for (const char *const *m = members; *m && !known; m++)
            known = json_str_is(&j, k, str_of(*m));
        if (!known)
            return fault_set(f, ERR_PASSKEY, "the header Passkey has a member that is none of a passkey's");
    }
    return console_signed_read(&j, false, a, ret, f);
}

/* ---- signing in ---- */

static void challenge_mac(const struct console *c, const unsigned char *text, struct str rp,
                          unsigned char ret[SHA256_BYTES])
{
    const struct str part[] = {{(const char *)text, CHALLENGE_MAC}, rp};
    console_mac(c, "sign-in", part, 2, ret);
}

struct str console_challenge(struct console *c, const struct passkey_party *party, struct arena *a)
{
    unsigned char bytes[CHALLENGE_BYTES];
    char text[CHALLENGE_BYTES * 2];
    enc_random(bytes, CONSOLE_NONCE);
    le64_put(bytes + CHALLENGE_END, (uint64_t)(clock_mono_ns() + CONSOLE_CHALLENGE_MS * INT64_C(1000000)));
    challenge_mac(c, bytes, party->id, bytes + CHALLENGE_MAC);
    return arena_str(a, (struct str){text, enc_b64url(bytes, sizeof(bytes), text)});
}

/* The challenge that a browser says it had signed: whether it is signed is for passkey_assert to say. */
static enum err challenge_of(struct str client_data, struct arena *a, unsigned char ret[CHALLENGE_BYTES],
                             struct fault *f)
{
    const struct json_limits limits = {.depth = 8, .nodes = 256};
    struct json j;
    size_t n = 0;
    enum err e = json_parse(&j, client_data, a, &limits, NULL);
    struct str text = e ? STR_NONE : json_str(&j, json_get(&j, JSON_ROOT, STR("challenge")), a);
    if (e == ERR_NOMEM || arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory for a passkey");
    if (!text.p || enc_unb64url(text, ret, CHALLENGE_BYTES, &n) || n != CHALLENGE_BYTES)
        return fault_set(f, ERR_PASSKEY, "clientDataJSON holds no challenge of this gateway");
    return ERR_OK;
}

/* With the lock held: false when it was taken before, or more are taken than can be remembered. */
static bool challenge_take(struct console *c, const unsigned char nonce[CONSOLE_NONCE], int64_t until, int64_t now)
{
    size_t room = CONSOLE_USED;
    for (size_t i = 0; i < CONSOLE_USED; i++) {
        if (c->used[i].until_ns <= now)
            room = i;
        else if (memcmp(c->used[i].nonce, nonce, CONSOLE_NONCE) == 0)
            return false;
    }
    if (room == CONSOLE_USED)
        return false;
    memcpy(c->used[room].nonce, nonce, CONSOLE_NONCE);
    c->used[room].until_ns = until;
    return true;
}

static enum err challenge_check(struct console *c, const unsigned char bytes[CHALLENGE_BYTES], struct str rp,
                                struct fault *f)
{
    unsigned char mac[SHA256_BYTES];
    int64_t until = (int64_t)le64_get(bytes + CHALLENGE_END), now = clock_mono_ns();
    challenge_mac(c, bytes, rp, mac);
    if (!str_eq_secret((struct str){(const char *)mac, sizeof(mac)},
                       (struct str){(const char *)bytes + CHALLENGE_MAC, sizeof(mac)}))
        return fault_set(f, ERR_PASSKEY, "the challenge is none of this gateway's: load the page anew");
    if (until <= now)
        return fault_set(f, ERR_PASSKEY, "the challenge is older than %d seconds: try again",
                         CONSOLE_CHALLENGE_MS / 1000);
    pthread_mutex_lock(&c->lock);
    bool taken = challenge_take(c, bytes, until, now);
    pthread_mutex_unlock(&c->lock);
    return taken ? ERR_OK : fault_set(f, ERR_PASSKEY, "the challenge was used before: try again");
}

enum err console_sign_in(struct console *c, const struct passkey_party *party, const struct console_signed *s,
                         struct arena *a, struct console_who *ret, struct store_passkey *ret_key,
                         struct secret **ret_cookie, struct fault *f)
{
    unsigned char bytes[CHALLENGE_BYTES];
    struct store_passkey key;
    struct store_person p;
    int64_t role;
    if (!s->proof.user_handle.n)
        return fault_set(f, ERR_PASSKEY, "userHandle is missing: nobody was asked for by name");
    TRY(challenge_of(s->proof.client_data, a, bytes, f));
    TRY(challenge_check(c, bytes, party->id, f));
    TRY(passkeys_prove(c->passkeys, party, (struct str){(const char *)bytes, sizeof(bytes)}, s->id, &s->proof, a, &key,
                       f));
    enum err e = people_find(c->people, key.person, a, &p, f);
    if (!e)
        e = console_person(c, key.person, p.created, a, &p, &role);
    if (e == ERR_NOT_FOUND)
        return fault_set(f, ERR_PASSKEY, "whose passkey this is may not sign in (any more)");
    if (e)
        return e;
    TRY(console_session_new(c, &p, role, key.id, ret, ret_cookie, f));
    *ret_key = key;
    return ERR_OK;
}

/* ---- challenges of a session ---- */

/* Random bytes that are kept; a new one replaces the one before. */
static enum err challenge_open(struct console *c, const struct console_who *who, bool proof,
                               unsigned char ret[SHA256_BYTES])
{
    pthread_mutex_lock(&c->lock);
    struct console_session *s = console_session(c, who->secret);
    if (s) {
        struct console_challenge *k = proof ? &s->proof : &s->enrol;
        enc_random(k->bytes, sizeof(k->bytes));
        k->until_ns = clock_mono_ns() + CONSOLE_CHALLENGE_MS * INT64_C(1000000);
        memcpy(ret, k->bytes, sizeof(k->bytes));
    }
    pthread_mutex_unlock(&c->lock);
    return s ? ERR_OK : ERR_SIGNED_OUT;
}

/* Whoever takes it is the only one. False: none is open, or it is too old. */
static bool challenge_close(struct console *c, const struct console_who *who, bool proof,
                            unsigned char ret[SHA256_BYTES])
{
    bool open = false;
    pthread_mutex_lock(&c->lock);
    struct console_session *s = console_session(c, who->secret);
    if (s) {
        struct console_challenge *k = proof ? &s->proof : &s->enrol;
        open = k->until_ns > clock_mono_ns();
        memcpy(ret, k->bytes, sizeof(k->bytes));
        *k = (struct console_challenge){.until_ns = 0};
    }
    pthread_mutex_unlock(&c->lock);
    return open;
}

/* ---- enrolling ---- */

enum err console_enrol_challenge(struct console *c, const struct console_who *who, unsigned char ret[SHA256_BYTES])
{
    return challenge_open(c, who, false, ret);
}

enum err console_enrol(struct console *c, const struct console_who *who, const struct passkey_party *party,
                       struct str name, struct str id, struct str client_data, struct str object, struct arena *a,
                       struct store_passkey *ret, struct fault *f)
{
    unsigned char challenge[SHA256_BYTES];
    struct passkey_new made;
    if (!challenge_close(c, who, false, challenge))
        return fault_set(f, ERR_PASSKEY, "there is no challenge open for a new passkey, or it is older than %d seconds",
                         CONSOLE_CHALLENGE_MS / 1000);
    TRY(passkey_register(party, (struct str){(const char *)challenge, sizeof(challenge)}, client_data, object, a, &made,
                         f));
    if (!str_eq(made.id, id))
        return fault_set(f, ERR_PASSKEY, "id is not the one that the attestationObject holds");
    struct store_passkey wish = {.id = made.id,
                                 .person = who->name,
                                 .rp = party->id,
                                 .jwk = made.jwk,
                                 .name = name,
                                 .count = made.count,
                                 .may_back_up = made.may_back_up};
    TRY(passkeys_put(c->passkeys, &wish, &wish.created, f));
    *ret = wish;
    return ERR_OK;
}

/* ---- proofs ---- */

static void proof_bind(const unsigned char nonce[SHA256_BYTES], const struct console_request *q,
                       unsigned char ret[SHA256_BYTES])
{
    const struct str part[] = {{(const char *)nonce, SHA256_BYTES},     q->method, {"", 1}, q->target, {"", 1},
                               {(const char *)q->body, sizeof(q->body)}};
    enc_sha256_parts(part, sizeof(part) / sizeof(part[0]), ret);
}

enum err console_proof_challenge(struct console *c, const struct console_who *who, const struct console_request *q,
                                 unsigned char ret[SHA256_BYTES])
{
    unsigned char nonce[SHA256_BYTES];
    TRY(challenge_open(c, who, true, nonce));
    proof_bind(nonce, q, ret);
    return ERR_OK;
}

enum err console_proof(struct console *c, const struct console_who *who, const struct passkey_party *party,
                       const struct console_request *q, const struct console_signed *s, struct arena *a,
                       struct store_passkey *ret, struct fault *f)
{
    unsigned char nonce[SHA256_BYTES], challenge[SHA256_BYTES];
    struct store_passkey key;
    if (!challenge_close(c, who, true, nonce))
        return fault_set(f, ERR_PROOF,
                         "no challenge is open for this request: each is good for one request, and %d seconds",
                         CONSOLE_CHALLENGE_MS / 1000);
    proof_bind(nonce, q, challenge);
    if (passkeys_find(c->passkeys, party->id, s->id, a, &key, NULL) == ERR_OK && !str_eq(key.person, who->name))
        return fault_set(f, ERR_PASSKEY, "this is another person's passkey");
    TRY(passkeys_prove(c->passkeys, party, (struct str){(const char *)challenge, sizeof(challenge)}, s->id, &s->proof,
                       a, &key, f));
    if (!str_eq(key.person, who->name)) /* it went from one to the other meanwhile */
        return fault_set(f, ERR_PASSKEY, "this is another person's passkey");
    *ret = key;
    return ERR_OK;
}
