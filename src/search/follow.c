#include "search/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { FOLLOW_ARENA = 64 << 20, FOLLOW_PROGRESS = 8192, FOLLOW_TURNS = 3 };

static enum err follow_folder(const struct follow *w, struct fault *f)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/index", w->dir);
    return mkdir(path, 0700) == 0 || errno == EEXIST ? ERR_OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
}

/* Somebody may have taken the file away, which its writer would not notice. */
static bool follow_is_there(const struct follow *w)
{
    char path[4096];
    part_path(w->dir, w->part->first, path);
    return access(path, F_OK) == 0;
}

static enum err follow_lock(struct follow *w, struct fault *f)
{
    char path[4096];
    TRY(follow_folder(w, f));
    snprintf(path, sizeof(path), "%s/index/lock", w->dir);
    w->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (w->lock_fd < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(w->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? fault_set(f, ERR_CONFLICT, "%s: the index is kept by another process, such as a running gateway",
                               path)
                   : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    return ERR_OK;
}

/* Looks at every page of every file. */
static enum err follow_check(struct follow *w, struct fault *f)
{
    struct part_list l;
    enum err e = part_list(w->dir, &l, f);
    if (e)
        return e;
    for (size_t i = 0; !e && i < l.count; i++) {
        struct part *p CLEANUP(part_closep) = NULL;
        e = part_open(w->dir, l.first[i], &p, f);
        if (!e)
            e = part_check(p, f);
        if (e == ERR_CORRUPT || e == ERR_CONFLICT) {
            part_put_aside(w->dir, l.first[i]);
            e = ERR_OK;
        }
    }
    part_list_done(&l);
    return e;
}

enum err follow_open(const char *audit_dir, size_t memory, bool check, struct follow **ret, struct fault *f)
{
    struct follow *w = calloc(1, sizeof(*w));
    if (!w || strlen(audit_dir) >= sizeof(w->dir)) {
        free(w);
        return fault_set(f, ERR_NOMEM, "no memory for the index");
    }
    memcpy(w->dir, audit_dir, strlen(audit_dir) + 1);
    w->lock_fd = -1;
    w->memory = memory;
    batch_init(&w->batch);
    arena_init(&w->arena, FOLLOW_ARENA);
    buf_init(&w->large, 65u << 20);
    enum err e = follow_lock(w, f);
    if (!e)
        e = audit_reader_open(w->dir, &w->reader, f);
    if (!e && check)
        e = follow_check(w, f);
    if (e)
        follow_close(w);
    else
        *ret = w;
    return e;
}

void follow_close(struct follow *w)
{
    if (!w)
        return;
    part_close(w->part);
    audit_reader_close(w->reader);
    batch_done(&w->batch);
    arena_done(&w->arena);
    buf_done(&w->large);
    if (w->lock_fd >= 0)
        close(w->lock_fd);
    free(w);
}

void follow_again(struct follow *w, uint64_t first)
{
    part_closep(&w->part);
    batch_clear(&w->batch);
    part_put_aside(w->dir, first);
    log_warn("audit_index_made_again", LOG_I("from", first));
    if (w->at >= first)
        w->at = first - 1;
    w->next = 0;
}

/* What the index holds fits the record and leaves nothing out up to where it ends. */
static enum err follow_fits(struct follow *w, struct part *p, struct fault *f)
{
    uint64_t from = w->at + 1;
    if (p->upto && p->since > from)
        return fault_set(f, ERR_CONFLICT, "the index begins at entry %llu", (unsigned long long)p->since);
    return part_sound(p, w->reader, w->pruned + 1, f);
}

/* Is the file that entry `at` + 1 belongs to there, and full? Then it is passed over. */
static bool follow_pass(struct follow *w, uint64_t first)
{
    struct part *p CLEANUP(part_closep) = NULL;
    if (part_open(w->dir, first, &p, NULL) || p->upto != first + PART_ENTRIES - 1 || follow_fits(w, p, NULL))
        return false;
    w->at = p->upto;
    return true;
}

/* Opens the file that entry `at` + 1 goes to, and finds out how far it is. */
static enum err follow_seat(struct follow *w, struct fault *f)
{
    for (uint64_t first; !w->part || w->part->first != part_first_of(w->at + 1);) {
        if (w->part && w->part->upto == w->part->first + PART_ENTRIES - 1)
            part_finish(w->part);
        part_closep(&w->part);
        first = part_first_of(w->at + 1);
        if (follow_pass(w, first))
            continue;
        enum err e = part_open_to_write(w->dir, first, &w->part, f);
        if (!e)
            e = follow_fits(w, w->part, f);
        if (e == ERR_CORRUPT || e == ERR_CONFLICT || e == ERR_NOT_FOUND) {
            follow_again(w, first);
            e = part_open_to_write(w->dir, first, &w->part, f);
        }
        TRY(e);
        if (w->part->upto > w->at)
            w->at = w->part->upto;
    }
    return ERR_OK;
}

static enum err follow_write(struct follow *w, struct fault *f)
{
    uint64_t upto = w->batch.upto;
    if (!upto)
        return ERR_OK;
    TRY(batch_write(&w->batch, f));
    w->at = upto;
    return ERR_OK;
}

/* Files for entries that the record does not have: it was put back to what it was before. */
static enum err follow_begin(struct follow *w, struct fault *f)
{
    struct part_list l;
    uint64_t first, last = audit_reader_last(w->reader);
    TRY(audit_reader_first(w->reader, &first, f));
    TRY(part_list(w->dir, &l, f));
    for (size_t i = 0; i < l.count; i++)
        if (last && l.first[i] > last)
            part_put_aside(w->dir, l.first[i]);
    part_list_done(&l);
    w->pruned = first ? first - 1 : 0;
    w->at = w->pruned;
    return ERR_OK;
}

static enum err follow_entry(struct follow *w, uint64_t seq, struct str entry, struct fault *f)
{
    struct facts facts;
    uint64_t segment, offset;
    if (!batch_takes(&w->batch, seq) || batch_bytes(&w->batch) > w->memory)
        TRY(follow_write(w, f));
    if (!w->batch.upto) {
        w->at = seq - 1; /* what is not on record needs no index */
        TRY(follow_seat(w, f));
        if (w->at >= seq) /* it is there already */
            return ERR_OK;
    }
    audit_reader_where(w->reader, &segment, &offset);
    arena_reset(&w->arena);
    TRY(facts_read(entry, w->dir, &w->arena, &w->large, &facts, f));
    return batch_add(&w->batch, w->part, seq, entry, &facts, segment, offset, f);
}

/* ERR_CORRUPT is of the index; the record's own comes in *ret_broken. */
static enum err follow_entries(struct follow *w, uint64_t upto, const _Atomic bool *stop,
                               void (*progress)(void *ctx, uint64_t seq, uint64_t of), void *ctx, enum err *ret_broken,
                               struct fault *f)
{
    struct str entry;
    uint64_t seq;
    TRY(follow_seat(w, f));
    for (uint64_t from = w->at + 1; from <= upto && !(stop && atomic_load(stop)); from = seq + 1) {
        enum err e = w->next == from ? ERR_OK : audit_reader_seek(w->reader, from, f);
        if (!e)
            e = audit_reader_next(w->reader, &entry, &seq, f);
        w->next = e ? 0 : seq + 1;
        if (e == ERR_NOT_FOUND)
            break;
        if (e) {
            *ret_broken = e;
            break;
        }
        if (seq > upto) {
            w->next = 0;
            break;
        }
        TRY(follow_entry(w, seq, entry, f));
        if (w->at > seq) /* the file knew more than was thought */
            seq = w->at;
        if (progress && seq % FOLLOW_PROGRESS == 0)
            progress(ctx, seq, upto);
    }
    struct fault broken = *ret_broken && f ? *f : (struct fault){0};
    TRY(follow_write(w, f));
    if (*ret_broken && f)
        *f = broken;
    return ERR_OK;
}

enum err follow_run(struct follow *w, uint64_t upto, const _Atomic bool *stop,
                    void (*progress)(void *ctx, uint64_t seq, uint64_t of), void *ctx, struct fault *f)
{
    uint64_t first;
    enum err e = ERR_OK, broken = ERR_OK;
    TRY(audit_reader_first(w->reader, &first, f));
    if (!first)
        return ERR_OK;
    if (w->part && !follow_is_there(w)) {
        part_closep(&w->part);
        w->at = w->next = 0;
        TRY(follow_folder(w, f));
    }
    if (!w->part && !w->at)
        TRY(follow_begin(w, f));
    w->pruned = first - 1;
    if (w->at < w->pruned)
        w->at = w->pruned;
    for (unsigned turn = 0; turn < FOLLOW_TURNS; turn++) {
        e = follow_entries(w, upto, stop, progress, ctx, &broken, f);
        if (e)
            batch_clear(&w->batch);
        if (e != ERR_CORRUPT)
            break;
        follow_again(w, part_first_of(w->at + 1));
        if (w->at < w->pruned)
            w->at = w->pruned;
    }
    if (e) {
        w->next = 0;
        part_closep(&w->part);
    }
    return e ? e : broken;
}

enum err follow_prune(struct follow *w, struct fault *f)
{
    struct part_list l;
    uint64_t first;
    TRY(audit_reader_first(w->reader, &first, f));
    TRY(part_list(w->dir, &l, f));
    for (size_t i = 0; i < l.count && first; i++) {
        if (l.first[i] + PART_ENTRIES > first)
            break;
        if (w->part && w->part->first == l.first[i])
            part_closep(&w->part);
        part_remove(w->dir, l.first[i]);
    }
    part_list_done(&l);
    return ERR_OK;
}
