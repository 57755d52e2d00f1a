#include "sink/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    STREAM_TURN_MS = 100,
    STREAM_ACK_MS = 5,
    STREAM_SETTLE_MS = 500,
    STREAM_TURNS = 16,
    STREAM_OUT = 4 << 20,
    STREAM_IN = 16384
};

struct sink_stream {
    int fd;
    struct tls_conn *tls;
    struct tls_sessions sessions;
    struct buf out; /* ciphertext */
    char in[STREAM_IN];
};

/* ---- waiting ---- */

/* Until the descriptor is ready, in turns, so that a stop is seen. */
static enum err stream_wait(int fd, short events, const struct sink_patience *p, struct fault *f)
{
    for (;;) {
        struct pollfd at = {.fd = fd, .events = events};
        int64_t left = (p->end_ns - clock_mono_ns()) / 1000000;
        if (p->stop && atomic_load(p->stop))
            return fault_set(f, ERR_STOPPING, "given up, since the gateway stops");
        if (left <= 0)
            return fault_set(f, ERR_UNREACHABLE, "took too long");
        int n = poll(&at, 1, (int)(left < STREAM_TURN_MS ? left + 1 : STREAM_TURN_MS));
        if (n < 0 && errno != EINTR)
            return fault_set(f, ERR_UNREACHABLE, "%m");
        if (n > 0)
            return ERR_OK;
    }
}

static enum err stream_connect(const struct addrinfo *a, const struct sink_patience *p, int *ret, struct fault *f)
{
    int on = 1, why = 0;
    socklen_t n = sizeof(why);
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fault_set(f, ERR_UNREACHABLE, "%m");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    enum err e = ERR_OK;
    if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
        e = errno == EINPROGRESS ? stream_wait(fd, POLLOUT, p, f) : fault_set(f, ERR_UNREACHABLE, "%m");
        if (!e && (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n) < 0 || why))
            e = fault_set(f, ERR_UNREACHABLE, "%s", strerror(why));
    }
    if (e) {
        close(fd);
        return e;
    }
    *ret = fd;
    return ERR_OK;
}

/* ---- bytes ---- */

static enum err stream_write(struct sink_stream *s, struct str bytes, const struct sink_patience *p, struct fault *f)
{
    while (bytes.n) {
        ssize_t n = send(s->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n > 0)
            bytes = str_skip(bytes, (size_t)n);
        else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            TRY(stream_wait(s->fd, POLLOUT, p, f));
        else if (n == 0 || errno != EINTR)
            return fault_set(f, ERR_UNREACHABLE, "the connection broke: %m");
    }
    return ERR_OK;
}

static enum err stream_flush(struct sink_stream *s, const struct sink_patience *p, struct fault *f)
{
    if (buf_failed(&s->out))
        return fault_set(f, ERR_NOMEM, "no memory for what is sent");
    enum err e = stream_write(s, buf_view(&s->out), p, f);
    buf_clear(&s->out);
    return e;
}

/* What the other side sends: alerts, tickets, nothing of meaning. Looks at all that came, until there is something to
 * decide. */
static enum tls_verdict stream_look(struct sink_stream *s, struct fault *f)
{
    char nothing[1024];
    size_t n;
    enum tls_verdict v;
    do
        v = tls_read(s->tls, nothing, sizeof(nothing), &n, f);
    while (v == TLS_DATA);
    return v;
}

