/*
 * Retention: whole segments go, the oldest first, when their time is over or when all are too large together. The
 * hashes of the tree stay, and so do its checkpoints. First an entry says which entries go; only when it is on the disk
 * do they.
 */
#include "audit/prune.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/inner.h"
#include "audit/seal.h"
#include "base/clock.h"
#include "base/log.h"

enum { PRUNE_LARGE_MS = 86400000 }; /* clocks may have been set back */

struct prune {
    struct audit *a;
    struct segment_list list;
    size_t count;     /* segments that go: the first ones of the list */
    int64_t since_ms; /* when the first entry that stays was written */
};

static void prune_size(const char *dir, uint64_t first, uint64_t *sum)
{
    char path[4096];
    struct stat st;
    segment_path(dir, first, path);
    *sum += stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void prune_choose(struct prune *p, const struct conf_retention *r, uint64_t published, uint64_t taken)
{
    const char *dir = p->a->dir;
    int64_t now = clock_wall_ms(), when;
    uint64_t all = 0, gone = 0;
    for (size_t i = 0; i < p->list.count; i++)
        prune_size(dir, p->list.first[i], &all);
    for (size_t i = 0; i + 1 < p->list.count; i++) { /* the last one is being written */
        uint64_t next = p->list.first[i + 1];
        /* Only what is published, and what everybody who follows has passed. */
        if (next - 1 > published || next - 1 > taken || segment_time(dir, next, &when, NULL))
            return;
        bool old = r->age && when < now - r->age, large = r->bytes && all - gone > (uint64_t)r->bytes;
        if (!old && !large)
            return;
        prune_size(dir, p->list.first[i], &gone);
        p->count = i + 1;
        p->since_ms = when;
    }
}

static void prune_told(struct audit_done *d)
{
    struct audit *a = (struct audit *)((char *)d - offsetof(struct audit, prune_done));
    sem_post(&a->prune_told);
}

/* When the record closes before it was told, nobody waits any more. */
static bool prune_wait(struct audit *a)
{
    for (;;) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        if (sem_timedwait(&a->prune_told, &until) == 0)
            return true;
        pthread_mutex_lock(&a->watch_lock);
        bool closed = a->closed;
        pthread_mutex_unlock(&a->watch_lock);
        if (closed)
            return false;
    }
}

/* On the disk when it returns. */
static enum err prune_say(struct audit *a, uint64_t first, uint64_t last, struct fault *f)
{
    char text[96];
    struct audit_entry e;
    int n = snprintf(text, sizeof(text), "{\"first\":%llu,\"last\":%llu}", (unsigned long long)first,
                     (unsigned long long)last);
    audit_entry_init(&e, AUDIT_RECORD_PRUNED, AUDIT_SYSTEM);
    e.details = (struct str){text, (size_t)n};
    e.result = AUDIT_SUCCESS;
    a->prune_done = (struct audit_done){.done = prune_told};
    TRY(audit_append(a, &e, &a->prune_done, f));
    if (!prune_wait(a))
        return fault_set(f, ERR_CANCELLED, "the record closes");
    return a->prune_done.err ? fault_set(f, ERR_AUDIT, "it could not be put on record") : ERR_OK;
}

/* Long members that no entry that stays can speak of: a file's time is that of its newest entry. */
static void prune_large(const struct prune *p)
{
    char top[4096], folder[4096 + 260], path[4096 + 520];
    struct stat st;
    snprintf(top, sizeof(top), "%s/large", p->a->dir);
    DIR *d = opendir(top);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(folder, sizeof(folder), "%s/%s", top, e->d_name);
        DIR *files = opendir(folder);
        for (struct dirent *file; files && (file = readdir(files));) {
            snprintf(path, sizeof(path), "%s/%s", folder, file->d_name);
            if (file->d_name[0] != '.' && stat(path, &st) == 0 &&
                (int64_t)st.st_mtim.tv_sec * 1000 < p->since_ms - PRUNE_LARGE_MS)
                unlink(path);
        }
        if (files)
            closedir(files);
    }
    if (d)
        closedir(d);
}

static enum err prune_go(struct prune *p, struct fault *f)
{
    struct audit *a = p->a;
    char path[4096];
    uint64_t first = p->list.first[0], last = p->list.first[p->count] - 1;
    TRY(prune_say(a, first, last, f));
    for (size_t i = 0; i < p->count; i++) { /* the oldest first: what is left has no hole, whenever this ends */
        TRY(seal_prune(a->dir, p->list.first[i], f)); /* before: without its segment nobody would look for it */
        segment_path(a->dir, p->list.first[i], path);
        if (unlink(path) < 0 && errno != ENOENT)
            return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    }
    prune_large(p);
    log_info("audit_pruned", LOG_I("first", first), LOG_I("last", last), LOG_I("segments", p->count));
    return ERR_OK;
}

void prune_now(struct audit *a, uint64_t published)
{
    struct prune p = {.a = a};
    struct fault f;
    pthread_mutex_lock(&a->lock);
    struct conf_retention r = a->settings.retention;
    pthread_mutex_unlock(&a->lock);
    if ((!r.age && !r.bytes) || segment_list(a->dir, &p.list, &f))
        return;
    pthread_mutex_lock(&a->watch_lock);
    uint64_t taken = a->hold ? a->hold(a->hold_ctx) : UINT64_MAX;
    pthread_mutex_unlock(&a->watch_lock);
    prune_choose(&p, &r, published, taken);
    if (p.count && prune_go(&p, &f))
        log_error("audit_not_pruned", LOG_Z("reason", f.text));
    segment_list_done(&p.list);
}
