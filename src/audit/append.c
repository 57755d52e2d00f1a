/* Handing entries to the writer, from any thread. */
#include <stdio.h>
#include <stdlib.h>

#include "audit/inner.h"
#include "audit/mask.h"
#include "base/clock.h"
#include "meter/meter.h"

/* What has happened already may wait in more memory than what can still be refused. */
enum { APPEND_NOTES = 4 };

void audit_conf(struct audit *a, struct conf *conf)
{
    pthread_mutex_lock(&a->lock);
    struct conf *old = a->conf;
    a->conf = conf_ref(conf);
    a->settings = conf->root.audit;
    atomic_store(&a->seals, a->settings.seal.n > 0);
    pthread_mutex_unlock(&a->lock);
    conf_unref(old);
    publish_reload(&a->publish);
}

void audit_policies(struct audit *a, const char *version)
{
    pthread_mutex_lock(&a->lock);
    snprintf(a->policies, sizeof(a->policies), "%s", version);
    pthread_mutex_unlock(&a->lock);
}

bool audit_healthy(struct audit *a, struct fault *f)
{
    pthread_mutex_lock(&a->lock);
    bool ok = !a->failing, late = ok && atomic_load(&a->publish.late);
    if (!ok && f)
        *f = a->failure;
    pthread_mutex_unlock(&a->lock);
    if (late && f) {
        pthread_mutex_lock(&a->publish.lock);
        *f = a->publish.why;
        pthread_mutex_unlock(&a->publish.lock);
    }
    return ok && !late;
}

size_t audit_queued(struct audit *a)
{
    pthread_mutex_lock(&a->lock);
    size_t n = a->queued;
    pthread_mutex_unlock(&a->lock);
    return n;
}

uint64_t audit_seq(struct audit *a)
{
    return atomic_load(&a->seq);
}

static void append_told(void *a)
{
    pthread_cond_signal(&((struct audit *)a)->work);
}

/* The writer is woken once for all entries of a worker's turn: they are written and flushed together. */
static void append_tell(struct audit *a)
{
    struct worker *w = worker_current();
    if (w)
        worker_before_wait(w, append_told, a);
    else
        append_told(a);
}

enum err audit_append(struct audit *a, const struct audit_entry *e, struct audit_done *done, struct fault *f)
{
    struct audit_record *r = audit_record_new(e);
    if (!r)
        return fault_set(f, ERR_AUDIT, "no memory for an entry of the record, or it is larger than 64 MiB");
    r->done = done;
    if (done)
        done->asked_ns = clock_mono_ns();
    pthread_mutex_lock(&a->lock);
    enum err err = ERR_OK;
    if (a->failing || a->stopping) {
        err = fault_set(f, ERR_AUDIT, "the record cannot be written, so that nothing is let through: %s",
                        a->failing ? a->failure.text : "Doorward is stopping");
        a->refused++;
        meter_add(METER_AUDIT_REFUSED, 1);
    } else if (atomic_load(&a->publish.late)) {
        err = fault_set(f, ERR_AUDIT,
                        "no checkpoint of the record could be written for a minute, so that nothing is let "
                        "through");
        a->refused++;
        meter_add(METER_AUDIT_REFUSED, 1);
    } else if (a->queued && a->queued + r->n > (size_t)a->settings.queue) { /* one alone may be larger */
        err = fault_set(f, ERR_AUDIT, "too many entries wait for the disk (audit.queue)");
        a->refused++;
        meter_add(METER_AUDIT_REFUSED, 1);
    } else {
        *a->last = r;
        a->last = &r->next;
        a->queued += r->n;
        a->waiting++;
        append_tell(a);
    }
    pthread_mutex_unlock(&a->lock);
    if (err)
        free(r);
    return err;
}

/* What was let through must get its outcome on record when memory is short, too. */
bool audit_use_reserve(struct audit *a)
{
    pthread_mutex_lock(&a->lock);
    bool ret = a->reserve;
    free(a->reserve);
    a->reserve = NULL;
    pthread_mutex_unlock(&a->lock);
    return ret;
}

void audit_note(struct audit *a, const struct audit_entry *e)
{
    struct audit_record *r = audit_record_new(e);
    if (!r && audit_use_reserve(a))
        r = audit_record_new(e);
    pthread_mutex_lock(&a->lock);
    if (r && a->queued + r->n <= APPEND_NOTES * (size_t)a->settings.queue) {
        *a->last = r;
        a->last = &r->next;
        a->queued += r->n;
        append_tell(a);
        r = NULL;
    } else {
        a->dropped++;
        meter_add(METER_AUDIT_DROPPED, 1);
    }
    pthread_mutex_unlock(&a->lock);
    if (r)
        free(r);
}

struct str audit_mask(struct audit *a, const struct json *doc, uint32_t node, struct str canonical, struct arena *arena,
                      struct buf *scratch)
{
    static const struct conf_strings none = {0};
    pthread_mutex_lock(&a->lock);
    struct conf *conf = a->conf ? conf_ref(a->conf) : NULL;
    pthread_mutex_unlock(&a->lock);
    const struct conf_strings *extra = conf ? &conf->root.audit.mask : &none;
    bool needed = !doc || mask_needed(extra, doc, node, arena);
    struct str masked = needed ? mask_apply(extra, canonical, arena, scratch) : canonical;
    conf_unref(conf);
    return masked;
}
