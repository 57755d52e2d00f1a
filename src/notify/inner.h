/* One channel while it runs, and what the files of this room share. Not for others. */
#ifndef NOTIFY_INNER_H
#define NOTIFY_INNER_H

#include <pthread.h>

#include "notify/notify.h"
#include "sink/http.h"

enum {
    NOTIFY_QUEUE = 20000, /* questions that one channel knows of at a time */
    NOTIFY_SLOTS = 1024,
    NOTIFY_WORDS = 64,
    NOTIFY_PAGES = 64,
    NOTIFY_ASKED_MAX_MS = 3600 * 1000, /* of what the other side asks for */
    NOTIFY_SEEN = 4096,
    NOTIFY_SKEW_S = 300,
};

struct notify_job { /* a question that a channel knows of, until its end was told */
    char id[ENC_ID_MAX], ref[NOTIFY_REF];
    bool told, queued, handed; /* told: it was asked; handed: to those that stand by */
    bool kept;                 /* a process before this one asked it, and the other side has it open */
    bool escalated;            /* and it was told that others may decide as well */
    struct notify_job *same;   /* in the slot */
    struct notify_job *next, *prev;
};

struct notify_say { /* a word that waits */
    struct notify_say *next;
    char user[64], channel[64], text[400];
};

struct notify_paged { /* a page that waits */
    struct notify_paged *next;
    struct notify_page page;
};

struct channel {
    struct notify *all;
    struct conf *conf; /* is's */
    const struct conf_channel *is;
    const struct notifier *kind;
    _Atomic bool stop;
    _Atomic bool hook_told; /* the log knows that something came that was not taken */
    _Atomic unsigned refs;  /* its maker's and its thread's */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* under the lock */
    struct notify_state state;
    struct notify_job *slot[NOTIFY_SLOTS], *first, *last;
    struct notify_say *say, **say_end;
    struct notify_paged *page, **page_end; /* the first one is the thread's while it is being told */
    size_t known, words, pages;
    uint64_t tries; /* that failed since the last good one */
    bool full_told;
    /* the thread's */
    void *it; /* kind->open's; NULL: not open */
    struct arena arena;
    bool gone_told; /* the log knows that it is down */
};

struct notify {
    struct notify_house house;
    struct conf_slot *conf;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t idle;
    struct channel *v[NOTIFY_CHANNELS]; /* in the order of the configuration */
    size_t n;
    unsigned threads; /* that run, those that were told to end, too */
    struct {          /* signatures that were used, as long as they would be good */
        unsigned char sum[SHA256_BYTES];
        int64_t until; /* wall clock, s */
    } seen[NOTIFY_SEEN];
};

/* jobs.c: those with the lock */
struct notify_job **channel_find(struct channel *c, struct str id);
void channel_unqueue(struct channel *c, struct notify_job *j);
void channel_queue(struct channel *c, struct notify_job *j, bool front);
void channel_forget(struct channel *c, struct str id);
/* Is it asked about this question: by its groups? */
bool channel_asks(const struct channel *c, const struct approval_card *card);

/* channel.c; without it */
struct channel *channel_new(struct notify *all, struct conf *conf, const struct conf_channel *is);
void channel_end(struct channel *c); /* told to end; not waited for */
void channel_unref(struct channel *c);
bool channel_concerns(const struct channel *c, struct str reviewers);
/* A question is new or has changed. New ones are made a job of when `ask`; any thread. */
void channel_put(struct channel *c, struct str id, bool ask);
/* A process before this one asked it, and the other side calls it so: it is told how that ended. */
void channel_kept(struct channel *c, struct str id, struct str ref);
/* A press said where the message is: it is changed, whoever posted it. */
void channel_seen(struct channel *c, struct str id, const char *ref);
void channel_say(struct channel *c, const struct notify_word *w);
bool channel_down(struct channel *c);
/* page.c. For a channel's queue; the thread is through with the first one. */
void channel_page(struct channel *c, const struct notify_page *page);
void channel_page_done(struct channel *c, bool sent);
void page_of(const struct glass_news *n, struct notify_page *ret);
enum { PAGE_ROWS = 8 };
struct page_view { /* what it says; memory of the arena and of itself */
    struct str title, summary, command;
    struct view_section section;
    struct view_field row[PAGE_ROWS];
};
void page_shown(const struct notify_page *p, struct arena *a, struct page_view *ret);
/* notify.c: those that the configuration has now, each with a reference. */
size_t notify_now(struct notify *n, struct channel *ret[NOTIFY_CHANNELS]);
void notify_release(struct channel *v[NOTIFY_CHANNELS], size_t n);
/* notify.c: to those that stand by, when one is down. */
void notify_hand_over(struct notify *n, const char (*ids)[ENC_ID_MAX], size_t count);

