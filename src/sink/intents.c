#include "sink/intents.h"

#include <stdlib.h>

enum { INTENT_SLOTS = 4096 };

struct sink_intents {
    size_t bytes, max;
    unsigned oldest, count; /* of the ring */
    struct {
        uint64_t seq;
        char *p;
        size_t n;
    } slot[INTENT_SLOTS];
};

struct sink_intents *sink_intents_new(size_t max)
{
    struct sink_intents *i = calloc(1, sizeof(*i));
    if (i)
        i->max = max;
    return i;
}

static void intents_drop(struct sink_intents *i)
{
    i->bytes -= i->slot[i->oldest].n;
    free(i->slot[i->oldest].p);
    i->oldest = (i->oldest + 1) % INTENT_SLOTS;
    i->count--;
}

void sink_intents_free(struct sink_intents *i)
{
    while (i && i->count)
        intents_drop(i);
    free(i);
}

void sink_intents_put(struct sink_intents *i, uint64_t seq, struct str parameters)
{
    char *copy = parameters.n && parameters.n <= i->max ? malloc(parameters.n) : NULL;
    if (!copy)
        return;
    while (i->count && (i->count == INTENT_SLOTS || i->bytes + parameters.n > i->max))
        intents_drop(i);
    memcpy(copy, parameters.p, parameters.n);
    unsigned at = (i->oldest + i->count++) % INTENT_SLOTS;
    i->slot[at].seq = seq;
    i->slot[at].p = copy;
    i->slot[at].n = parameters.n;
    i->bytes += parameters.n;
}

/* The newest first: calls are mostly short. */
struct str sink_intents_get(const struct sink_intents *i, uint64_t seq)
{
    for (unsigned n = i->count; n-- > 0;) {
        unsigned at = (i->oldest + n) % INTENT_SLOTS;
        if (i->slot[at].seq == seq)
            return (struct str){i->slot[at].p, i->slot[at].n};
    }
    return STR_NONE;
}
