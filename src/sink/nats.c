/*
 * NATS JetStream: each entry is published to one subject, with an id (Nats-Msg-Id) by which the stream drops an entry
 * that comes twice within its window, and counts as taken when the stream says that it has stored it.
 *
 * A batch goes out at once, with a reply subject for each entry, and the answers are awaited together. That is what
 * libnats' own asynchronous publishing does; done here, it needs no callbacks on other threads, and a stop is seen.
 * When the stream refuses one and takes those behind it, these are sent again behind it: then `seq` is out of order in
 * the stream, once.
 */
#include <nats/nats.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sink/address.h"
#include "sink/answer.h"
#include "sink/format.h"

enum { NATS_BODY = 256 << 20, NATS_CONNECT_MS = 3000, NATS_TURN_MS = 100, NATS_BATCH = 4096, NATS_LEFT = 8 };

struct nats {
    const struct conf_sink *conf;
    const struct sink_format *format;
    struct sink_address to;
    natsConnection *nc; /* NULL: not connected */
    natsSubscription *answers;
    bool used; /* libnats, by this thread */
    char inbox[128];
    uint64_t turn; /* of deliveries: an answer to an earlier one is none to this */
    struct buf body;
    bool has[NATS_BATCH]; /* was answered, or needs no answer */
};

/* libnats' last words, without "(conn.c:2088): " before them. NULL: there are none. */
static const char *nats_last(void)
{
    const char *last = nats_GetLastError(NULL), *end = last && last[0] == '(' ? strstr(last, "): ") : NULL;
    last = end ? end + 3 : last;
    return last && last[0] ? last : NULL;
}

static enum err nats_failed(natsStatus status, const char *what, struct fault *f)
{
    const char *last = nats_last();
    if (status == NATS_NO_MEMORY)
        return fault_set(f, ERR_NOMEM, "no memory for NATS");
    return fault_set(f, ERR_UNREACHABLE, "%s: %s", what, last ? last : natsStatus_GetText(status));
}

/* libnats would print what went wrong behind our back. */
static void nats_silent(natsConnection *nc, natsSubscription *sub, natsStatus status, void *ctx)
{
    (void)nc, (void)sub, (void)status, (void)ctx;
}

/* ---- the connection ---- */

/* Closed first, which ends libnats' thread that reads: it may be about to hand the subscription an answer that nobody
 * waits for any more, and does not hold on to it meanwhile. */
static void nats_disconnect(struct nats *n)
{
    natsConnection_Close(n->nc);
    natsSubscription_Destroy(n->answers);
    natsConnection_Destroy(n->nc);
    n->answers = NULL;
    n->nc = NULL;
}

static void nats_close_sink(void *s)
{
    struct nats *n = s;
    nats_disconnect(n);
    if (n->used)
        nats_ReleaseThreadMemory();
    buf_done(&n->body);
    free(n);
}

static enum err nats_open_sink(const struct conf_sink *conf, const char *audit_dir, void **ret, struct fault *f)
{
    struct sink_address to;
    (void)audit_dir;
    TRY(sink_address_parse(conf->url, "nats", "4222", &to, f));
    TRY(sink_address_check(conf, to.tls, f));
    bool word = conf->subject.n > 0 && conf->subject.n < 256;
    for (size_t i = 0; i < conf->subject.n && word; i++)
        word = conf->subject.p[i] > 0x20 && conf->subject.p[i] < 0x7f && conf->subject.p[i] != '*' &&
               conf->subject.p[i] != '>';
    if (!word)
        return fault_set(f, ERR_CONFIG, "subject is wrong: must be one subject such as agent.audit, without * and >");
    struct nats *n = calloc(1, sizeof(*n));
    if (!n)
        return fault_set(f, ERR_NOMEM, "no memory for NATS");
    n->conf = conf;
    n->format = sink_formats[conf->format];
    n->to = to;
    buf_init(&n->body, NATS_BODY);
    *ret = n;
    return ERR_OK;
}

