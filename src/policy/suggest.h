/*
 * The least policy that covers what an agent (or all agents of a type) really did: one permit for each tool that it
 * called and got through with, for that principal, action and resource, under conditions that hold of all that was seen
 * of it: few strings, the range of numbers, the networks that it called from, the hours where these are clearly
 * bounded. A condition stands only where enough calls support it.
 *
 *   new -> call, call, … -> write; when a call would not be allowed by what was written: plain, and write again
 *
 * The text has comments that say what was seen. It is not yet validated nor in the house's layout.
 */
#ifndef POLICY_SUGGEST_H
#define POLICY_SUGGEST_H

#include "policy/recorded.h"

struct suggest;
/* agent, or with agent empty all agents of the type. The set (its tools; its policies do not matter) and the strings
 * have to outlive it. NULL: no memory. */
struct suggest *suggest_new(const struct policy_set *s, struct str agent, struct str type);
void suggest_free(struct suggest *g);
void suggest_freep(struct suggest **g); /* for CLEANUP */
/* Is it a call that counts: the principal's, and one that went through to its server? */
bool suggest_takes(const struct suggest *g, const struct recorded_call *c);
enum err suggest_call(struct suggest *g, const struct recorded_call *c, struct fault *f) MUST_USE;

struct suggest_counts {
    uint64_t calls;   /* that count */
    uint64_t unknown; /* of them, of tools that are not known now: no policy could name these */
    size_t tools;
};
void suggest_counts(const struct suggest *g, struct suggest_counts *ret);
void suggest_each(const struct suggest *g, void (*tool)(void *ctx, struct str id, uint64_t calls), void *ctx);

void suggest_plain(struct suggest *g, struct str tool /* empty: all */); /* without conditions from now on */
void suggest_write(const struct suggest *g, struct buf *out);

#endif
