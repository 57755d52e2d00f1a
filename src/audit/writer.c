/*
 * The writer: one thread that puts entries into the record. Everything that waits is written together and flushed once;
 * then all who wait are told. When the disk refuses, those who wait are refused, what has happened already is kept and
 * tried again, and the record says afterwards what it missed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "audit/inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "meter/meter.h"

enum {
    WRITER_BATCH_BYTES = 4 << 20,
    WRITER_AHEAD_BYTES = 256 << 10,
    WRITER_RETRY_MS = 200,
    WRITER_LAZY_MS = 100,
    WRITER_MISSED_MS = 1000,
    WRITER_GROUP_US = 2000,
    WRITER_SLOW_US = 500, /* a flush that takes longer is worth waiting for others */
    WRITER_GATHER_PART = 16,
    WRITER_STEP_US = 30
};

/* ---- segments ---- */

enum err audit_new_segment(struct audit *a, struct fault *f)
{
    char path[4096], temporary[4096];
    struct buf head;
    segment_path(a->dir, a->written + 1, path);
    snprintf(temporary, sizeof(temporary), "%s/new", a->dir);
    int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(f, ERR_AUDIT, "%s: %s", temporary, strerror(errno));
    buf_init(&head, 4096);
    segment_put_head(&head, a->written + 1);
    /* The room is taken now, so that a full disk shows here and not between entries. */
    bool ok = fallocate(fd, 0, 0, (off_t)a->segment_bytes) == 0 || errno == EOPNOTSUPP;
    ok = ok && pwrite(fd, head.p, head.n, 0) == SEGMENT_HEAD && fsync(fd) == 0 && rename(temporary, path) == 0 &&
         fsync(a->dir_fd) == 0;
    buf_done(&head);
    if (!ok) {
        fault_set(f, ERR_AUDIT, "%s: %s", path, strerror(errno));
        close(fd);
        unlink(temporary);
        return ERR_AUDIT;
    }
    if (a->fd >= 0)
        close(a->fd);
    a->fd = fd;
    a->segment_first = a->written + 1;
    a->at = a->ready = SEGMENT_HEAD;
    return ERR_OK;
}

enum err audit_flush(struct audit *a, struct fault *f)
{
    if (a->flushed != a->written) {
        int64_t from = clock_mono_ns();
        if (fdatasync(a->fd) < 0)
            return fault_set(f, ERR_AUDIT, "the record cannot be flushed: %s", strerror(errno));
        a->flushed = a->written;
        a->flushed_at = clock_mono_ns();
        a->flush_ns = (7 * a->flush_ns + a->flushed_at - from) / 8;
        audit_watch_tell(a, a->flushed);
    }
    /* Without memory they wait here: a checkpoint comes later then, and none is left out. */
    if (a->owed.n && publish_hand(&a->publish, &a->owed))
        buf_clear(&a->owed);
    return ERR_OK;
}

static enum err writer_roll(struct audit *a, struct fault *f)
{
    TRY(audit_flush(a, f));
    off_t end = a->at;
    int old = a->fd;
    a->fd = -1;
    enum err e = audit_new_segment(a, f);
    if (e) {
        a->fd = old;
        return e;
    }
    if (ftruncate(old, end) < 0)
        log_warn("audit_segment_not_trimmed", LOG_Z("reason", strerror(errno)));
    close(old);
    return ERR_OK;
}

/* ---- batches ---- */

enum writer_fit { WRITER_FITS = 0, WRITER_FULL, WRITER_NO_DISK, WRITER_NEVER };

/* Puts one entry into words behind the batch, or leaves the batch as it was. */
static enum writer_fit writer_frame_one(struct audit *a, const struct audit_record *r, uint64_t seq, struct fault *f)
{
    struct buf *b = &a->out;
    struct tlog_hash leaf;
    size_t frame = segment_frame_begin(b), from = b->n;
    enum err e = audit_record_write(r, &a->words, seq, b, f);
    size_t size = b->n - from;
    segment_frame_end(b, frame, seq, a->flushed);
    /* A segment begins at a whole tile, so that the last one may become a little longer than it should. */
    bool full =
        a->at + (off_t)b->n > a->segment_bytes && (seq - 1) % TLOG_WIDTH == 0 && (frame || a->at > SEGMENT_HEAD);
    if (!e && !buf_failed(b) && size <= SEGMENT_ENTRY_MAX && !full && buf_room(&a->batch, sizeof(leaf))) {
        tlog_leaf((struct str){b->p + from, size}, &leaf);
        buf_put(&a->batch, &leaf, sizeof(leaf));
        return WRITER_FITS;
    }
    b->n = frame;
    audit_words_undo(&a->words, seq);
    if (e == ERR_AUDIT)
        return WRITER_NO_DISK;
    return e || (!buf_failed(b) && size > SEGMENT_ENTRY_MAX) ? WRITER_NEVER : WRITER_FULL;
}