static natsStatus nats_token(natsOptions *o, const struct secret *secret)
{
    char *text = malloc(secret_len(secret) + 1);
    if (!text)
        return NATS_NO_MEMORY;
    memcpy(text, secret_bytes(secret), secret_len(secret));
    text[secret_len(secret)] = 0;
    natsStatus s = natsOptions_SetToken(o, text);
    secret_wipe(text, secret_len(secret));
    free(text);
    return s;
}

static natsStatus nats_tls(struct nats *n, natsOptions *o)
{
    const struct conf_sink *c = n->conf;
    natsStatus s = natsOptions_SetSecure(o, true);
    if (s == NATS_OK)
        s = natsOptions_SetExpectedHostname(o, n->to.host);
    if (s == NATS_OK && c->ca.n)
        s = natsOptions_LoadCATrustedCertificates(o, c->ca.p);
    if (s == NATS_OK && c->certificate.n)
        s = natsOptions_LoadCertificatesChain(o, c->certificate.p, c->key.p);
    return s;
}

static natsStatus nats_options(struct nats *n, natsOptions *o)
{
    char url[300];
    int64_t timeout = n->conf->timeout;
    snprintf(url, sizeof(url), strchr(n->to.host, ':') ? "%s://[%s]:%s" : "%s://%s:%s", n->to.tls ? "tls" : "nats",
             n->to.host, n->to.port);
    natsStatus s = natsOptions_SetURL(o, url);
    if (s == NATS_OK)
        s = natsOptions_SetName(o, "doorward");
    if (s == NATS_OK)
        s = natsOptions_SetTimeout(o, timeout < NATS_CONNECT_MS ? timeout : NATS_CONNECT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetWriteDeadline(o, timeout);
    if (s == NATS_OK) /* pauses are ours */
        s = natsOptions_SetAllowReconnect(o, false);
    if (s == NATS_OK)
        s = natsOptions_SetErrorHandler(o, nats_silent, NULL);
    if (s == NATS_OK && n->conf->secret)
        s = nats_token(o, n->conf->secret);
    if (s == NATS_OK && n->to.tls)
        s = nats_tls(n, o);
    return s;
}

/* A connection in the making, on a thread of its own: libnats looks the name up and shakes hands with whatever time the
 * other side takes, and there is no way to stop it. Whoever does not wait any longer leaves it to itself. */
struct nats_dial {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    natsOptions *options;
    natsConnection *nc;
    natsStatus status;
    char why[200];
    bool over, left;
};
static _Atomic unsigned nats_left; /* that were left and are not over */

static void nats_dial_free(struct nats_dial *d)
{
    natsConnection_Destroy(d->nc);
    natsOptions_Destroy(d->options);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static void *nats_dialling(void *p)
{
    struct nats_dial *d = p;
    natsConnection *nc = NULL;
    natsStatus status = natsConnection_Connect(&nc, d->options);
    const char *why = status == NATS_OK ? "" : nats_last();
    pthread_mutex_lock(&d->lock);
    d->nc = nc;
    d->status = status;
    snprintf(d->why, sizeof(d->why), "%s", why ? why : natsStatus_GetText(status));
    d->over = true;
    bool left = d->left;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    if (left) {
        nats_dial_free(d);
        atomic_fetch_sub(&nats_left, 1);
    }
    nats_ReleaseThreadMemory();
    return NULL;
}

static bool nats_dial_start(struct nats_dial *d)
{
    pthread_t t;
    sigset_t all, before;
    sigfillset(&all); /* signals are for the first thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&t, NULL, nats_dialling, d) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ok)
        pthread_detach(t);
    return ok;
}

/* Until it is over, in turns, so that a stop is seen. */
static enum err nats_dial_wait(struct nats_dial *d, int64_t ms, const _Atomic bool *stop, natsConnection **ret,
                               struct fault *f)
{
    enum err e = ERR_OK;
    int64_t end = clock_mono_ns() + ms * 1000000;
    pthread_mutex_lock(&d->lock);
    while (!d->over && !atomic_load(stop) && clock_mono_ns() < end) {
        int64_t at = clock_mono_ns() + NATS_TURN_MS * INT64_C(1000000);
        const struct timespec until = {.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000};
        pthread_cond_timedwait(&d->changed, &d->lock, &until);
    }
    bool over = d->over;
    if (!over) {
        d->left = true;
        atomic_fetch_add(&nats_left, 1);
        e = atomic_load(stop) ? fault_set(f, ERR_STOPPING, "given up, since the gateway stops")
                              : fault_set(f, ERR_UNREACHABLE, "cannot connect: the other side does not shake hands");
    } else if (d->status != NATS_OK) {
        e = fault_set(f, ERR_UNREACHABLE, "cannot connect: %s", d->why);
    } else {
        *ret = d->nc;
        d->nc = NULL;
    }
    pthread_mutex_unlock(&d->lock);
    if (over)
        nats_dial_free(d);
    return e;
}

static enum err nats_dial(struct nats *n, const _Atomic bool *stop, struct fault *f)
{
    if (atomic_load(&nats_left) >= NATS_LEFT)
        return fault_set(f, ERR_UNREACHABLE, "cannot connect: the other side has not shaken hands %d times", NATS_LEFT);
    struct nats_dial *d = calloc(1, sizeof(*d));
    if (!d)
        return fault_set(f, ERR_NOMEM, "no memory for NATS");
    pthread_mutex_init(&d->lock, NULL);
    clock_cond_init(&d->changed);
    natsStatus s = natsOptions_Create(&d->options);
    if (s == NATS_OK)
        s = nats_options(n, d->options);
    if (s != NATS_OK || !nats_dial_start(d)) {
        nats_dial_free(d);
        return s != NATS_OK ? nats_failed(s, "cannot connect", f) : fault_set(f, ERR_NOMEM, "no thread for NATS");
    }
    int64_t ms = n->conf->timeout < NATS_CONNECT_MS ? n->conf->timeout : NATS_CONNECT_MS;
    return nats_dial_wait(d, ms + NATS_TURN_MS, stop, &n->nc, f);
}

static enum err nats_connect(struct nats *n, const _Atomic bool *stop, struct fault *f)
{
    natsInbox *inbox = NULL;
    char all[140];
    if (n->nc && natsConnection_Status(n->nc) == NATS_CONN_STATUS_CONNECTED)
        return ERR_OK;
    nats_disconnect(n);
    n->used = true;
    TRY(nats_dial(n, stop, f));
    natsStatus s = natsInbox_Create(&inbox);
    if (s == NATS_OK) {
        snprintf(n->inbox, sizeof(n->inbox), "%s", inbox);
        snprintf(all, sizeof(all), "%s.*", n->inbox);
        s = natsConnection_SubscribeSync(&n->answers, n->nc, all);
    }
    natsInbox_Destroy(inbox);
    if (s == NATS_OK)
        return ERR_OK;
    nats_disconnect(n);
    return nats_failed(s, "cannot connect", f);
}

/* ---- a batch out ---- */

static enum err nats_publish(struct nats *n, const struct sink_entry *e, size_t i, struct fault *f)
{
    char reply[200], id[SINK_ID];
    natsMsg *m = NULL;
    buf_clear(&n->body);
    bool has = n->format->write(e, NULL, &n->body);
    if (buf_failed(&n->body))
        return fault_set(f, buf_error(&n->body), "no memory for entry %llu", (unsigned long long)e->seq);
    n->has[i] = !has;
    if (!has)
        return ERR_OK;
    snprintf(reply, sizeof(reply), "%s.%llu-%zu", n->inbox, (unsigned long long)n->turn, i);
    sink_entry_id(e, id);
    natsStatus s = natsMsg_Create(&m, n->conf->subject.p, reply, n->body.p, (int)n->body.n);
    if (s == NATS_OK)
        s = natsMsgHeader_Set(m, "Nats-Msg-Id", id);
    if (s == NATS_OK)
        s = natsMsgHeader_Set(m, "Content-Type", n->format->content_type);
    if (s == NATS_OK)
        s = natsConnection_PublishMsg(n->nc, m);
    natsMsg_Destroy(m);
    if (s == NATS_MAX_PAYLOAD)
        return fault_set(f, ERR_UNREACHABLE, "entry %llu has %zu bytes, more than the server's max_payload (%lld)",
                         (unsigned long long)e->seq, n->body.n, (long long)natsConnection_GetMaxPayload(n->nc));
    return s == NATS_OK ? ERR_OK : nats_failed(s, "cannot publish", f);
}

/* ---- and the answers ---- */

/* Which entry of this delivery is it about? */
static bool nats_which(const struct nats *n, const natsMsg *m, size_t count, size_t *ret)
{
    struct str subject = str_of(natsMsg_GetSubject(m)), turn, inbox = str_of(n->inbox);
    uint64_t a, b;
    if (!str_starts(subject, inbox))
        return false;
    struct str rest = str_skip(subject, inbox.n + 1);
    if (!str_cut(&rest, '-', &turn) || !str_u64(turn, &a) || !str_u64(rest, &b) || a != n->turn || b >= count)
        return false;
    *ret = (size_t)b;
    return true;
}

/* Until all have been answered. *ret_taken: the first so many were stored. */
static enum err nats_await(struct nats *n, size_t count, int64_t end_ns, const _Atomic bool *stop, size_t *ret_taken,
                           struct fault *f)
{
    size_t first = 0;
    for (;;) {
        natsMsg *m = NULL;
        size_t i;
        while (first < count && n->has[first])
            first++;
        *ret_taken = first;
        if (first == count)
            return ERR_OK;
        int64_t left = (end_ns - clock_mono_ns()) / 1000000;
        if (atomic_load(stop))
            return fault_set(f, ERR_STOPPING, "given up, since the gateway stops");
        if (left <= 0)
            return fault_set(f, ERR_UNREACHABLE, "the stream did not say in time that it has stored what was sent");
        natsStatus s = natsSubscription_NextMsg(&m, n->answers, left < NATS_TURN_MS ? left : NATS_TURN_MS);
        if (s == NATS_TIMEOUT && natsConnection_Status(n->nc) == NATS_CONN_STATUS_CONNECTED)
            continue;
        if (s == NATS_NO_RESPONDERS)
            return fault_set(f, ERR_UNREACHABLE,
                             "no JetStream stream takes the subject " STR_FMT ": one must be made there",
                             STR_ARG(n->conf->subject));
        if (s != NATS_OK)
            return nats_failed(s == NATS_TIMEOUT ? NATS_CONNECTION_DISCONNECTED : s, "the connection broke", f);
        enum err e = ERR_OK;
        if (nats_which(n, m, count, &i)) {
            e = sink_answer_stored((struct str){natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m)}, f);
            n->has[i] = !e;
        }
        natsMsg_Destroy(m);
        TRY(e);
    }
}

static enum err nats_deliver(void *s, const struct sink_entry *v, size_t count, const _Atomic bool *stop,
                             struct sink_told *ret, struct fault *f)
{
    struct nats *n = s;
    int64_t end = clock_mono_ns() + n->conf->timeout * 1000000;
    size_t sent = 0;
    count = count < NATS_BATCH ? count : NATS_BATCH;
    TRY(nats_connect(n, stop, f));
    n->turn++;
    enum err e = ERR_OK;
    while (!e && sent < count && !atomic_load(stop))
        if (!(e = nats_publish(n, &v[sent], sent, f)))
            sent++;
    struct fault later;
    enum err answered = nats_await(n, sent, end, stop, &ret->taken, &later);
    if (!e && answered) {
        e = answered;
        *f = later;
    }
    if (answered || (e && !ret->taken)) /* what comes late shall find nobody */
        nats_disconnect(n);
    return e;
}

const struct sink_kind sink_nats = {
    .name = "nats", .open = nats_open_sink, .deliver = nats_deliver, .close = nats_close_sink};
