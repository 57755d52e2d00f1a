/* The store of sealed values while it is open: batches, and what any thread may ask of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "audit/seal_inner.h"

enum { STORE_KEPT = 8 << 20 };

/* ---- the batch ---- */

enum err seal_flush(struct seals *s, uint64_t segment, struct fault *f)
{
    if (!s)
        return ERR_OK;
    pthread_mutex_lock(&s->lock);
    enum err e = seal_cache_flush(&s->cache, &s->root, f);
    s->cache.failed = false;
    pthread_mutex_unlock(&s->lock);
    TRY(e);
    if (!s->queue.n)
        return ERR_OK;
    TRY(seal_box_write(&s->box, segment, &s->queue, f));
    size_t max = s->queue.max;
    if (s->queue.cap > STORE_KEPT) {
        buf_done(&s->queue);
        buf_init(&s->queue, max);
    }
    buf_clear(&s->queue);
    return ERR_OK;
}

void seal_drop(struct seals *s, uint64_t seq)
{
    if (s)
        s->queue.n = seal_frames_before(&s->queue, seq);
}

/* ---- opening ---- */

enum err seals_open(const char *dir, const struct secret *key, struct seals **ret, struct fault *f)
{
    char folder[SEAL_PATH];
    unsigned char *bytes;
    struct seals *s = calloc(1, sizeof(*s));
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for what is sealed");
    s->box.fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    buf_init(&s->queue, (size_t)1 << 30);
    buf_init(&s->list, STORE_KEPT);
    buf_init(&s->path, STORE_KEPT);
    enum err e = seal_root_open(dir, key, true, &s->root, f);
    snprintf(s->box.dir, sizeof(s->box.dir), "%s", dir);
    snprintf(folder, sizeof(folder), "%s/sealed", dir);
    if (!e && mkdir(folder, 0700) < 0 && errno != EEXIST)
        e = fault_set(f, ERR_IO, "%s: %s", folder, strerror(errno));
    s->cache.bytes = e ? NULL : secret_alloc(SEAL_CACHE * sizeof(struct seal_keys), &bytes);
    if (!e && !s->cache.bytes)
        e = fault_set(f, ERR_NOMEM, "no memory for the keys of what is sealed");
    if (e) {
        seals_close(s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

void seals_close(struct seals *s)
{
    if (!s)
        return;
    seal_box_close(&s->box);
    secret_free(s->cache.bytes);
    seal_root_done(&s->root);
    buf_done(&s->queue);
    buf_done(&s->list);
    buf_done(&s->path);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- forgetting ---- */

enum err seals_forget(struct seals *s, struct str subject, struct fault *f)
{
    pthread_mutex_lock(&s->lock);
    seal_cache_drop(&s->cache, &s->root, subject); /* first: whatever the disk says, it is not used any more */
    enum err e = seal_subject_destroy(&s->root, subject, f);
    pthread_mutex_unlock(&s->lock);
    return e;
}

enum err seal_forget(const char *dir, const struct secret *key, struct str subject, struct fault *f)
{
    struct seal_root r;
    TRY(seal_root_open(dir, key, false, &r, f));
    enum err e = seal_subject_destroy(&r, subject, f);
    seal_root_done(&r);
    return e;
}
