/*
 * The review queue: calls of medium risk, which go through and wait for somebody to look at them. What is in it is the
 * record itself: entries REVIEW_QUEUED without a REVIEW_CLEARED, so that it survives whatever the record does. Of what
 * was cleared the numbers are kept in memory: read once, and then kept up to date.
 *
 * REVIEW_CLEARED holds, in details, {"seq": N}, or {"upTo": N} for it and all before it.
 *
 * Threads: pool threads.
 */
#ifndef ADMIN_REVIEWS_H
#define ADMIN_REVIEWS_H

#include "base/err.h"
#include "base/str.h"

struct reviews;
struct reviews *reviews_new(void); /* NULL: no memory */
void reviews_free(struct reviews *r);

/* Reads what was cleared, the first time. Before the others. */
enum err reviews_load(struct reviews *r, const char *audit_dir, struct fault *f) MUST_USE;
bool reviews_cleared(struct reviews *r, uint64_t seq);
/* False: it was cleared before. ERR_NOMEM leaves it as it is. */
enum err reviews_clear(struct reviews *r, uint64_t seq, bool up_to, bool *ret_new, struct fault *f) MUST_USE;
uint64_t reviews_floor(struct reviews *r); /* all up to here are cleared */

#endif
