/* What tls.c (certificates and whom to believe) and tls_conn.c (connections) share. Not for others. */
#ifndef NET_TLS_INNER_H
#define NET_TLS_INNER_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "net/tls.h"

struct tls {
    SSL_CTX *ctx;
    unsigned char digest[32]; /* of all that it was made from */
    int64_t expires;
    _Atomic unsigned refs;
};

/* "2026-11-23 20:54:00 UTC" */
void tls_date(const ASN1_TIME *t, char ret[32]);
/* What OpenSSL says last, in its words. */
const char *tls_reason(void);
/* Sees each judgement of a certificate, and changes none (SSL_CTX_set_verify). */
int tls_verified(int ok, X509_STORE_CTX *store);
/* New sessions of clients come here (SSL_CTX_sess_set_new_cb). */
int tls_session_came(SSL *ssl, SSL_SESSION *session);

#endif
