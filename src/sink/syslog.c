/*
 * Syslog: RFC 5424 messages with octet counting (RFC 6587) over TCP, or over TLS (RFC 5425).
 *
 * What this transport cannot promise: a receiver never says that it kept a message. What can be known here is that the
 * other side's TCP has acknowledged its bytes, and that is waited for before entries count as taken; so a connection
 * that breaks loses nothing that was in flight. But a receiver that stops with messages in its buffers has lost them,
 * and nobody here learns of it. Where every entry must arrive, use a sink that answers: nats, webhook, otlp. A gap
 * shows in `seq`.
 *
 * The message is not introduced by a byte order mark (RFC 5424, 6.4: MSG-ANY), since JSON with one is no JSON to most.
 */
#include "sink/syslog.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "sink/stream.h"

enum { SYSLOG_BATCH = 256 << 20, SYSLOG_HOST = 256 };

struct syslog {
    const struct conf_sink *conf;
    const struct sink_format *format;
    struct sink_address to;
    struct sink_stream *stream; /* NULL: not connected */
    char host[SYSLOG_HOST];
    struct buf one, all;
};

static void syslog_close(void *s)
{
    struct syslog *g = s;
    sink_stream_close(g->stream);
    buf_done(&g->one);
    buf_done(&g->all);
    free(g);
}

static enum err syslog_open(const struct conf_sink *conf, const char *audit_dir, void **ret, struct fault *f)
{
    struct sink_address to;
    (void)audit_dir;
    TRY(sink_address_parse(conf->url, "tcp", str_starts(conf->url, STR("tls://")) ? "6514" : "601", &to, f));
    TRY(sink_address_check(conf, to.tls, f));
    struct syslog *g = calloc(1, sizeof(*g));
    if (!g)
        return fault_set(f, ERR_NOMEM, "no memory for syslog");
    g->conf = conf;
    g->format = sink_formats[conf->format];
    g->to = to;
    if (gethostname(g->host, sizeof(g->host) - 1) < 0)
        g->host[0] = 0;
    buf_init(&g->one, SYSLOG_BATCH);
    buf_init(&g->all, SYSLOG_BATCH);
    *ret = g;
    return ERR_OK;
}

/* The certificates are read each time, so that renewed ones are used without a reload. */
static enum err syslog_connect(struct syslog *g, const struct sink_patience *p, struct fault *f)
{
    struct tls *t = NULL;
    if (g->stream && !sink_stream_dead(g->stream))
        return ERR_OK;
    sink_stream_close(g->stream);
    g->stream = NULL;
    if (g->to.tls)
        TRY(sink_address_tls(g->conf, true, &t, f));
    enum err e = sink_stream_open(&g->to, t, p, &g->stream, f);
    tls_unref(t);
    return e;
}

static enum err syslog_deliver(void *s, const struct sink_entry *v, size_t n, const _Atomic bool *stop,
                               struct sink_told *ret, struct fault *f)
{
    struct syslog *g = s;
    const struct sink_patience p = {.end_ns = clock_mono_ns() + g->conf->timeout * 1000000, .stop = stop};
    buf_clear(&g->all);
    for (size_t i = 0; i < n; i++)
        syslog_write(&v[i], g->host, g->format, &g->one, &g->all);
    if (buf_failed(&g->all))
        return fault_set(f, ERR_NOMEM, "no memory for a batch of %zu entries", n);
    if (g->all.n) {
        TRY(syslog_connect(g, &p, f));
        enum err e = sink_stream_send(g->stream, buf_view(&g->all), &p, f);
        if (e) {
            sink_stream_close(g->stream);
            g->stream = NULL;
            return e;
        }
    }
    ret->taken = n;
    return ERR_OK;
}

const struct sink_kind sink_syslog = {
    .name = "syslog", .open = syslog_open, .deliver = syslog_deliver, .close = syslog_close};
