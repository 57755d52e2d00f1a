/* The parameters of calls that are under way, by the number of their intent: for format_spans.c. */
#ifndef SINK_INTENTS_H
#define SINK_INTENTS_H

#include "sink/format.h"

/* Keeps a copy; the oldest make room. What does not fit is not kept. */
void sink_intents_put(struct sink_intents *i, uint64_t seq, struct str parameters);
/* Until the next call. STR_NONE: not kept. */
struct str sink_intents_get(const struct sink_intents *i, uint64_t seq);
/* The same, and looks it up when it is not kept: outcomes come nearly in the order of their intents, so that the reader
 * mostly has a few entries to go, and keeps what it comes by. STR_NONE: pruned, or too long to stand in its entry. */
struct str sink_intents_find(struct sink_intents *i, struct audit_reader *r, uint64_t seq);

#endif
