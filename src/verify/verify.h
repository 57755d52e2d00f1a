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

#include "base/json.h"
#include "tlog/note.h"

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

/* ---- file.c ---- */

/* A file of at most max bytes into out; "-" is standard input. ERR_IO, ERR_NOT_FOUND. */
enum err verify_read(const char *path, size_t max, struct buf *out, struct fault *f) MUST_USE;
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

/* ---- tiles.c: a folder as tlog-tiles lays it out ---- */

/* For tlog_tiles.read; ctx: the folder's name. A partial tile is also found in one that is wider. */
enum err verify_tile(void *dir, unsigned level, uint64_t index, unsigned width, struct tlog_hash *ret,
                     struct fault *f) MUST_USE;
/* The bytes of entry bundle `index`, of at least `width` entries. ERR_NOT_FOUND. */
enum err verify_bundle(const char *dir, uint64_t index, unsigned width, struct buf *out, struct fault *f) MUST_USE;

#endif
