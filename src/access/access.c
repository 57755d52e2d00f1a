#include "access/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    ACCESS_WAITS = 4 << 20,   /* of lines, before they are lost */
    ACCESS_HURRY = 256 << 10, /* written at once when there is as much */
    ACCESS_GATHER_MS = 100,   /* otherwise after this time */
    ACCESS_LINE = 4096,       /* all that a line can be, and what a pipe takes in one piece */
    ACCESS_TOLD_MS = 10000
};

struct access {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t thread;
    struct buf lines; /* waiting */
    uint64_t overrun; /* lines for which there was no room, not told yet */
    bool stopping, reopen;
    _Atomic bool on;
    char target[PATH_MAX];
    /* the thread's */
    int fd;
    char current[PATH_MAX]; /* what fd is of */
    struct buf out;
    bool failing;
    uint64_t lost; /* since it was told */
    int64_t told_ns;
};

/* ---- the thread ---- */

static bool access_is_file(const char *target)
{
    return strcmp(target, "off") != 0 && strcmp(target, "stderr") != 0;
}

static int access_fd(const char *target)
{
    if (strcmp(target, "stderr") == 0)
        return STDERR_FILENO;
    return access_is_file(target) ? open(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

static void access_shut(struct access *a)
{
    if (a->fd > STDERR_FILENO)
        close(a->fd);
    a->fd = -1;
}

static void access_tell(struct access *a, uint64_t lines, const char *why)
{
    int64_t now = clock_mono_ns();
    a->lost += lines;
    if (a->failing && now - a->told_ns < ACCESS_TOLD_MS * INT64_C(1000000))
        return;
    a->failing = true;
    a->told_ns = now;
    log_error("access_log_unavailable", LOG_Z("reason", why), LOG_I("lost", a->lost));
}

static void access_lost(struct access *a, uint64_t lines, const char *why)
{
    meter_add(METER_LOST_ACCESS, (int64_t)lines);
    access_tell(a, lines, why);
}

static void access_works(struct access *a)
{
    if (a->failing)
        log_info("access_log_recovered", LOG_I("lost", a->lost));
    a->failing = false;
    a->lost = 0;
}

/* Whole lines, as many as fit into one piece of a pipe: other lines go to standard error, too. */
static struct str access_piece(struct str rest, bool file)
{
    if (file || rest.n <= ACCESS_LINE)
        return rest;
    const char *end = memrchr(rest.p, '\n', ACCESS_LINE);
    return end ? (struct str){rest.p, (size_t)(end + 1 - rest.p)} : rest;
}

/* How much is written. A line that was cut by a full disk is taken back. */
static size_t access_write(struct access *a, struct str piece, bool file)
{
    struct stat before;
    bool known = file && fstat(a->fd, &before) == 0 && S_ISREG(before.st_mode);
    size_t done = 0;
    while (done < piece.n) {
        ssize_t n = write(a->fd, piece.p + done, piece.n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (done < piece.n && known) {
        int why = errno;
        const char *end = done ? memrchr(piece.p, '\n', done) : NULL;
        size_t whole = end ? (size_t)(end + 1 - piece.p) : 0;
        if (ftruncate(a->fd, before.st_size + (off_t)whole) == 0)
            done = whole;
        errno = why;
    }
    return done;
}

static uint64_t access_count(struct str lines)
{
    uint64_t n = 0;
    for (const char *at = lines.p, *end = lines.p + lines.n; lines.n && (at = memchr(at, '\n', (size_t)(end - at)));
         at++)
        n++;
    return n;
}

static void access_put(struct access *a, bool file)
{
    struct str rest = buf_view(&a->out);
    while (rest.n) {
        struct str piece = access_piece(rest, file);
        size_t done = access_write(a, piece, file);
        rest = str_skip(rest, done);
        if (done < piece.n) {
            access_lost(a, access_count(rest), strerror(errno));
            return;
        }
    }
    access_works(a);
}

/* Waits for lines and gathers some more. False: the end. */
static bool access_take(struct access *a, char target[PATH_MAX], bool *ret_reopen, uint64_t *ret_overrun)
{
    pthread_mutex_lock(&a->lock);
    while (!a->lines.n && !a->stopping && !a->reopen)
        pthread_cond_wait(&a->work, &a->lock);
    int64_t until_ns = clock_mono_ns() + ACCESS_GATHER_MS * INT64_C(1000000);
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    while (!a->stopping && !a->reopen && a->lines.n < ACCESS_HURRY)
        if (pthread_cond_timedwait(&a->work, &a->lock, &until) == ETIMEDOUT)
            break;
    struct buf lines = a->lines;
    a->lines = a->out;
    a->out = lines;
    *ret_overrun = a->overrun;
    a->overrun = 0;
    *ret_reopen = a->reopen;
    a->reopen = false;
    memcpy(target, a->target, PATH_MAX);
    bool go = !a->stopping || a->out.n;
    pthread_mutex_unlock(&a->lock);
    return go;
}

static void *access_thread(void *arg)
{
    struct access *a = arg;
    char target[PATH_MAX];
    bool reopen;
    uint64_t overrun;
    pthread_setname_np(pthread_self(), "access-log");
    while (access_take(a, target, &reopen, &overrun)) {
        if (a->out.n && a->fd < 0 && access_is_file(a->current))
            a->fd = access_fd(a->current); /* it could not be opened before */
        if (a->out.n && a->fd >= 0)
            access_put(a, access_is_file(a->current));
        else if (a->out.n && access_is_file(a->current))
            access_lost(a, access_count(buf_view(&a->out)), strerror(errno));
        buf_clear(&a->out);
        if (overrun)
            access_tell(a, overrun, "lines came faster than they could be written");
        if (reopen) { /* what came before belongs to the file before */
            access_shut(a);
            memcpy(a->current, target, sizeof(a->current));
            a->fd = access_fd(a->current);
            if (a->fd < 0 && access_is_file(a->current))
                access_lost(a, 0, strerror(errno));
        }
    }
    return NULL;
}

/* ---- opening and closing ---- */

static void access_aim(struct access *a, struct str target)
{
    snprintf(a->target, sizeof(a->target), STR_FMT, STR_ARG(target));
    atomic_store(&a->on, !str_is(target, "off"));
}

enum err access_open(struct str target, struct access **ret, struct fault *f)
{
    struct access *a = calloc(1, sizeof(*a));
    if (!a)
        return fault_set(f, ERR_NOMEM, "no memory for the access log");
    access_aim(a, target);
    memcpy(a->current, a->target, sizeof(a->current));
    a->fd = access_fd(a->target);
    if (a->fd < 0 && access_is_file(a->target)) {
        fault_set(f, ERR_IO, "the access log %s: %s", a->target, strerror(errno));
        free(a);
        return ERR_IO;
    }
    buf_init(&a->lines, ACCESS_WAITS);
    buf_init(&a->out, ACCESS_WAITS);
    clock_cond_init(&a->work);
    pthread_mutex_init(&a->lock, NULL);
    sigset_t all, before;
    sigfillset(&all); /* signals are for the first thread */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int e = pthread_create(&a->thread, NULL, access_thread, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e) {
        access_shut(a);
        free(a);
        return fault_set(f, ERR_IO, "thread of the access log: %s", strerror(e));
    }
    *ret = a;
    return ERR_OK;
}

void access_reopen(struct access *a, struct str target)
{
    pthread_mutex_lock(&a->lock);
    access_aim(a, target);
    a->reopen = true;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
}

void access_close(struct access *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stopping = true;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    access_shut(a);
    buf_done(&a->lines);
    buf_done(&a->out);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->work);
    free(a);
}

/* ---- handing in ---- */

bool access_on(const struct access *a)
{
    return atomic_load_explicit(&a->on, memory_order_relaxed);
}

void access_note(struct access *a, const struct exchange *x, const struct sockaddr_storage *client)
{
    static _Thread_local char room[ACCESS_LINE];
    struct buf line = {.p = room, .cap = sizeof(room), .max = sizeof(room)};
    access_line(&line, x, client);
    pthread_mutex_lock(&a->lock);
    bool first = !a->lines.n, fits = !buf_failed(&line) && a->lines.n + line.n <= ACCESS_WAITS;
    if (fits)
        buf_put(&a->lines, line.p, line.n);
    fits = fits && !buf_failed(&a->lines);
    if (buf_failed(&a->lines)) /* no memory: what is there stays */
        a->lines.failed = false;
    a->overrun += !fits;
    if (fits && (first || a->lines.n >= ACCESS_HURRY))
        pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
    if (!fits)
        meter_add(METER_LOST_ACCESS, 1);
}
