/* A client wants to be told when a resource changes. Judged as reading it is, and put on record; nothing leaves the
 * house for it but the request to be told. */
#include "base/clock.h"
#include "gate/gate.h"
#include "gate/stage.h"

/* What of the catalogue may tell: whose URI it is, whether this session may read there, and whether the server tells.
 */
static enum err subscribe_judge(struct gate_worker *w, struct lease *l, struct str server, struct str uri,
                                struct str *ret_server, struct arena *a, struct fault *f)
{
    char text[128];
    struct catalogue *k = connect_catalogue(w->gate->connect);
    const struct catalogue_server *s = catalogue_uri(k, server, uri);
    struct str name = s ? s->name : server;
    enum err e = name.n ? session_holds(w->gate->sessions, l, call_server_scope("resources:read", name, text),
                                        clock_wall_ms(), f)
                        : fault_set(f, ERR_RESOURCE_UNKNOWN, "Unknown resource: " STR_FMT, STR_ARG(uri));
    if (!e && (!s || !(s->can & SERVER_SUBSCRIBE)))
        e = fault_set(f, ERR_METHOD, "the server of " STR_FMT " does not tell when it changes", STR_ARG(uri));
    if (!e)
        *ret_server = arena_str(a, name);
    catalogue_unref(k);
    return e;
}

enum err gate_subscribe(struct gate_worker *w, struct lease *l, struct str server, struct str uri, struct arena *a,
                        struct str *ret_server, struct fault *f)
{
    enum err e = subscribe_judge(w, l, server, uri, ret_server, a, f);
    if (!e && arena_failed(a))
        e = fault_set(f, ERR_NOMEM, "no memory for a subscription");
    record_subscribed(w, l, e ? server : *ret_server, uri, e ? f : NULL);
    return e;
}

void gate_subscribed(struct gate *g, const struct lease *l, struct str server, struct str uri, bool on)
{
    connect_subscribe(g->connect, server, lease_agent_id(l), lease_sid(l), uri, on);
}
