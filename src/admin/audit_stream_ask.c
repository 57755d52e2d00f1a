/* What somebody who opens a stream of the record asks for. */
#include <inttypes.h>

#include "admin/audit_stream.h"

static enum err stream_seq(struct str text, const char *name, uint64_t *ret, struct fault *f)
{
    return str_u64(text, ret) ? ERR_OK
                              : fault_set(f, ERR_PARAMS, "%s must be an entry's number, such as 4711, not " STR_FMT,
                                          name, STR_ARG(text));
}

/* The header is the client's own last state; the address is what it began with. */
static enum err stream_begin(struct admin_request *r, struct str from, struct str after, struct audit_stream_asked *q,
                             struct fault *f)
{
    struct str last = http_header(&r->x->head, "last-event-id");
    uint64_t committed = audit_committed(r->admin->audit), on_record = audit_seq(r->admin->audit);
    q->at = committed;
    if (from.p && !str_is(from, "start"))
        return fault_set(f, ERR_PARAMS, "from must be start, or not be there: then it is the next entry");
    if (from.p && after.p)
        return fault_set(f, ERR_PARAMS, "either from or after says where the stream begins, not both");
    if (last.n)
        TRY(stream_seq(last, "Last-Event-ID", &q->at, f));
    else if (after.p)
        TRY(stream_seq(after, "after", &q->at, f));
    else if (from.p)
        q->at = 0;
    q->from_start = from.p && q->at == 0;
    return q->at <= committed || q->at <= on_record
               ? ERR_OK
               : fault_set(f, ERR_PARAMS,
                           "the record ends at entry %" PRIu64 ", and has no %" PRIu64
                           " to go on behind: is it another one?",
                           on_record, q->at);
}

enum err audit_stream_ask(struct admin_request *r, struct audit_stream_asked *ret, struct fault *f)
{
    struct audit_stream_asked q = {.at = 0};
    struct str after, from;
    const struct admin_query query[] = {{"agent", &q.wants.agent}, {"event", &q.wants.event},
                                        {"tool", &q.wants.tool},   {"session", &q.wants.session},
                                        {"after", &after},         {"from", &from}};
    TRY(admin_query_read(r, query, sizeof(query) / sizeof(query[0]), f));
    if (q.wants.event.n && !audit_event_known(q.wants.event, false))
        return fault_set(f, ERR_PARAMS, "there is no event " STR_FMT "; `doorward events` lists them",
                         STR_ARG(q.wants.event));
    TRY(stream_begin(r, from, after, &q, f));
    *ret = q;
    return ERR_OK;
}
