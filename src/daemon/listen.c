/* What agents reach: first whether the request may come here at all, then by path. */
#include <stdatomic.h>

#include "daemon/house.h"

/* Host and Origin against what the configuration names: a page in somebody's browser must not talk to this door, nor
 * reach it under another name (DNS rebinding; MCP basic/transports, "Security"). */
static enum err listen_head(struct exchange *x, struct fault *f)
{
    struct station *s = x->app;
    if (str_is(x->head.path, "/livez") || str_is(x->head.path, "/readyz"))
        return ERR_OK; /* probes come by address */
    struct conf *conf = conf_slot_get(&s->house->conf);
    struct str origin = http_header(&x->head, "origin");
    enum err e = ERR_OK;
    if (!conf_named(&conf->root.allowed_hosts, x->head.host))
        e = fault_set(f, ERR_ORIGIN, "the Host " STR_FMT " is not one of allowed_hosts", STR_ARG(x->head.host));
    else if (origin.p && !conf_named(&conf->root.allowed_origins, origin))
        e = fault_set(f, ERR_ORIGIN, "the Origin " STR_FMT " is not one of allowed_origins", STR_ARG(origin));
    conf_unref(conf);
    return e;
}

static bool listen_health(struct station *s, struct exchange *x)
{
    struct fault f = {0};
    bool live = str_is(x->head.path, "/livez");
    if (!live && !str_is(x->head.path, "/readyz"))
        return false;
    if (live || house_ready(s->house, &f))
        exchange_answer(x, 200, STR("application/json"), NULL, 0,
                        live ? STR("{\"live\":true}") : STR("{\"ready\":true}"));
    else
        exchange_answer_fault(x, &f);
    return true;
}

static void listen_request(struct exchange *x)
{
    struct station *s = x->app;
    if (listen_health(s, x) || oauth_serve(&s->oauth, x) || mcp_serve(&s->house->mcp[s->gate.worker->index], x))
        return;
    struct fault f;
    fault_set(&f, ERR_NOT_FOUND, "there is nothing at " STR_FMT "; agents call /mcp", STR_ARG(x->head.path));
    exchange_answer_fault(x, &f);
}

const struct server_ops listen_server_ops = {.head = listen_head, .request = listen_request, .gone = mcp_gone};
