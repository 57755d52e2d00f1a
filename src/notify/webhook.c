/*
 * Webhooks as standardwebhooks.com has them: {"type":"approval.asked","timestamp":…,"data":{…}}, signed. webhook-id is
 * the question's id and how it stands, the same however often it is sent.
 */
#include "sink/webhook.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "notify/inner.h"
#include "sink/address.h"
#include "sink/answer.h"

enum { WEBHOOK_BODY = 64 << 20, WEBHOOK_ID = 96, WEBHOOK_ARENA = 1 << 20 };

struct hook {
    const struct conf_channel *conf;
    struct sink_http *http;
    struct secret *key;
    struct arena arena;
    struct buf body;
};

static void hook_close(void *c)
{
    struct hook *h = c;
    sink_http_free(h->http);
    secret_free(h->key);
    arena_done(&h->arena);
    buf_done(&h->body);
    free(h);
}

static enum err hook_open(const struct conf_channel *conf, void **ret, struct fault *f)
{
    TRY(sink_address_http(conf->url, f));
    struct hook *h = calloc(1, sizeof(*h));
    if (!h)
        return fault_set(f, ERR_NOMEM, "no memory for a channel");
    h->conf = conf;
    arena_init(&h->arena, WEBHOOK_ARENA);
    buf_init(&h->body, WEBHOOK_BODY);
    const struct sink_http_to to = {.url = conf->url, .ca = conf->ca};
    enum err e = webhook_key(conf->secret, &h->key, f);
    if (!e)
        e = sink_http_new(&to, &h->http, f);
    if (e) {
        hook_close(h);
        return e;
    }
    *ret = h;
    return ERR_OK;
}

static void hook_body(struct hook *h, const struct notify_message *m)
{
    char when[CLOCK_RFC3339];
    struct json_out o = json_out(&h->body);
    struct str link = shown_link(h->conf, m->card.id, &h->arena);
    clock_format(clock_wall_ms(), when);
    json_open(&o, '{');
    json_kv_z(&o, "type", m->end.n || m->over ? m->over ? "approval.ended" : "approval.changed" : "approval.asked");
    json_kv_z(&o, "timestamp", when);
    json_key(&o, STR("data"));
    json_open(&o, '{');
    json_kv_str(&o, "id", m->card.id);
    json_kv_z(&o, "state", approval_states[m->card.state]);
    json_kv_str(&o, "agentId", m->card.agent);
    json_kv_str(&o, "sessionId", m->card.session);
    json_kv_str(&o, "tool", m->card.tool);
    json_kv_raw(&o, "reviewers", m->card.reviewers.n ? m->card.reviewers : STR("[]"));
    json_kv_i64(&o, "people", m->card.people);
    json_kv_raw(&o, "decisions", m->card.decisions.n ? m->card.decisions : STR("[]"));
    json_kv_str(&o, "outcome", m->end);
    if (link.n)
        json_kv_str(&o, "link", link);
    json_key(&o, STR("view"));
    json_open(&o, '{');
    view_json(&m->view, &o);
    json_close(&o, '}');
    json_close(&o, '}');
    json_close(&o, '}');
}

static enum err hook_send(void *c, const struct notify_message *m, const _Atomic bool *stop, struct notify_told *told,
                          struct fault *f)
{
    struct hook *h = c;
    char id[WEBHOOK_ID], signature[WEBHOOK_SIGNATURE], lines[3][WEBHOOK_ID + 32];
    struct sink_http_answer answer;
    struct sink_told pause = {0};
    int64_t now = clock_wall_ms() / 1000;
    arena_reset(&h->arena);
    buf_clear(&h->body);
    hook_body(h, m);
    if (buf_failed(&h->body) || arena_failed(&h->arena))
        return fault_set(f, ERR_NOMEM, "no memory for a message");
    snprintf(id, sizeof(id), "%.*s-%s%s", (int)(m->card.id.n < ENC_ID_MAX ? m->card.id.n : ENC_ID_MAX), m->card.id.p,
             approval_states[m->card.state], !m->over && m->end.n ? "-once" : "");
    TRY(webhook_sign(h->key, id, now, buf_view(&h->body), signature, f));
    snprintf(lines[0], sizeof(lines[0]), "webhook-id: %s", id);
    snprintf(lines[1], sizeof(lines[1]), "webhook-timestamp: %lld", (long long)now);
    snprintf(lines[2], sizeof(lines[2]), "webhook-signature: %s", signature);
    const struct sink_http_post post = {.type = "application/json",
                                        .headers = {lines[0], lines[1], lines[2]},
                                        .body = buf_view(&h->body),
                                        .timeout_ms = h->conf->timeout,
                                        .stop = stop};
    TRY(sink_http_post(h->http, &post, &answer, f));
    enum err e = sink_answer(&answer, &pause, f);
    told->pause_ms = pause.pause_ms;
    return e;
}

const struct notifier notify_webhook = {
    .name = "webhook", .open = hook_open, .ask = hook_send, .update = hook_send, .close = hook_close};
