/*
 * XAES-256-GCM (C2SP): AES-256-GCM whose key is derived for each message from the key and the first half of a nonce of
 * 192 bits, so that random nonces do not meet in any number of messages.
 */
#include <openssl/evp.h>
#include <sodium.h>

#include "audit/seal_inner.h"

enum { CIPHER_BLOCK = 16, CIPHER_HALF = 12, CIPHER_PIECE = 1 << 30 };

static EVP_CIPHER *cipher_ecb, *cipher_gcm;
static pthread_once_t cipher_once = PTHREAD_ONCE_INIT;

static void cipher_start(void)
{
    cipher_ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
    cipher_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

bool seal_cipher_ready(void)
{
    pthread_once(&cipher_once, cipher_start);
    return cipher_ecb && cipher_gcm;
}

static void cipher_freep(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c);
}

/* The message's key: CMAC of two blocks that hold a counter, a label and the first half of the nonce. */
static bool cipher_derive(EVP_CIPHER_CTX *c, const unsigned char key[SEAL_KEY], const unsigned char nonce[SEAL_NONCE],
                          unsigned char ret[SEAL_KEY])
{
    unsigned char k1[CIPHER_BLOCK] = {0}, block[2 * CIPHER_BLOCK] = {0};
    int n;
    bool ok = EVP_EncryptInit_ex2(c, cipher_ecb, key, NULL, NULL) == 1 && EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
              EVP_EncryptUpdate(c, k1, &n, block, CIPHER_BLOCK) == 1;
    unsigned carry = k1[0] >> 7;
    for (int i = 0; i < CIPHER_BLOCK; i++)
        k1[i] = (unsigned char)(k1[i] << 1 | (i + 1 < CIPHER_BLOCK ? k1[i + 1] >> 7 : 0));
    k1[CIPHER_BLOCK - 1] ^= (unsigned char)(0x87 & -carry);
    for (int half = 0; half < 2; half++) {
        unsigned char *m = block + half * CIPHER_BLOCK;
        m[1] = (unsigned char)(half + 1);
        m[2] = 'X';
        memcpy(m + 4, nonce, CIPHER_HALF);
        for (int i = 0; i < CIPHER_BLOCK; i++)
            m[i] ^= k1[i];
    }
    ok = ok && EVP_EncryptUpdate(c, ret, &n, block, sizeof(block)) == 1 && n == SEAL_KEY;
    secret_wipe(k1, sizeof(k1));
    secret_wipe(block, sizeof(block));
    return ok && EVP_CIPHER_CTX_reset(c) == 1;
}

static bool cipher_feed(EVP_CIPHER_CTX *c, struct str s, unsigned char *out)
{
    int n;
    while (s.n) {
        size_t piece = s.n < CIPHER_PIECE ? s.n : CIPHER_PIECE;
        if (EVP_CipherUpdate(c, out, &n, (const unsigned char *)s.p, (int)piece) != 1)
            return false;
        out = out ? out + piece : NULL;
        s = str_skip(s, piece);
    }
    return true;
}

/* A context that has taken what the tag binds; NULL: no memory. */
static EVP_CIPHER_CTX *cipher_begin(const unsigned char key[SEAL_KEY], const unsigned char nonce[SEAL_NONCE],
                                    const struct str *aad, size_t aads, int encrypt)
{
    unsigned char own[SEAL_KEY];
    EVP_CIPHER_CTX *c = seal_cipher_ready() ? EVP_CIPHER_CTX_new() : NULL;
    bool ok = c && cipher_derive(c, key, nonce, own) &&
              EVP_CipherInit_ex2(c, cipher_gcm, own, nonce + CIPHER_HALF, encrypt, NULL) == 1;
    secret_wipe(own, sizeof(own));
    for (size_t i = 0; ok && i < aads; i++)
        ok = cipher_feed(c, aad[i], NULL);
    if (ok)
        return c;
    EVP_CIPHER_CTX_free(c);
    return NULL;
}

enum err seal_encrypt(const unsigned char key[SEAL_KEY], const unsigned char nonce[SEAL_NONCE], const struct str *aad,
                      size_t aads, const struct str *plain, size_t plains, unsigned char *out)
{
    EVP_CIPHER_CTX *c CLEANUP(cipher_freep) = cipher_begin(key, nonce, aad, aads, 1);
    unsigned char rest[CIPHER_BLOCK];
    int n;
    bool ok = c;
    for (size_t i = 0; ok && i < plains; i++) {
        ok = cipher_feed(c, plain[i], out);
        out += plain[i].n;
    }
    ok = ok && EVP_EncryptFinal_ex(c, rest, &n) == 1 &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, out) == 1;
    return ok ? ERR_OK : ERR_NOMEM;
}

enum err seal_decrypt(const unsigned char key[SEAL_KEY], const unsigned char nonce[SEAL_NONCE], const struct str *aad,
                      size_t aads, const unsigned char *p, size_t n, unsigned char *out)
{
    if (n < SEAL_TAG)
        return ERR_CORRUPT;
    EVP_CIPHER_CTX *c CLEANUP(cipher_freep) = cipher_begin(key, nonce, aad, aads, 0);
    unsigned char tag[SEAL_TAG], rest[CIPHER_BLOCK];
    int left;
    size_t plain = n - SEAL_TAG;
    memcpy(tag, p + plain, SEAL_TAG);
    if (!c || !cipher_feed(c, (struct str){(const char *)p, plain}, out) ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, tag) != 1)
        return ERR_NOMEM;
    if (EVP_DecryptFinal_ex(c, rest, &left) == 1)
        return ERR_OK;
    secret_wipe(out, plain); /* nobody sees what was not proved to be it */
    return ERR_CORRUPT;
}

void seal_hmac(const unsigned char *key, size_t n, struct str what, unsigned char ret[SHA256_BYTES])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)what.p, what.n);
    crypto_auth_hmacsha256_final(&state, ret);
    secret_wipe(&state, sizeof(state));
}
