/*
 * The thread of one sink: reads what was committed, hands it over, and notes how far that went.
 *
 * Nothing is given up: an entry that the other side does not take is tried until it does, later and later, and those
 * behind it wait. What failed is tried again in smaller pieces, down to one entry, so that one that is too much for the
 * other side does not hold up those before it.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "sink/inner.h"

enum { FOLLOW_ARENA = 512 << 20 };

static bool follow_stopped(struct sink *s)
{
    return atomic_load(&s->stop);
}

/* Sleeps, unless it shall end. */
static void follow_pause(struct sink *s, int64_t ms)
{
    int64_t until = clock_mono_ns() + ms * 1000000;
    const struct timespec when = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    pthread_mutex_lock(&s->lock);
    while (!follow_stopped(s) && clock_mono_ns() < until)
        pthread_cond_timedwait(&s->wake, &s->lock, &when);
    pthread_mutex_unlock(&s->lock);
}

/* ---- how it stands: for others, and in the log ---- */

static void follow_failed(struct sink *s, const struct fault *f, int64_t asked_ms)
{
    uint32_t random;
    enc_random(&random, sizeof(random));
    pthread_mutex_lock(&s->lock);
    uint64_t tries = ++s->state.tries;
    s->state.failures++;
    s->state.up = false;
    snprintf(s->state.fault, sizeof(s->state.fault), "%s", f->text);
    pthread_mutex_unlock(&s->lock);
    int64_t pause = sink_pause(tries, random), asked = asked_ms < SINK_ASKED_MAX_MS ? asked_ms : SINK_ASKED_MAX_MS;
    pause = pause > asked ? pause : asked;
    if (!s->told && (tries > 1 || asked)) { /* one failure alone is a connection that had grown old */
        s->told = true;
        log_warn("sink_gone", LOG_S("sink", s->is->name), LOG_Z("kind", s->kind->name), LOG_Z("reason", f->text),
                 LOG_I("sent", s->at.seq), LOG_I("behind", audit_committed(s->audit) - s->at.seq));
    }
    follow_pause(s, pause);
}

static void follow_well(struct sink *s)
{
    pthread_mutex_lock(&s->lock);
    s->state.tries = 0;
    s->state.up = true;
    s->state.since_ms = clock_wall_ms();
    s->state.fault[0] = 0;
    pthread_mutex_unlock(&s->lock);
    if (s->told)
        log_info("sink_back", LOG_S("sink", s->is->name), LOG_Z("kind", s->kind->name), LOG_I("sent", s->at.seq),
                 LOG_I("behind", audit_committed(s->audit) - s->at.seq));
    s->told = false;
}

static void follow_at(struct sink *s, uint64_t seq, const struct tlog_hash *leaf)
{
    s->at = (struct cursor){seq, *leaf};
    pthread_mutex_lock(&s->lock);
    s->state.sent = seq;
    pthread_mutex_unlock(&s->lock);
}

/* ---- the cursor ---- */

