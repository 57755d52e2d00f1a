/* Signatures as they are, without a token around them. */
#include <sodium.h>

#include "jose/key.h"

/* OpenSSL takes DER only: another spelling of the two numbers, or a byte behind them, is refused there. */
static bool signed_es256(const struct jose_key *k, struct str bytes, struct str signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
              EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n, (const unsigned char *)bytes.p,
                               bytes.n) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

bool jose_signed(const struct jose_key *k, struct str bytes, struct str signature)
{
    if (k->alg == JOSE_ES256)
        return signed_es256(k, bytes, signature);
    return k->alg == JOSE_EDDSA && signature.n == crypto_sign_BYTES &&
           crypto_sign_verify_detached((const unsigned char *)signature.p, (const unsigned char *)bytes.p, bytes.n,
                                       k->x) == 0;
}