/* Numbers and frames the pending entries that fit into a batch and into the segment. Returns how many. *ret_fit: why
 * the one behind them does not. */
static size_t writer_frame(struct audit *a, enum writer_fit *ret_fit, struct fault *f)
{
    size_t count = 0;
    a->awaited = false;
    *ret_fit = WRITER_FITS;
    buf_clear(&a->out);
    buf_clear(&a->batch);
    for (struct audit_record *r = a->pending; r && a->out.n < WRITER_BATCH_BYTES; r = r->next) {
        if ((*ret_fit = writer_frame_one(a, r, a->written + 1 + count, f)))
            break;
        a->awaited = a->awaited || r->done;
        count++;
    }
    return count;
}

/* Blocks that are only preallocated make each flush write the file's metadata too. So the next ones are written with
 * zeros ahead of the entries, a piece at a time. A failure shows where it matters, when the entries are written. */
static void writer_ready(struct audit *a)
{
    static const char zeros[65536];
    off_t end = a->at + (off_t)a->out.n;
    if (a->durability == CONF_ASYNC || end <= a->ready)
        return;
    if (a->ready < a->at)
        a->ready = a->at;
    for (off_t to = end + WRITER_AHEAD_BYTES; a->ready < to && a->ready < a->segment_bytes;) {
        off_t room = a->segment_bytes - a->ready;
        ssize_t n = pwrite(a->fd, zeros, room < (off_t)sizeof(zeros) ? (size_t)room : sizeof(zeros), a->ready);
        if (n <= 0)
            return;
        a->ready += n;
    }
}

