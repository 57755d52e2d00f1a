/*
 * The record: a transparency log. Every entry is one canonical JSON object (RFC 8785) and a leaf of a Merkle tree
 * (RFC 6962, tlog/tlog.h), in append-only segment files. One writer thread, group commit: one flush for all entries
 * that wait. An intent is on disk before its call leaves; when the disk takes no more, audit_append() says so and
 * nothing is let through. A second thread, the publisher, grows the tree and signs a checkpoint of it each second or
 * 1,000 entries.
 *
 * An entry's `seq` counts from 1; its index in the tree is seq - 1.
 *
 * Files in <data_dir>/audit:
 *   <seq of the first entry, 20 digits>.seg   entries (framing: segment.h)
 *   tile/…                                    the tree's hashes (C2SP tlog-tiles); made again from the segments when
 * lost checkpoint, cosigned                      the newest signed checkpoint, and the newest that witnesses cosigned
 *   checkpoints/<day>                         those that are kept, one JSON line each (log.h)
 *   large/…                                   members that are too long for an entry, by their SHA-256
 *   sealed/…, subjects/…                      what is kept apart, and its keys (seal.h)
 *   index/…, cursors/…                        of search/ and of sink/
 *   lock
 *
 * Threads: audit_append and audit_note from any thread; open and close from one.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "base/enc.h"
#include "base/json.h"
#include "conf/conf.h"
#include "net/loop.h"
#include "tlog/tlog.h"

enum audit_event {
    AUDIT_NONE = 0,
#define AUDIT_EVENT(name, what) AUDIT_##name,
#include "audit/event.def"
#undef AUDIT_EVENT
    AUDIT_EVENT_COUNT
};
const char *audit_event_name(enum audit_event e);
/* Is there an event of this name; or, of a pattern, one that fits ('*' stands for any run of characters)? */
bool audit_event_known(struct str name, bool pattern);
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
    struct str user, trigger;           /* triggerUserId, triggerSource: from a trusted side */
    struct str approver;                /* who said yes; the chain of who acted is user, agent, approver, and actor */
    struct str span_id, parent_span_id; /* of the call's span (W3C Trace Context): 16 hex digits */
    const char *method;                 /* of MCP, such as tools/call; never freed; NULL */
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
    int64_t tokens;        /* -1: not said */
    struct str details;    /* a JSON object in canonical form, or empty */
    struct str seal_paths; /* a JSON array of JSON pointers into the parameters: what is sealed beside the configured */
    bool seal;             /* of a call of which something is sealed, maybe in another entry (audit_seals) */
};
/* The values that mean "not said" where zero does not. */
void audit_entry_init(struct audit_entry *e, enum audit_event event, enum audit_actor actor);
struct lease;
void audit_entry_who(struct audit_entry *e, const struct lease *l); /* the agent, its session, its user */

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
const char *audit_dir(const struct audit *a);              /* where it lies */
bool audit_healthy(struct audit *a, struct fault *f);      /* false: the disk takes no entries now; f may be NULL */
size_t audit_queued(struct audit *a);                      /* bytes that wait for the disk */
uint64_t audit_seq(struct audit *a);                       /* of the last entry that was handed in and written */
uint64_t audit_committed(struct audit *a);                 /* of the last entry that is known to be on the disk */
/* For a thread of its own that follows the record: waits until more than `seq` is committed, for at most ms, or until
 * the record closes. Returns audit_committed(). */
uint64_t audit_wait(struct audit *a, uint64_t seq, int ms);
/* For loops: `run` on the worker's thread, soon after more entries were committed; several commits may be one call. The
 * watch is the caller's, from audit_watch until audit_unwatch's `gone` (on that thread, too). */
