/* What everybody has to hear of at once, whatever the groups and whoever stands by: that break-glass was opened, was
 * used, has ended. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/visible.h"
#include "notify/inner.h"

static void page_text(char *to, size_t n, struct str s)
{
    snprintf(to, n, STR_FMT, STR_ARG(shown_bytes(s, n - 1)));
}

void page_of(const struct glass_news *n, struct notify_page *ret)
{
    *ret = (struct notify_page){.event = n->event, .glass = *n->glass, .at = n->at};
    page_text(ret->by, sizeof(ret->by), n->by);
    page_text(ret->reason, sizeof(ret->reason), n->reason);
    page_text(ret->approval, sizeof(ret->approval), n->approval);
    page_text(ret->tool, sizeof(ret->tool), n->tool);
    page_text(ret->agent, sizeof(ret->agent), n->agent);
    if (n->event == GLASS_USED)
        snprintf(ret->key, sizeof(ret->key), "%s-%s", ret->glass.id, ret->approval);
    else
        snprintf(ret->key, sizeof(ret->key), "%s-%s", ret->glass.id, glass_events[n->event]);
}

/* ---- in words ---- */

static struct str page_visible(struct arena *a, struct str s)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    visible_put(&b, s, false);
    return arena_buf(a, &b);
}

static struct str page_when(struct arena *a, int64_t ms)
{
    char text[CLOCK_RFC3339];
    clock_format(ms, text);
    return arena_fmt(a, "%.10s %.8s UTC", text, text + 11);
}

static void page_row(struct page_view *v, const char *name, struct str value)
{
    if (value.n && v->section.n < PAGE_ROWS)
        v->row[v->section.n++] = (struct view_field){.name = str_of(name), .value = value};
}

void page_shown(const struct notify_page *p, struct arena *a, struct page_view *ret)
{
    static const char *const titles[] = {"Break-glass is open", "Break-glass was used", "Break-glass has ended"};
    struct str by = page_visible(a, str_of(p->by)), starter = page_visible(a, str_of(p->glass.by));
    *ret = (struct page_view){.title = str_of(titles[p->event])};
    if (p->event == GLASS_STARTED)
        ret->summary = ARENA_JOIN(a, by, STR(" has opened break-glass: until "), page_when(a, p->glass.until),
                                  STR(" one approver alone may approve calls."));
    else if (p->event == GLASS_USED)
        ret->summary = ARENA_JOIN(a, by, STR(" has approved a call of "), page_visible(a, str_of(p->agent)),
                                  STR(" to "), page_visible(a, str_of(p->tool)), STR(" alone, by break-glass."));
    else
        ret->summary = by.n ? ARENA_JOIN(a, by, STR(" has ended break-glass."))
                            : STR("The time of break-glass is over: it has ended by itself.");
    page_row(ret, "Opened by", starter);
    page_row(ret, "Why", page_visible(a, str_of(p->glass.reason)));
    page_row(ret, "Since", page_when(a, p->glass.since));
    page_row(ret, p->event == GLASS_ENDED ? "It was to last until" : "Until", page_when(a, p->glass.until));
    page_row(ret, "Call", str_of(p->approval));
    page_row(ret, "Why it was ended", page_visible(a, str_of(p->reason)));
    if (p->event == GLASS_ENDED)
        page_row(ret, "Times used", arena_fmt(a, "%lld", (long long)p->glass.used));
    ret->section.title = STR("Break-glass");
    ret->section.field = ret->row;
    ret->command = p->event == GLASS_USED ? arena_fmt(a, "doorward approvals show %s", p->approval)
                                          : STR("doorward break-glass status");
}

/* ---- waiting to be told ---- */

void channel_page(struct channel *c, const struct notify_page *page)
{
    struct notify_paged *p = calloc(1, sizeof(*p));
    if (p)
        p->page = *page;
    pthread_mutex_lock(&c->lock);
    if (p && c->pages < NOTIFY_PAGES && !atomic_load(&c->stop)) {
        *c->page_end = p;
        c->page_end = &p->next;
        c->pages++;
        c->state.waiting++;
        p = NULL;
        pthread_cond_signal(&c->wake);
    } else {
        c->state.dropped++;
    }
    pthread_mutex_unlock(&c->lock);
    free(p);
}

void channel_page_done(struct channel *c, bool sent)
{
    pthread_mutex_lock(&c->lock);
    struct notify_paged *p = c->page;
    c->page = p->next;
    c->page_end = c->page ? c->page_end : &c->page;
    c->pages--;
    c->state.waiting--;
    c->state.dropped += !sent;
    pthread_mutex_unlock(&c->lock);
    free(p);
}

void notify_glass(void *ctx, const struct glass_news *news)
{
    struct notify *n = ctx;
    struct channel *v[NOTIFY_CHANNELS];
    struct notify_page page;
    page_of(news, &page);
    size_t count = notify_now(n, v);
    for (size_t i = 0; i < count; i++)
        channel_page(v[i], &page);
    notify_release(v, count);
}