static enum err writer_put(struct audit *a, size_t count, struct fault *f)
{
    size_t done = 0, owed = a->owed.n;
    if (!buf_room(&a->owed, a->batch.n)) {
        a->owed.failed = a->owed.poor = false;
        return fault_set(f, ERR_AUDIT, "no memory to write the record");
    }
    TRY(audit_words_flush(&a->words, a->segment_first, f)); /* what is kept apart, before what commits to it */
    writer_ready(a);
    while (done < a->out.n) {
        ssize_t n = pwrite(a->fd, a->out.p + done, a->out.n - done, a->at + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fault_set(f, ERR_AUDIT, "the record cannot be written: %s",
                             n < 0 ? strerror(errno) : "nothing was taken");
        done += (size_t)n;
    }
    off_t at = a->at;
    a->at += (off_t)a->out.n;
    a->written += count;
    buf_put(&a->owed, a->batch.p, a->batch.n);
    /* What has happened already waits for the next flush, which is never far (writer_idle). */
    if (a->durability == CONF_ASYNC || !a->awaited || audit_flush(a, f) == ERR_OK)
        return ERR_OK;
    a->at = at;
    a->written -= count;
    a->owed.n = owed;
    return ERR_AUDIT;
}

static void writer_told(struct worker *w, struct worker_mail *m)
{
    (void)w;
    struct audit_done *d = (struct audit_done *)m;
    d->done(d);
}

static void writer_tell(struct audit_done *d, enum err e, uint64_t seq, const struct tlog_hash *leaf)
{
    d->err = e;
    d->seq = seq;
    if (leaf)
        d->leaf = *leaf;
    d->mail.run = writer_told;
    if (d->worker)
        worker_post(d->worker, &d->mail);
    else
        d->done(d);
}

/* The first `count` pending entries are on record from number `seq` on. */
static void writer_release(struct audit *a, size_t count, uint64_t seq)
{
    size_t bytes = 0;
    int64_t now = clock_mono_ns();
    const struct tlog_hash *leaf = (const void *)a->batch.p;
    for (; count--; leaf++) {
        struct audit_record *r = a->pending;
        a->pending = r->next;
        bytes += r->n;
        if (r->done) {
            meter_observe(METER_AUDIT_APPEND_SECONDS, now - r->done->asked_ns);
            writer_tell(r->done, ERR_OK, seq, leaf);
        }
        seq++;
        free(r);
    }
    if (!a->pending)
        a->pending_last = &a->pending;
    pthread_mutex_lock(&a->lock);
    a->queued -= bytes;
    pthread_mutex_unlock(&a->lock);
    atomic_store(&a->seq, a->written);
}

/* What may have been written past the end is cut off, so that it never mixes with what comes. */
static enum err writer_trim(struct audit *a, struct fault *f)
{
    if (a->fd >= 0 && ftruncate(a->fd, a->at) < 0)
        return fault_set(f, ERR_AUDIT, "the record cannot be trimmed: %s", strerror(errno));
    a->spoiled = false;
    a->ready = a->at;
    if (a->fd >= 0 && fallocate(a->fd, 0, 0, (off_t)a->segment_bytes) < 0)
        errno = 0; /* then it grows as it is written */
    return ERR_OK;
}

/* The disk refuses: whoever waits is told so and leaves; the rest stays for the next try. */
static void writer_refuse(struct audit *a, const struct fault *f)
{
    size_t bytes = 0;
    uint64_t refused = 0;
    pthread_mutex_lock(&a->lock);
    bool first = !a->failing;
    a->failing = true; /* before anybody is told: who hears of it finds it so */
    a->failure = *f;
    pthread_mutex_unlock(&a->lock);
    for (struct audit_record **at = &a->pending; *at;) {
        struct audit_record *r = *at;
        if (!r->done) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        bytes += r->n;
        refused++;
        writer_tell(r->done, ERR_AUDIT, 0, NULL);
        free(r);
    }
    a->pending_last = &a->pending;
    while (*a->pending_last)
        a->pending_last = &(*a->pending_last)->next;
    pthread_mutex_lock(&a->lock);
    a->queued -= bytes;
    a->refused += refused;
    meter_add(METER_AUDIT_REFUSED, (int64_t)refused);
    pthread_mutex_unlock(&a->lock);
    if (first)
        log_error("audit_unavailable", LOG_Z("reason", f->text));
    a->spoiled = true;
}

/* The first pending entry is longer than any reader would take, or what must be kept apart of it cannot be: it alone is
 * refused. */
static void writer_reject(struct audit *a)
{
    struct audit_record *r = a->pending;
    a->pending = r->next;
    if (!a->pending)
        a->pending_last = &a->pending;
    pthread_mutex_lock(&a->lock);
    a->queued -= r->n;
    *(r->done ? &a->refused : &a->dropped) += 1;
    pthread_mutex_unlock(&a->lock);
    meter_add(r->done ? METER_AUDIT_REFUSED : METER_AUDIT_DROPPED, 1);
    if (r->done)
        writer_tell(r->done, ERR_AUDIT, 0, NULL);
    free(r);
}

static enum err writer_batch(struct audit *a, struct fault *f)
{
    enum writer_fit fit;
    size_t count = writer_frame(a, &fit, f);
    bool poor = buf_failed(&a->out) || buf_failed(&a->batch);
    if (count == 0 && poor && audit_use_reserve(a)) {
        count = writer_frame(a, &fit, f);
        poor = buf_failed(&a->out) || buf_failed(&a->batch);
    }
    if (count == 0 && fit == WRITER_NEVER) {
        writer_reject(a);
        return ERR_OK;
    }
    if (count == 0 && fit == WRITER_NO_DISK)
        return ERR_AUDIT;
    if (count == 0)
        return poor ? fault_set(f, ERR_AUDIT, "no memory to write the record") : writer_roll(a, f);
    uint64_t from = a->written + 1;
    enum err e = writer_put(a, count, f);
    if (e) {
        audit_words_undo(&a->words, from);
        return e;
    }
    writer_release(a, count, from);
    return ERR_OK;
}

/* Puts one entry of our own before all others. False: it could not be written, and nobody knows of it. */
static enum err writer_put_first(struct audit *a, struct audit_record *r, struct fault *f)
{
    struct audit_record *rest = a->pending, **rest_last = a->pending_last;
    a->pending = r;
    a->pending_last = &r->next;
    pthread_mutex_lock(&a->lock);
    a->queued += r->n;
    pthread_mutex_unlock(&a->lock);
    enum err e;
    do
        e = writer_batch(a, f);
    while (!e && a->pending); /* the first round may be a new segment */
    if (e) {
        pthread_mutex_lock(&a->lock);
        a->queued -= r->n;
        pthread_mutex_unlock(&a->lock);
        free(r);
    }
    a->pending = rest;
    a->pending_last = rest ? rest_last : &a->pending;
    return e;
}

/* After a failure, and after a queue that was full, an entry of our own goes first: it shows that the disk takes
 * entries and says how many it missed. */
static void writer_probe(struct audit *a)
{
    char text[96];
    struct audit_entry e;
    struct fault f;
    pthread_mutex_lock(&a->lock);
    uint64_t dropped = a->dropped, refused = a->refused;
    pthread_mutex_unlock(&a->lock);
    int n = snprintf(text, sizeof(text), "{\"dropped\":%llu,\"refused\":%llu}", (unsigned long long)dropped,
                     (unsigned long long)refused);
    audit_entry_init(&e, AUDIT_RECORD_RECOVERED, AUDIT_SYSTEM);
    e.details = (struct str){text, (size_t)n};
    struct audit_record *r = audit_record_new(&e);
    if (!r)
        return;
    enum err err = a->spoiled ? writer_trim(a, &f) : ERR_OK;
    if (err)
        free(r);
    else
        err = writer_put_first(a, r, &f);
    if (err) {
        writer_refuse(a, &f);
        return;
    }
    pthread_mutex_lock(&a->lock);
    a->failing = false;
    a->refused -= refused;
    a->dropped -= dropped;
    pthread_mutex_unlock(&a->lock);
    a->missed_said = clock_mono_ns();
    log_info("audit_recovered", LOG_I("seq", a->written), LOG_I("refused", refused), LOG_I("dropped", dropped));
}

/* False: the time is over. */
static bool writer_wait(struct audit *a, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    return pthread_cond_timedwait(&a->work, &a->lock, &until) != ETIMEDOUT;
}

static int64_t writer_in(int ms)
{
    return clock_mono_ns() + ms * INT64_C(1000000);
}

static void writer_sleep(struct audit *a, int64_t ns)
{
    const struct timespec pause = {.tv_nsec = ns};
    pthread_mutex_unlock(&a->lock);
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&a->lock);
}

