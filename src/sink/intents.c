#include "sink/intents.h"

#include <stdlib.h>

enum {
    INTENT_SLOTS = 4096,
    INTENT_WALK = 20000, /* entries; farther is nearer from the segment's beginning */
    INTENT_ARENA = 256 << 20,
};

struct sink_intents {
    size_t bytes, max;
    uint64_t from, at;      /* entries that the reader went through in one go; 0: none yet */
    uint64_t gone;          /* of those that had to make room, or had none, the last */
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
    i->gone = i->slot[i->oldest].seq > i->gone ? i->slot[i->oldest].seq : i->gone;
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
    if (!copy) {
        i->gone = parameters.n && seq > i->gone ? seq : i->gone;
        return;
    }
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

/* ---- looking up ---- */

/* The parameters of an entry that is an intent. A quick look tells most of the others. */
static void intents_take(struct sink_intents *i, uint64_t seq, struct str entry)
{
    static const char call[] = "\"event\":\"TOOL_CALL\"";
    static const struct json_limits deep = {.depth = 1024};
    struct arena a;
    struct json j;
    if (!memmem(entry.p, entry.n, call, sizeof(call) - 1) || sink_intents_get(i, seq).n)
        return;
    arena_init(&a, INTENT_ARENA);
    if (json_parse(&j, entry, &a, &deep, NULL) == ERR_OK &&
        json_str_is(&j, json_get(&j, JSON_ROOT, STR("event")), STR("TOOL_CALL"))) {
        uint32_t parameters = json_get(&j, JSON_ROOT, STR("parameters"));
        if (json_type(&j, parameters) != JSON_NULL)
            sink_intents_put(i, seq, json_raw(&j, parameters));
    }
    arena_done(&a);
}

/* What the reader came by and is not kept is no intent, unless it had to make room. */
static bool intents_known(const struct sink_intents *i, uint64_t seq)
{
    return i->at && seq >= i->from && seq <= i->at && seq > i->gone;
}

static bool intents_seek(struct sink_intents *i, struct audit_reader *r, uint64_t seq)
{
    if (i->at && seq > i->at && seq <= i->at + INTENT_WALK)
        return true;
    i->from = i->at = 0;
    if (audit_reader_seek(r, seq, NULL))
        return false;
    i->from = seq;
    return true;
}

struct str sink_intents_find(struct sink_intents *i, struct audit_reader *r, uint64_t seq)
{
    struct str entry, kept = sink_intents_get(i, seq);
    if (kept.n || !r || intents_known(i, seq) || !intents_seek(i, r, seq))
        return kept;
    for (uint64_t at = 0; at < seq;) {
        if (audit_reader_next(r, &entry, &at, NULL))
            break;
        i->at = at;
        intents_take(i, at, entry);
    }
    return sink_intents_get(i, seq);
}
