/* What a sink decides without looking at anything: how long to wait, which events are meant, what an entry is called.
 */
#include <stdio.h>

#include "sink/inner.h"

int64_t sink_pause(uint64_t tries, uint32_t random)
{
    int64_t most = SINK_PAUSE_MS;
    for (uint64_t i = 1; i < tries && most < SINK_PAUSE_MAX_MS; i++)
        most *= 2;
    most = most < SINK_PAUSE_MAX_MS ? most : SINK_PAUSE_MAX_MS;
    return most - (most / 2 * random >> 32);
}

bool sink_wants(const struct conf_strings *events, struct str event)
{
    for (size_t i = 0; i < events->n; i++)
        if (str_match(events->v[i], event))
            return true;
    return !events->n;
}

void sink_entry_id(const struct sink_entry *e, char ret[SINK_ID])
{
    int n = snprintf(ret, SINK_ID, "%llu-", (unsigned long long)e->seq);
    enc_hex(e->leaf.b, 16, ret + n);
}
