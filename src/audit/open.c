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
#include "audit/seal.h"
#include "base/clock.h"
#include "base/file.h"
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
    if (a->dir_fd < 0)
        return fault_set(f, ERR_IO, "%s: %s", a->dir, strerror(errno));
    /* What is promised to be in the folder needs the folder to be there, after a power cut as well. */
    int above = openat(a->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = above >= 0 && fsync(above) == 0 && fsync(a->dir_fd) == 0;
    if (above >= 0)
        close(above);
    return ok ? ERR_OK : fault_set(f, ERR_IO, "%s: %s", a->dir, strerror(errno));
}

/* ---- recovery ---- */

struct recover {
    struct audit *a;
    struct checkpoint published; /* size 0: none */
    struct segment_list list;
    struct arena arena;
    struct audit_recovery *found;
};

static enum err recover_checkpoint(struct recover *r, struct fault *f)
{
    struct log_checkpoint c;
    struct note *note = malloc(sizeof(*note));
    enum err e = note ? log_checkpoint_read(r->a->dir, &c, f) : fault_set(f, ERR_NOMEM, "no memory for a checkpoint");
    if (!e) {
        e = log_checkpoint_check(buf_view(&c.text), &r->a->publish.keys.verifiers, note, &r->published, f);
        if (e)
            fault_wrap(f, "%s/checkpoint: it covers %llu entries, but", r->a->dir, (unsigned long long)c.is.size);
        if (!e)
            buf_str(&r->a->publish.note, buf_view(&c.text));
        log_checkpoint_done(&c);
    }
    free(note);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The published tree must come up on the way. */
static enum err recover_compare(struct recover *r, struct fault *f)
{
    struct tlog_tree *t = r->a->publish.tree;
    struct tlog_hash root;
    if (!r->published.size || t->size != r->published.size)
        return ERR_OK;
    tlog_tree_root(t, &root);
    return tlog_same(&root, &r->published.root)
               ? ERR_OK
               : fault_set(f, ERR_CORRUPT, "the first %llu entries are not those whose checkpoint was published",
                           (unsigned long long)t->size);
}

static enum err recover_entry(struct recover *r, uint64_t seq, struct str payload, struct fault *f)
{
    struct audit *a = r->a;
    struct tlog_hash leaf;
    if (seq != a->written + 1)
        return fault_set(f, ERR_CORRUPT, "entry %llu follows entry %llu", (unsigned long long)seq,
                         (unsigned long long)a->written);
    enum err e = segment_leaf(payload, seq, &r->arena, &leaf, f);
    arena_reset(&r->arena);
    TRY(e);
    TRY(tlog_tree_add(a->publish.tree, &leaf, f));
    a->written = seq;
    return recover_compare(r, f);
}

static enum err recover_walk(struct recover *r, struct segment_cursor *c, struct fault *f)
{
    struct str payload;
    uint64_t seq;
    enum err e;
    while ((e = segment_next(c, &seq, &payload, f)) == ERR_OK)
        TRY(recover_entry(r, seq, payload, f));
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* A tail that is no whole frame: it was being written when the machine stopped. It is put aside, never silently lost.
 */
static enum err open_torn(struct audit *a, struct segment_cursor *c, uint64_t bytes, struct fault *f)
{
    char path[4096], id[ENC_ID_MAX];
    enc_id("torn", id);
    snprintf(path, sizeof(path), "%s/torn-%020llu-%s", a->dir, (unsigned long long)a->written + 1, id + 5);
    char *copy = malloc(bytes);
    bool ok = copy && pread(c->fd, copy, bytes, c->at) == (ssize_t)bytes && file_new(path, (struct str){copy, bytes});
    free(copy);
    return ok ? ERR_OK : fault_set(f, ERR_IO, "%s: the torn end of the record cannot be put aside", path);
}

/* Bytes that are no whole frame, behind the published tree: what was being written, or damage to what was promised? */
static enum err open_broken(struct audit *a, struct segment_cursor *c, struct fault *f)
{
    uint64_t promised;
    struct fault found = *f;
    TRY(segment_promised(c, a->written + 1, &promised, f));
    if (!promised)
        return ERR_OK;
    return fault_set(f, ERR_CORRUPT, "%s, and entry %llu behind it says that it was flushed", found.text,
                     (unsigned long long)promised);
}

/* The end of the last segment: torn bytes are put aside. */
static enum err recover_end(struct recover *r, struct segment_cursor *c, enum err e, struct fault *f)
{
    struct audit *a = r->a;
    struct fault rest;
    bool frame = e == ERR_CORRUPT && str_starts(str_of(f->text), STR("segment "));
    if (frame && a->written >= r->published.size)
        e = open_broken(a, c, f);
    if (!e && a->written < r->published.size)
        e = fault_set(f, ERR_CORRUPT, "entries %llu to %llu were published and are missing",
                      (unsigned long long)a->written + 1, (unsigned long long)r->published.size);
    if (!e)
        e = segment_rest(c, &r->found->torn_bytes, &rest);
    if (!e && r->found->torn_bytes)
        e = open_torn(a, c, r->found->torn_bytes, f);
    a->at = a->ready = c->at;
    return e;
}

static enum err recover_segment(struct recover *r, uint64_t first, bool last, struct fault *f)
{
    struct segment_cursor c;
    struct audit *a = r->a;
    if (first != a->written + 1)
        return fault_set(f, ERR_CORRUPT, "entries %llu to %llu are missing: no segment holds them",
                         (unsigned long long)a->written + 1, (unsigned long long)first - 1);
    TRY(segment_open(a->dir, first, &c, f));
    enum err e = recover_walk(r, &c, f);
    if (last)
        e = recover_end(r, &c, e, f);
    segment_close(&c);
    return e;
}

/* From the segment that begins with this entry on: its tree is loaded there, and grown to the end. */
static enum err recover_from(struct recover *r, uint64_t first, struct fault *f)
{
    struct audit *a = r->a;
    const struct tlog_tiles tiles = {.read = tlog_folder_tile, .ctx = a->dir};
    struct tlog_tree *t = a->publish.tree;
    tlog_tree_init(t);
    if (first > 1)
        TRY(tlog_tree_load(t, &tiles, first - 1, f));
    t->tile = publish_tile;
    t->ctx = &a->publish;
    a->written = first - 1;
    TRY(recover_compare(r, f));
    enum err e = ERR_OK;
    for (size_t i = 0; i < r->list.count && !e; i++)
        if (r->list.first[i] >= first)
            e = recover_segment(r, r->list.first[i], i + 1 == r->list.count, f);
    return e;
}

static enum err recover_segments(struct recover *r, struct fault *f)
{
    struct audit *a = r->a;
    uint64_t sure = r->published.size > PUBLISH_UNSYNCED ? r->published.size - PUBLISH_UNSYNCED : 0;
    uint64_t first = segment_of(&r->list, sure + 1), last = r->list.first[r->list.count - 1];
    char path[4096];
    enum err e = recover_from(r, first, f);
    if (e == ERR_CORRUPT || e == ERR_NOT_FOUND) {
        /* The tree's hashes may have been lost, which the entries give again; or it is the entries. */
        struct fault again;
        if (first > 1 && r->list.first[0] == 1 && recover_from(r, 1, &again) == ERR_OK) {
            log_warn("audit_tiles_made_again", LOG_I("entries", a->written), LOG_Z("reason", f->text));
            e = ERR_OK;
        }
    }
    TRY(e == ERR_NOT_FOUND ? (f->err = ERR_CORRUPT) : e);
    segment_path(a->dir, last, path);
    a->fd = open(path, O_RDWR | O_CLOEXEC);
    if (a->fd < 0 || ftruncate(a->fd, a->at) < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (a->at < (off_t)a->settings.segment_bytes && fallocate(a->fd, 0, 0, (off_t)a->settings.segment_bytes) < 0 &&
        errno != EOPNOTSUPP)
        return fault_set(f, ERR_IO, "%s: no room for the record: %s", path, strerror(errno));
    a->segment_first = last;
    return ERR_OK;
}

static enum err recover_all(struct recover *r, struct fault *f)
{
    struct audit *a = r->a;
    TRY(recover_checkpoint(r, f));
    if (r->list.count)
        TRY(recover_segments(r, f));
    else if (r->published.size)
        return fault_set(f, ERR_CORRUPT, "%llu entries were published and no segment is there",
                         (unsigned long long)r->published.size);
    else
        TRY(audit_new_segment(a, f));
    a->publish.size = r->published.size;
    a->flushed = UINT64_MAX; /* whatever is in the file, flush it once */
    TRY(audit_flush(a, f));
    r->found->entries = a->written;
    atomic_store(&a->seq, a->written);
    return ERR_OK;
}

static enum err open_recover(struct audit *a, const struct conf_audit *conf, struct audit_recovery *found,
                             struct fault *f)
{
    struct recover r = {.a = a, .found = found};
    char path[4096];
    snprintf(path, sizeof(path), "%s/checkpoint", a->dir);
    bool published = access(path, F_OK) == 0;
    TRY(publish_open(&a->publish, a->dir, a->dir_fd, conf, !published, f));
    TRY(seals_open(a->dir, a->publish.keys.seal, &a->words.seals, f));
    TRY(segment_list(a->dir, &r.list, f));
    arena_init(&r.arena, 256u << 20);
    enum err e = recover_all(&r, f);
    arena_done(&r.arena);
    segment_list_done(&r.list);
    return e;
}

/* What was put aside is on record. */
static void open_note_torn(struct audit *a, uint64_t bytes)
{
    char text[64];
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_RECORD_TORN, AUDIT_SYSTEM);
    int n = snprintf(text, sizeof(text), "{\"bytes\":%llu}", (unsigned long long)bytes);
    e.details = (struct str){text, (size_t)n};
    audit_note(a, &e);
}

static void open_free(struct audit *a)
{
    const int fds[] = {a->fd, a->dir_fd, a->lock_fd};
    publish_done(&a->publish);
    for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    buf_done(&a->out);
    buf_done(&a->batch);
    buf_done(&a->owed);
    seals_close(a->words.seals);
    audit_words_done(&a->words);
    conf_unref(a->mask);
    free(a->reserve);
    conf_unref(a->conf);
    audit_watch_done(a);
    pthread_cond_destroy(&a->work);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static enum err open_threads(struct audit *a, struct fault *f)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are for the first thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    enum err e = publish_start(a, f);
    if (!e && pthread_create(&a->thread, NULL, audit_writer, a))
        e = fault_set(f, ERR_IO, "no thread for the record");
    else if (!e)
        pthread_setname_np(a->thread, "record-writer");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e)
        publish_stop(&a->publish);
    return e;
}

enum err audit_open(const char *dir, const struct conf_audit *conf, struct audit **ret, struct audit_recovery *found,
                    struct fault *f)
{
    struct audit *a = calloc(1, sizeof(*a));
    if (!a)
        return fault_set(f, ERR_NOMEM, "no memory for the record");
    a->lock_fd = a->fd = a->dir_fd = -1;
    snprintf(a->dir, sizeof(a->dir), "%s", dir);
    a->settings = *conf;
    a->durability = conf->durability;
    a->segment_bytes = conf->segment_bytes;
    a->last = &a->first;
    a->pending_last = &a->pending;
    buf_init(&a->out, (size_t)1 << 30);
    buf_init(&a->batch, (size_t)1 << 30);
    buf_init(&a->owed, (size_t)1 << 30);
    audit_words_init(&a->words);
    a->words.dir = a->dir;
    pthread_mutex_init(&a->lock, NULL);
    clock_cond_init(&a->work);
    audit_watch_init(a);
    *found = (struct audit_recovery){0};
    enum err e = open_lock(a, f);
    if (!e)
        e = open_recover(a, conf, found, f);
    if (!e)
        e = open_threads(a, f);
    if (e) {
        open_free(a);
        return e;
    }
    if (found->torn_bytes)
        open_note_torn(a, found->torn_bytes);
    *ret = a;
    return ERR_OK;
}

void audit_close(struct audit *a)
{
    struct fault f;
    if (!a)
        return;
    audit_watch_close(a);
    pthread_mutex_lock(&a->lock);
    a->stopping = true;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    if (audit_flush(a, &f) || ftruncate(a->fd, a->at) < 0)
        log_error("audit_not_closed", LOG_Z("reason", "the last entries may not be flushed"));
    publish_stop(&a->publish);
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
