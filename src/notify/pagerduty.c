/*
 * PagerDuty's Events API v2: a question triggers an alert, one that is over resolves it, one of two yeses acknowledges
 * it. dedup_key is the question's id, so that one that is told twice is one alert. What people do there decides
 * nothing.
 */
#include <stdio.h>

#include "notify/inner.h"

enum { PAGERDUTY_SUMMARY = 1000, PAGERDUTY_BODY = 480 << 10, PAGERDUTY_SHOWN = 100000 };

static enum err pagerduty_open(const struct conf_channel *conf, void **ret, struct fault *f)
{
    const struct sink_http_to to = {.url = conf->url.n ? conf->url : STR("https://events.pagerduty.com/v2/enqueue"),
                                    .ca = conf->ca};
    struct post *p;
    TRY(post_open(conf, &to, PAGERDUTY_BODY, &p, f));
    /* at once: the routing key goes in the body, and a buffer that grows leaves copies */
    if (!buf_reserve(&p->body, PAGERDUTY_BODY)) {
        post_close(p);
        return fault_set(f, ERR_NOMEM, "no memory for a channel");
    }
    *ret = p;
    return ERR_OK;
}

/* As one text for each section: an object's members would lose their order. */
static void pagerduty_details(struct post *p, struct json_out *o, const struct approval_view *v)
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

static void pagerduty_trigger(struct post *p, struct json_out *o, const void *of)
{
    const struct notify_message *m = of;
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

struct pagerduty_saying {
    const char *action;
    struct str key;
    void (*payload)(struct post *p, struct json_out *o, const void *of); /* NULL: none */
    const void *of;
};

static enum err pagerduty_send(struct post *p, const struct pagerduty_saying *event, const _Atomic bool *stop,
                               struct notify_told *told, struct fault *f)
{
    struct sink_http_answer answer;
    struct json_out o = post_begin(p);
    json_open(&o, '{');
    json_kv_str(&o, "routing_key",
                (struct str){(const char *)secret_bytes(p->conf->token), secret_len(p->conf->token)});
    json_kv_z(&o, "event_action", event->action);
    json_kv_str(&o, "dedup_key", event->key);
    if (event->payload)
        event->payload(p, &o, event->of);
    json_close(&o, '}');
    const struct sink_http_post how = {.type = "application/json", .stop = stop};
    enum err e = post_send(p, &how, told, &answer, f);
    told->refused |= answer.status == 400;
    return e;
}

static enum err pagerduty_ask(void *c, const struct notify_message *m, const _Atomic bool *stop,
                              struct notify_told *told, struct fault *f)
{
    const struct pagerduty_saying event = {"trigger", m->card.id, pagerduty_trigger, m};
    return pagerduty_send(c, &event, stop, told, f);
}

static enum err pagerduty_update(void *c, const struct notify_message *m, const _Atomic bool *stop,
                                 struct notify_told *told, struct fault *f)
{
    if (m->escalated) /* others are told of it; here it stays the same alert */
        return ERR_OK;
    const struct pagerduty_saying event = {m->over ? "resolve" : "acknowledge", m->card.id, NULL, NULL};
    return pagerduty_send(c, &event, stop, told, f);
}

/* ---- pages ---- */

static void pagerduty_page_payload(struct post *p, struct json_out *o, const void *of)
{
    const struct notify_page *page = of;
    struct page_view v;
    struct buf b CLEANUP(buf_done);
    page_shown(page, &p->arena, &v);
    buf_init(&b, 1u << 20);
    view_section_text(&v.section, 0, &b);
    json_key(o, STR("payload"));
    json_open(o, '{');
    json_kv_str(o, "summary", shown_cut(v.summary, PAGERDUTY_SUMMARY));
    json_kv_z(o, "source", "doorward");
    json_kv_z(o, "severity", page->event == GLASS_ENDED ? "info" : "critical");
    json_kv_z(o, "class", "break-glass");
    json_key(o, STR("custom_details"));
    json_open(o, '{');
    json_kv_str(o, v.title.p, arena_buf(&p->arena, &b));
    json_close(o, '}');
    json_close(o, '}');
}

/* Each is an alert of its own; the one of the start is resolved by the end. A use stays open until somebody has looked
 * at it. */
static enum err pagerduty_page(void *c, const struct notify_page *page, const _Atomic bool *stop,
                               struct notify_told *told, struct fault *f)
{
    char started[sizeof(page->key)];
    const struct pagerduty_saying event = {"trigger", str_of(page->key), pagerduty_page_payload, page};
    TRY(pagerduty_send(c, &event, stop, told, f));
    if (page->event != GLASS_ENDED)
        return ERR_OK;
    snprintf(started, sizeof(started), "%s-%s", page->glass.id, glass_events[GLASS_STARTED]);
    const struct pagerduty_saying end = {"resolve", str_of(started), NULL, NULL};
    return pagerduty_send(c, &end, stop, told, f);
}

const struct notifier notify_pagerduty = {.name = "pagerduty",
                                          .lasts = true,
                                          .open = pagerduty_open,
                                          .ask = pagerduty_ask,
                                          .update = pagerduty_update,
                                          .page = pagerduty_page,
                                          .close = post_close};
