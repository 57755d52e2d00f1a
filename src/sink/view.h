/*
 * An entry as the formats see it: its members, found once. For the files of this room.
 */
#ifndef SINK_VIEW_H
#define SINK_VIEW_H

#include "sink/format.h"
#include "sink/meaning.h"

/* Those that a format asks for by name; others go along as they are. */
#define VIEW_MEMBERS                                                                                                   \
    VIEW(actor)                                                                                                        \
    VIEW(actorType)                                                                                                    \
    VIEW(agentId)                                                                                                      \
    VIEW(agentType)                                                                                                    \
    VIEW(agentVersion)                                                                                                 \
    VIEW(approver)                                                                                                     \
    VIEW(code)                                                                                                         \
    VIEW(context)                                                                                                      \
    VIEW(details)                                                                                                      \
    VIEW(digest)                                                                                                       \
    VIEW(event)                                                                                                        \
    VIEW(intentSeq)                                                                                                    \
    VIEW(latencyMs)                                                                                                    \
    VIEW(method)                                                                                                       \
    VIEW(parameters)                                                                                                   \
    VIEW(parentSpanId)                                                                                                 \
    VIEW(policyDecision)                                                                                               \
    VIEW(policyVersion)                                                                                                \
    VIEW(result)                                                                                                       \
    VIEW(resultBytes)                                                                                                  \
    VIEW(resultDigest)                                                                                                 \
    VIEW(seq)                                                                                                          \
    VIEW(sessionId)                                                                                                    \
    VIEW(spanId)                                                                                                       \
    VIEW(timestamp)                                                                                                    \
    VIEW(toolName)                                                                                                     \
    VIEW(traceId)                                                                                                      \
    VIEW(triggerUserId)
enum view_member {
#define VIEW(name) VIEW_##name,
    VIEW_MEMBERS
#undef VIEW
        VIEW_COUNT
};

struct view {
    const struct sink_entry *entry;
    const struct json *j;
    uint32_t at[VIEW_COUNT]; /* 0: not there, or null */
    struct arena arena;
    /* read out of them; strings live until view_close */
    struct str event, result, method, tool;
    struct str server, name; /* "orders/lookup_order", cut at its slash; or no server and all of it */
    const struct meaning *meaning;
    enum meaning_level level;
    enum meaning_status status;
    int64_t wall_ms;
    int64_t latency_us; /* -1: none */
    uint32_t allowed;   /* policyDecision's; 0: nobody decided */
};

/* False: it is no entry: no object with an event and a time. */
bool view_open(struct view *v, const struct sink_entry *e);
/* Marks out as failed when memory was wanting. */
void view_close(struct view *v, struct buf *out);

struct str view_str(struct view *v, enum view_member m); /* empty: not there, or no string */
struct str view_raw(const struct view *v, enum view_member m);
uint32_t view_decision(const struct view *v, const char *member); /* of policyDecision; 0 */
struct str view_source(struct view *v);                           /* the address that it came from, or empty */
bool view_is(struct view *v, enum view_member m, const char *value);
/* In a few words, for people: "TOOL_DENIED orders/refund by support-1: denied, … (code)". May hold line ends. */
struct str view_line(struct view *v);
bool view_id(struct view *v, enum view_member m, size_t digits, struct str *ret); /* lower-case hex, not all zeros */

#endif
