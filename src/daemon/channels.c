/* Channels, for the house: what they need of the queue and of the people, and what becomes of them. */
#include <stdatomic.h>
#include <stdio.h>

#include "base/log.h"
#include "daemon/house.h"
#include "identity/people.h"
#include "notify/notify.h"

/* Who pressed a button: with the role that a decision needs, and the groups. */
static enum err channels_person(struct notify_house *n, const char *kind, struct str user, struct arena *a,
                                struct person *ret, struct fault *f)
{
    struct store_person p;
    int64_t role = CONF_VIEWER;
    struct house *h = n->house;
    if (strcmp(kind, "slack") != 0)
        return ERR_NOT_FOUND;
    TRY(people_of_account(h->people, PEOPLE_SLACK, user, a, &p, &role));
    if (role < CONF_APPROVER)
        return fault_set(f, ERR_ROLE, "%.*s may look at calls that wait, and not decide: nothing was decided.",
                         (int)(p.name.n < 64 ? p.name.n : 64), p.name.p);
    *ret = (struct person){.name = p.name, .groups = p.groups, .channel = str_of(kind), .email = p.email};
    return ERR_OK;
}

/* ---- what stays open elsewhere: notes of the store, "channel:NAME" ---- */

enum { CHANNELS_ABOUT = 64 };

static struct str channels_about(const char *channel, char ret[CHANNELS_ABOUT])
{
    snprintf(ret, CHANNELS_ABOUT, "channel:%s", channel);
    return str_of(ret);
}

static void channels_keep(struct notify_house *n, const char *channel, struct str id, const char *ref)
{
    struct house *h = n->house;
    struct fault f = {.text = ""};
    char about[CHANNELS_ABOUT];
    const struct store_note note = {channels_about(channel, about), id, str_of(ref ? ref : "")};
    enum err e = ref ? h->store->ops->note_put(h->store, &note, &f)
                     : h->store->ops->note_drop(h->store, note.about, note.key, &f);
    if (e) /* then it may stay open there after a restart, and nothing else */
        log_warn("channel_not_kept", LOG_Z("channel", channel), LOG_S("approval", id), LOG_Z("reason", f.text));
}

struct channels_kept {
    void (*one)(void *to, struct str id, struct str ref);
    void *to;
};

static void channels_kept_one(void *ctx, const struct store_note *note)
{
    const struct channels_kept *k = ctx;
    k->one(k->to, note->key, note->text);
}

static void channels_kept(struct notify_house *n, const char *channel,
                          void (*one)(void *to, struct str id, struct str ref), void *to)
{
    struct house *h = n->house;
    struct channels_kept k = {one, to};
    struct fault f = {.text = ""};
    char about[CHANNELS_ABOUT];
    if (h->store->ops->notes_load(h->store, channels_about(channel, about), channels_kept_one, &k, &f))
        log_warn("channel_not_kept", LOG_Z("channel", channel), LOG_Z("reason", f.text));
}

/* ---- news ---- */

static void channels_news(void *ctx, const struct approval_news *news)
{
    struct house *h = ctx;
    struct notify *n = atomic_load(&h->notify);
    if (n) /* what there is news of before is looked up when the channels start */
        notify_news(n, news);
}

static void channels_glass(void *ctx, const struct glass_news *news)
{
    struct house *h = ctx;
    struct notify *n = atomic_load(&h->notify);
    if (n)
        notify_glass(n, news);
}

enum err house_channels_watch(struct house *h, struct fault *f)
{
    TRY(approvals_watch_glass(h->approvals, channels_glass, h, f));
    return approvals_watch(h->approvals, channels_news, h, f);
}

enum err house_channels_start(struct house *h, struct fault *f)
{
    struct notify *n;
    struct notify_house of = {.house = h, .person = channels_person, .keep = channels_keep, .kept = channels_kept};
    notify_house_of(h->approvals, &of);
    TRY(notify_start(&of, &h->conf, &n, f));
    atomic_store(&h->notify, n);
    h->admin.notify = n;
    return ERR_OK;
}
