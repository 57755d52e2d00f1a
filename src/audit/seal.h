/*
 * What is kept apart from the entries: values that the configuration (audit.seal) or a guard marks. The entry holds
 * "[sealed]" in their place and, in its member `sealed`, for each a commitment: HMAC-SHA-256(salt, canonical value),
 * with a salt of 32 random bytes. Value and salt lie in <dir>/sealed, encrypted with a key of their subject: the user
 * on whose behalf the session is, or else the agent.
 *
 *   "sealed": [{"commitment":"<hex>","path":"/parameters/customer/email","subject":"user:usr_1"}]
 *
 * The path is a JSON pointer (RFC 6901) into the entry. Where something of a call is sealed, its reasoning is sealed as
 * a whole, in all of its entries: an agent repeats there what it was told. The digests of its arguments and of its
 * result would give small values away to whoever tries them all; they are HMAC-SHA-256(k, digest) there, k being made
 * from the subject's key.
 *
 * Encryption is AES-256-GCM with nonces of 192 random bits (C2SP XAES-256-GCM); the tag binds entry, path and subject.
 *
 * Files: sealed/<seq of the first entry of the segment, 20 digits> goes with that segment (seal_box.c).
 * subjects/<2 hex>/<62 hex> is a subject's key, named by HMAC of its name and encrypted under seal.key of the keys'
 * folder (key.h): a copy of the data folder alone reveals nothing (seal_subject.c). To forget a subject is to destroy
 * that file: entries and proofs stay as they are. What is sealed for that subject later gets a new key.
 *
 * Threads: seal_values, seal_flush and seal_drop from the writer's thread only; seals_forget and seals_reveal from any.
 */
#ifndef AUDIT_SEAL_H
#define AUDIT_SEAL_H

#include "audit/audit.h"

struct seals;
/* Makes <dir>/sealed and <dir>/subjects. ERR_CONFLICT: what is there was sealed under another seal.key. ERR_CORRUPT,
 * ERR_IO, ERR_NOMEM. key: 32 bytes; not needed any more when this returns. */
enum err seals_open(const char *dir, const struct secret *key, struct seals **ret, struct fault *f) MUST_USE;
void seals_close(struct seals *s);

/* What an entry is made of. */
struct seal_ask {
    uint64_t seq;
    struct str subject;               /* "user:…" or "agent:…" (seal_subject) */
    const struct conf_strings *names; /* audit.seal */
    struct str paths;       /* a JSON array of JSON pointers into the parameters that are marked too; or empty */
    bool call;              /* of a call of which something is sealed, whether in this entry or not */
    struct str parameters;  /* canonical JSON without what is masked; or empty */
    const struct json *doc; /* what they were made from, for a quick look; or NULL */
    uint32_t node;
    struct str details;               /* canonical JSON; its member `judged` is looked through as well; or empty */
    struct str reasoning;             /* text without what is masked; or empty */
    struct str digest, result_digest; /* hex; or empty */
};
/* What is written of them. */
struct sealed {
    bool any;
    struct str parameters, details, reasoning, digest, result_digest;
    struct str list; /* the entry's member `sealed`, canonical; empty: none */
};
/* "user:usr_1", "agent:agt_1"; STR_NONE: no memory. */
struct str seal_subject(const struct audit_entry *e, struct arena *a);
/* Is anything of the arguments marked? Quick, for every call; yes also when that cannot be told. */
bool seal_needed(const struct conf_strings *names, struct str paths, const struct json *j, uint32_t root,
                 struct arena *a);
/* Sets marked[i] of every value that is marked by a name of the configuration. */
void seal_mark(const struct conf_strings *names, const struct json *j, uint32_t root, bool *marked, struct arena *a);
/* Strings are those of `ask` or lie in the arena. The values are queued for seal_flush. Nothing to be sealed:
 * ret->any is false, and all is as it was. ERR_NOMEM, ERR_AUDIT: then nothing is queued, and the entry must not be
 * written as it is: it is refused, or written as seal_masked says. s may be NULL when there can be nothing. */
enum err seal_values(struct seals *s, const struct seal_ask *ask, struct arena *a, struct sealed *ret,
                     struct fault *f) MUST_USE;
/* For what has happened already and cannot be sealed now: nothing that could hold a marked value is left. Never fails.
 */
void seal_masked(const struct seal_ask *ask, struct sealed *ret);
/* Before the entries of the batch are flushed: what was sealed for them is on the disk. segment: the first entry of the
 * one they go to. ERR_AUDIT: it is not; what was queued must be dropped, and sealed again when the entries are tried
 * again. */
enum err seal_flush(struct seals *s, uint64_t segment, struct fault *f) MUST_USE;
/* Entries from this number on are not written after all: what was queued for them is dropped. */
void seal_drop(struct seals *s, uint64_t seq);

/* In how many entries something is sealed under the subject's key. *ret_all: false when there was no time to look
 * through all of them. ERR_NOT_FOUND: it has no key. */
enum err seals_count(struct seals *s, struct str subject, uint64_t *ret, bool *ret_all, struct fault *f) MUST_USE;
/* Destroys a subject's key, here and on the disk. ERR_NOT_FOUND: there is none. ERR_IO: it may still be there. */
enum err seals_forget(struct seals *s, struct str subject, struct fault *f) MUST_USE;
/* The sealed values of one entry in clear: appends [{"path":…,"subject":…,"value":…}], with "forgotten":true in place
 * of the value where its key is gone. Each is checked against its commitment. entry: the entry's JSON. ERR_NOT_FOUND:
 * it holds none. ERR_CORRUPT: one that should be there is not, or is not what was sealed. */
enum err seals_reveal(struct seals *s, struct str entry, struct buf *out, struct fault *f) MUST_USE;

/* ---- from files, where no daemon runs ---- */

enum err seal_reveal(const char *dir, const struct secret *key, struct str entry, struct buf *out,
                     struct fault *f) MUST_USE;
enum err seal_forget(const char *dir, const struct secret *key, struct str subject, struct fault *f) MUST_USE;
/* The segment's values go with it. */
enum err seal_prune(const char *dir, uint64_t segment, struct fault *f) MUST_USE;

#endif