/* A cursor that cannot be written loses nothing: more is sent twice, should the gateway end. */
static void follow_note(struct sink *s, bool now)
{
    struct fault f;
    int64_t t = clock_mono_ns();
    if (!s->begun || s->at.seq == s->noted || (!now && t - s->noted_at < SINK_NOTE_MS * INT64_C(1000000)))
        return;
    s->noted_at = t;
    if (cursor_write(s->cursors, s->is->name, &s->at, &f)) {
        log_warn("sink_cursor_not_written", LOG_S("sink", s->is->name), LOG_Z("reason", f.text));
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->noted = s->at.seq;
    pthread_mutex_unlock(&s->lock);
}

/* The hash of an entry that is on record. ERR_NOT_FOUND: it is not, or not any more. */
static enum err follow_leaf(struct sink *s, uint64_t seq, struct tlog_hash *ret, struct fault *f)
{
    struct audit_reader *r;
    struct str text;
    uint64_t at;
    TRY(audit_reader_open(s->audit_dir, &r, f));
    enum err e = audit_reader_seek(r, seq, f);
    if (!e)
        e = audit_reader_next(r, &text, &at, f);
    if (!e && at != seq)
        e = fault_set(f, ERR_NOT_FOUND, "entry %llu is not on record any more", (unsigned long long)seq);
    if (!e)
        tlog_leaf(text, ret);
    audit_reader_close(r);
    return e;
}

/* Is it a cursor of this record? One that stands at an entry that was pruned is believed. */
static enum err follow_fits(struct sink *s, const struct cursor *c, struct fault *f)
{
    struct tlog_hash leaf;
    if (c->seq > audit_committed(s->audit))
        return fault_set(f, ERR_CORRUPT, "stands at entry %llu, which is not on record", (unsigned long long)c->seq);
    if (!c->seq)
        return ERR_OK;
    enum err e = follow_leaf(s, c->seq, &leaf, f);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    if (!tlog_same(&leaf, &c->leaf))
        return fault_set(f, ERR_CORRUPT, "stands at another entry %llu than the one on record: it is of another record",
                         (unsigned long long)c->seq);
    return ERR_OK;
}

/* Where to go on. A cursor that cannot be believed says nothing: then it begins with the first entry there is, whatever
 * `from` says, since an entry that comes twice does less harm than one that never comes. */
static enum err follow_begin(struct sink *s, struct fault *f)
{
    struct cursor c = {0};
    enum err e = cursor_read(s->cursors, s->is->name, &c, f);
    if (!e)
        e = follow_fits(s, &c, f);
    if (e == ERR_CORRUPT) {
        log_error("sink_cursor_refused", LOG_S("sink", s->is->name), LOG_Z("reason", f->text),
                  LOG_Z("instead", "begins with the first entry on record, so that what was sent already comes again"));
        c = (struct cursor){0};
        e = ERR_OK;
    } else if (e == ERR_NOT_FOUND) {
        bool now = s->is->from == CONF_FROM_NOW;
        c = (struct cursor){.seq = now ? s->now : 0};
        e = c.seq ? follow_leaf(s, c.seq, &c.leaf, f) : ERR_OK;
        if (!e && now) /* at once: it shall not be a later moment after a crash */
            e = cursor_write(s->cursors, s->is->name, &c, f);
    }
    TRY(e);
    s->read = c;
    follow_at(s, c.seq, &c.leaf);
    pthread_mutex_lock(&s->lock);
    s->noted = c.seq;
    pthread_mutex_unlock(&s->lock);
    s->begun = true;
    log_info("sink_follows", LOG_S("sink", s->is->name), LOG_Z("kind", s->kind->name), LOG_I("sent", c.seq),
             LOG_I("behind", audit_committed(s->audit) - c.seq));
    return ERR_OK;
}

/* ---- reading ---- */

static enum err follow_reader(struct sink *s, struct fault *f)
{
    if (s->reader)
        return ERR_OK;
    TRY(audit_reader_open(s->audit_dir, &s->reader, f));
    return audit_reader_seek(s->reader, s->read.seq + 1, f);
}

/* One entry into the batch, or past it. */
static enum err follow_read(struct sink *s, size_t *bytes, struct fault *f)
{
    static const struct json_limits deep = {.depth = 1024, .nodes = 1u << 24};
    struct str text;
    uint64_t seq;
    struct json *doc = &s->docs[s->count];
    TRY(follow_reader(s, f));
    enum err read = audit_reader_next(s->reader, &text, &seq, f);
    if (read == ERR_NOT_FOUND)
        return fault_set(f, ERR_CORRUPT,
                         "entry %llu is on record and cannot be read: `doorward audit verify` says more",
                         (unsigned long long)s->read.seq + 1);
    TRY(read);
    if (s->read.seq && seq > s->read.seq + 1)
        log_error("sink_missed", LOG_S("sink", s->is->name), LOG_I("first", s->read.seq + 1), LOG_I("last", seq - 1),
                  LOG_Z("reason", "these entries were removed from the record before they were sent"));
    struct sink_entry e = {.seq = seq, .text = arena_str(&s->arena, text), .doc = doc};
    if (!e.text.p)
        return fault_set(f, ERR_NOMEM, "no memory for entry %llu", (unsigned long long)seq);
    TRY(json_parse(doc, e.text, &s->arena, &deep, f));
    tlog_leaf(e.text, &e.leaf);
    *bytes += text.n;
    s->read = (struct cursor){seq, e.leaf};
    if (sink_wants(&s->is->events, json_str(doc, json_get(doc, JSON_ROOT, STR("event")), &s->arena)))
        s->v[s->count++] = e;
    return ERR_OK;
}

/* Waits for entries, and takes up what is there. */
static enum err follow_gather(struct sink *s, struct fault *f)
{
    size_t bytes = 0;
    uint64_t committed = audit_wait(s->audit, s->read.seq, SINK_WAIT_MS);
    s->count = s->done = 0;
    arena_reset(&s->arena);
    while (!follow_stopped(s) && s->read.seq < committed && s->count < (size_t)s->is->batch &&
           bytes < SINK_BATCH_BYTES) {
        enum err e = follow_read(s, &bytes, f);
        if (e) { /* from where it stands, with a new reader; what was gathered goes first */
            audit_reader_close(s->reader);
            s->reader = NULL;
            if (s->count)
                break;
            return e;
        }
    }
    if (!s->count && s->read.seq != s->at.seq)
        follow_at(s, s->read.seq, &s->read.leaf);
    return ERR_OK;
}

/* ---- handing over ---- */

static void follow_deliver(struct sink *s)
{
    struct sink_told told = {0};
    struct fault f = {0};
    size_t n = s->count - s->done;
    n = n < s->limit ? n : s->limit;
    enum err e = s->kind->deliver(s->it, s->v + s->done, n, &s->stop, &told, &f);
    s->done += told.taken;
    if (told.taken) {
        bool all = s->done == s->count;
        follow_at(s, all ? s->read.seq : s->v[s->done - 1].seq, all ? &s->read.leaf : &s->v[s->done - 1].leaf);
    }
    if (e && follow_stopped(s))
        return;
    if (e) {
        s->limit = n > 1 ? n / 2 : 1;
        follow_note(s, false);
        follow_failed(s, &f, told.pause_ms);
        return;
    }
    s->limit = s->limit < (size_t)s->is->batch / 2 ? s->limit * 2 : (size_t)s->is->batch;
    if (!told.idle)
        follow_well(s);
}

static enum err follow_turn(struct sink *s, struct fault *f)
{
    if (!s->v)
        s->v = calloc((size_t)s->is->batch, sizeof(*s->v));
    if (!s->docs)
        s->docs = calloc((size_t)s->is->batch, sizeof(*s->docs));
    if (!s->v || !s->docs)
        return fault_set(f, ERR_NOMEM, "no memory for a batch");
    if (!s->it)
        TRY(s->kind->open(s->is, s->audit_dir, &s->it, f));
    if (!s->begun)
        TRY(follow_begin(s, f));
    if (s->done == s->count)
        TRY(follow_gather(s, f));
    if (s->done < s->count && !follow_stopped(s))
        follow_deliver(s);
    follow_note(s, false);
    return ERR_OK;
}

void *sink_follow(void *p)
{
    struct sink *s = p;
    struct fault f;
    pthread_setname_np(pthread_self(), "sink");
    arena_init(&s->arena, FOLLOW_ARENA);
    while (!follow_stopped(s))
        if (follow_turn(s, &f) && !follow_stopped(s))
            follow_failed(s, &f, 0);
    follow_note(s, true);
    if (s->it)
        s->kind->close(s->it);
    audit_reader_close(s->reader);
    arena_done(&s->arena);
    free(s->v);
    free(s->docs);
    pthread_mutex_lock(&s->lock);
    s->over = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    sink_unref(s);
    return NULL;
}
