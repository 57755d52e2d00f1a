#include "base/enc.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>

#include "base/clock.h"

static pthread_once_t enc_once = PTHREAD_ONCE_INIT;

static void enc_start(void)
{
    if (sodium_init() < 0)
        __builtin_trap();
}

void enc_hex(const void *p, size_t n, char *ret)
{
    sodium_bin2hex(ret, 2 * n + 1, p, n);
}

bool enc_unhex(struct str hex, void *ret, size_t n)
{
    size_t got;
    return hex.n == 2 * n && sodium_hex2bin(ret, n, hex.p, hex.n, NULL, &got, NULL) == 0 && got == n;
}

size_t enc_b64url(const void *p, size_t n, char *ret)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *b = p;
    char *at = ret;
    for (; n >= 3; n -= 3, b += 3) {
        unsigned v = (unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2];
        *at++ = alphabet[v >> 18];
        *at++ = alphabet[v >> 12 & 63];
        *at++ = alphabet[v >> 6 & 63];
        *at++ = alphabet[v & 63];
    }
    if (n) {
        unsigned v = (unsigned)b[0] << 16 | (n == 2 ? (unsigned)b[1] << 8 : 0);
        *at++ = alphabet[v >> 18];
        *at++ = alphabet[v >> 12 & 63];
        if (n == 2)
            *at++ = alphabet[v >> 6 & 63];
    }
    *at = 0;
    return (size_t)(at - ret);
}

size_t enc_b64(const void *p, size_t n, char *ret)
{
    size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64(ret, size, p, n, sodium_base64_VARIANT_ORIGINAL);
    return size - 1;
}

static enum err enc_decode(struct str s, int variant, unsigned char *ret, size_t max, size_t *ret_n)
{
    size_t n = 0;
    const char *end = NULL;
    if (!s.n)
        s.p = "";
    for (size_t i = 0; i < s.n; i++) /* libsodium takes some of these for digits */
        if ((unsigned char)s.p[i] >= 0x80)
            return ERR_SYNTAX;
    if (sodium_base642bin(ret, max, s.p, s.n, NULL, &n, &end, variant) != 0 || end != s.p + s.n)
        return ERR_SYNTAX;
    *ret_n = n;
    return ERR_OK;
}

enum err enc_unb64url(struct str s, unsigned char *ret, size_t max, size_t *ret_n)
{
    return enc_decode(s, sodium_base64_VARIANT_URLSAFE_NO_PADDING, ret, max, ret_n);
}

enum err enc_unb64(struct str s, unsigned char *ret, size_t max, size_t *ret_n)
{
    return enc_decode(s, sodium_base64_VARIANT_ORIGINAL, ret, max, ret_n);
}

/* The digest's description is fetched once, and each thread keeps a context: OpenSSL 3's one-shot calls look the
 * algorithm up and allocate every time. */
static _Thread_local EVP_MD_CTX *enc_ctx;
static EVP_MD *enc_md;
static pthread_key_t enc_ctx_key;
static pthread_once_t enc_md_once = PTHREAD_ONCE_INIT;

static void enc_ctx_free(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void enc_md_start(void)
{
    enc_md = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!enc_md || pthread_key_create(&enc_ctx_key, enc_ctx_free) != 0)
        __builtin_trap(); /* without SHA-256 nothing of the house may start */
}

static bool enc_sha256_openssl(const struct str *v, size_t n, unsigned char ret[SHA256_BYTES])
{
    pthread_once(&enc_md_once, enc_md_start);
    if (!enc_ctx) {
        enc_ctx = EVP_MD_CTX_new();
        if (pthread_setspecific(enc_ctx_key, enc_ctx) != 0) {
            EVP_MD_CTX_free(enc_ctx);
            enc_ctx = NULL;
        }
    }
    bool ok = enc_ctx && EVP_DigestInit_ex2(enc_ctx, enc_md, NULL) == 1;
    for (size_t i = 0; ok && i < n; i++)
        ok = EVP_DigestUpdate(enc_ctx, v[i].p, v[i].n) == 1;
    return ok && EVP_DigestFinal_ex(enc_ctx, ret, NULL) == 1;
}

/* A thread's first digest needs memory for its context. When there is none, libsodium's digest, slower, needs none. */
void enc_sha256_parts(const struct str *v, size_t n, unsigned char ret[SHA256_BYTES])
{
    crypto_hash_sha256_state state;
    if (enc_sha256_openssl(v, n, ret))
        return;
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < n; i++)
        crypto_hash_sha256_update(&state, (const unsigned char *)v[i].p, v[i].n);
    crypto_hash_sha256_final(&state, ret);
}

void enc_sha256(const void *p, size_t n, unsigned char ret[SHA256_BYTES])
{
    enc_sha256_parts(&(struct str){p, n}, 1, ret);
}

/* Small pieces come from a store of the thread's: a call needs several, and each would be a system call. What was given
 * out is wiped. */
void enc_random(void *p, size_t n)
{
    static _Thread_local unsigned char store[512];
    static _Thread_local size_t left;
    pthread_once(&enc_once, enc_start);
    if (n > 32) {
        randombytes_buf(p, n);
        return;
    }
    if (left < n) {
        randombytes_buf(store, sizeof(store));
        left = sizeof(store);
    }
    left -= n;
    memcpy(p, store + left, n);
    sodium_memzero(store + left, n);
}

void enc_id(const char *prefix, char ret[ENC_ID_MAX])
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned char raw[16];
    uint64_t ms = (uint64_t)clock_wall_ms();
    enc_random(raw + 6, 10);
    for (int i = 0; i < 6; i++)
        raw[i] = (unsigned char)(ms >> (40 - 8 * i));
    size_t n = strlen(prefix);
    if (n > 8)
        n = 8;
    memcpy(ret, prefix, n);
    ret[n++] = '_';
    /* 26 digits of 5 bits hold 130: the first carries only 3 of the 128. */
    for (int i = 0; i < 26; i++) {
        int bit = i * 5 - 2;
        unsigned v = 0;
        for (int k = 0; k < 5; k++) {
            int at = bit + k;
            unsigned one = at < 0 ? 0 : raw[at / 8] >> (7 - at % 8) & 1u;
            v = v << 1 | one;
        }
        ret[n++] = alphabet[v];
    }
    ret[n] = 0;
}
