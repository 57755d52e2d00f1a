/*
 * Channels: how people hear of calls that wait for them, and how they answer from where they are. Each kind has one
 * shape (struct notifier), one file and one line in notify/kinds.c.
 *
 * A channel has a thread of its own and a queue of questions' ids; what it says is read when it says it, so that it is
 * never old. One that is slow or gone delays nobody: it is tried again with growing pauses (0.2 s to 60 s, or as long
 * as the other side asks for), it is shown as down, and channels with `standby` are told in its place. What is pending
 * is told again after a restart. What became of break-glass is told to everybody, before anything else.
 *
 * Nobody approves by reading: a message is not a grant. An answer is one only when it is signed, new, and from a person
 * of the store; then it is as if that person had used the operators' API.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include <stdatomic.h>

#include "approve/glass.h"
#include "approve/view.h"
#include "conf/slot.h"
#include "net/server.h"

/* ---- one kind of channel ---- */

enum { NOTIFY_REF = 128 };
struct notify_told {      /* what came of a message; ref alone goes in */
    char ref[NOTIFY_REF]; /* what the other side calls it: for changing it later; "": nothing */
    int64_t pause_ms;     /* the other side wants to be left alone for so long; 0: it says nothing */
    bool refused;         /* it will not take this one, however often it comes */
};
struct notify_message { /* what is said of a question; strings live until the call returns */
    struct approval_view view;
    struct approval_card card;
    bool over;      /* decided, out of time, or void */
    bool escalated; /* pending, and nobody has said anything but that others may decide by now, too */
    struct str end; /* "Approved by anna (slack) at …", one line; empty: nobody said anything yet */
};
struct notify_page { /* to everybody: what became of break-glass */
    enum glass_event event;
    struct approval_glass glass;
    int64_t at;                                       /* wall clock, ms */
    char by[APPROVAL_BY], reason[GLASS_REASON + 1];   /* who, and of an end why; or empty */
    char approval[ENC_ID_MAX], tool[256], agent[128]; /* of a use */
    char key[2 * ENC_ID_MAX + 16];                    /* the same however often it is told */
};
struct notify_word { /* to one person, about what that person tried */
    struct str user, channel, text;
};
struct notifier {
    const char *name; /* as in the configuration */
    bool lasts;       /* what was asked stays open there until it is updated: remembered over a restart */
    /* Prepares: nothing is connected yet. conf outlives it. ERR_CONFIG. */
    enum err (*open)(const struct conf_channel *conf, void **ret, struct fault *f);
    /* A question is new. Both may block for conf->timeout; stop: the daemon ends, come back soon. */
    enum err (*ask)(void *c, const struct notify_message *m, const _Atomic bool *stop, struct notify_told *told,
                    struct fault *f);
    /* It was decided, ran out of time, is void, was escalated, or one of two people said yes. */
    enum err (*update)(void *c, const struct notify_message *m, const _Atomic bool *stop, struct notify_told *told,
                       struct fault *f);
    /* Everybody is told, at once. ref goes in and comes out empty. */
    enum err (*page)(void *c, const struct notify_page *p, const _Atomic bool *stop, struct notify_told *told,
                     struct fault *f);
    /* May be NULL. */
    enum err (*say)(void *c, const struct notify_word *w, const _Atomic bool *stop, struct notify_told *told,
                    struct fault *f);
    void (*close)(void *c);
};
extern const struct notifier *const notifiers[]; /* by enum conf_channel_kind; [0] NULL */
extern const struct notifier notify_slack, notify_teams, notify_pagerduty, notify_webhook, notify_email;

/* ---- what the room needs of the house ---- */

struct notify_house { /* all of them block: threads of channels and of the pool */
    void *ctx;        /* of the queue */
    void *house;      /* of `person` */
    enum err (*view)(void *ctx, struct str id, struct arena *a, struct approval_view *ret, struct approval_card *card,
                     struct fault *f);
    enum err (*card)(void *ctx, struct str id, struct arena *a, struct approval_card *ret, struct fault *f);
    enum err (*decide)(void *ctx, const struct approval_decision *d, struct fault *f);
    /* The person of the store that is this user of the channel's kind. ERR_NOT_FOUND: nobody is. */
    enum err (*person)(struct notify_house *n, const char *kind, struct str user, struct arena *a, struct person *ret,
                       struct fault *f);
    /* What lasts: this channel has asked this, and calls it so; ref NULL: that is over. All of a channel's. May be
     * NULL.
     */
    void (*keep)(struct notify_house *n, const char *channel, struct str id, const char *ref);
    void (*kept)(struct notify_house *n, const char *channel, void (*one)(void *to, struct str id, struct str ref),
                 void *to);
    bool (*glass)(void *ctx, struct approval_glass *ret); /* is break-glass open? */
    /* Each that waits now; one that was escalated with both lists of groups, one after the other. */
    void (*pending)(void *ctx, void (*one)(void *to, struct str id, struct str reviewers), void *to);
};
/* All of the queue itself; `person` is whose people are. queue.c */
void notify_house_of(struct approvals *a, struct notify_house *ret);

/* ---- all of them: for the daemon ---- */

struct notify;
/* Faults that only this room can see: a line each. ERR_CONFIG. */
enum err notify_check(const struct conf *conf, struct buf *faults) MUST_USE;
/* Starts a thread for each channel, which tells what is pending. conf: those that hooks go by. */
enum err notify_start(const struct notify_house *house, struct conf_slot *conf, struct notify **ret,
                      struct fault *f) MUST_USE;
/* Those that are new start, those that are gone stop, changed ones start again. Waits for none of them; for one thread.
 */
void notify_reload(struct notify *n, struct conf *conf);
void notify_stop(struct notify *n); /* takes NULL */
/* As approvals_watch wants it; ctx: the struct notify. */
void notify_news(void *ctx, const struct approval_news *news);
/* As approvals_watch_glass wants it: every channel is told, those that stand by, too. */
void notify_glass(void *ctx, const struct glass_news *news);
/* What channels tell back: POST /channels/{name}/slack and …/pagerduty. False: it is for somebody else. Answers at
 * once; a decision is made on a pool thread. */
bool notify_serve(struct notify *n, struct exchange *x);

struct notify_state {
    char name[33], kind[16];
    bool up, standby;                 /* up: the last message went well, or there was none yet */
    uint64_t waiting;                 /* messages that wait to be sent */
    uint64_t sent, failures, dropped; /* dropped: not taken by the other side, or the queue was full */
    int64_t since_ms;                 /* wall clock: of the last good one; 0: none since the start */
    char fault[200];                  /* of the last failure; empty: none */
};
enum { NOTIFY_CHANNELS = 64 };
size_t notify_list(struct notify *n, struct notify_state *ret, size_t max); /* takes NULL */
/* An array of them; `fault` says why one that is not up is not, which is for operators. */
void notify_json(struct notify *n, bool fault, struct json_out *o); /* takes NULL */

#endif
