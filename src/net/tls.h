/*
 * TLS 1.2 and 1.3 (RFC 5246, RFC 8446) over OpenSSL, without I/O: whoever owns a connection feeds ciphertext in, takes
 * plaintext out, and sends what stands in `out`. Of 1.2 only what forward secrecy and AEAD are sure of; no
 * renegotiation, no compression, no early data; ALPN knows http/1.1 alone (RFC 7301).
 *
 * `struct tls` is what one side shows and whom it believes: read once from its files, immutable, shared by threads.
 * `struct tls_conn` is one connection, for one thread.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/buf.h"

struct tls;
enum tls_peer { TLS_PEER_NONE, TLS_PEER_OPTIONAL, TLS_PEER_REQUIRED };

/* Paths of PEM files. ERR_CONFIG: which file, and what is wrong with it. The key's file must be its owner's alone. */
enum err tls_server_new(const char *certificate, const char *key, const char *client_ca /* or NULL */,
                        enum tls_peer peer, struct tls **ret, struct fault *f) MUST_USE;
/* ca NULL: the system's authorities. certificate and key: what is shown to a server that asks, or NULL. */
enum err tls_client_new(const char *ca, const char *certificate, const char *key, struct tls **ret,
                        struct fault *f) MUST_USE;
struct tls *tls_ref(struct tls *t);
void tls_unref(struct tls *t);               /* takes NULL */
bool tls_same(struct tls *a, struct tls *b); /* made from the same bytes; NULL is the same as NULL */
/* A new one that is the same as the old: sessions of the old one can be resumed with it. Before it is used. */
void tls_inherit(struct tls *fresh, struct tls *old);
int64_t tls_expires(const struct tls *t); /* its certificate, in seconds since 1970; 0: it has none */
/* "sha256//" and the base64 of the digest of the certificate's public key, as curl pins it. */
#define TLS_PIN 64
void tls_pin(const struct tls *t, char ret[TLS_PIN]);

struct tls_conn;
enum { TLS_PLAIN_BYTES = 16384, TLS_SLICE_BYTES = 65536, TLS_OUT_BYTES = 512 * 1024 };

/* For the sessions of one origin, so that the next connection needs no whole handshake. Zeroed; its owner's. */
struct tls_sessions {
    void *last;
};
void tls_sessions_done(struct tls_sessions *s);

/* Ciphertext is appended to `out`, which may serve many connections: its owner sends and empties it after each call.
 * NULL: no memory. */
struct tls_conn *tls_accept(struct tls *t, struct buf *out) MUST_USE;
struct tls_conn *tls_connect(struct tls *t, const char *host, struct tls_sessions *s, struct buf *out) MUST_USE;
void tls_conn_free(struct tls_conn *c); /* takes NULL */

/* What came; the bytes must stay until tls_read has said TLS_MORE or tls_feed is called again. */
void tls_feed(struct tls_conn *c, struct str ciphertext);
enum tls_verdict {
    TLS_BAD = 0, /* f says why; `out` may hold the alert for the other side. Nothing more can be done with it */
    TLS_CLEAR,   /* the client spoke HTTP without TLS */
    TLS_MORE,
    TLS_READY, /* the handshake is done; once */
    TLS_DATA,  /* *ret_n bytes in room */
    TLS_END    /* the other side has said that it sends no more (close_notify) */
};
/* With an empty feed this begins a client's handshake. f: ERR_UPSTREAM. */
enum tls_verdict tls_read(struct tls_conn *c, char *room, size_t n, size_t *ret_n, struct fault *f) MUST_USE;
/* Has come and was not read: ciphertext, or plaintext that waits. */
bool tls_waits(const struct tls_conn *c);
/* Encrypts a first slice of a and then b, and takes it off them: call until both are empty. */
bool tls_write(struct tls_conn *c, struct str *a, struct str *b) MUST_USE;
void tls_close(struct tls_conn *c); /* close_notify into `out`, when there was a handshake */

/* Who the other side is by its certificate, which was verified: "URI:…", "DNS:…" or "email:…" of the alternative names,
 * or the subject ("CN=…"). Empty: it showed none. It says who, and grants nothing. */
struct str tls_peer(const struct tls_conn *c);

#endif
