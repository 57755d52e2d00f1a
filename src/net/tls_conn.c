/* One connection under TLS: OpenSSL between a view of what came and a buffer of what goes. */
#include "net/tls_inner.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct tls_conn {
    SSL *ssl;
    struct tls *tls; /* a reference: what is in force may be another by now */
    struct str in;
    struct buf *out;
    struct tls_sessions *sessions; /* a client's */
    char host[256];                /* a client's: whom it means to reach */
    bool ready, broken, ended;
    char peer[256];
    char expired[32]; /* when the certificate ended that was refused for that */
};

/* ---- the two ends of OpenSSL ---- */

static int tls_bio_read(BIO *bio, char *p, int n)
{
    struct tls_conn *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t take = c->in.n < (size_t)n ? c->in.n : (size_t)n;
    if (n <= 0 || take == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(p, c->in.p, take);
    c->in = str_skip(c->in, take);
    return (int)take;
}

static int tls_bio_write(BIO *bio, const char *p, int n)
{
    struct tls_conn *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    buf_put(c->out, p, (size_t)n);
    return buf_failed(c->out) ? -1 : n;
}

static long tls_bio_ctrl(BIO *bio, int what, long n, void *p)
{
    (void)bio, (void)n, (void)p;
    return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *tls_bio;

static void tls_bio_make(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    if (m && BIO_meth_set_read(m, tls_bio_read) && BIO_meth_set_write(m, tls_bio_write) &&
        BIO_meth_set_ctrl(m, tls_bio_ctrl))
        tls_bio = m;
}

static struct tls_conn *tls_conn_new(struct tls *t, struct buf *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, tls_bio_make);
    struct tls_conn *c = calloc(1, sizeof(*c));
    BIO *bio = c && tls_bio ? BIO_new(tls_bio) : NULL;
    if (!bio || !(c->ssl = SSL_new(t->ctx))) {
        BIO_free(bio);
        free(c);
        return NULL;
    }
    c->tls = tls_ref(t);
    c->out = out;
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    SSL_set_bio(c->ssl, bio, bio);
    SSL_set_app_data(c->ssl, c);
    return c;
}

struct tls_conn *tls_accept(struct tls *t, struct buf *out)
{
    struct tls_conn *c = tls_conn_new(t, out);
    if (c)
        SSL_set_accept_state(c->ssl);
    return c;
}

/* An address is looked for among the certificate's addresses, and is no name to ask for (RFC 6066 3). */
static bool tls_expect(SSL *ssl, const char *host)
{
    unsigned char address[16];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

/* With a copy: OpenSSL lets a session of 1.3 be resumed once, and not every server gives a new one then. */
static bool tls_resume(SSL *ssl, const struct tls_sessions *s)
{
    SSL_SESSION *copy = s->last ? SSL_SESSION_dup(s->last) : NULL;
    bool ok = !s->last || (copy && SSL_set_session(ssl, copy) == 1);
    SSL_SESSION_free(copy);
    return ok;
}

struct tls_conn *tls_connect(struct tls *t, const char *host, struct tls_sessions *s, struct buf *out)
{
    struct tls_conn *c = tls_conn_new(t, out);
    if (!c)
        return NULL;
    SSL_set_connect_state(c->ssl);
    c->sessions = s;
    snprintf(c->host, sizeof(c->host), "%s", host);
    if (!tls_expect(c->ssl, host) || !tls_resume(c->ssl, s)) {
        tls_conn_free(c);
        return NULL;
    }
    return c;
}

void tls_conn_free(struct tls_conn *c)
{
    if (!c)
        return;
    if (!c->broken) /* otherwise OpenSSL takes the session for a doubtful one, and it is resumed never more */
        SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(c->ssl);
    tls_unref(c->tls);
    free(c);
}

/* ---- sessions of clients ---- */

int tls_session_came(SSL *ssl, SSL_SESSION *session)
{
    struct tls_conn *c = SSL_get_app_data(ssl);
    if (!c->sessions || !SSL_SESSION_is_resumable(session))
        return 0;
    tls_sessions_done(c->sessions);
    c->sessions->last = session;
    return 1; /* it is ours now */
}

void tls_sessions_done(struct tls_sessions *s)
{
    SSL_SESSION_free(s->last);
    s->last = NULL;
}

/* ---- who is there ---- */

static bool tls_peer_take(struct tls_conn *c, const char *kind, const ASN1_STRING *s)
{
    int n = ASN1_STRING_length(s);
    struct str text = {(const char *)ASN1_STRING_get0_data(s), n > 0 ? (size_t)n : 0};
    if (!text.n || text.n + strlen(kind) >= sizeof(c->peer) || memchr(text.p, 0, text.n) || !str_utf8_valid(text))
        return false;
    snprintf(c->peer, sizeof(c->peer), "%s" STR_FMT, kind, STR_ARG(text));
    return true;
}

static bool tls_peer_alternative(struct tls_conn *c, const X509 *x)
{
    static const struct {
        int type;
        const char *kind;
    } kinds[] = {{GEN_URI, "URI:"}, {GEN_DNS, "DNS:"}, {GEN_EMAIL, "email:"}};
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && !found; k++)
        for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
            const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
            found = g->type == kinds[k].type && tls_peer_take(c, kinds[k].kind, g->d.ia5);
        }
    GENERAL_NAMES_free(names);
    return found;
}

