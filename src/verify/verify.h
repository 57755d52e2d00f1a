/*
 * doorward-verify: proofs of a record, checked by somebody who trusts neither the gateway nor its machine. A program of
 * its own, without configuration and without network: it reads the files that are named, and knows the keys that are
 * given. What it links is base/ and tlog/.
 *
 * Files in:  proofs (C2SP tlog-proof), checkpoints (tlog-checkpoint), folders (tlog-tiles), consistency proofs
 *            (tlog-witness, or one hash a line).
 */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "tlog/folder.h"

enum { VERIFY_KEYS = 64, VERIFY_OLDER = 64 };

struct verify_keys {
    struct note_verifier v[VERIFY_KEYS];
    unsigned n;
};

struct verify {
    const char *arg[2];
    unsigned args;
    struct verify_keys keys;      /* one of them must have signed */
    struct verify_keys witnesses; /* all of them must have */
    const char *entry, *proof, *log, *older[VERIFY_OLDER];
    unsigned older_count;
    bool json;
    struct arena arena;
    struct buf out; /* what is said when all is well */
};

/* Exit 0: it holds. 1: it does not (ERR_CORRUPT). 2: the question was not understood, or a file cannot be read. */
enum err verify_proof(struct verify *v, struct fault *f) MUST_USE;
enum err verify_consistency(struct verify *v, struct fault *f) MUST_USE;
enum err verify_log(struct verify *v, struct fault *f) MUST_USE;

/* ---- keys.c ---- */

/* A key as it is written, a file of them (a line each, # begins a remark), or a folder with files *.pub. */
enum err verify_keys_add(struct verify_keys *k, const char *text, struct fault *f) MUST_USE;

/* ---- checkpoint.c ---- */

struct verify_checkpoint {
    struct buf text;
    struct note note;
    struct checkpoint is;
    unsigned signer;            /* of keys */
    uint64_t time[VERIFY_KEYS]; /* of witnesses: when each signed */
};
/* On the heap: it is large. The signature of a key and those of all witnesses have been checked. `path` is for words.
 */
enum err verify_checkpoint_of(struct verify *v, const char *path, struct str text, struct verify_checkpoint **ret,
                              struct fault *f) MUST_USE;
enum err verify_checkpoint_file(struct verify *v, const char *path, struct verify_checkpoint **ret,
                                struct fault *f) MUST_USE;
void verify_checkpoint_freep(struct verify_checkpoint **c);
/* Lines about it, or members of the JSON object. */
void verify_checkpoint_say(struct verify *v, const struct verify_checkpoint *c, struct json_out *o);

#endif
