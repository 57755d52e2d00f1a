/* Certificates, keys and authorities: read, judged, and made into what connections are opened with. */
#include "net/tls_inner.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/secret.h"

/* AEAD with forward secrecy; of TLS 1.3 there is nothing else. */
#define TLS_SUITES_12 "ECDHE+AESGCM:ECDHE+CHACHA20"
enum { TLS_FILE_BYTES = 1 << 20, TLS_SECURITY = 2, TLS_SESSION_S = 3600, TLS_TICKET_KEYS = 80 };

void tls_date(const ASN1_TIME *t, char ret[32])
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(t, &tm) || !strftime(ret, 32, "%Y-%m-%d %H:%M:%S UTC", &tm))
        snprintf(ret, 32, "an unknown date");
}

const char *tls_reason(void)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    return why ? why : "no reason given";
}

/* ---- files ---- */

/* A file and what is left of it to read; the digest goes over all files, each with its length. */
struct tls_file {
    const char *path;
    struct secret *bytes;
    BIO *bio;
};

static void tls_file_done(struct tls_file *file)
{
    BIO_free(file->bio);
    secret_free(file->bytes);
}

static enum err tls_file_open(struct tls_file *file, const char *what, const char *path, bool secret, EVP_MD_CTX *md,
                              struct fault *f)
{
    file->path = path;
    if (secret_read(path, TLS_FILE_BYTES, secret, &file->bytes, f)) {
        fault_wrap(f, "%s", what);
        return f->err = ERR_CONFIG;
    }
    uint64_t n = secret_len(file->bytes);
    file->bio = BIO_new_mem_buf(secret_bytes(file->bytes), (int)n);
    if (!file->bio || !EVP_DigestUpdate(md, &n, sizeof(n)) || !EVP_DigestUpdate(md, secret_bytes(file->bytes), n))
        return fault_set(f, ERR_NOMEM, "no memory for %s", path);
    return ERR_OK;
}

/* NULL: none is left. Or there is one that cannot be read: then f is set. */
static X509 *tls_next_certificate(struct tls_file *file, struct fault *f)
{
    ERR_clear_error();
    X509 *x = PEM_read_bio_X509(file->bio, NULL, NULL, NULL);
    if (!x && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        fault_write(f, ERR_CONFIG, "%s: holds a certificate that cannot be read: %s", file->path, tls_reason());
    return x;
}

/* ---- the certificate that is shown ---- */

static enum err tls_judge_time(const struct tls_file *file, const X509 *x, struct fault *f)
{
    char date[32];
    if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0) {
        tls_date(X509_get0_notAfter(x), date);
        return fault_set(f, ERR_CONFIG, "certificate %s: expired on %s", file->path, date);
    }
    if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0) {
        tls_date(X509_get0_notBefore(x), date);
        return fault_set(f, ERR_CONFIG, "certificate %s: is not valid before %s", file->path, date);
    }
    return ERR_OK;
}

static int64_t tls_seconds(const ASN1_TIME *t)
{
    struct tm tm;
    return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

/* Its own certificate first, then those that lead to an authority. */
static enum err tls_use_chain(struct tls *t, struct tls_file *file, struct fault *f)
{
    fault_write(f, ERR_OK, "%s", "");
    X509 *x = tls_next_certificate(file, f);
    if (!x && f->err)
        return f->err;
    if (!x)
        return fault_set(f, ERR_CONFIG, "certificate %s: holds no certificate in PEM form", file->path);
    enum err e = tls_judge_time(file, x, f);
    t->expires = tls_seconds(X509_get0_notAfter(x));
    if (!e && SSL_CTX_use_certificate(t->ctx, x) != 1)
        e = fault_set(f, ERR_CONFIG, "certificate %s: cannot be used: %s", file->path, tls_reason());
    X509_free(x);
    while (!e && (x = tls_next_certificate(file, f))) {
        e = tls_judge_time(file, x, f);
        if (!e && SSL_CTX_add0_chain_cert(t->ctx, x) == 1)
            continue;
        if (!e)
            e = fault_set(f, ERR_CONFIG, "certificate %s: its chain cannot be used: %s", file->path, tls_reason());
        X509_free(x);
    }
    return e ? e : f->err;
}

static int tls_no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf, (void)size, (void)rwflag;
    *(bool *)ctx = true;
    return -1;
}

