/*
 * Decisions the plain way: each policy in turn, its scope and its conditions as they stand in the tree. No folding, no
 * index; slow, and easy to see through. What the compiled program decides is held against it.
 */
#ifndef FUZZ_PLAIN_H
#define FUZZ_PLAIN_H

#include "cedar/cedar.h"

struct plain {
    const struct cedar_request *request;
    struct arena *arena;
};
/* CEDAR_NONE: it fails. */
struct cedar_value plain_value(const struct plain *p, const struct cedar_expr *e);
/* 1: the policy is satisfied; 0: it is not; -1: it fails. */
int plain_policy(const struct plain *p, const struct cedar_policy *policy);

#endif
