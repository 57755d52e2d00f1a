/*
 * Signed notes (C2SP signed-note, as golang.org/x/mod/sumdb/note), checkpoints (C2SP tlog-checkpoint), cosignatures of
 * witnesses (C2SP tlog-cosignature) and proofs in a file (C2SP tlog-proof).
 *
 *   <text, lines>\n
 *   \n
 *   — <name> <base64 of: key hash (4 bytes, big-endian), signature>\n  …
 *
 * Keys are Ed25519 (libsodium). A key is written as the field does: "<name>+<key hash, 8 hex digits>+<base64 of:
 * algorithm, public key>" for verifiers, "PRIVATE+KEY+<name>+<key hash>+<base64 of: algorithm, seed>" for signers.
 *
 * Pure: no files, no clock. Strings of results point into what was parsed. Every parser is bounded: a note has at most
 * NOTE_BYTES and NOTE_SIGNATURES.
 */
#ifndef TLOG_NOTE_H
#define TLOG_NOTE_H

#include "base/secret.h"
#include "tlog/tlog.h"

enum { NOTE_BYTES = 1 << 20, NOTE_SIGNATURES = 100, NOTE_NAME = 128, NOTE_KEY = 256 };

enum note_alg { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4 }; /* the byte in front of the key; 4: cosignature/v1 */

struct note_verifier {
    char name[NOTE_NAME]; /* not empty, no white space, no '+' */
    uint32_t hash;
    enum note_alg alg;
    unsigned char key[32];
};
struct note_signer {
    struct note_verifier public;
    struct secret *secret; /* libsodium's 64 bytes; the signer's */
};

/* ERR_SYNTAX, ERR_PARAMS: f says what is wrong with it. White space around the key is allowed. */
enum err note_verifier_parse(struct str text, struct note_verifier *ret, struct fault *f) MUST_USE;
void note_verifier_write(const struct note_verifier *v, struct buf *out);
enum err note_signer_parse(const struct secret *text, struct note_signer *ret, struct fault *f) MUST_USE;
enum err note_signer_new(struct str name, enum note_alg alg, struct note_signer *ret, struct fault *f) MUST_USE;
enum err note_signer_write(const struct note_signer *s, struct secret **ret, struct fault *f) MUST_USE;
void note_signer_done(struct note_signer *s);

struct note_signature {
    struct str name;
    uint32_t hash;
    unsigned char bytes[96]; /* of an algorithm that is not ours the first of them */
    size_t n;
    struct str line; /* as it stands, with its end */
};
struct note {
    struct str text; /* with the newline at its end, which is signed as well */
    struct note_signature signature[NOTE_SIGNATURES];
    unsigned count;
};
/* ERR_SYNTAX: it is no signed note. */
enum err note_parse(struct str bytes, struct note *ret, struct fault *f) MUST_USE;
/* The next whole note of a file to which notes were added, each with an empty line behind it, or of one that holds a
 * single note. What is none (it was cut off when a machine stopped) is passed over, and added to *passed. */
bool note_next(struct str *rest, struct note *scratch, struct str *ret, size_t *passed);
/* Did the verifier sign it? *ret_time (may be NULL): of a cosignature, seconds since 1970; else 0. ERR_NOT_FOUND: no
 * signature of this key. ERR_CORRUPT: one that is not of this text. */
enum err note_verify(const struct note *n, const struct note_verifier *v, uint64_t *ret_time, struct fault *f) MUST_USE;
/* Appends the signature line. time: of a cosignature. */
enum err note_sign(struct str text, const struct note_signer *s, uint64_t time, struct buf *out,
                   struct fault *f) MUST_USE;

/* ---- checkpoints ---- */

struct checkpoint {
    struct str origin; /* points into the text */
    uint64_t size;
    struct tlog_hash root;
};
/* The note's text: origin, size, root, and extension lines, which are passed over. */
enum err checkpoint_parse(struct str text, struct checkpoint *ret, struct fault *f) MUST_USE;
/* Appends the text, without signatures and the empty line before them. */
void checkpoint_write(const struct checkpoint *c, struct buf *out);

/* ---- proofs in a file ---- */

struct proof_file {
    struct str extra; /* decoded, in the arena; empty: none */
    uint64_t index;
    struct tlog_proof proof;
    struct str checkpoint; /* the signed note */
};
enum { PROOF_EXTRA = 1 << 20, PROOF_BYTES = 4 << 20 };
enum err proof_file_parse(struct str bytes, struct arena *a, struct proof_file *ret, struct fault *f) MUST_USE;
void proof_file_write(const struct proof_file *p, struct buf *out);

/* ---- what a witness is asked (C2SP tlog-witness, "add-checkpoint") ---- */

/* The request's body. */
void witness_request_write(uint64_t old_size, const struct tlog_proof *p, struct str checkpoint, struct buf *out);
struct witness_request {
    uint64_t old_size;
    struct tlog_proof proof;
    struct str checkpoint;
};
enum err witness_request_parse(struct str body, struct witness_request *ret, struct fault *f) MUST_USE;

#endif