static enum err stream_handshake(struct sink_stream *s, const struct sink_patience *p, struct fault *f)
{
    enum tls_verdict v = stream_look(s, f);
    for (;;) {
        bool ready = v == TLS_READY;
        if (ready)
            v = stream_look(s, f); /* what came with the end of the handshake */
        struct fault why = *f;
        enum err e = stream_flush(s, p, f);
        if (v == TLS_BAD)
            return fault_set(f, ERR_UNREACHABLE, "%s", why.text);
        TRY(e);
        if (v != TLS_MORE)
            return fault_set(f, ERR_UNREACHABLE, "the other side speaks no TLS");
        if (ready)
            return ERR_OK;
        TRY(stream_wait(s->fd, POLLIN, p, f));
        ssize_t n = recv(s->fd, s->in, sizeof(s->in), 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return fault_set(f, ERR_UNREACHABLE, "the other side ended the connection in the handshake");
        tls_feed(s->tls, (struct str){s->in, n > 0 ? (size_t)n : 0});
        v = stream_look(s, f);
    }
}

/* TLS 1.3 tells the client that the handshake is done before the server has seen the client's certificate. What is sent
 * at once would be acknowledged by the other side's TCP and then thrown away. So a word from there is awaited, mostly a
 * session ticket, which comes at once; who has said nothing for that long has refused nothing. */
static enum err stream_settle(struct sink_stream *s, struct fault *f)
{
    struct pollfd at = {.fd = s->fd, .events = POLLIN};
    if (poll(&at, 1, STREAM_SETTLE_MS) > 0 && sink_stream_dead(s))
        return fault_set(f, ERR_UNREACHABLE,
                         "the other side ended the connection behind the handshake: does it accept our certificate?");
    return ERR_OK;
}

/* ---- for others ---- */

void sink_stream_close(struct sink_stream *s)
{
    if (!s)
        return;
    if (s->tls) {
        tls_close(s->tls);
        struct str last = buf_view(&s->out);
        if (last.n && send(s->fd, last.p, last.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            last.n = 0; /* a farewell that nobody needs */
        tls_conn_free(s->tls);
    }
    tls_sessions_done(&s->sessions);
    buf_done(&s->out);
    close(s->fd);
    free(s);
}

enum err sink_stream_open(const struct sink_address *to, struct tls *t, const struct sink_patience *p,
                          struct sink_stream **ret, struct fault *f)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list;
    int fd = -1, gai = getaddrinfo(to->host, to->port, &hints, &list);
    if (gai)
        return fault_set(f, ERR_UNREACHABLE, "%s: %s", to->host, gai_strerror(gai));
    enum err e = fault_set(f, ERR_UNREACHABLE, "%s has no address", to->host);
    for (const struct addrinfo *a = list; a && e && e != ERR_STOPPING; a = a->ai_next)
        e = stream_connect(a, p, &fd, f);
    freeaddrinfo(list);
    TRY(e);
    struct sink_stream *s = calloc(1, sizeof(*s));
    if (!s) {
        close(fd);
        return fault_set(f, ERR_NOMEM, "no memory for a connection");
    }
    s->fd = fd;
    buf_init(&s->out, STREAM_OUT);
    if (t && !(s->tls = tls_connect(t, to->host, &s->sessions, &s->out)))
        e = fault_set(f, ERR_NOMEM, "no memory for a connection");
    else if (t && !(e = stream_handshake(s, p, f)))
        e = stream_settle(s, f);
    if (e) {
        sink_stream_close(s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

/* Who talks without end is not listened to for longer than that at one time. */
bool sink_stream_dead(struct sink_stream *s)
{
    for (unsigned turn = 0; turn < STREAM_TURNS; turn++) {
        ssize_t n = recv(s->fd, s->in, sizeof(s->in), MSG_DONTWAIT);
        if (n <= 0)
            return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
        if (!s->tls)
            continue;
        tls_feed(s->tls, (struct str){s->in, (size_t)n});
        if (stream_look(s, NULL) != TLS_MORE)
            return true;
    }
    return false;
}

/* The kernel says how many bytes the other side's TCP has not acknowledged yet (SIOCOUTQ, tcp(7)). */
static enum err stream_acknowledged(struct sink_stream *s, const struct sink_patience *p, struct fault *f)
{
    int left = 0;
    for (;;) {
        if (ioctl(s->fd, SIOCOUTQ, &left) < 0)
            return fault_set(f, ERR_UNREACHABLE, "%m");
        if (sink_stream_dead(s))
            return fault_set(f, ERR_UNREACHABLE, "the other side ended the connection");
        if (!left)
            return ERR_OK;
        if (p->stop && atomic_load(p->stop))
            return fault_set(f, ERR_STOPPING, "given up, since the gateway stops");
        if (clock_mono_ns() >= p->end_ns)
            return fault_set(f, ERR_UNREACHABLE, "takes nothing: %d bytes wait", left);
        struct pollfd at = {.fd = s->fd, .events = POLLIN}; /* there is no event for it: look again soon */
        poll(&at, 1, STREAM_ACK_MS);
    }
}

enum err sink_stream_send(struct sink_stream *s, struct str bytes, const struct sink_patience *p, struct fault *f)
{
    struct str none = STR_NONE;
    if (!s->tls) {
        TRY(stream_write(s, bytes, p, f));
        return stream_acknowledged(s, p, f);
    }
    while (bytes.n) {
        if (!tls_write(s->tls, &bytes, &none))
            return fault_set(f, ERR_UNREACHABLE, "TLS failed");
        TRY(stream_flush(s, p, f));
    }
    return stream_acknowledged(s, p, f);
}
