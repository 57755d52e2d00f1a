/*
 * Encodings and digests: hex, base64url without padding (RFC 4648 section 5, strict: no padding, no white space, no
 * bits left over), SHA-256, random bytes and identifiers.
 */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include "base/arena.h"

#define SHA256_BYTES 32

void enc_hex(const void *p, size_t n, char *ret /* 2n + 1 */);
bool enc_unhex(struct str hex, void *ret, size_t n); /* exactly n bytes, either case */
size_t enc_b64url(const void *p, size_t n, char *ret /* (4n + 2) / 3 + 1 */);
size_t enc_b64(const void *p, size_t n, char *ret /* (n + 2) / 3 * 4 + 1 */); /* standard alphabet, padded */
enum err enc_unb64url(struct str s, unsigned char *ret, size_t max, size_t *ret_n) MUST_USE;
enum err enc_unb64(struct str s, unsigned char *ret, size_t max,
                   size_t *ret_n) MUST_USE; /* standard alphabet, padded */
void enc_sha256(const void *p, size_t n, unsigned char ret[SHA256_BYTES]);
void enc_sha256_parts(const struct str *v, size_t n,
                      unsigned char ret[SHA256_BYTES]); /* of all, one behind the other */
void enc_random(void *p, size_t n);
/* "sess_" and 26 characters of Crockford base32 (ULID: sorts by time). prefix without the underscore, at most 8
 * letters. */
#define ENC_ID_MAX 36
void enc_id(const char *prefix, char ret[ENC_ID_MAX]);

#endif
