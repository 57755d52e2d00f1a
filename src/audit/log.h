/*
 * The record as a transparency log, read from its files: checkpoints, tiles, proofs, verification. Needs no daemon and
 * takes no lock.
 *
 * checkpoints/<yyyy-mm-dd> holds a line for each checkpoint that is kept: {"note":"…","size":N}. Kept are the first and
 * one a minute, likewise of those with cosignatures, and the last before a stop.
 *
 * keys: the folder of configuration key audit.keys. `<name>.key` is a signer (mode 0600), `<name>.pub` its verifier,
 * which stays when the signer has gone (key.h).
 */
#ifndef AUDIT_LOG_H
#define AUDIT_LOG_H

#include "audit/audit.h"
#include "tlog/folder.h"

struct log_checkpoint {
    struct buf text; /* the signed note */
    struct note note;
    struct checkpoint is; /* points into text */
};
void log_checkpoint_done(struct log_checkpoint *c);
/* Parses it and finds a signature of one of the verifiers (NULL: any will do). ERR_SYNTAX, ERR_CORRUPT. */
enum err log_checkpoint_check(struct str text, const struct note_verifiers *v, struct note *ret_note,
                              struct checkpoint *ret, struct fault *f) MUST_USE;
/* The newest. ERR_NOT_FOUND: none yet. */
enum err log_checkpoint_read(const char *dir, struct log_checkpoint *ret, struct fault *f) MUST_USE;
/* The newest that witnesses cosigned, likewise. */
enum err log_cosigned_read(const char *dir, struct log_checkpoint *ret, struct fault *f) MUST_USE;
/* Those that are kept, the oldest first, until `each` answers otherwise than ERR_OK, which comes back. */
enum err log_checkpoints_each(const char *dir, enum err (*each)(void *ctx, struct str note, struct fault *f), void *ctx,
                              struct fault *f) MUST_USE;

/* Entry bundle N (tlog-tiles, "Log entries"), its first `width` entries, from the segments, appended to out.
 * ERR_NOT_FOUND: pruned, or not there yet. */
enum err log_bundle(const char *dir, uint64_t index, unsigned width, struct buf *out, struct fault *f) MUST_USE;
/* The same from a reader whose next entry is the bundle's first one: for many bundles in a row. */
enum err log_bundle_next(struct audit_reader *r, uint64_t index, unsigned width, struct buf *out,
                         struct fault *f) MUST_USE;

/* A proof (C2SP tlog-proof) that the entry is in the tree of the newest checkpoint; with the entry's bytes as `extra`,
 * without them when it was pruned. Never one that does not lead to the checkpoint's root (ERR_CORRUPT).
 * ERR_NOT_FOUND: no such entry. ERR_CONFLICT: no checkpoint covers it yet. */
enum err log_prove(const char *dir, uint64_t seq, struct buf *out, struct fault *f) MUST_USE;

struct log_verdict {
    uint64_t first, last, entries; /* of entries that are there */
    uint64_t segments, torn_bytes, pruned;
    uint64_t checkpoints, size; /* that were checked; the newest one's tree */
    char root[2 * SHA256_BYTES + 1];
    uint64_t cosigned;     /* the size that witnesses have cosigned; 0: none */
    unsigned cosignatures; /* on that one */
};
struct log_verify {
    const char *dir;
    const struct note_verifiers *verifiers; /* NULL: signatures are not checked, which the caller must say */
    const struct str *more;                 /* checkpoints from elsewhere, such as anchors: they must fit, too */
    size_t more_count;
    void (*progress)(void *ctx, uint64_t entries, uint64_t of);
    void *ctx;
};
/* Everything: frames, numbers without gaps, leaves, tiles, the signatures and roots of all checkpoints that are kept,
 * and that each of them is a beginning of the next. ERR_CORRUPT: f says where. */
enum err log_verify(const struct log_verify *how, struct log_verdict *ret, struct fault *f) MUST_USE;

#endif
