/* Who says it: signatures of what channels tell back. A secret is compared in constant time, and what was not signed is
 * not read. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "notify/inner.h"

enum { SIGN_LIST = 16 };

enum err notify_hmac(const struct secret *key, const struct str *part, size_t n, unsigned char ret[SHA256_BYTES],
                     struct fault *f)
{
    char digest[] = "SHA256";
    size_t made = 0;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *c = mac ? EVP_MAC_CTX_new(mac) : NULL;
    bool ok = c && secret_len(key) && EVP_MAC_init(c, secret_bytes(key), secret_len(key), params) == 1;
    for (size_t i = 0; i < n && ok; i++)
        ok = !part[i].n || EVP_MAC_update(c, (const unsigned char *)part[i].p, part[i].n) == 1;
    ok = ok && EVP_MAC_final(c, ret, &made, SHA256_BYTES) == 1 && made == SHA256_BYTES;
    EVP_MAC_CTX_free(c);
    EVP_MAC_free(mac);
    return ok ? ERR_OK : fault_set(f, ERR_INTERNAL, "the signature cannot be made");
}

static bool sign_is(struct str said, const char *prefix, const unsigned char sum[SHA256_BYTES])
{
    char want[2 * SHA256_BYTES + 1];
    if (!str_starts(said, str_of(prefix)))
        return false;
    enc_hex(sum, SHA256_BYTES, want);
    return str_eq_secret(str_skip(said, strlen(prefix)), (struct str){want, sizeof(want) - 1});
}

enum err slack_verify(const struct secret *key, struct str timestamp, struct str signature, struct str body,
                      int64_t now_s, unsigned char sum[SHA256_BYTES], struct fault *f)
{
    const struct str part[] = {STR("v0:"), timestamp, STR(":"), body};
    unsigned char made[SHA256_BYTES];
    uint64_t t;
    if (!str_u64(timestamp, &t) || t > INT64_MAX / 2)
        return fault_set(f, ERR_ROLE, "X-Slack-Request-Timestamp must be seconds since 1970");
    int64_t skew = now_s - (int64_t)t;
    TRY(notify_hmac(key, part, sizeof(part) / sizeof(part[0]), made, f));
    if (!sign_is(signature, "v0=", made))
        return fault_set(f, ERR_ROLE, "X-Slack-Signature is not of this body, time and secret");
    if (skew > NOTIFY_SKEW_S || skew < -NOTIFY_SKEW_S)
        return fault_set(f, ERR_ROLE, "it was signed %lld seconds %s: must be within %d", /* or a clock is wrong */
                         (long long)(skew < 0 ? -skew : skew), skew < 0 ? "ahead" : "ago", NOTIFY_SKEW_S);
    memcpy(sum, made, sizeof(made));
    return ERR_OK;
}

enum err pagerduty_verify(const struct secret *key, struct str signatures, struct str body, struct fault *f)
{
    unsigned char made[SHA256_BYTES];
    bool good = false;
    TRY(notify_hmac(key, &body, 1, made, f));
    for (unsigned i = 0; i < SIGN_LIST && signatures.n; i++) {
        struct str one;
        str_cut(&signatures, ',', &one);
        good |= sign_is(str_trim(one), "v1=", made);
    }
    return good ? ERR_OK : fault_set(f, ERR_ROLE, "X-PagerDuty-Signature is not of this body and secret");
}
