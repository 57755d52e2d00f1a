/*
 * Webhooks as standardwebhooks.com has them: {"type":"approval.asked","timestamp":…,"data":{…}}, signed. webhook-id is
 * the question's id and how it stands, the same however often it is sent.
 */
#include "sink/webhook.h"

#include <stdio.h>

#include "base/clock.h"
#include "notify/inner.h"

enum { WEBHOOK_BODY = 64 << 20, WEBHOOK_ID = 96 };

static enum err hook_open(const struct conf_channel *conf, void **ret, struct fault *f)
{
    const struct sink_http_to to = {.url = conf->url, .ca = conf->ca};
    struct secret *key CLEANUP(secret_freep) = NULL;
    struct post *p;
    TRY(webhook_key(conf->secret, &key, f));
    TRY(post_open(conf, &to, WEBHOOK_BODY, &p, f));
    p->key = key;
    key = NULL;
    *ret = p;
    return ERR_OK;
}

static void hook_body(struct post *p, const struct notify_message *m, bool first)
{
    char when[CLOCK_RFC3339];
    struct json_out o = post_begin(p);
    struct str link = shown_link(p->conf, m->card.id, &p->arena);
    clock_format(clock_wall_ms(), when);
    json_open(&o, '{');
    json_kv_z(&o, "type",
              m->over                                ? "approval.ended"
              : m->end.n || (m->escalated && !first) ? "approval.changed"
                                                     : "approval.asked");
    json_kv_z(&o, "timestamp", when);
    json_key(&o, STR("data"));
    json_open(&o, '{');
    json_kv_str(&o, "id", m->card.id);
    json_kv_z(&o, "state", approval_states[m->card.state]);
    json_kv_str(&o, "agentId", m->card.agent);
    json_kv_str(&o, "sessionId", m->card.session);
    json_kv_str(&o, "tool", m->card.tool);
    json_kv_raw(&o, "reviewers", m->card.reviewers.n ? m->card.reviewers : STR("[]"));
    json_kv_raw(&o, "escalateTo", m->card.escalate.n ? m->card.escalate : STR("[]"));
    clock_kv(&o, "escalatesAt", m->card.escalates);
    clock_kv(&o, "escalatedAt", m->card.escalated);
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

/* Signs what is in p->body, and sends it. */
static enum err hook_post(struct post *p, const char *id, const _Atomic bool *stop, struct notify_told *told,
                          struct fault *f)
{
    char signature[WEBHOOK_SIGNATURE], lines[3][WEBHOOK_ID + 32];
    struct sink_http_answer answer;
    int64_t now = clock_wall_ms() / 1000;
    TRY(webhook_sign(p->key, id, now, buf_view(&p->body), signature, f));
    snprintf(lines[0], sizeof(lines[0]), "webhook-id: %s", id);
    snprintf(lines[1], sizeof(lines[1]), "webhook-timestamp: %lld", (long long)now);
    snprintf(lines[2], sizeof(lines[2]), "webhook-signature: %s", signature);
    const struct sink_http_post how = {
        .type = "application/json", .headers = {lines[0], lines[1], lines[2]}, .stop = stop};
    return post_send(p, &how, told, &answer, f);
}

static enum err hook_send(struct post *p, const struct notify_message *m, bool first, const _Atomic bool *stop,
                          struct notify_told *told, struct fault *f)
{
    char id[WEBHOOK_ID];
    hook_body(p, m, first);
    snprintf(id, sizeof(id), "%.*s-%s%s", (int)(m->card.id.n < ENC_ID_MAX ? m->card.id.n : ENC_ID_MAX), m->card.id.p,
             approval_states[m->card.state],
             !m->over && m->end.n ? "-once"
             : m->escalated       ? "-escalated"
                                  : "");
    return hook_post(p, id, stop, told, f);
}

/* {"type":"break-glass.started"|"….used"|"….ended","timestamp":…,"data":{…}} */
static void hook_page_body(struct post *p, const struct notify_page *page)
{
    char when[CLOCK_RFC3339], type[40];
    struct json_out o = post_begin(p);
    struct page_view v;
    page_shown(page, &p->arena, &v);
    clock_format(page->at, when);
    snprintf(type, sizeof(type), "break-glass.%s", glass_events[page->event]);
    json_open(&o, '{');
    json_kv_z(&o, "type", type);
    json_kv_z(&o, "timestamp", when);
    json_key(&o, STR("data"));
    json_open(&o, '{');
    json_kv_z(&o, "id", page->glass.id);
    json_kv_z(&o, "openedBy", page->glass.by);
    json_kv_z(&o, "reason", page->glass.reason);
    clock_kv(&o, "startedAt", page->glass.since);
    clock_kv(&o, "endsAt", page->glass.until);
    json_kv_i64(&o, "used", page->glass.used);
    json_kv_z(&o, "by", page->by);
    if (page->event == GLASS_USED) {
        json_kv_z(&o, "approval", page->approval);
        json_kv_z(&o, "tool", page->tool);
        json_kv_z(&o, "agentId", page->agent);
    }
    json_kv_str(&o, "summary", v.summary);
    json_close(&o, '}');
    json_close(&o, '}');
}

static enum err hook_page(void *c, const struct notify_page *page, const _Atomic bool *stop, struct notify_told *told,
                          struct fault *f)
{
    hook_page_body(c, page);
    return hook_post(c, page->key, stop, told, f);
}

static enum err hook_ask(void *c, const struct notify_message *m, const _Atomic bool *stop, struct notify_told *told,
                         struct fault *f)
{
    return hook_send(c, m, true, stop, told, f);
}

static enum err hook_update(void *c, const struct notify_message *m, const _Atomic bool *stop, struct notify_told *told,
                            struct fault *f)
{
    return hook_send(c, m, false, stop, told, f);
}

const struct notifier notify_webhook = {.name = "webhook",
                                        .open = hook_open,
                                        .ask = hook_ask,
                                        .update = hook_update,
                                        .page = hook_page,
                                        .close = post_close};
