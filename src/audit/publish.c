#include "audit/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/inner.h"
#include "audit/prune.h"
#include "audit/tile.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

enum { PUBLISH_RETRY_MS = 200, PUBLISH_NOTE = 256 << 10, PUBLISH_LEAVES = 1 << 30 };

/* ---- tiles ---- */

struct publish_owed {
    struct publish_owed *next;
    unsigned level, width;
    uint64_t index;
    struct tlog_hash hash[TLOG_WIDTH];
};

/* A tile that cannot be written now waits in memory: the tree goes on, and no checkpoint is signed meanwhile. */
static enum err publish_owe(struct publish *p, unsigned level, uint64_t index, const struct tlog_hash *v,
                            unsigned width, struct fault *f)
{
    struct publish_owed *o = malloc(sizeof(*o));
    if (!o)
        return fault_set(f, ERR_NOMEM, "no memory for a tile of the record");
    *o = (struct publish_owed){.level = level, .width = width, .index = index};
    memcpy(o->hash, v, width * sizeof(*v));
    *p->owed_last = o;
    p->owed_last = &o->next;
    return ERR_OK;
}

static enum err publish_pay(struct publish *p, struct fault *f)
{
    while (p->owed) {
        struct publish_owed *o = p->owed;
        TRY(tile_write(p->dir, o->level, o->index, o->hash, o->width, f));
        p->unsynced++;
        p->owed = o->next;
        if (!p->owed)
            p->owed_last = &p->owed;
        p->pruned_at = clock_mono_ns(); /* the first time a minute from now */
        free(o);
    }
    return ERR_OK;
}

enum err publish_tile(void *ctx, unsigned level, uint64_t index, const struct tlog_hash *v, unsigned width,
                      struct fault *f)
{
    struct publish *p = ctx;
    struct fault own;
    if (width < TLOG_WIDTH)
        return tile_write(p->dir, level, index, v, width, f);
    if (p->owed || tile_write(p->dir, level, index, v, width, &own))
        return publish_owe(p, level, index, v, width, f);
    p->unsynced++;
    return ERR_OK;
}

/* ---- checkpoints ---- */

/* In the place of the file before. */
static enum err publish_file(struct publish *p, const char *name, struct str text, bool flush, struct fault *f)
{
    char path[4096], temporary[4096];
    snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    snprintf(temporary, sizeof(temporary), "%s/%s.new", p->dir, name);
    return file_put(path, temporary, text, flush) ? ERR_OK : fault_set(f, ERR_AUDIT, "%s: %s", path, strerror(errno));
}

/* A line in the file of the day. */
static enum err publish_keep(struct publish *p, struct str note, uint64_t size, struct fault *f)
{
    char path[4096], when[CLOCK_RFC3339];
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 2 * PUBLISH_NOTE);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_str(&o, "note", note);
    json_kv_i64(&o, "size", (int64_t)size);
    json_close(&o, '}');
    buf_char(&b, '\n');
    if (buf_failed(&b))
        return fault_set(f, ERR_NOMEM, "no memory for a checkpoint");
    clock_format(clock_wall_ms(), when);
    snprintf(path, sizeof(path), "%s/checkpoints", p->dir);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/checkpoints/%.10s", p->dir, when);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct stat st = {0};
    char last = '\n'; /* half a line of a machine that stopped is ended first */
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && (st.st_size == 0 || pread(fd, &last, 1, st.st_size - 1) == 1);
    ok = ok && (last == '\n' || ftruncate(fd, tile_line_end(fd, st.st_size)) == 0);
    ok = ok && write(fd, b.p, b.n) == (ssize_t)b.n && fdatasync(fd) == 0;
    int why = errno;
    if (!ok && fd >= 0 && ftruncate(fd, st.st_size) < 0)
        log_warn("audit_checkpoints_not_trimmed", LOG_Z("reason", strerror(errno)));
    if (fd >= 0)
        close(fd);
    return ok ? ERR_OK : fault_set(f, ERR_AUDIT, "%s: %s", path, strerror(why));
}

