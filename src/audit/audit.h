/*
 * The record: every entry is one canonical JSON object (RFC 8785), chained by SHA-256 to the one before it, in
 * append-only segment files. One writer thread, group commit: one flush for all entries that wait. An intent is on disk
 * before its call leaves; when the disk takes no more, audit_append() says so and nothing is let through.
 *
 * Files in <data_dir>/audit: `<seq of the first entry, 20 digits>.seg` (framing: segment.h), `tip` (the last entry
 * known to be flushed, so that a tail that was cut off is seen), `lock`.
 *
 * Threads: audit_append and audit_note from any thread; open and close from one.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "base/enc.h"
#include "base/json.h"
#include "conf/conf.h"
#include "net/loop.h"

enum audit_event {
    AUDIT_NONE = 0,
#define AUDIT_EVENT(name, what) AUDIT_##name,
#include "audit/event.def"
#undef AUDIT_EVENT
    AUDIT_EVENT_COUNT
};
const char *audit_event_name(enum audit_event e);
const char *audit_event_what(enum audit_event e);

enum audit_actor { AUDIT_SYSTEM = 0, AUDIT_AI_AGENT, AUDIT_HUMAN };
enum audit_result { AUDIT_NO_RESULT = 0, AUDIT_SUCCESS, AUDIT_FAILURE, AUDIT_DENIED, AUDIT_TIMEOUT, AUDIT_UNKNOWN };

/* What policies saw when they judged a call, so that others can judge it again: the session as it was then, the risk of
 * the tool by the configuration of then, and where the call came from. */
struct audit_context {
    const char *risk;  /* never freed; NULL: no policy judged */
    int64_t age;       /* of the session, seconds */
    int64_t calls;     /* that it had made before */
    struct str taints; /* a JSON array; empty: none */
    unsigned char source[16];
    unsigned source_bytes; /* 4 or 16; 0: not known */
};

struct audit_entry { /* strings live until audit_append returns; code and stage are never freed; empty: null */
    enum audit_event event;
    enum audit_actor actor_type;
    struct str actor; /* the operator, when a person acted */
    struct str trace_id;
    struct str agent_id, agent_type, agent_version, agent_env, session_id;
    struct str user, trigger; /* triggerUserId, triggerSource: from a trusted side */
    struct str tool;
    struct str parameters; /* canonical JSON, or empty; secrets are masked already (audit_mask), or it is … */
    bool unmasked;         /* … the writer who masks them: for who has no time */
    const struct json
        *doc;          /* of unmasked ones, for audit_append with `done`: what they were made from, so that they are */
    uint32_t node;     /* not parsed again; lives until `done`. Or NULL */
    struct str digest; /* SHA-256 of the canonical arguments, hex */
    struct audit_context context;
    /* policyDecision */
    bool judged, allowed;
    const char *stage; /* the stage that refused; NULL */
    struct str reason;
    struct str policy_ids; /* a JSON array of the policies that decided, or empty */
    const char *shadow;    /* what policies that are not enforced would have decided; NULL */
    struct str policy_version;
    /* outcome */
    enum audit_result result;
    const char *code; /* stable error code; NULL */
    struct str result_digest;
    int64_t result_bytes; /* -1: not known */
    uint64_t intent_seq;  /* 0: none */
    int64_t latency_us;   /* -1: none */
    /* claims of the agent's runtime: untrusted */
    struct str reasoning, model, cost;
    int64_t tokens;     /* -1: not said */
    struct str details; /* a JSON object in canonical form, or empty */
};
/* The values that mean "not said" where zero does not. */
void audit_entry_init(struct audit_entry *e, enum audit_event event, enum audit_actor actor);

struct audit;
/* What recovery found when the record was opened. */
struct audit_recovery {
    uint64_t entries;    /* on record, before this start */
    uint64_t torn_bytes; /* of an entry that was being written when the machine stopped; kept in `torn-…` */
};
/* ERR_CORRUPT: the bytes do not fit together, or flushed entries are missing: nothing is changed, and f says what was
 * found. ERR_CONFLICT: another process writes this record. ERR_IO. */
