/*
 * What lies outside of this machine's reach and knows the record's checkpoints: witnesses (C2SP tlog-witness), which
 * look whether each tree goes on from the one before and cosign it, and anchors, where checkpoints are only put down.
 * Before the newest checkpoint that one of them has, nobody can change the record without being seen.
 *
 * Each has a thread of its own, which asks every `every` while there is a new checkpoint. One that is slow or gone
 * delays nobody; it is tried again with growing pauses, and how it stands is shown.
 *
 * To an anchor's file each checkpoint is added as it is, with an empty line behind it (tlog/note.h, note_next); to its
 * URL it is posted, as text/plain.
 */
#ifndef SINK_OUTSIDE_H
#define SINK_OUTSIDE_H

#include "audit/audit.h"

struct outside;
enum err outside_start(struct audit *a, const char *audit_dir, struct conf *conf, struct outside **ret,
                       struct fault *f) MUST_USE;
/* Those that are new start, those that are gone stop. Waits for none of them; for one thread. */
void outside_reload(struct outside *o, struct conf *conf);
void outside_stop(struct outside *o); /* before audit_close */

struct outside_state {
    bool witness;      /* or an anchor */
    char name[256];    /* of its key; the anchor's file or URL, without what may be a credential */
    bool up;           /* the last attempt went well, or there was none yet */
    uint64_t size;     /* of the tree that it has; 0: none since the start */
    uint64_t behind;   /* entries on record that are not in it */
    int64_t since_ms;  /* wall clock: when it took that one; 0: none since the start */
    int64_t age_ms;    /* since then; or since the start */
    uint64_t tries;    /* that failed since the last good one */
    uint64_t failures; /* since the start */
    char fault[200];   /* of the last failure; empty: none */
};
enum { OUTSIDE_MAX = 256 };
size_t outside_list(struct outside *o, struct outside_state *ret, size_t max);
/* An array of the witnesses, or of the anchors. o may be NULL. */
void outside_json(struct outside *o, bool witnesses, struct json_out *out);

#endif
