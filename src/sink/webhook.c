/*
 * Webhooks as standardwebhooks.com has them: one entry a request, with an id that stays the same however often it is
 * sent, the time of this request, and a signature over both and the body. An answer of 2xx takes the entry; every other
 * one does not, a redirect least of all, since what is signed for one host is not for another.
 */
#include "sink/webhook.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sink/answer.h"
#include "sink/format.h"
#include "sink/http.h"

enum { WEBHOOK_BODY = 256 << 20 };

struct webhook {
    const struct conf_sink *conf;
    const struct sink_format *format;
    struct sink_http *http;
    struct secret *key;
    struct buf body;
};

static void webhook_close(void *s)
{
    struct webhook *w = s;
    sink_http_free(w->http);
    secret_free(w->key);
    buf_done(&w->body);
    free(w);
}

static enum err webhook_open(const struct conf_sink *conf, const char *audit_dir, void **ret, struct fault *f)
{
    (void)audit_dir;
    struct webhook *w = calloc(1, sizeof(*w));
    if (!w)
        return fault_set(f, ERR_NOMEM, "no memory for a webhook");
    w->conf = conf;
    w->format = sink_formats[conf->format];
    buf_init(&w->body, WEBHOOK_BODY);
    enum err e = webhook_key(conf->secret, &w->key, f);
    if (!e)
        e = sink_http_open(conf, &w->http, f);
    if (e) {
        webhook_close(w);
        return e;
    }
    *ret = w;
    return ERR_OK;
}

static enum err webhook_send(struct webhook *w, const struct sink_entry *e, const _Atomic bool *stop, int64_t left_ms,
                             struct sink_told *told, struct fault *f)
{
    char id[SINK_ID], signature[WEBHOOK_SIGNATURE], lines[3][SINK_ID + 32];
    struct sink_http_answer answer;
    int64_t now = clock_wall_ms() / 1000;
    buf_clear(&w->body);
    if (!w->format->write(e, NULL, &w->body) && !buf_failed(&w->body))
        return ERR_OK; /* has no such form */
    if (buf_failed(&w->body))
        return fault_set(f, buf_error(&w->body), "no memory for entry %llu", (unsigned long long)e->seq);
    sink_entry_id(e, id);
    TRY(webhook_sign(w->key, id, now, buf_view(&w->body), signature, f));
    snprintf(lines[0], sizeof(lines[0]), "webhook-id: %s", id);
    snprintf(lines[1], sizeof(lines[1]), "webhook-timestamp: %lld", (long long)now);
    snprintf(lines[2], sizeof(lines[2]), "webhook-signature: %s", signature);
    const struct sink_http_post post = {.type = w->format->content_type,
                                        .headers = {lines[0], lines[1], lines[2]},
                                        .body = buf_view(&w->body),
                                        .timeout_ms = left_ms,
                                        .stop = stop};
    TRY(sink_http_post(w->http, &post, &answer, f));
    return sink_answer(&answer, told, f);
}

static enum err webhook_deliver(void *s, const struct sink_entry *v, size_t n, const _Atomic bool *stop,
                                struct sink_told *ret, struct fault *f)
{
    struct webhook *w = s;
    int64_t end = clock_mono_ns() + w->conf->timeout * 1000000;
    for (; ret->taken < n && !atomic_load(stop); ret->taken++) {
        int64_t left = (end - clock_mono_ns()) / 1000000;
        if (ret->taken && left < w->conf->timeout / 2) /* each may have half of the time at least */
            break;
        TRY(webhook_send(w, &v[ret->taken], stop, left, ret, f));
    }
    return ERR_OK;
}

const struct sink_kind sink_webhook = {
    .name = "webhook", .open = webhook_open, .deliver = webhook_deliver, .close = webhook_close};
