/* Keys of notes, as text. */
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>

#include "tlog/note.h"

enum { KEY_SEED = 32, KEY_BYTES = 1 + 32, KEY_B64 = 44 };

static uint32_t key_hash(struct str name, enum note_alg alg, const unsigned char key[32])
{
    unsigned char hash[SHA256_BYTES];
    const char kind = (char)alg;
    const struct str parts[] = {name, {"\n", 1}, {&kind, 1}, {(const char *)key, 32}};
    enc_sha256_parts(parts, 4, hash);
    return (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
}

/* White space is that of Unicode in the specification; of it only what is ASCII is told apart from a letter here, and
 * the others are refused with everything that no name of a host or a log holds. */
static bool key_name(struct str name)
{
    if (!name.n || name.n >= NOTE_NAME || !str_utf8_valid(name))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == '+' || name.p[i] == 0x7f ||
            (unsigned char)name.p[i] >= 0x80)
            return false;
    return true;
}

static void key_fill(struct note_verifier *v, struct str name, enum note_alg alg, const unsigned char key[32])
{
    *v = (struct note_verifier){.alg = alg};
    memcpy(v->name, name.p, name.n);
    memcpy(v->key, key, 32);
    v->hash = key_hash(name, alg, key);
}

/* name+hash+base64, where the last holds the algorithm and 32 bytes. Which may be a secret: it is wiped by the caller.
 */
static enum err key_parts(struct str text, struct str *ret_name, uint32_t *ret_hash, unsigned char ret[KEY_BYTES],
                          struct fault *f)
{
    struct str name, hash;
    unsigned char bytes[4], data[KEY_BYTES + 3];
    size_t n = 0;
    if (!str_cut(&text, '+', &name) || !str_cut(&text, '+', &hash))
        return fault_set(f, ERR_SYNTAX, "a key must be written as name+hash+key");
    if (!key_name(name))
        return fault_set(f, ERR_SYNTAX, "a key's name must be 1 to %d characters of ASCII without spaces and +",
                         NOTE_NAME - 1);
    if (hash.n != 8 || !enc_unhex(hash, bytes, 4))
        return fault_set(f, ERR_SYNTAX, "a key's hash must be 8 hex digits");
    enum err e = enc_unb64(text, data, sizeof(data), &n);
    if (!e && n == KEY_BYTES)
        memcpy(ret, data, KEY_BYTES);
    sodium_memzero(data, sizeof(data));
    if (e || n != KEY_BYTES || (ret[0] != NOTE_ED25519 && ret[0] != NOTE_COSIGNATURE))
        return fault_set(f, ERR_SYNTAX,
                         "a key's last part must be base64 of 33 bytes, the first of which says Ed25519 (1, or 4 of a "
                         "witness): was it cut off?");
    *ret_name = name;
    *ret_hash = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return ERR_OK;
}

static struct str key_trim(struct str s)
{
    while (s.n && isspace((unsigned char)s.p[0]))
        s = str_skip(s, 1);
    while (s.n && isspace((unsigned char)s.p[s.n - 1]))
        s.n--;
    return s;
}

enum err note_verifier_parse(struct str text, struct note_verifier *ret, struct fault *f)
{
    struct note_verifier v;
    struct str name;
    uint32_t hash;
    unsigned char key[KEY_BYTES];
    TRY(key_parts(key_trim(text), &name, &hash, key, f));
    key_fill(&v, name, (enum note_alg)key[0], key + 1);
    if (v.hash != hash)
        return fault_set(f, ERR_PARAMS, "the key's hash is not that of its name and bytes: must be %08x", v.hash);
    *ret = v;
    return ERR_OK;
}

void note_verifier_write(const struct note_verifier *v, struct buf *out)
{
    unsigned char bytes[KEY_BYTES];
    char text[KEY_B64 + 4];
    bytes[0] = (unsigned char)v->alg;
    memcpy(bytes + 1, v->key, 32);
    enc_b64(bytes, sizeof(bytes), text);
    buf_fmt(out, "%s+%08x+%s", v->name, v->hash, text);
}

/* From a seed of 32 bytes. */
static enum err signer_from(struct str name, enum note_alg alg, const unsigned char *seed, struct note_signer *ret,
                            struct fault *f)
{
    unsigned char public[32], *bytes;
    struct secret *s = secret_alloc(crypto_sign_SECRETKEYBYTES, &bytes);
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for a key");
    crypto_sign_seed_keypair(public, bytes, seed);
    key_fill(&ret->public, name, alg, public);
    ret->secret = s;
    return ERR_OK;
}

static const char key_private[] = "PRIVATE+KEY+";

enum err note_signer_parse(const struct secret *text, struct note_signer *ret, struct fault *f)
{
    struct note_signer s;
    struct str t = key_trim((struct str){(const char *)secret_bytes(text), secret_len(text)}), name;
    uint32_t hash;
    unsigned char key[KEY_BYTES];
    if (!str_starts(t, STR("PRIVATE+KEY+")))
        return fault_set(f, ERR_SYNTAX, "a signer must begin with %s", key_private);
    TRY(key_parts(str_skip(t, sizeof(key_private) - 1), &name, &hash, key, f));
    enum err e = signer_from(name, (enum note_alg)key[0], key + 1, &s, f);
    sodium_memzero(key, sizeof(key));
    TRY(e);
    if (s.public.hash != hash) {
        note_signer_done(&s);
        return fault_set(f, ERR_PARAMS, "the signer's hash is not that of its name and key");
    }
    *ret = s;
    return ERR_OK;
}

enum err note_signer_new(struct str name, enum note_alg alg, struct note_signer *ret, struct fault *f)
{
    unsigned char seed[KEY_SEED];
    if (!key_name(name))
        return fault_set(f, ERR_PARAMS, "a key's name must be 1 to %d characters of ASCII without spaces and +",
                         NOTE_NAME - 1);
    enc_random(seed, sizeof(seed));
    enum err e = signer_from(name, alg, seed, ret, f);
    sodium_memzero(seed, sizeof(seed));
    return e;
}

enum err note_signer_write(const struct note_signer *s, struct secret **ret, struct fault *f)
{
    unsigned char bytes[KEY_BYTES], *to;
    char text[NOTE_KEY], seed[KEY_B64 + 4];
    bytes[0] = (unsigned char)s->public.alg;
    memcpy(bytes + 1, secret_bytes(s->secret), KEY_SEED); /* libsodium keeps the seed in front */
    enc_b64(bytes, sizeof(bytes), seed);
    int n = snprintf(text, sizeof(text), "%s%s+%08x+%s", key_private, s->public.name, s->public.hash, seed);
    struct secret *made = secret_alloc((size_t)n, &to);
    if (made)
        memcpy(to, text, (size_t)n);
    sodium_memzero(bytes, sizeof(bytes));
    sodium_memzero(text, sizeof(text));
    sodium_memzero(seed, sizeof(seed));
    if (!made)
        return fault_set(f, ERR_NOMEM, "no memory for a key");
    *ret = made;
    return ERR_OK;
}

void note_signer_done(struct note_signer *s)
{
    secret_free(s->secret);
    s->secret = NULL;
}