static void tls_peer_find(struct tls_conn *c)
{
    X509 *x = SSL_get0_peer_certificate(c->ssl);
    if (!x || tls_peer_alternative(c, x))
        return;
    BIO *b = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (b && X509_NAME_print_ex(b, X509_get_subject_name(x), 0, XN_FLAG_RFC2253) >= 0) {
        long n = BIO_get_mem_data(b, &text);
        struct str name = {text, n > 0 && (size_t)n < sizeof(c->peer) ? (size_t)n : 0};
        snprintf(c->peer, sizeof(c->peer), STR_FMT, STR_ARG(name));
    }
    BIO_free(b);
}

struct str tls_peer(const struct tls_conn *c)
{
    return str_of(c->peer);
}

/* ---- what went wrong ---- */

int tls_verified(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_conn *c = ssl ? SSL_get_app_data(ssl) : NULL;
    X509 *x = X509_STORE_CTX_get_current_cert(store);
    if (!ok && c && x && X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_HAS_EXPIRED)
        tls_date(X509_get0_notAfter(x), c->expired);
    return ok;
}

static void tls_say_certificate(const struct tls_conn *c, long verdict, struct fault *f)
{
    const char *whose = c->sessions ? "server" : "client";
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        fault_write(f, ERR_UPSTREAM, "the %s's certificate, or one that it rests on, expired on %s", whose, c->expired);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        fault_write(f, ERR_UPSTREAM, "the server's certificate is not for %s", c->host);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        fault_write(f, ERR_UPSTREAM, "the %s's certificate comes from an authority that is not trusted (%s)", whose,
                    X509_verify_cert_error_string(verdict));
        break;
    default:
        fault_write(f, ERR_UPSTREAM, "the %s's certificate is refused: %s", whose,
                    X509_verify_cert_error_string(verdict));
    }
}

static enum tls_verdict tls_failed(struct tls_conn *c, struct fault *f)
{
    long verdict = SSL_get_verify_result(c->ssl);
    int why = ERR_GET_REASON(ERR_peek_last_error());
    const char *text = tls_reason();
    c->broken = true;
    if (why == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK)
        tls_say_certificate(c, verdict, f);
    else if (why >= SSL_AD_REASON_OFFSET) /* an alert came */
        fault_write(f, ERR_UPSTREAM, "the %s refuses the TLS connection (%s)", c->sessions ? "server" : "client", text);
    else if (why == SSL_R_WRONG_VERSION_NUMBER && !c->ready)
        fault_write(f, ERR_UPSTREAM, "the %s does not speak TLS", c->sessions ? "server" : "client");
    else
        fault_write(f, ERR_UPSTREAM, "TLS failed: %s", text);
    ERR_clear_error();
    return why == SSL_R_HTTP_REQUEST || why == SSL_R_HTTPS_PROXY_REQUEST ? TLS_CLEAR : TLS_BAD;
}

/* ---- bytes ---- */

void tls_feed(struct tls_conn *c, struct str ciphertext)
{
    c->in = ciphertext;
}

static enum tls_verdict tls_stuck(struct tls_conn *c, int r, struct fault *f)
{
    switch (SSL_get_error(c->ssl, r)) {
    case SSL_ERROR_WANT_READ: return TLS_MORE;
    case SSL_ERROR_ZERO_RETURN: c->ended = true; return TLS_END;
    default: return tls_failed(c, f);
    }
}

enum tls_verdict tls_read(struct tls_conn *c, char *room, size_t n, size_t *ret_n, struct fault *f)
{
    if (c->broken) {
        fault_write(f, ERR_UPSTREAM, "the TLS connection is broken");
        return TLS_BAD;
    }
    ERR_clear_error();
    if (!c->ready) {
        int r = SSL_do_handshake(c->ssl);
        if (r != 1)
            return tls_stuck(c, r, f);
        c->ready = true;
        tls_peer_find(c);
        return TLS_READY;
    }
    int r = SSL_read_ex(c->ssl, room, n, ret_n);
    return r == 1 ? TLS_DATA : tls_stuck(c, r, f);
}

bool tls_waits(const struct tls_conn *c)
{
    return c->in.n || SSL_has_pending(c->ssl);
}

static bool tls_encrypt(struct tls_conn *c, struct str s)
{
    size_t n;
    return !s.n || (SSL_write_ex(c->ssl, s.p, s.n, &n) == 1 && n == s.n);
}

/* Head and body of a short message become one record. */
bool tls_write(struct tls_conn *c, struct str *a, struct str *b)
{
    char both[TLS_PLAIN_BYTES];
    size_t from_a = a->n < sizeof(both) ? a->n : sizeof(both), from_b = sizeof(both) - from_a;
    bool ok = c->ready && !c->broken;
    ERR_clear_error();
    from_b = b->n < from_b ? b->n : from_b;
    if (ok && a->n && from_b) {
        memcpy(both, a->p, from_a);
        memcpy(both + from_a, b->p, from_b);
        ok = tls_encrypt(c, (struct str){both, from_a + from_b});
        *a = str_skip(*a, from_a);
        *b = str_skip(*b, from_b);
    }
    struct str *next = a->n ? a : b;
    struct str slice = {next->p, next->n < TLS_SLICE_BYTES ? next->n : TLS_SLICE_BYTES};
    ok = ok && tls_encrypt(c, slice);
    *next = str_skip(*next, slice.n);
    c->broken = c->broken || !ok;
    return ok;
}

void tls_close(struct tls_conn *c)
{
    ERR_clear_error();
    if (c->ready && !c->broken)
        (void)SSL_shutdown(c->ssl);
}
