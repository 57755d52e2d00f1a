/* Opening and closing the record: recovery from the last segment, and the threads' end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/inner.h"
#include "base/clock.h"
#include "base/log.h"

static enum err open_lock(struct audit *a, struct fault *f)
{
    char path[4096];
    if (mkdir(a->dir, 0700) < 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "%s: %s", a->dir, strerror(errno));
    snprintf(path, sizeof(path), "%s/lock", a->dir);
    a->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (a->lock_fd < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(a->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return fault_set(f, ERR_CONFLICT, "%s: another process writes this record", a->dir);
    a->dir_fd = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(path, sizeof(path), "%s/tip", a->dir);
    a->tip_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (a->dir_fd < 0 || a->tip_fd < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    /* What is promised to be in the folder needs the folder to be there, after a power cut as well. */
    int above = openat(a->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = above >= 0 && fsync(above) == 0 && fsync(a->dir_fd) == 0;
    if (above >= 0)
        close(above);
    return ok ? ERR_OK : fault_set(f, ERR_IO, "%s: %s", a->dir, strerror(errno));
}

/* Walks the last segment to its end. */
static enum err open_walk(struct audit *a, struct segment_cursor *c, const struct segment_tip *tip, struct fault *f)
{
    struct arena arena;
    struct str payload;
    uint64_t seq;
    enum err e;
    arena_init(&arena, 256u << 20);
    while ((e = segment_next(c, &seq, &payload, f)) == ERR_OK) {
        if (seq != a->written.seq + 1)
            e = fault_set(f, ERR_CORRUPT, "entry %llu follows entry %llu", (unsigned long long)seq,
                          (unsigned long long)a->written.seq);
        else
            e = segment_chain(payload, seq, a->written.hash, &arena, f);
        if (e)
            break;
        a->written.seq = seq;
        if (seq == tip->seq && memcmp(tip->hash, a->written.hash, SHA256_BYTES) != 0) {
            e = fault_set(f, ERR_CORRUPT, "entry %llu is not the one that was flushed", (unsigned long long)seq);
            break;
        }
        arena_reset(&arena);
    }
    arena_done(&arena);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* A tail that is no whole frame: it was being written when the machine stopped. It is put aside, never silently lost.
 */
static enum err open_torn(struct audit *a, struct segment_cursor *c, uint64_t bytes, struct fault *f)
{
    char path[4096], id[ENC_ID_MAX];
    enc_id("torn", id);
    snprintf(path, sizeof(path), "%s/torn-%020llu-%s", a->dir, (unsigned long long)a->written.seq + 1, id + 5);
    char *copy = malloc(bytes);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = copy && fd >= 0 && pread(c->fd, copy, bytes, c->at) == (ssize_t)bytes &&
              write(fd, copy, bytes) == (ssize_t)bytes && fsync(fd) == 0;
    free(copy);
    if (fd >= 0)
        close(fd);
    return ok ? ERR_OK : fault_set(f, ERR_IO, "%s: the torn end of the record cannot be put aside", path);
}

/* Bytes that are no whole frame, behind the tip: what was being written, or damage to what was promised? */
static enum err open_broken(struct audit *a, struct segment_cursor *c, struct fault *f)
{
    uint64_t promised;
    struct fault found = *f;
    TRY(segment_promised(c, a->written.seq + 1, &promised, f));
    if (!promised)
        return ERR_OK;
    return fault_set(f, ERR_CORRUPT, "%s, and entry %llu behind it says that it was flushed", found.text,
                     (unsigned long long)promised);
}

static enum err open_resume(struct audit *a, uint64_t first, const struct segment_tip *tip,
                            struct audit_recovery *found, struct fault *f)
{
    struct segment_cursor c;
    struct segment_head h;
    char path[4096];
    TRY(segment_open(a->dir, first, &c, &h, f));
    a->written.seq = first - 1;
    memcpy(a->written.hash, h.previous, SHA256_BYTES);
    enum err e = open_walk(a, &c, tip, f);
    struct fault rest;
    if (e == ERR_CORRUPT && a->written.seq >= tip->seq && str_starts(str_of(f->text), STR("segment ")))
        e = open_broken(a, &c, f);
    if (!e && a->written.seq < tip->seq)
        e = fault_set(f, ERR_CORRUPT, "entries %llu to %llu were flushed and are missing",
                      (unsigned long long)a->written.seq + 1, (unsigned long long)tip->seq);
    if (!e)
        e = segment_rest(&c, &found->torn_bytes, &rest);
    if (!e && found->torn_bytes)
        e = open_torn(a, &c, found->torn_bytes, f);
    a->at = a->ready = c.at;
    segment_close(&c);
    TRY(e);
    segment_path(a->dir, first, path);
    a->fd = open(path, O_RDWR | O_CLOEXEC);
    if (a->fd < 0 || ftruncate(a->fd, a->at) < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (fallocate(a->fd, 0, 0, (off_t)a->settings.segment_bytes) < 0 && errno != EOPNOTSUPP)
        return fault_set(f, ERR_IO, "%s: no room for the record: %s", path, strerror(errno));
    a->segment_first = first;
    return ERR_OK;
}

static enum err open_recover(struct audit *a, struct audit_recovery *found, struct fault *f)
{
    struct segment_list list;
    struct segment_tip tip;
    unsigned slot = 1;
    TRY(segment_tip_read(a->dir, &tip, &slot, f));
    TRY(segment_list(a->dir, &list, f));
    enum err e;
    if (list.count)
        e = open_resume(a, list.first[list.count - 1], &tip, found, f);
    else if (tip.seq)
        e = fault_set(f, ERR_CORRUPT, "%llu entries were flushed and no segment is there", (unsigned long long)tip.seq);
    else
        e = audit_new_segment(a, f);
    segment_list_done(&list);
    TRY(e);
    a->told = tip;
    a->tip_slot = slot + 1;      /* not over the one that holds */
    a->flushed.seq = UINT64_MAX; /* whatever is in the file, flush it once */
    TRY(audit_flush(a, f));
    found->entries = a->written.seq;
    atomic_store(&a->seq, a->written.seq);
    return audit_tip(a, f);
}

static void open_free(struct audit *a)
{
    const int fds[] = {a->fd, a->tip_fd, a->dir_fd, a->lock_fd};
    for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    buf_done(&a->out);
    audit_words_done(&a->words);
    conf_unref(a->mask);
    free(a->reserve);
    conf_unref(a->conf);
    pthread_cond_destroy(&a->work);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

enum err audit_open(const char *dir, const struct conf_audit *conf, struct audit **ret, struct audit_recovery *found,
                    struct fault *f)
{
    struct audit *a = calloc(1, sizeof(*a));
    if (!a)
        return fault_set(f, ERR_NOMEM, "no memory for the record");
    a->lock_fd = a->fd = a->tip_fd = a->dir_fd = -1;
    snprintf(a->dir, sizeof(a->dir), "%s", dir);
    a->settings = *conf;
    a->durability = conf->durability;
    a->segment_bytes = conf->segment_bytes;
    a->last = &a->first;
    a->pending_last = &a->pending;
    buf_init(&a->out, (size_t)1 << 30);
    audit_words_init(&a->words);
    pthread_mutex_init(&a->lock, NULL);
    clock_cond_init(&a->work);
    *found = (struct audit_recovery){0};
    enum err e = open_lock(a, f);
    if (!e)
        e = open_recover(a, found, f);
    if (!e) {
        sigset_t all, before;
        sigfillset(&all); /* signals are for the first thread */
        pthread_sigmask(SIG_SETMASK, &all, &before);
        if (pthread_create(&a->thread, NULL, audit_writer, a))
            e = fault_set(f, ERR_IO, "no thread for the record");
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (e) {
        open_free(a);
        return e;
    }
    *ret = a;
    return ERR_OK;
}

void audit_close(struct audit *a)
{
    struct fault f;
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stopping = true;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    if (audit_flush(a, &f) || audit_tip(a, &f) || ftruncate(a->fd, a->at) < 0)
        log_error("audit_not_closed", LOG_Z("reason", "the last entries may not be flushed"));
    uint64_t lost = 0;
    *a->pending_last = a->first; /* handed in after the end */
    for (struct audit_record *r = a->pending, *next; r; r = next, lost++) {
        next = r->next;
        free(r);
    }
    if (lost)
        log_error("audit_entries_lost", LOG_I("entries", lost));
    open_free(a);
}
