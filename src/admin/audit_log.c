/*
 * The record as others read a transparency log: C2SP tlog-tiles under /admin/v1/audit/log. Only what the newest
 * checkpoint covers is served; what was served once stays what it is, for good. And the proof of one entry, for who
 * does not make it from tiles.
 */
#include "admin/request.h"
#include "audit/log.h"

static enum err log_dir(struct admin_request *r, struct str *ret, struct fault *f)
{
    struct conf *conf = conf_slot_get(r->admin->conf);
    *ret = arena_fmt(r->arena, STR_FMT "/audit", STR_ARG(conf->root.data_dir));
    conf_unref(conf);
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a path");
}

enum err admin_audit_log_checkpoint(struct admin_request *r, struct fault *f)
{
    uint64_t size;
    if (audit_checkpoint(r->admin->audit, &r->out, &size))
        return fault_set(f, ERR_NOT_FOUND, "there is no checkpoint yet; one comes each second");
    r->type = STR("text/plain; charset=utf-8");
    return ERR_OK;
}

/* Does the tree that was signed last have that many hashes on that level? */
static enum err log_covered(struct admin_request *r, unsigned level, uint64_t index, unsigned width, struct fault *f)
{
    uint64_t size = 0;
    enum err e = audit_checkpoint(r->admin->audit, &r->out, &size);
    buf_clear(&r->out);
    if (e || (level < TLOG_ENTRIES && level >= TLOG_LEVELS) ||
        index * TLOG_WIDTH + width > size >> (level == TLOG_ENTRIES ? 0 : 8 * level))
        return fault_set(f, ERR_NOT_FOUND, "the newest checkpoint does not reach as far as this tile");
    return ERR_OK;
}

enum err admin_audit_log_tile(struct admin_request *r, struct fault *f)
{
    const struct str path = ARENA_JOIN(r->arena, STR("tile/"), r->id);
    struct tlog_hash hash[TLOG_WIDTH];
    unsigned level, width;
    uint64_t index;
    struct str dir;
    if (tlog_tile_parse(path, &level, &index, &width))
        return fault_set(f, ERR_NOT_FOUND,
                         "there is no tile " STR_FMT ": a path is such as tile/0/x001/234 or "
                         "tile/entries/000.p/17",
                         STR_ARG(path));
    TRY(log_covered(r, level, index, width, f));
    TRY(log_dir(r, &dir, f));
    if (level == TLOG_ENTRIES) {
        TRY(log_bundle(dir.p, index, width, &r->out, f));
    } else {
        TRY(tlog_folder_tile((void *)(uintptr_t)dir.p, level, index, width, hash, f));
        buf_put(&r->out, hash, width * sizeof(hash[0]));
    }
    r->type = STR("application/octet-stream");
    r->cache = STR("private, max-age=31536000, immutable");
    return ERR_OK;
}

enum err admin_audit_log_proof(struct admin_request *r, struct fault *f)
{
    struct str dir;
    uint64_t seq;
    if (!str_u64(r->id, &seq) || !seq)
        return fault_set(f, ERR_NOT_FOUND, "there is no entry " STR_FMT ": they are numbered from 1 on",
                         STR_ARG(r->id));
    TRY(log_dir(r, &dir, f));
    TRY(log_prove(dir.p, seq, &r->out, f));
    r->type = STR("text/plain; charset=utf-8");
    return ERR_OK;
}