/* ---- the kinds that speak HTTP: post.c ---- */

struct post {
    const struct conf_channel *conf;
    struct sink_http *http;
    struct secret *key; /* the kind's; freed with it */
    struct arena arena; /* of one message */
    struct buf body;
};
/* ERR_CONFIG, ERR_NOMEM. to: see sink/http.h. body_max: of a message. */
enum err post_open(const struct conf_channel *conf, const struct sink_http_to *to, size_t body_max, struct post **ret,
                   struct fault *f) MUST_USE;
void post_close(void *p);                   /* as notifier.close */
struct json_out post_begin(struct post *p); /* a new message: writes into p->body */
/* Sends p->body, which is wiped; of `how`, the path, the type, the headers and stop are read. told: whether to wait,
 * and whether it is too large ever to go. *ret: of status 0 when nobody answered. */
enum err post_send(struct post *p, const struct sink_http_post *how, struct notify_told *told,
                   struct sink_http_answer *ret, struct fault *f) MUST_USE;

/* ---- signing: sign.c ---- */

/* HMAC-SHA-256 over all parts, one behind the other. */
enum err notify_hmac(const struct secret *key, const struct str *part, size_t n, unsigned char ret[SHA256_BYTES],
                     struct fault *f) MUST_USE;
/* Slack's v0: X-Slack-Signature over "v0:", X-Slack-Request-Timestamp, ":" and the body. ERR_ROLE. sum: what it is
 * known by when it comes again. */
enum err slack_verify(const struct secret *key, struct str timestamp, struct str signature, struct str body,
                      int64_t now_s, unsigned char sum[SHA256_BYTES], struct fault *f) MUST_USE;
/* PagerDuty's v1: any of "v1=…,v1=…" over the body. */
enum err pagerduty_verify(const struct secret *key, struct str signatures, struct str body, struct fault *f) MUST_USE;

/* ---- what came from outside ---- */

struct slack_press { /* strings in the arena, UTF-8 */
    bool approve;
    struct str id, digest; /* of the question; of the arguments that the message shows, hex */
    struct str user, channel, message;
};
/* A form whose `payload` is JSON of type block_actions with one of our buttons. ERR_INVALID. slack_heard.c */
enum err slack_heard(struct str body, struct arena *a, struct slack_press *ret, struct fault *f) MUST_USE;

struct pagerduty_event {
    struct str event, by; /* "incident.acknowledged"; who did it, their words */
    struct str id;        /* the question's, of the incident's key; empty: it is not one of ours */
};
enum err pagerduty_heard(struct str body, struct arena *a, struct pagerduty_event *ret, struct fault *f) MUST_USE;
/* "apr_" and 26 characters. */
bool notify_is_id(struct str s);

/* ---- what is shown: shown.c ---- */

/* The first `max` characters of what is left, never in the middle of one. */
struct str shown_cut(struct str s, size_t max);
size_t shown_length(struct str s); /* characters */
/* At most so many bytes of it, whole characters. */
struct str shown_bytes(struct str s, size_t max);
/* Fills over and end by the card; memory of the arena. */
void shown_end(struct notify_message *m, struct arena *a);
/* The address of the configuration, for this question; or empty. */
struct str shown_link(const struct conf_channel *conf, struct str id, struct arena *a);
/* "doorward approvals show apr_…" */
struct str shown_command(const struct notify_message *m, struct arena *a);
/* Characters of all that is shown of it. */
size_t shown_size(const struct approval_view *v);
/* The lines of a value behind the first one begin with `indent`, so that none of them can look like a line of ours. */
void shown_indented(struct buf *out, struct str value, const char *indent);

/* slack_blocks.c: the body of chat.postMessage, or with ts of chat.update. */
struct slack_message {
    const struct conf_channel *conf;
    struct str channel, ts; /* ts: empty: a new one */
};
void slack_blocks(const struct slack_message *to, const struct notify_message *m, struct arena *a, struct buf *out);
void slack_page(const struct slack_message *to, const struct page_view *v, struct arena *a, struct buf *out);

#endif
