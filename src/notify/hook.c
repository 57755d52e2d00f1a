/*
 * What channels tell back, on the agents' listener, since the operators' one is mostly not to be reached from outside:
 * POST /channels/{name}/slack and /channels/{name}/pagerduty. Nothing is believed but the signature. A press of a
 * button is answered at once, and decided on a pool thread; whatever goes wrong then is said to the person alone.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "notify/inner.h"

enum { HOOK_BODY = 512 << 10, HOOK_ARENA = VIEW_ARENA };

/* ---- deciding: on a pool thread ---- */

struct hook_work {
    uv_work_t work;
    struct notify *all;
    struct channel *channel;
    struct arena arena;
    struct slack_press press;
    int64_t came_ns;
};

static void hook_say(struct hook_work *w, struct str text)
{
    const struct notify_word word = {.user = w->press.user, .channel = w->press.channel, .text = text};
    channel_say(w->channel, &word);
}

static enum err hook_person(struct hook_work *w, struct person *ret, struct fault *f)
{
    struct notify_house *h = &w->all->house;
    enum err e = h->person ? h->person(h, "slack", w->press.user, &w->arena, ret, f) : ERR_NOT_FOUND;
    if (e != ERR_NOT_FOUND)
        return e;
    log_warn("channel_stranger", LOG_S("channel", w->channel->is->name), LOG_S("user", w->press.user),
             LOG_S("approval", w->press.id));
    return fault_set(f, ERR_ROLE, "Nobody of this gateway's people has this Slack user (%.60s): nothing was decided.",
                     w->press.user.p);
}

/* Who holds the secret of one channel's app could press for anybody: but only about what that channel is asked. */
static enum err hook_asked(struct hook_work *w, struct fault *f)
{
    const struct notify_house *h = &w->all->house;
    struct approval_card card;
    TRY(h->card(h->ctx, w->press.id, &w->arena, &card, f));
    return channel_asks(w->channel, &card)
               ? ERR_OK
               : fault_set(f, ERR_ROLE, "Such calls are not decided about from this channel: nothing was decided.");
}

static enum err hook_decide(struct hook_work *w, struct fault *f)
{
    const struct notify_house *h = &w->all->house;
    struct approval_decision d = {
        .id = w->press.id, .verdict = w->press.approve ? APPROVE_ONCE : APPROVE_DENY, .digest = w->press.digest};
    if (w->press.approve && !w->channel->is->approve)
        return fault_set(f, ERR_ROLE, "Calls cannot be approved from this channel: nothing was decided.");
    TRY(hook_asked(w, f));
    TRY(hook_person(w, &d.by, f));
    d.by.channel = STR("slack");
    return h->decide(h->ctx, &d, f);
}

static void hook_run(uv_work_t *u)
{
    struct hook_work *w = u->data;
    struct fault f = {0};
    char ref[NOTIFY_REF];
    enum err e = hook_decide(w, &f);
    if (e)
        hook_say(w, str_of(f.text));
    log_info("channel_pressed", LOG_S("channel", w->channel->is->name), LOG_S("approval", w->press.id),
             LOG_S("user", w->press.user), LOG_B("approve", w->press.approve), LOG_Z("result", e ? err_code(e) : "ok"));
    snprintf(ref, sizeof(ref), STR_FMT " " STR_FMT, STR_ARG(w->press.channel), STR_ARG(w->press.message));
    if (!e || e == ERR_CONFLICT ||
        e == ERR_NOT_FOUND) /* the message shows how it stands, also one of before a restart */
        channel_seen(w->channel, w->press.id, ref);
}

static void hook_free(struct hook_work *w)
{
    channel_unref(w->channel);
    arena_done(&w->arena);
    free(w);
}

static void hook_done(uv_work_t *u, int status)
{
    (void)status;
    hook_free(u->data);
}

/* ---- who it is for ---- */

/* "/channels/oncall/slack" */
static bool hook_path(struct str path, struct str *ret_name, struct str *ret_kind)
{
    if (!str_starts(path, STR("/channels/")))
        return false;
    *ret_kind = str_skip(path, 10);
    str_cut(ret_kind, '/', ret_name);
    return true;
}

static struct channel *hook_find(struct notify *n, struct str name, struct str kind)
{
    struct channel *found = NULL;
    pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < n->n && !found; i++)
        if (str_eq(n->v[i]->is->name, name) && str_is(kind, n->v[i]->kind->name) && n->v[i]->is->secret)
            found = n->v[i];
    if (found)
        atomic_fetch_add(&found->refs, 1);
    pthread_mutex_unlock(&n->lock);
    return found;
}

/* An app of Slack has one address for all its buttons, wherever they are: the message is of the channel whose
 * conversation it is in, when that one has the same secret. What may be done from there is for that one to say. */