struct audit_watch {
    struct worker_mail mail;
    struct worker *worker;
    void (*run)(struct audit_watch *w);
    void (*gone)(struct audit_watch *w);
    /* the record's */
    struct audit_watch *next;
    _Atomic bool posted, leaving;
};
void audit_watch(struct audit *a, struct audit_watch *w);
void audit_unwatch(struct audit *a, struct audit_watch *w);
/* Retention asks whoever follows how far he is: entries behind taken(ctx) are kept. NULL: nobody. */
void audit_hold(struct audit *a, uint64_t (*taken)(void *ctx), void *ctx);
/* The newest checkpoint, a signed note, appended to out; *ret_size its tree's size. ERR_NOT_FOUND: none yet. */
enum err audit_checkpoint(struct audit *a, struct buf *out, uint64_t *ret_size) MUST_USE;
uint64_t audit_published(struct audit *a); /* the size of the newest checkpoint's tree; 0: none yet */
/* Signature lines of others (witnesses) to a checkpoint that audit_checkpoint() gave: it is kept with them, and the
 * newest such one stands in the file `cosigned`, with the lines of all who cosigned it. The lines were verified. */
enum err audit_cosign(struct audit *a, struct str note, struct str lines, struct fault *f) MUST_USE;

/* Told on the worker's thread when the entry is durable (or, with durability async, written). Embedded in what waits.
 */
struct audit_done {
    struct worker_mail mail;
    struct worker *worker; /* NULL: told on the writer's thread, which must not be kept */
    void (*done)(struct audit_done *d);
    enum err err; /* ERR_OK or ERR_AUDIT: not on record, and it never will be */
    uint64_t seq;
    struct tlog_hash leaf; /* of the entry: with seq, what a receipt says */
    int64_t asked_ns;      /* the record's: when it was handed in */
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

/* ---- what is kept apart (seal.h). Any thread. ---- */

/* Is anything of these arguments marked by the configuration in force, or by paths (as audit_entry.seal_paths)? Then
 * all entries of the call say so (audit_entry.seal). No memory: yes. */
bool audit_seals(struct audit *a, struct str paths, const struct json *doc, uint32_t node, struct arena *arena);
/* Which values of these arguments the configuration in force seals: marked[i] of node i is set; marked has a place for
 * each of doc's nodes. */
void audit_seals_mark(struct audit *a, const struct json *doc, uint32_t node, bool *marked, struct arena *arena);
/* In how many entries something is sealed for a subject (seals_count). */
enum err audit_sealed(struct audit *a, struct str subject, uint64_t *ret, bool *ret_all, struct fault *f) MUST_USE;
/* Destroys the key of a subject, "user:usr_1" or "agent:agt_1". ERR_NOT_FOUND: nothing is sealed for it. ERR_IO: it may
 * still be there. */
enum err audit_forget(struct audit *a, struct str subject, struct fault *f) MUST_USE;
/* Appends {"entry":…,"values":[…]}: an entry and its sealed values in clear (seals_reveal). ERR_NOT_FOUND: no such
 * entry, or nothing in it is sealed. */
enum err audit_reveal(struct audit *a, uint64_t seq, struct buf *out, struct fault *f) MUST_USE;

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
/* The first seq that is still there; 0: there is none. */
enum err audit_reader_first(struct audit_reader *r, uint64_t *ret, struct fault *f) MUST_USE;
/* Where the entry that came last stands: its segment's first entry, and the offset there. */
void audit_reader_where(const struct audit_reader *r, uint64_t *ret_segment, uint64_t *ret_offset);
/* The next entry is the one that stands there; offset 0: the segment's first. ERR_NOT_FOUND: the segment is gone. */
enum err audit_reader_at(struct audit_reader *r, uint64_t segment, uint64_t offset, struct fault *f) MUST_USE;
uint64_t audit_reader_last(struct audit_reader *r); /* the last seq on record now; 0: empty */
/* ERR_OK: *ret is the entry's JSON, until the next call. ERR_NOT_FOUND: the end, for now. ERR_CORRUPT. */
enum err audit_reader_next(struct audit_reader *r, struct str *ret, uint64_t *ret_seq, struct fault *f) MUST_USE;

/* Members that stand in a file of their own since they are long (entry member `large`): the bytes, checked against
 * their hash, in the place of what was in out. */
enum err audit_large(const char *dir, struct str sha256_hex, struct buf *out, struct fault *f) MUST_USE;

#endif
