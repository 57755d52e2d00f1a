/* Sealing, of the record while it is open: what the operators' API and the gate ask. */
#include "audit/inner.h"
#include "audit/seal.h"

enum err audit_sealed(struct audit *a, struct str subject, uint64_t *ret, bool *ret_all, struct fault *f)
{
    return seals_count(a->words.seals, subject, ret, ret_all, f);
}

enum err audit_forget(struct audit *a, struct str subject, struct fault *f)
{
    return seals_forget(a->words.seals, subject, f);
}

static void reader_closep(struct audit_reader **r)
{
    audit_reader_close(*r);
}

enum err audit_reveal(struct audit *a, uint64_t seq, struct buf *out, struct fault *f)
{
    struct audit_reader *reader CLEANUP(reader_closep) = NULL;
    struct str entry;
    uint64_t at = 0;
    TRY(audit_reader_open(a->dir, &reader, f));
    enum err e = audit_reader_seek(reader, seq, f);
    if (!e)
        e = audit_reader_next(reader, &entry, &at, f);
    if (e == ERR_NOT_FOUND || (!e && at != seq))
        return fault_set(f, ERR_NOT_FOUND, "there is no entry %llu", (unsigned long long)seq);
    TRY(e);
    size_t from = out->n;
    buf_z(out, "{\"entry\":");
    buf_str(out, entry);
    buf_z(out, ",\"values\":");
    e = seals_reveal(a->words.seals, entry, out, f);
    buf_char(out, '}');
    if (!e && buf_failed(out))
        e = fault_set(f, buf_error(out), "no room for what is sealed");
    if (e)
        out->n = from;
    return e;
}

static struct conf *record_conf(struct audit *a)
{
    pthread_mutex_lock(&a->lock);
    struct conf *conf = a->conf ? conf_ref(a->conf) : NULL;
    pthread_mutex_unlock(&a->lock);
    return conf;
}

void audit_seals_mark(struct audit *a, const struct json *doc, uint32_t node, bool *marked, struct arena *arena)
{
    struct conf *conf = record_conf(a);
    if (conf)
        seal_mark(&conf->root.audit.seal, doc, node, marked, arena);
    conf_unref(conf);
}

bool audit_seals(struct audit *a, struct str paths, const struct json *doc, uint32_t node, struct arena *arena)
{
    static const struct conf_strings none = {0};
    if (!atomic_load_explicit(&a->seals, memory_order_relaxed))
        return paths.n > 0;
    struct conf *conf = record_conf(a);
    bool needed = seal_needed(conf ? &conf->root.audit.seal : &none, paths, doc, node, arena);
    conf_unref(conf);
    return needed;
}

const char *audit_dir(const struct audit *a)
{
    return a->dir;
}