static enum err publish_sign(struct publish *p, struct buf *note, struct fault *f)
{
    struct checkpoint c = {.origin = str_of(p->keys.signer[0].public.name), .size = p->tree->size};
    tlog_tree_root(p->tree, &c.root);
    checkpoint_write(&c, note);
    struct str text = buf_view(note);
    struct buf lines CLEANUP(buf_done);
    buf_init(&lines, PUBLISH_NOTE);
    for (unsigned i = 0; i < p->keys.n; i++)
        TRY(note_sign(text, &p->keys.signer[i], 0, &lines, f));
    buf_char(note, '\n');
    buf_put(note, lines.p, lines.n);
    return buf_failed(note) || buf_failed(&lines) ? fault_set(f, ERR_NOMEM, "no memory for a checkpoint") : ERR_OK;
}

static enum err publish_checkpoint(struct publish *p, bool last, struct fault *f)
{
    struct buf note CLEANUP(buf_done);
    int64_t now = clock_mono_ns();
    bool flush = last || now - p->flushed_at >= PUBLISH_EVERY_MS * INT64_C(1000000);
    bool keep = last || !p->kept_at || now - p->kept_at >= PUBLISH_KEEP_MS * INT64_C(1000000);
    buf_init(&note, PUBLISH_NOTE);
    TRY(publish_pay(p, f));
    TRY(tlog_tree_partial(p->tree, f));
    TRY(publish_sign(p, &note, f));
    if (p->unsynced >= PUBLISH_SYNC_TILES || last) {
        if (syncfs(p->dir_fd) < 0)
            return fault_set(f, ERR_AUDIT, "the record's tiles cannot be flushed: %s", strerror(errno));
        p->unsynced = 0;
    }
    TRY(publish_file(p, "checkpoint", buf_view(&note), flush, f));
    if (keep && p->kept_size != p->tree->size)
        TRY(publish_keep(p, buf_view(&note), p->tree->size, f));
    if (keep) {
        p->kept_at = now;
        p->kept_size = p->tree->size;
    }
    if (flush)
        p->flushed_at = now;
    pthread_mutex_lock(&p->lock);
    struct buf before = p->note;
    p->note = note;
    note = before;
    p->size = p->tree->size;
    pthread_mutex_unlock(&p->lock);
    return ERR_OK;
}

/* ---- keys ---- */

static void publish_note_key(struct audit *a, enum audit_event event, const char *what)
{
    struct audit_entry e;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4096);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_z(&o, "key", what);
    json_close(&o, '}');
    audit_entry_init(&e, event, AUDIT_SYSTEM);
    e.details = buf_view(&b);
    e.result = AUDIT_SUCCESS;
    audit_note(a, &e);
}

static void publish_note_keys(struct audit *a, const struct audit_keys *k, const struct audit_keys *before)
{
    for (unsigned i = 0; i < k->n; i++) {
        bool known = false;
        for (unsigned b = 0; b < before->n; b++)
            known = known || before->signer[b].public.hash == k->signer[i].public.hash;
        struct buf text CLEANUP(buf_done);
        buf_init(&text, NOTE_KEY + 1);
        note_verifier_write(&k->signer[i].public, &text);
        buf_char(&text, 0);
        if (!known && (before->n || k->made) && !buf_failed(&text))
            publish_note_key(a, AUDIT_RECORD_KEY_ADDED, text.p);
    }
    for (size_t i = 0; i < sizeof(k->retired) / sizeof(k->retired[0]) && k->retired[i][0]; i++)
        publish_note_key(a, AUDIT_RECORD_KEY_RETIRED, k->retired[i]);
}

/* New keys sign from now on. When they cannot be read, the old ones go on. */
static void publish_read_keys(struct audit *a)
{
    struct publish *p = &a->publish;
    struct audit_keys k, before = p->keys;
    struct fault f;
    char dir[4096];
    pthread_mutex_lock(&a->lock);
    snprintf(dir, sizeof(dir), STR_FMT, STR_ARG(a->settings.keys));
    int64_t overlap = a->settings.key_overlap;
    pthread_mutex_unlock(&a->lock);
    if (audit_keys_open(dir, STR_NONE, false, overlap, &k, &f)) {
        log_error("audit_keys_not_read", LOG_Z("reason", f.text));
        return;
    }
    if (strcmp(k.signer[0].public.name, before.signer[0].public.name) != 0) {
        log_error("audit_keys_not_read", LOG_Z("reason", "they are keys of another record"));
        audit_keys_done(&k);
        return;
    }
    p->keys = k;
    publish_note_keys(a, &k, &before);
    audit_keys_done(&before);
}

