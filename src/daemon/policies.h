/*
 * Which policies are in force, and when they are made anew: when the configuration is read again, and when the tools
 * behind the gate change, since policies are validated against them. Made on a pool thread; put in force on worker 0.
 */
#ifndef DAEMON_POLICIES_H
#define DAEMON_POLICIES_H

#include "policy/force.h"

struct house;
struct house_policies {
    struct policy_force force;
    struct policy_texts *texts; /* worker 0's; what should be in force */
    struct worker_mail changed;
    _Atomic bool posted;
    bool making, again;
    void (*made)(struct house *h); /* once, when the first is made */
};

/* At the start: reads the texts; a fault is one of the configuration. The set is made once the tools are known. */
enum err house_policies_open(struct house *h, struct conf *conf, struct buf *faults) MUST_USE;
void house_policies_done(struct house *h);
/* The tools are others. Any thread. */
void house_policies_changed(struct house *h);
/* Worker 0: makes them now; `made` is called when they are, whether they hold or not. */
void house_policies_make(struct house *h, void (*made)(struct house *h));
/* A reload. Pool thread: reads and judges; what was made of it goes with the snapshot. ERR_CONFIG: *faults. */
enum err house_policies_load(struct house *h, struct conf *conf, struct buf *faults) MUST_USE;
void house_policies_apply(struct house *h, struct conf *conf); /* worker 0 */

#endif