enum err audit_open(const char *dir, const struct conf_audit *conf, struct audit **ret, struct audit_recovery *found,
                    struct fault *f) MUST_USE;
/* A reload: durability, mask and queue of the new configuration. */
void audit_conf(struct audit *a, struct conf *conf);
void audit_policies(struct audit *a, const char *version); /* in force from now on: what entries say that name none */
void audit_close(struct audit *a);                         /* flushes what waits; joins the writer */
bool audit_healthy(struct audit *a, struct fault *f);      /* false: the disk takes no entries now; f may be NULL */
size_t audit_queued(struct audit *a);                      /* bytes that wait for the disk */
uint64_t audit_seq(struct audit *a);                       /* of the last entry that was handed in and written */

/* Told on the worker's thread when the entry is durable (or, with durability async, written). Embedded in what waits.
 */
struct audit_done {
    struct worker_mail mail;
    struct worker *worker;
    void (*done)(struct audit_done *d);
    enum err err; /* ERR_OK or ERR_AUDIT: not on record, and it never will be */
    uint64_t seq;
    int64_t asked_ns; /* the record's: when it was handed in */
};

/* Hands an entry to the writer. ERR_AUDIT: the queue is full or the disk takes no more; `done` is then never called. */
enum err audit_append(struct audit *a, const struct audit_entry *e, struct audit_done *done, struct fault *f) MUST_USE;
/* The same for what has happened already and cannot be refused any more: kept until it can be written. */
void audit_note(struct audit *a, const struct audit_entry *e);

/* Appends the value with the secrets in it replaced: members whose name is masked (password, token, …, and those of the
 * configuration), and strings that look like a credential. `canonical` is returned as it is when there is nothing to
 * mask; otherwise *scratch holds the answer. doc and node: the document that the canonical form was made from, so that
 * it is not parsed again; or NULL. */
struct str audit_mask(struct audit *a, const struct json *doc, uint32_t node, struct str canonical, struct arena *arena,
                      struct buf *scratch);

/* Would a member of this name and value be masked, by what is built in? For whoever takes values over from elsewhere.
 */
bool audit_is_secret(struct str name, struct str value);

/* ---- reading: no lock, no daemon needed ---- */

struct audit_reader;
enum err audit_reader_open(const char *dir, struct audit_reader **ret, struct fault *f) MUST_USE;
void audit_reader_close(struct audit_reader *r);
/* The next entry is `seq`, or the first one there is. ERR_NOT_FOUND: not written yet. */
enum err audit_reader_seek(struct audit_reader *r, uint64_t seq, struct fault *f) MUST_USE;
/* The next entry is one before that moment, if there is one: not long before, and none behind it is left out. */
enum err audit_reader_before(struct audit_reader *r, int64_t wall_ms, struct fault *f) MUST_USE;
uint64_t audit_reader_last(struct audit_reader *r); /* the last seq on record now; 0: empty */
/* ERR_OK: *ret is the entry's JSON, until the next call. ERR_NOT_FOUND: the end, for now. ERR_CORRUPT. */
enum err audit_reader_next(struct audit_reader *r, struct str *ret, uint64_t *ret_seq, struct fault *f) MUST_USE;

struct audit_verdict {
    uint64_t first, last, entries, segments, torn_bytes;
    char tip[2 * SHA256_BYTES + 1]; /* hash of the last entry */
};
/* Frames, chain, gaps in sequence, and the tip. ERR_CORRUPT: f names the segment, the offset and the sequence number.
 */
enum err audit_verify(const char *dir, void (*progress)(void *ctx, uint64_t entries) /* or NULL */, void *ctx,
                      struct audit_verdict *ret, struct fault *f) MUST_USE;

#endif
