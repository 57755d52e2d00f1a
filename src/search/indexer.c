/* The thread that keeps the index behind the record, and the same by hand. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "search/follow.h"

enum {
    INDEXER_MEMORY = 8 << 20, /* of a batch */
    INDEXER_BUILD_MEMORY = 64 << 20,
    /* Pages are written for many entries, not for each: when there are so many, or after some time. Few cost the same
     * now as later. */
    INDEXER_ENTRIES = 4096,
    INDEXER_AFTER_MS = 5000,
    INDEXER_FEW = 128,
    INDEXER_FEW_MS = 1000,
    INDEXER_LOOK_MS = 250,
    INDEXER_IDLE_MS = 1000,
    INDEXER_PRUNE_MS = 60000,
    INDEXER_PAUSE_MS = 30000, /* after a failure */
    INDEXER_NICE = 19
};

struct indexer {
    struct audit *audit;
    struct follow *follow;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    _Atomic bool stop;
    _Atomic uint64_t again; /* a file that was found damaged; 0: none */
    bool failing;
};

static int64_t indexer_ms(void)
{
    return clock_mono_ns() / 1000000;
}

static void indexer_sleep(struct indexer *i, int ms)
{
    int64_t until = clock_mono_ns() + ms * INT64_C(1000000);
    struct timespec ts = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    pthread_mutex_lock(&i->lock);
    while (!atomic_load(&i->stop) && pthread_cond_timedwait(&i->wake, &i->lock, &ts) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&i->lock);
}

/* Said once, until it goes again. The record does not depend on it. */
static void indexer_told(struct indexer *i, enum err e, const struct fault *f)
{
    if (e && !i->failing)
        log_warn("audit_index_behind", LOG_Z("code", err_code(e)), LOG_Z("reason", f->text));
    else if (!e && i->failing)
        log_info("audit_index_goes_on", LOG_I("at", i->follow->at));
    i->failing = e != ERR_OK;
}

static bool indexer_is_due(uint64_t behind, int64_t since_ms)
{
    return behind >= INDEXER_ENTRIES ||
           (behind && since_ms >= (behind <= INDEXER_FEW ? INDEXER_FEW_MS : INDEXER_AFTER_MS));
}

static void *indexer_run(void *arg)
{
    struct indexer *i = arg;
    struct fault f = {0};
    pthread_setname_np(pthread_self(), "record-index");
    setpriority(PRIO_PROCESS, (id_t)gettid(), INDEXER_NICE); /* calls come first */
    int64_t written = INT64_MIN / 2, pruned = indexer_ms();
    while (!atomic_load(&i->stop)) {
        uint64_t again = atomic_exchange(&i->again, 0), upto = audit_committed(i->audit);
        int64_t now = indexer_ms();
        if (again)
            follow_again(i->follow, again);
        uint64_t behind = upto > i->follow->at ? upto - i->follow->at : 0;
        if (again || indexer_is_due(behind, now - written)) {
            indexer_told(i, follow_run(i->follow, upto, &i->stop, NULL, NULL, &f), &f);
            written = indexer_ms();
        }
        if (now - pruned >= INDEXER_PRUNE_MS) {
            indexer_told(i, follow_prune(i->follow, &f), &f);
            pruned = now;
        }
        indexer_sleep(i, i->failing ? INDEXER_PAUSE_MS : behind ? INDEXER_LOOK_MS : INDEXER_IDLE_MS);
    }
    return NULL;
}

enum err indexer_start(struct audit *a, const char *audit_dir, struct indexer **ret, struct fault *f)
{
    struct indexer *i = calloc(1, sizeof(*i));
    if (!i)
        return fault_set(f, ERR_NOMEM, "no memory for the index");
    i->audit = a;
    enum err e = follow_open(audit_dir, INDEXER_MEMORY, false, &i->follow, f);
    if (e) {
        free(i);
        return e;
    }
    pthread_mutex_init(&i->lock, NULL);
    clock_cond_init(&i->wake);
    if (pthread_create(&i->thread, NULL, indexer_run, i) != 0) {
        follow_close(i->follow);
        free(i);
        return fault_set(f, ERR_NOMEM, "no thread for the index");
    }
    *ret = i;
    return ERR_OK;
}

void indexer_stop(struct indexer *i)
{
    if (!i)
        return;
    pthread_mutex_lock(&i->lock);
    atomic_store(&i->stop, true);
    pthread_cond_signal(&i->wake);
    pthread_mutex_unlock(&i->lock);
    pthread_join(i->thread, NULL);
    follow_close(i->follow);
    pthread_cond_destroy(&i->wake);
    pthread_mutex_destroy(&i->lock);
    free(i);
}

uint64_t indexer_at(struct indexer *i)
{
    return i ? atomic_load(&i->follow->at) : 0;
}

void indexer_damaged(struct indexer *i, uint64_t first)
{
    if (i && first)
        atomic_store(&i->again, first);
}

enum err index_build(const char *audit_dir, void (*progress)(void *ctx, uint64_t seq, uint64_t of), void *ctx,
                     struct fault *f)
{
    struct follow *w;
    TRY(follow_open(audit_dir, INDEXER_BUILD_MEMORY, true, &w, f));
    uint64_t last = audit_reader_last(w->reader);
    enum err e = last ? follow_run(w, last, NULL, progress, ctx, f) : ERR_OK;
    if (!e)
        e = follow_prune(w, f);
    if (!e && progress && last)
        progress(ctx, last, last);
    follow_close(w);
    return e;
}
