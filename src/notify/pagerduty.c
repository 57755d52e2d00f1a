/*
 * PagerDuty's Events API v2: a question triggers an alert, one that is over resolves it, one of two yeses acknowledges
 * it. dedup_key is the question's id, so that one that is told twice is one alert. What people do there decides
 * nothing.
 */
#include <stdlib.h>

#include "notify/inner.h"
#include "sink/address.h"
#include "sink/answer.h"

enum { PAGERDUTY_ARENA = 64 << 20, PAGERDUTY_SUMMARY = 1000, PAGERDUTY_BODY = 480 << 10, PAGERDUTY_SHOWN = 100000 };

struct pagerduty {
    const struct conf_channel *conf;
    struct sink_http *http;
    struct arena arena;
    struct buf body;
};

/* The routing key goes in the body. */
static void pagerduty_wipe(struct pagerduty *p)
{
    if (p->body.p)
        secret_wipe(p->body.p, p->body.n);
    buf_clear(&p->body);
}

static void pagerduty_close(void *c)
{
    struct pagerduty *p = c;
    sink_http_free(p->http);
    arena_done(&p->arena);
    pagerduty_wipe(p);
    buf_done(&p->body);
    free(p);
}

static enum err pagerduty_open(const struct conf_channel *conf, void **ret, struct fault *f)
{
    struct str url = conf->url.n ? conf->url : STR("https://events.pagerduty.com/v2/enqueue");
    TRY(sink_address_http(url, f));
    struct pagerduty *p = calloc(1, sizeof(*p));
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for a channel");
    p->conf = conf;
    arena_init(&p->arena, PAGERDUTY_ARENA);
    buf_init(&p->body, PAGERDUTY_BODY);
    const struct sink_http_to to = {.url = url, .ca = conf->ca};
    /* at once: a buffer that grows leaves copies */
    enum err e = buf_reserve(&p->body, PAGERDUTY_BODY) ? sink_http_new(&to, &p->http, f)
                                                       : fault_set(f, ERR_NOMEM, "no memory for a channel");
    if (e) {
        pagerduty_close(p);
        return e;
    }
    *ret = p;
    return ERR_OK;
}

/* As one text for each section: an object's members would lose their order. */
static void pagerduty_details(struct pagerduty *p, struct json_out *o, const struct approval_view *v)
{
    size_t left = PAGERDUTY_SHOWN;
    json_key(o, STR("custom_details"));
    json_open(o, '{');
    json_kv_str(o, "Time", v->deadline);
    for (size_t i = 0; i < VIEW_PARTS; i++) {
        const struct view_section *s = &v->section[i];
        struct buf b CLEANUP(buf_done);
        buf_init(&b, 64u << 20);
        if (!s->n || s->part == VIEW_TIME)
            continue;
        view_section_text(s, 0, &b);
        struct str all = arena_buf(&p->arena, &b), fit = shown_cut(all, left);
        left -= shown_length(fit);
        json_key(o, s->title);
        json_put_str(o, fit.n < all.n ? ARENA_JOIN(&p->arena, fit, STR("\n… this is not all of it")) : fit);
    }
    json_close(o, '}');
}

static void pagerduty_trigger(struct pagerduty *p, struct json_out *o, const struct notify_message *m)
{
    struct str link = shown_link(p->conf, m->card.id, &p->arena);
    json_key(o, STR("payload"));
    json_open(o, '{');
    json_kv_str(o, "summary", shown_cut(m->view.headline, PAGERDUTY_SUMMARY));
    json_kv_z(o, "source", "doorward");
    json_kv_z(o, "severity", "critical");
    json_kv_str(o, "component", m->card.tool);
    json_kv_z(o, "class", "approval");
    pagerduty_details(p, o, &m->view);
    json_close(o, '}');
    if (!link.n)
        return;
    json_key(o, STR("links"));
    json_open(o, '[');
    json_open(o, '{');
    json_kv_str(o, "href", link);
    json_kv_z(o, "text", "Look at it");
    json_close(o, '}');
    json_close(o, ']');
}

static enum err pagerduty_send(struct pagerduty *p, const char *action, const struct notify_message *m,
                               const _Atomic bool *stop, struct notify_told *told, struct fault *f)
{
    struct sink_http_answer answer;
    struct sink_told pause = {0};
    arena_reset(&p->arena);
    pagerduty_wipe(p);
    struct json_out o = json_out(&p->body);
    json_open(&o, '{');
    json_kv_str(&o, "routing_key",
                (struct str){(const char *)secret_bytes(p->conf->token), secret_len(p->conf->token)});
    json_kv_z(&o, "event_action", action);
    json_kv_str(&o, "dedup_key", m->card.id);
    if (strcmp(action, "trigger") == 0)
        pagerduty_trigger(p, &o, m);
    json_close(&o, '}');
    if (buf_failed(&p->body) || arena_failed(&p->arena)) {
        pagerduty_wipe(p);
        return fault_set(f, ERR_NOMEM, "no memory for a message");
    }
    const struct sink_http_post post = {
        .type = "application/json", .body = buf_view(&p->body), .timeout_ms = p->conf->timeout, .stop = stop};
    enum err e = sink_http_post(p->http, &post, &answer, f);
    pagerduty_wipe(p);
    TRY(e);
    e = sink_answer(&answer, &pause, f);
    told->pause_ms = pause.pause_ms;
    told->refused = answer.status == 400;
    return e;
}

static enum err pagerduty_ask(void *c, const struct notify_message *m, const _Atomic bool *stop,
                              struct notify_told *told, struct fault *f)
{
    return pagerduty_send(c, "trigger", m, stop, told, f);
}

static enum err pagerduty_update(void *c, const struct notify_message *m, const _Atomic bool *stop,
                                 struct notify_told *told, struct fault *f)
{
    return pagerduty_send(c, m->over ? "resolve" : "acknowledge", m, stop, told, f);
}

const struct notifier notify_pagerduty = {.name = "pagerduty",
                                          .open = pagerduty_open,
                                          .ask = pagerduty_ask,
                                          .update = pagerduty_update,
                                          .close = pagerduty_close};
