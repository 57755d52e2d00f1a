#include "sink/webhook.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>

#include "base/enc.h"

enum { WEBHOOK_KEY_MIN = 24, WEBHOOK_KEY_MAX = 64 };

enum err webhook_key(const struct secret *text, struct secret **ret, struct fault *f)
{
    unsigned char bytes[WEBHOOK_KEY_MAX];
    size_t n = 0;
    struct str s = {(const char *)secret_bytes(text), secret_len(text)};
    s = str_skip(s, str_starts(s, STR("whsec_")) ? 6 : 0);
    enum err e = ERR_OK;
    if (enc_unb64(s, bytes, sizeof(bytes), &n) || n < WEBHOOK_KEY_MIN)
        e = fault_set(f, ERR_CONFIG, "secret is wrong: must be whsec_ and the base64 of 24 to 64 bytes");
    else if (!(*ret = secret_new(bytes, n)))
        e = fault_set(f, ERR_NOMEM, "no memory for a secret");
    secret_wipe(bytes, sizeof(bytes));
    return e;
}

enum err webhook_sign(const struct secret *key, const char *id, int64_t seconds, struct str body,
                      char ret[WEBHOOK_SIGNATURE], struct fault *f)
{
    unsigned char sum[SHA256_BYTES];
    char head[128], digest[] = "SHA256";
    size_t n = 0;
    int head_n = snprintf(head, sizeof(head), "%s.%lld.", id, (long long)seconds);
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *c = mac ? EVP_MAC_CTX_new(mac) : NULL;
    bool ok = c && head_n > 0 && (size_t)head_n < sizeof(head) &&
              EVP_MAC_init(c, secret_bytes(key), secret_len(key), params) == 1 &&
              EVP_MAC_update(c, (const unsigned char *)head, (size_t)head_n) == 1 &&
              EVP_MAC_update(c, (const unsigned char *)body.p, body.n) == 1 &&
              EVP_MAC_final(c, sum, &n, sizeof(sum)) == 1 && n == sizeof(sum);
    EVP_MAC_CTX_free(c);
    EVP_MAC_free(mac);
    if (!ok)
        return fault_set(f, ERR_INTERNAL, "the signature cannot be made");
    memcpy(ret, "v1,", 3);
    enc_b64(sum, sizeof(sum), ret + 3);
    return ERR_OK;
}