/* Those who come meanwhile share the flush. With durability group a while is waited for them. Otherwise only where a
 * flush takes long, for a small part of that, and only for as many as the last one served: they were told together, and
 * come back one by one. */
static void writer_gather(struct audit *a)
{
    if (a->settings.durability == CONF_GROUP) {
        writer_sleep(a, WRITER_GROUP_US * 1000);
        return;
    }
    if (a->settings.durability != CONF_FULL || a->flush_ns < WRITER_SLOW_US * 1000)
        return;
    int64_t until = clock_mono_ns() + a->flush_ns / WRITER_GATHER_PART;
    for (size_t before = 0; a->waiting > before && a->waiting < a->served && clock_mono_ns() < until;) {
        before = a->waiting;
        writer_sleep(a, WRITER_STEP_US * 1000);
    }
}

/* Waits for entries, or until a flush or the tip is due. False: the end. */
static bool writer_take(struct audit *a)
{
    pthread_mutex_lock(&a->lock);
    if (a->failing) {
        int64_t until = writer_in(WRITER_RETRY_MS); /* entries that come meanwhile make no disk better */
        while (!a->stopping && writer_wait(a, until))
            ;
    } else if (!a->first && !a->pending && !a->stopping) {
        if (a->flushed != a->written || a->owed.n)
            writer_wait(a, writer_in(WRITER_LAZY_MS));
        else if (a->refused || a->dropped)
            writer_wait(a, writer_in(WRITER_MISSED_MS));
        else
            pthread_cond_wait(&a->work, &a->lock);
    }
    if (a->first && a->waiting && !a->stopping)
        writer_gather(a);
    if (a->waiting)
        a->served = a->waiting;
    a->waiting = 0;
    if (a->first) {
        *a->pending_last = a->first;
        a->pending_last = a->last;
        a->first = NULL;
        a->last = &a->first;
    }
    if (a->conf != a->mask) {
        conf_unref(a->mask);
        a->mask = conf_ref(a->conf);
    }
    memcpy(a->words.policies, a->policies, sizeof(a->words.policies));
    a->durability = a->settings.durability;
    a->segment_bytes = a->settings.segment_bytes;
    a->missed = a->refused || a->dropped;
    if (!a->reserve)
        a->reserve = malloc(AUDIT_RESERVE);
    bool go = !a->stopping || (a->pending && !a->failing);
    pthread_mutex_unlock(&a->lock);
    return go;
}

/* A flush that is due by the clock. */
static enum err writer_idle(struct audit *a, struct fault *f)
{
    bool due = clock_mono_ns() - a->flushed_at > WRITER_LAZY_MS * INT64_C(1000000);
    return due && (a->flushed != a->written || a->owed.n) ? audit_flush(a, f) : ERR_OK;
}

void *audit_writer(void *arg)
{
    struct audit *a = arg;
    struct fault f;
    static const struct conf_strings none = {0};
    while (writer_take(a)) {
        a->words.mask = a->mask ? &a->mask->root.audit.mask : &none;
        a->words.seal = a->mask ? &a->mask->root.audit.seal : &none;
        if (a->failing) {
            writer_probe(a);
            continue;
        }
        enum err e = ERR_OK;
        while (!e && a->pending)
            e = writer_batch(a, &f);
        if (!e)
            e = writer_idle(a, &f);
        if (e)
            writer_refuse(a, &f);
        else if (a->missed && clock_mono_ns() - a->missed_said > WRITER_MISSED_MS * INT64_C(1000000))
            writer_probe(a);
    }
    if (a->failing || a->missed) { /* a last try */
        writer_probe(a);
        while (!a->failing && a->pending && writer_batch(a, &f) == ERR_OK)
            ;
    }
    return NULL;
}