static enum err tls_use_key(struct tls *t, struct tls_file *file, const char *certificate, struct fault *f)
{
    bool encrypted = false;
    ERR_clear_error();
    EVP_PKEY *key = PEM_read_bio_PrivateKey(file->bio, NULL, tls_no_passphrase, &encrypted);
    if (!key)
        return encrypted ? fault_set(f, ERR_CONFIG, "key %s: is locked with a passphrase, which nobody is here to give",
                                     file->path)
                         : fault_set(f, ERR_CONFIG, "key %s: holds no private key in PEM form", file->path);
    bool ok = SSL_CTX_use_PrivateKey(t->ctx, key) == 1 && SSL_CTX_check_private_key(t->ctx) == 1;
    EVP_PKEY_free(key);
    return ok ? ERR_OK : fault_set(f, ERR_CONFIG, "key %s: does not belong to %s", file->path, certificate);
}

static enum err tls_show(struct tls *t, const char *certificate, const char *key, EVP_MD_CTX *md, struct fault *f)
{
    struct tls_file CLEANUP(tls_file_done) chain = {0}, own = {0};
    TRY(tls_file_open(&chain, "certificate", certificate, false, md, f));
    TRY(tls_use_chain(t, &chain, f));
    TRY(tls_file_open(&own, "key", key, true, md, f));
    return tls_use_key(t, &own, certificate, f);
}

/* ---- whom it believes ---- */

static enum err tls_believe(struct tls *t, const char *what, const char *path, bool name_them, EVP_MD_CTX *md,
                            struct fault *f)
{
    struct tls_file CLEANUP(tls_file_done) file = {0};
    TRY(tls_file_open(&file, what, path, false, md, f));
    unsigned count = 0;
    fault_write(f, ERR_OK, "%s", "");
    for (X509 *x; (x = tls_next_certificate(&file, f)); count++) {
        bool ok = X509_STORE_add_cert(SSL_CTX_get_cert_store(t->ctx), x) == 1 &&
                  (!name_them || SSL_CTX_add_client_CA(t->ctx, x) == 1);
        X509_free(x);
        if (!ok)
            return fault_set(f, ERR_CONFIG, "%s %s: cannot be used: %s", what, path, tls_reason());
    }
    if (f->err)
        return f->err;
    return count ? ERR_OK : fault_set(f, ERR_CONFIG, "%s %s: holds no certificate in PEM form", what, path);
}

/* ---- both together ---- */

/* A protocol of the client's that is not ours: rather no connection than one on which the two sides mean different
 * things. */
static int tls_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in, unsigned in_n,
                    void *ctx)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl, (void)ctx;
    int r = SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_n, ours, sizeof(ours) - 1, in, in_n);
    return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool tls_rules(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); /* an idle connection keeps none */
    SSL_CTX_set_security_level(ctx, TLS_SECURITY);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(ctx, TLS_SUITES_12) == 1;
}

static void tls_server_rules(SSL_CTX *ctx, enum tls_peer peer)
{
    static const unsigned char name[] = "doorward";
    int verify = peer == TLS_PEER_NONE       ? SSL_VERIFY_NONE
                 : peer == TLS_PEER_OPTIONAL ? SSL_VERIFY_PEER
                                             : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ctx, verify, tls_verified);
    SSL_CTX_set_alpn_select_cb(ctx, tls_alpn, NULL);
    SSL_CTX_set_session_id_context(ctx, name, sizeof(name) - 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* clients keep their sessions, in tickets */
    SSL_CTX_set_timeout(ctx, TLS_SESSION_S);
    SSL_CTX_set_num_tickets(ctx, 1);
}

static bool tls_client_rules(SSL_CTX *ctx)
{
    static const unsigned char ours[] = "\x08http/1.1";
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, tls_verified);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, tls_session_came);
    return SSL_CTX_set_alpn_protos(ctx, ours, sizeof(ours) - 1) == 0;
}

struct tls_making {
    struct tls *tls;
    EVP_MD_CTX *md;
};

static void tls_free(struct tls *t)
{
    if (t)
        SSL_CTX_free(t->ctx);
    free(t);
}