/* ---- the thread ---- */

bool publish_hand(struct publish *p, const struct buf *leaves)
{
    pthread_mutex_lock(&p->lock);
    bool had = p->leaves.n, ok = buf_room(&p->leaves, leaves->n);
    if (ok)
        buf_put(&p->leaves, leaves->p, leaves->n);
    else
        p->leaves.failed = p->leaves.poor = false; /* what is in there counts on */
    /* It wakes by itself a second after the first; sooner for many. */
    if (ok && (!had || p->leaves.n >= PUBLISH_ENTRIES * sizeof(struct tlog_hash)))
        pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
    return ok;
}

void publish_reload(struct publish *p)
{
    pthread_mutex_lock(&p->lock);
    p->reload = true;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

static void publish_wait(struct publish *p, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    pthread_cond_timedwait(&p->work, &p->lock, &until);
}

/* Waits until there is something to publish. False: the end; what was handed over is taken all the same. */
static bool publish_take(struct publish *p, bool *ret_reload)
{
    pthread_mutex_lock(&p->lock);
    for (;;) {
        int64_t now = clock_mono_ns();
        int64_t due = p->failing_since ? now + PUBLISH_RETRY_MS * INT64_C(1000000)
                                       : p->published_at + PUBLISH_EVERY_MS * INT64_C(1000000);
        bool some = p->leaves.n || p->tree->size != p->size;
        bool many = p->leaves.n >= PUBLISH_ENTRIES * sizeof(struct tlog_hash) && !p->failing_since;
        if (p->stopping || p->reload || many)
            break;
        int64_t prune = p->pruned_at + PRUNE_EVERY_MS * INT64_C(1000000);
        if ((some && now >= due) || now >= prune)
            break;
        publish_wait(p, some && due < prune ? due : prune);
        if (p->failing_since)
            break;
    }
    *ret_reload = p->reload;
    p->reload = false;
    struct buf taken = p->leaves;
    p->leaves = p->taken;
    p->taken = taken;
    buf_clear(&p->leaves);
    bool go = !p->stopping;
    pthread_mutex_unlock(&p->lock);
    return go;
}

static void publish_grow(struct publish *p)
{
    struct fault f;
    const struct tlog_hash *leaf = (const void *)p->taken.p;
    for (size_t n = p->taken.n / sizeof(*leaf); n; n--, leaf++)
        while (tlog_tree_add(p->tree, leaf, &f)) { /* memory for a tile: there is nothing to go on with without it */
            const struct timespec pause = {.tv_nsec = 100000000};
            nanosleep(&pause, NULL);
        }
    buf_clear(&p->taken);
}

static void publish_failed(struct publish *p, const struct fault *f)
{
    int64_t now = clock_mono_ns();
    if (!p->failing_since) {
        p->failing_since = now;
        log_error("audit_checkpoint_failed", LOG_Z("reason", f->text));
    }
    pthread_mutex_lock(&p->lock);
    p->why = *f;
    pthread_mutex_unlock(&p->lock);
    if (now - p->failing_since > atomic_load(&p->patience_ms) * INT64_C(1000000))
        atomic_store(&p->late, true);
}

static void publish_round(struct publish *p, bool last)
{
    struct fault f;
    publish_grow(p);
    if (p->tree->size == p->size && !(last && p->kept_size != p->size))
        return;
    p->published_at = clock_mono_ns();
    if (publish_checkpoint(p, last, &f)) {
        publish_failed(p, &f);
        return;
    }
    if (p->failing_since)
        log_info("audit_checkpoint_recovered", LOG_I("size", p->size));
    p->failing_since = 0;
    atomic_store(&p->late, false);
}

static void *publish_thread(void *arg)
{
    struct audit *a = arg;
    struct publish *p = &a->publish;
    bool reload, go;
    pthread_setname_np(pthread_self(), "record-tree");
    publish_note_keys(a, &p->keys, &(const struct audit_keys){0});
    do {
        go = publish_take(p, &reload);
        if (reload)
            publish_read_keys(a);
        publish_round(p, !go);
        if (go && clock_mono_ns() - p->pruned_at > PRUNE_EVERY_MS * INT64_C(1000000)) {
            prune_now(a, p->size);
            p->pruned_at = clock_mono_ns();
        }
    } while (go);
    return NULL;
}

/* ---- its life ---- */

enum err publish_open(struct publish *p, const char *dir, int dir_fd, const struct conf_audit *conf, bool make,
                      struct fault *f)
{
    p->dir = dir;
    p->dir_fd = dir_fd;
    p->owed_last = &p->owed;
    atomic_store(&p->patience_ms, PUBLISH_LATE_MS);
    pthread_mutex_init(&p->lock, NULL);
    clock_cond_init(&p->work);
    buf_init(&p->leaves, PUBLISH_LEAVES);
    buf_init(&p->taken, PUBLISH_LEAVES);
    buf_init(&p->note, PUBLISH_NOTE);
    buf_init(&p->cosigned, PUBLISH_NOTE);
    p->tree = malloc(sizeof(*p->tree));
    if (!p->tree)
        return fault_set(f, ERR_NOMEM, "no memory for the record's tree");
    tlog_tree_init(p->tree);
    p->tree->tile = publish_tile;
    p->tree->ctx = p;
    return audit_keys_open(conf->keys.p, conf->origin, make, conf->key_overlap, &p->keys, f);
}

enum err publish_start(struct audit *a, struct fault *f)
{
    if (pthread_create(&a->publish.thread, NULL, publish_thread, a))
        return fault_set(f, ERR_IO, "no thread for the record's checkpoints");
    a->publish.running = true;
    return ERR_OK;
}

void publish_stop(struct publish *p)
{
    if (!p->running)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    p->running = false;
}

void publish_done(struct publish *p)
{
    for (struct publish_owed *o = p->owed, *next; o; o = next) {
        next = o->next;
        free(o);
    }
    buf_done(&p->leaves);
    buf_done(&p->taken);
    buf_done(&p->note);
    buf_done(&p->cosigned);
    audit_keys_done(&p->keys);
    free(p->tree);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
}

/* ---- for others ---- */

enum err audit_checkpoint(struct audit *a, struct buf *out, uint64_t *ret_size)
{
    struct publish *p = &a->publish;
    pthread_mutex_lock(&p->lock);
    enum err e = p->note.n ? ERR_OK : ERR_NOT_FOUND;
    if (!e) {
        buf_put(out, p->note.p, p->note.n);
        *ret_size = p->size;
    }
    pthread_mutex_unlock(&p->lock);
    return e ? e : buf_error(out);
}

uint64_t audit_published(struct audit *a)
{
    pthread_mutex_lock(&a->publish.lock);
    uint64_t size = a->publish.size;
    pthread_mutex_unlock(&a->publish.lock);
    return size;
}

enum err audit_cosign(struct audit *a, struct str note, struct str lines, struct fault *f)
{
    struct publish *p = &a->publish;
    struct note *n = malloc(sizeof(*n));
    struct checkpoint c;
    enum err e = n ? log_checkpoint_check(note, NULL, n, &c, f) : fault_set(f, ERR_NOMEM, "no memory for a note");
    free(n);
    TRY(e);
    pthread_mutex_lock(&p->lock);
    if (c.size > p->cosigned_size) {
        buf_clear(&p->cosigned);
        buf_str(&p->cosigned, note);
        p->cosigned_size = c.size;
    }
    if (c.size == p->cosigned_size) {
        buf_str(&p->cosigned, lines);
        e = buf_failed(&p->cosigned) ? fault_set(f, ERR_NOMEM, "no memory for a cosignature") : ERR_OK;
        if (!e)
            e = publish_file(p, "cosigned", buf_view(&p->cosigned), true, f);
        int64_t now = clock_mono_ns();
        bool keep = !p->cosigned_at || now - p->cosigned_at >= PUBLISH_KEEP_MS * INT64_C(1000000);
        if (!e && keep)
            e = publish_keep(p, buf_view(&p->cosigned), c.size, f);
        if (!e && keep)
            p->cosigned_at = now;
    }
    pthread_mutex_unlock(&p->lock);
    return e;
}
