/*
 * Sinks: where the record is sent. Each has one shape (struct sink_kind), one file (sink/<kind>.c) and one line in
 * sink/kinds.c; what an entry looks like on the way is a format (format.h).
 *
 * A sink has a thread of its own that follows the committed entries, hands them over in order, in batches, and keeps in
 * <data_dir>/audit/cursors/<name> how far the other side has taken them. So each entry arrives at least once: after a
 * crash, what was sent and not yet noted is sent again. One that is slow or gone delays nobody; it is tried again with
 * growing pauses (0.2 s to 60 s, with jitter), and how far it is behind is shown.
 */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "audit/audit.h"

struct sink_entry {
    uint64_t seq;
    struct str text; /* the entry's JSON */
    const struct json *doc;
    struct tlog_hash leaf;
};
/* By which the other side knows an entry again when it comes twice: its number and the beginning of its hash, so that
 * another record that was begun in the same place is not taken for this one. */
enum { SINK_ID = 64 };
void sink_entry_id(const struct sink_entry *e, char ret[SINK_ID]);

struct sink_told {    /* what came of a delivery; zeroed before it */
    size_t taken;     /* so many of the first were taken for good, also when it failed with the next one */
    int64_t pause_ms; /* the other side wants to be left alone for so long; 0: it says nothing */
    bool idle;        /* nothing of them had to be sent, so that nothing is known of the other side */
};
/* How long to wait after so many failures (from 1 on): twice as long each time, to a minute; the random number takes up
 * to half of it away, so that not all come at the same moment. */
int64_t sink_pause(uint64_t tries, uint32_t random);
struct sink_kind {
    const char *name; /* as in the configuration */
    /* Prepares a sink: nothing is connected yet. conf outlives it. ERR_CONFIG. */
    enum err (*open)(const struct conf_sink *conf, const char *audit_dir, void **ret, struct fault *f);
    /* Hands over v[0 … n), connecting when it must; may block for conf->timeout in all. ERR_OK with fewer than n taken:
     * time was up, and the rest is handed over again. stop: the daemon ends, come back soon. */
    enum err (*deliver)(void *s, const struct sink_entry *v, size_t n, const _Atomic bool *stop, struct sink_told *ret,
                        struct fault *f);
    void (*close)(void *s);
};
extern const struct sink_kind *const sink_kinds[]; /* by enum conf_sink_kind; [0] NULL */
extern const struct sink_kind sink_nats, sink_webhook, sink_syslog, sink_otlp, sink_traces;

/* ---- all of them: for the daemon ---- */

struct sinks;
/* Faults that only this room can see, such as a name of no event: a line each. ERR_CONFIG. */
enum err sinks_check(const struct conf *conf, struct buf *faults) MUST_USE;
/* Starts a thread for each sink of the configuration. */
enum err sinks_start(struct audit *a, const char *audit_dir, struct conf *conf, struct sinks **ret,
                     struct fault *f) MUST_USE;
/* A reload: sinks that are new start, those that are gone stop, changed ones start again from their cursor. Returns at
 * once; a thread of its own sees to it. */
void sinks_reload(struct sinks *s, struct conf *conf);
/* Before audit_close. What is on record is still handed over, for two seconds at most. Takes NULL. */
void sinks_stop(struct sinks *s);

struct sink_state {
    char name[33], kind[16];
    bool up;           /* the last delivery went well, or there was none to make yet */
    uint64_t sent;     /* the last entry that was taken, or passed over since its event is not wanted */
    uint64_t behind;   /* entries that wait */
    uint64_t tries;    /* deliveries that failed since the last good one … */
    uint64_t failures; /* … and since the start */
    int64_t since_ms;  /* wall clock: of the last good delivery; 0: none since the start */
    char fault[200];   /* of the last failure; empty: none */
};
size_t sinks_list(struct sinks *s, struct sink_state *ret, size_t max); /* takes NULL */
/* An array of them; `fault` says why one that is not up is not, which is for operators. */
void sinks_json(struct sinks *s, bool fault, struct json_out *o); /* takes NULL */
/* The least of what all sinks have noted as taken: entries behind it are not pruned. UINT64_MAX: there are no sinks. */
uint64_t sinks_taken(struct sinks *s);

#endif