static void tls_making_done(struct tls_making *m)
{
    tls_free(m->tls); /* nobody else has it yet */
    EVP_MD_CTX_free(m->md);
    ERR_clear_error();
}

static enum err tls_make(struct tls_making *m, const SSL_METHOD *method, struct fault *f)
{
    m->md = EVP_MD_CTX_new();
    m->tls = calloc(1, sizeof(*m->tls));
    if (m->tls) {
        m->tls->refs = 1;
        m->tls->ctx = SSL_CTX_new(method);
    }
    bool ok = m->md && m->tls && m->tls->ctx && tls_rules(m->tls->ctx) && EVP_DigestInit_ex(m->md, EVP_sha256(), NULL);
    return ok ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for TLS");
}

/* What was made, unless something failed. */
static enum err tls_made(struct tls_making *m, enum err e, struct tls **ret)
{
    if (!e) {
        EVP_DigestFinal_ex(m->md, m->tls->digest, NULL);
        *ret = m->tls;
        m->tls = NULL;
    }
    tls_making_done(m);
    return e;
}

static enum err tls_fill_server(struct tls_making *m, const char *certificate, const char *key, const char *client_ca,
                                enum tls_peer peer, struct fault *f)
{
    TRY(tls_make(m, TLS_server_method(), f));
    tls_server_rules(m->tls->ctx, peer);
    TRY(tls_show(m->tls, certificate, key, m->md, f));
    if (client_ca)
        TRY(tls_believe(m->tls, "client_ca", client_ca, true, m->md, f));
    EVP_DigestUpdate(m->md, &peer, sizeof(peer));
    return ERR_OK;
}

enum err tls_server_new(const char *certificate, const char *key, const char *client_ca, enum tls_peer peer,
                        struct tls **ret, struct fault *f)
{
    struct tls_making m = {0};
    return tls_made(&m, tls_fill_server(&m, certificate, key, client_ca, peer, f), ret);
}

static enum err tls_fill_client(struct tls_making *m, const char *ca, const char *certificate, const char *key,
                                struct fault *f)
{
    TRY(tls_make(m, TLS_client_method(), f));
    if (!tls_client_rules(m->tls->ctx))
        return fault_set(f, ERR_NOMEM, "no memory for TLS");
    if (ca)
        TRY(tls_believe(m->tls, "ca", ca, false, m->md, f));
    else if (SSL_CTX_set_default_verify_paths(m->tls->ctx) != 1)
        return fault_set(f, ERR_CONFIG, "the system's authorities cannot be read: %s", tls_reason());
    return certificate ? tls_show(m->tls, certificate, key, m->md, f) : ERR_OK;
}

enum err tls_client_new(const char *ca, const char *certificate, const char *key, struct tls **ret, struct fault *f)
{
    struct tls_making m = {0};
    return tls_made(&m, tls_fill_client(&m, ca, certificate, key, f), ret);
}

/* ---- what is asked of it ---- */

struct tls *tls_ref(struct tls *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void tls_unref(struct tls *t)
{
    if (t && atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1)
        tls_free(t);
}

bool tls_same(struct tls *a, struct tls *b)
{
    return a == b || (a && b && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0);
}

void tls_inherit(struct tls *fresh, struct tls *old)
{
    unsigned char keys[TLS_TICKET_KEYS];
    if (!fresh || !old || !tls_same(fresh, old))
        return;
    if (SSL_CTX_get_tlsext_ticket_keys(old->ctx, keys, sizeof(keys)) == 1)
        SSL_CTX_set_tlsext_ticket_keys(fresh->ctx, keys, sizeof(keys));
    secret_wipe(keys, sizeof(keys));
}

int64_t tls_expires(const struct tls *t)
{
    return t->expires;
}

void tls_pin(const struct tls *t, char ret[TLS_PIN])
{
    X509 *x = SSL_CTX_get0_certificate(t->ctx);
    unsigned char *der = NULL, digest[32], text[48];
    int n = x ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der) : -1;
    ret[0] = 0;
    if (n > 0 && EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL)) {
        EVP_EncodeBlock(text, digest, sizeof(digest));
        snprintf(ret, TLS_PIN, "sha256//%s", (const char *)text);
    }
    OPENSSL_free(der);
}
