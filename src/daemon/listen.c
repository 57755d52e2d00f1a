/* What agents reach: first whether the request may come here at all, then by path. */
#include <stdatomic.h>

#include "daemon/house.h"
#include "notify/notify.h"

/* Host and Origin against what the configuration names: a page in somebody's browser must not talk to this door, nor
 * reach it under another name (DNS rebinding; MCP basic/transports, "Security"). */
static enum err listen_head(struct exchange *x, struct fault *f)
{
    struct station *s = x->app;
    x->noted = access_on(s->house->access);
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

/* /readyz?verbose: which policies it serves by, and which of them are not enforced; where the record is sent. A sink
 * that is gone keeps nobody from being served. */
static void listen_ready_verbose(struct station *s, struct exchange *x)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_bool(&o, "ready", true);
    json_key(&o, STR("policies"));
    policy_force_json(&s->house->policies.force, false, &o);
    json_key(&o, STR("sinks"));
    sinks_json(s->house->sinks, false, &o);
    json_key(&o, STR("channels"));
    notify_json(s->house->notify, false, &o);
    json_close(&o, '}');
    exchange_answer(x, 200, STR("application/json"), NULL, 0, buf_view(&b));
}

static bool listen_health(struct station *s, struct exchange *x)
{
    struct fault f = {0};
    bool live = str_is(x->head.path, "/livez");
    if (!live && !str_is(x->head.path, "/readyz"))
        return false;
    bool ready = live || house_ready(s->house, &f);
    if (ready && !live && str_is(x->head.query, "verbose"))
        listen_ready_verbose(s, x);
    else if (ready)
        exchange_answer(x, 200, STR("application/json"), NULL, 0,
                        live ? STR("{\"live\":true}") : STR("{\"ready\":true}"));
    else if (f.err == ERR_ALL_STOPPED) /* to agents it is about their credentials; here, about the house */
        exchange_answer(x, 503, STR("application/json"), NULL, 0,
                        STR("{\"error\":\"all_stopped\",\"message\":\"an operator has stopped everything\"}"));
    else
        exchange_answer_fault(x, &f);
    return true;
}

static void listen_request(struct exchange *x)
{
    struct station *s = x->app;
    if (rest_is(x)) {
        rest_serve(&s->rest, x);
        return;
    }
    if (listen_health(s, x) || notify_serve(s->house->notify, x) || oauth_serve(&s->oauth, x) ||
        mcp_serve(&s->house->mcp[s->gate.worker->index], x))
        return;
    struct fault f;
    fault_set(&f, ERR_NOT_FOUND, "there is nothing at " STR_FMT "; agents call /mcp or /v1/tools",
              STR_ARG(x->head.path));
    exchange_answer_fault(x, &f);
}

static void listen_gone(struct exchange *x)
{
    if (rest_is(x))
        rest_gone(x);
    else
        mcp_gone(x);
}

static void listen_refuse(struct exchange *x, enum err e, const struct fault *f)
{
    struct station *s = x->app;
    (void)e; /* f has it */
    if (rest_is(x))
        rest_refuse(&s->rest, x, f);
    else
        exchange_answer_fault(x, f);
}

static struct tls *listen_tls(void *app)
{
    struct station *s = app;
    struct conf *conf = conf_slot_get(&s->house->conf);
    struct tls *t = conf->root.tls.tls ? tls_ref(conf->root.tls.tls) : NULL;
    conf_unref(conf);
    return t;
}

const struct server_ops listen_server_ops = {.head = listen_head,
                                             .request = listen_request,
                                             .done = house_account,
                                             .gone = listen_gone,
                                             .refuse = listen_refuse,
                                             .tls = listen_tls};
