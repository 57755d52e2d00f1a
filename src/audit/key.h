/*
 * The keys that sign checkpoints: files in the folder of configuration key audit.keys, which is not the folder of the
 * record. `<time>.key` holds a signer as C2SP signed-note writes it (mode 0600), `<time>.pub` its verifier; the time is
 * when the key was made, as 20261126T041840Z. The newest key signs, and beside it the one before for audit.key_overlap;
 * then that signer's file is deleted, and its verifier stays: old checkpoints are still proved by it. `seal.key` holds
 * 32 random bytes, under which the keys of subjects lie (seal.h).
 */
#ifndef AUDIT_KEY_H
#define AUDIT_KEY_H

#include "audit/log.h"

enum { AUDIT_SIGNERS = 4 };

struct audit_keys {
    struct note_signer signer[AUDIT_SIGNERS]; /* the newest first; all have one name, the log's origin */
    unsigned n;
    struct note_verifiers verifiers; /* of those and of all before */
    struct secret *seal;
    bool made;               /* the first key: there was none */
    char retired[4][17 + 8]; /* names of the files that were deleted, empty behind the last */
};
/* Reads the folder, and deletes signers whose time is over. make: when there is none, it and the first key are made.
 * ERR_NOT_FOUND: there is no key, and none may be made. ERR_IO, ERR_SYNTAX, ERR_NOMEM. */
enum err audit_keys_open(const char *dir, struct str origin, bool make, int64_t overlap_ms, struct audit_keys *ret,
                         struct fault *f) MUST_USE;
void audit_keys_done(struct audit_keys *k);
/* A new key, of the same name as the newest or else of this one; it signs from the gateway's next reload on. *ret: its
 * verifier. */
enum err audit_keys_new(const char *dir, struct str origin, struct note_verifier *ret, struct fault *f) MUST_USE;

#endif
