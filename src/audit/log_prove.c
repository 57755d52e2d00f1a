/* What is handed out of the record for others to check: proofs, and entries in bundles. */
#include "audit/log.h"

#include <stdlib.h>

enum { BUNDLE_ENTRY = 65535 };

static void prove_reader_closep(struct audit_reader **r)
{
    audit_reader_close(*r);
}

/* ---- bundles ---- */

enum err log_bundle_next(struct audit_reader *r, uint64_t index, unsigned width, struct buf *out, struct fault *f)
{
    struct str entry;
    uint64_t seq, want = index * TLOG_WIDTH + 1;
    for (unsigned i = 0; i < width; i++, want++) {
        TRY(audit_reader_next(r, &entry, &seq, f));
        if (seq != want)
            return fault_set(f, ERR_NOT_FOUND, "entry %llu is not on record any more", (unsigned long long)want);
        if (entry.n > BUNDLE_ENTRY)
            return fault_set(f, ERR_LIMIT, "entry %llu is longer than entries of bundles may be",
                             (unsigned long long)seq);
        const unsigned char length[2] = {(unsigned char)(entry.n >> 8), (unsigned char)entry.n};
        buf_put(out, length, sizeof(length));
        buf_str(out, entry);
    }
    return buf_failed(out) ? fault_set(f, ERR_NOMEM, "no memory for a bundle of entries") : ERR_OK;
}

enum err log_bundle(const char *dir, uint64_t index, unsigned width, struct buf *out, struct fault *f)
{
    struct audit_reader *r CLEANUP(prove_reader_closep) = NULL;
    size_t from = out->n;
    TRY(audit_reader_open(dir, &r, f));
    enum err e = audit_reader_seek(r, index * TLOG_WIDTH + 1, f);
    if (!e)
        e = log_bundle_next(r, index, width, out, f);
    if (e)
        out->n = from;
    return e;
}

/* ---- proofs ---- */

/* The entry's bytes, appended. Of one that was pruned there are none; that it was there can still be proved. */
static enum err prove_entry(struct audit_reader *r, uint64_t want, const struct tlog_hash *leaf, struct buf *out,
                            struct fault *f)
{
    struct tlog_hash is;
    struct str entry;
    uint64_t seq;
    enum err e = audit_reader_seek(r, want, f);
    if (!e)
        e = audit_reader_next(r, &entry, &seq, f);
    if (e == ERR_NOT_FOUND || (!e && seq != want))
        return ERR_OK;
    TRY(e);
    tlog_leaf(entry, &is);
    if (!tlog_same(&is, leaf))
        return fault_set(f, ERR_CORRUPT, "entry %llu is not the one that the tree holds", (unsigned long long)want);
    if (entry.n <= PROOF_EXTRA)
        buf_str(out, entry);
    return buf_failed(out) ? fault_set(f, ERR_NOMEM, "no memory for an entry") : ERR_OK;
}

/* Leaf and proof, which must lead to the checkpoint's root: tiles that were damaged prove nothing to anybody. */
static enum err prove_index(const char *dir, const struct checkpoint *c, uint64_t index, struct tlog_hash *ret_leaf,
                            struct tlog_proof *ret, struct fault *f)
{
    const struct tlog_tiles tiles = {tlog_folder_tile, (void *)(uintptr_t)dir};
    struct tlog_hash tile[TLOG_WIDTH];
    unsigned at = (unsigned)(index % TLOG_WIDTH);
    TRY(tlog_folder_tile(tiles.ctx, 0, index / TLOG_WIDTH, at + 1, tile, f));
    TRY(tlog_prove_inclusion(&tiles, index, c->size, ret, f));
    if (tlog_check_inclusion(ret, index, &tile[at], c->size, &c->root, f))
        return fault_set(f, ERR_CORRUPT,
                         "the tree's hashes in %s/tile do not lead to the root of its checkpoint: "
                         "doorward audit verify says where",
                         dir);
    *ret_leaf = tile[at];
    return ERR_OK;
}

static enum err prove_uncovered(struct audit_reader *r, uint64_t seq, uint64_t size, struct fault *f)
{
    uint64_t last = audit_reader_last(r);
    if (seq && seq <= last)
        return fault_set(f, ERR_CONFLICT,
                         "no checkpoint covers entry %llu yet: the newest covers %llu entries; one comes each second",
                         (unsigned long long)seq, (unsigned long long)size);
    return fault_set(f, ERR_NOT_FOUND, "there is no entry %llu; the newest is %llu", (unsigned long long)seq,
                     (unsigned long long)last);
}

/* One that witnesses cosigned proves more, where it covers the entry. */
static enum err prove_checkpoint(const char *dir, uint64_t seq, struct log_checkpoint *ret, struct fault *f)
{
    if (log_cosigned_read(dir, ret, f) == ERR_OK) {
        if (seq <= ret->is.size)
            return ERR_OK;
        log_checkpoint_done(ret);
    }
    return log_checkpoint_read(dir, ret, f);
}

static enum err prove_under(const char *dir, const struct log_checkpoint *c, struct audit_reader *r, uint64_t seq,
                            struct buf *out, struct fault *f)
{
    struct buf entry CLEANUP(buf_done) = {0};
    struct proof_file p = {.index = seq - 1, .checkpoint = buf_view(&c->text)};
    struct tlog_hash leaf;
    TRY(prove_index(dir, &c->is, p.index, &leaf, &p.proof, f));
    buf_init(&entry, PROOF_EXTRA);
    TRY(prove_entry(r, seq, &leaf, &entry, f));
    p.extra = buf_view(&entry);
    proof_file_write(&p, out);
    return buf_failed(out) ? fault_set(f, ERR_NOMEM, "no memory for a proof") : ERR_OK;
}

enum err log_prove(const char *dir, uint64_t seq, struct buf *out, struct fault *f)
{
    struct audit_reader *r CLEANUP(prove_reader_closep) = NULL;
    TRY(audit_reader_open(dir, &r, f));
    struct log_checkpoint *c = calloc(1, sizeof(*c));
    if (!c)
        return fault_set(f, ERR_NOMEM, "no memory for a checkpoint");
    enum err e = prove_checkpoint(dir, seq, c, f);
    if (e == ERR_NOT_FOUND || (!e && (!seq || seq > c->is.size)))
        e = prove_uncovered(r, seq, e ? 0 : c->is.size, f);
    else if (!e)
        e = prove_under(dir, c, r, seq, out, f);
    log_checkpoint_done(c);
    free(c);
    return e;
}