static struct channel *hook_of(struct notify *n, const struct channel *heard, struct str conversation)
{
    const struct secret *s = heard->is->secret;
    struct str secret = {(const char *)secret_bytes(s), secret_len(s)};
    struct channel *found = NULL;
    pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < n->n && !found; i++) {
        const struct conf_channel *is = n->v[i]->is;
        if (is->kind == CONF_CHANNEL_SLACK && is->secret && secret_eq(is->secret, secret) &&
            str_eq(is->channel, conversation))
            found = n->v[i];
    }
    if (found)
        atomic_fetch_add(&found->refs, 1);
    pthread_mutex_unlock(&n->lock);
    return found;
}

/* Only what was signed gets in here, so that strangers cannot fill it. When it is full, nothing is new. */
static enum err hook_first(struct notify *n, const unsigned char sum[SHA256_BYTES], int64_t now_s, struct fault *f)
{
    size_t free_slot = NOTIFY_SEEN;
    bool again = false;
    pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < NOTIFY_SEEN && !again; i++) {
        if (n->seen[i].until < now_s)
            free_slot = i;
        else
            again = memcmp(n->seen[i].sum, sum, SHA256_BYTES) == 0;
    }
    if (!again && free_slot < NOTIFY_SEEN) {
        memcpy(n->seen[free_slot].sum, sum, SHA256_BYTES);
        n->seen[free_slot].until = now_s + 2 * NOTIFY_SKEW_S + 1;
    }
    pthread_mutex_unlock(&n->lock);
    if (again)
        return fault_set(f, ERR_ROLE, "this very request came before");
    return free_slot < NOTIFY_SEEN ? ERR_OK : fault_set(f, ERR_LIMIT, "too many requests in five minutes");
}

/* ---- each kind ---- */

static enum err hook_slack(struct notify *n, struct channel *c, struct exchange *x, struct fault *f)
{
    unsigned char sum[SHA256_BYTES];
    int64_t now = clock_wall_ms() / 1000;
    TRY(slack_verify(c->is->secret, http_header(&x->head, "x-slack-request-timestamp"),
                     http_header(&x->head, "x-slack-signature"), x->body, now, sum, f));
    TRY(hook_first(n, sum, now, f));
    struct hook_work *w = calloc(1, sizeof(*w));
    if (!w)
        return fault_set(f, ERR_NOMEM, "no memory for a request");
    arena_init(&w->arena, HOOK_ARENA);
    w->work.data = w;
    w->all = n;
    struct str body = arena_str(&w->arena, x->body); /* the exchange is over before the decision */
    enum err e =
        body.p ? slack_heard(body, &w->arena, &w->press, f) : fault_set(f, ERR_NOMEM, "no memory for a request");
    if (!e && !(w->channel = hook_of(n, c, w->press.channel)))
        e = fault_set(f, ERR_INVALID, "channel.id is of no channel of this gateway");
    if (e) {
        arena_done(&w->arena);
        free(w);
        return e;
    }
    if (uv_queue_work(&x->worker->loop, &w->work, hook_run, hook_done)) {
        hook_free(w);
        return fault_set(f, ERR_INTERNAL, "the decision cannot be made now");
    }
    return ERR_OK;
}

static enum err hook_pagerduty(struct notify *n, struct channel *c, struct exchange *x, struct fault *f)
{
    (void)n;
    struct pagerduty_event event;
    TRY(pagerduty_verify(c->is->secret, http_header(&x->head, "x-pagerduty-signature"), x->body, f));
    TRY(pagerduty_heard(x->body, &x->arena, &event, f));
    if (event.id.n) /* that somebody looks at it is good to know, and nothing more */
        log_info("channel_event", LOG_S("channel", c->is->name), LOG_S("event", event.event),
                 LOG_S("approval", event.id), LOG_S("by", event.by));
    return ERR_OK;
}

static const struct {
    const char *kind;
    enum err (*heard)(struct notify *n, struct channel *c, struct exchange *x, struct fault *f);
} hooks[] = {{"slack", hook_slack}, {"pagerduty", hook_pagerduty}};

bool notify_serve(struct notify *n, struct exchange *x)
{
    struct str name, kind;
    struct fault f = {0};
    if (!hook_path(x->head.path, &name, &kind))
        return false;
    struct channel *c = n && str_is(x->head.method, "POST") ? hook_find(n, name, kind) : NULL;
    enum err e = fault_set(&f, ERR_NOT_FOUND, "there is nothing at " STR_FMT, STR_ARG(x->head.path));
    if (c && x->body.n > HOOK_BODY)
        e = fault_set(&f, ERR_LIMIT, "the body is longer than %d bytes", HOOK_BODY);
    else
        for (size_t i = 0; c && i < sizeof(hooks) / sizeof(hooks[0]); i++)
            if (str_is(kind, hooks[i].kind))
                e = hooks[i].heard(n, c, x, &f);
    /* once, until one is good again: strangers shall not fill the log */
    if (c && !atomic_exchange(&c->hook_told, e != ERR_OK) && e)
        log_warn("channel_hook_refused", LOG_S("channel", c->is->name), LOG_Z("code", err_code(e)),
                 LOG_Z("reason", f.text));
    if (e)
        exchange_answer_fault(x, &f);
    else
        exchange_answer(x, 200, STR_NONE, NULL, 0, STR_NONE);
    if (c)
        channel_unref(c);
    return true;
}
