/* From a request to its route, and to where the answer is made. */
#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/authzen.h"
#include "admin/request.h"

enum { ADMIN_OUT_MAX = 64 << 20 };

const struct admin_route admin_routes[] = {
#define ROUTE(method, path, role, console, kind, handler, what)                                                        \
    {#method, path, ADMIN_##role, ADMIN_CONSOLE_##console, ADMIN_##kind, admin_##handler, what},
#include "admin/routes.def"
#undef ROUTE
};
const size_t admin_route_count = sizeof(admin_routes) / sizeof(admin_routes[0]);

/* ---- paths ---- */

bool admin_path_is(struct str path, const char *pattern, struct str *ret_id)
{
    struct str want = str_of(pattern), have = path, w, h;
    *ret_id = STR_NONE;
    while (want.n || have.n) {
        str_cut(&want, '/', &w);
        str_cut(&have, '/', &h);
        if (str_is(w, "{*}") && h.n) {
            *ret_id = (struct str){h.p, (size_t)(path.p + path.n - h.p)};
            return true;
        }
        if (str_is(w, "{}") && h.n)
            *ret_id = ret_id->p ? (struct str){ret_id->p, (size_t)(h.p + h.n - ret_id->p)} : h;
        else if (!str_eq(w, h))
            return false;
    }
    return true;
}

/* ---- the route ---- */

static enum err admin_find(struct admin_request *r, char allow[64], struct fault *f)
{
    bool known = false;
    for (size_t i = 0; i < admin_route_count; i++) {
        const struct admin_route *route = &admin_routes[i];
        struct str id;
        if (!admin_path_is(r->x->head.path, route->path, &id))
            continue;
        if (str_is(r->x->head.method, route->method)) {
            r->route = route;
            r->id = id;
            return ERR_OK;
        }
        snprintf(allow + strlen(allow), 64 - strlen(allow), "%s%s", known ? ", " : "", route->method);
        known = true;
    }
    return known ? fault_set(f, ERR_HTTP_METHOD, "this path takes %s", allow)
                 : fault_set(f, ERR_NOT_FOUND, "there is no route " STR_FMT, STR_ARG(r->x->head.path));
}

static enum err admin_read(struct admin_request *r, struct fault *f)
{
    if (!r->x->body.n)
        return ERR_OK;
    struct str type = http_header(&r->x->head, "content-type"), kind;
    str_cut(&type, ';', &kind);
    if (!str_ieq(str_trim(kind), STR("application/json")))
        return fault_set(f, ERR_MEDIA_TYPE, "Content-Type must be application/json");
    TRY(json_parse(&r->doc, r->x->body, r->arena, NULL, f));
    return json_type(&r->doc, JSON_ROOT) == JSON_OBJECT ? ERR_OK
                                                        : fault_set(f, ERR_INVALID, "the body must be a JSON object");
}

/* AuthZEN: who numbers the requests gets the number back. */
static size_t admin_echo(const struct exchange *x, struct http_header *ret)
{
    struct str id = authzen_path(x->head.path) ? http_header(&x->head, "x-request-id") : STR_NONE;
    *ret = (struct http_header){STR("X-Request-ID"), id};
    return id.p ? 1 : 0;
}

static void admin_answer_fault(struct exchange *x, const struct fault *f, struct http_header headers[2], size_t n)
{
    n += admin_echo(x, &headers[n]);
    if (authzen_path(x->head.path))
        authzen_answer_fault(x, f, headers, n);
    else
        exchange_answer_fault_with(x, f, headers, n);
}

/* Its answer may have held a token, and its headers a cookie. */
static void admin_forget(struct admin_request *r)
{
    secret_wipe(r->out.p, r->out.n);
    secret_wipe(r->cookie, sizeof(r->cookie));
    buf_done(&r->out);
    free(r);
}

static void admin_answer(struct admin_request *r)
{
    struct exchange *x = r->x;
    if (r->conf) {
        r->admin->apply(r->admin->ctx, r->conf, r->operator);
        conf_unref(r->conf);
    }
    if (r->people_changed)
        admin_people_changed(r->admin); /* who is not let in any more reads on nowhere */
    if (!r->err && buf_failed(&r->out))
        r->err = fault_set(&r->fault, ERR_NOMEM, "the answer does not fit into memory");
    struct http_header headers[2 + ADMIN_HEADERS] = {
        {STR("Cache-Control"), r->err || !r->cache.n ? STR("no-store") : r->cache}};
    size_t n = 1 + admin_echo(x, &headers[1]);
    if (r->err && (!r->out.n || buf_failed(&r->out))) { /* half an answer is none */
        r->fault.err = r->err;
        n = r->retry.n ? 1 : 0;
        headers[0] = (struct http_header){STR("Retry-After"), r->retry};
        admin_answer_fault(x, &r->fault, headers, n);
    } else {
        struct str type = r->bare ? STR_NONE : r->err || !r->type.n ? STR("application/json") : r->type;
        memcpy(&headers[n], r->header, r->headers * sizeof(headers[0]));
        exchange_answer(x, r->err ? err_http(r->err) : r->status, type, headers, n + r->headers, buf_view(&r->out));
    }
    admin_forget(r);
}

static void admin_work(uv_work_t *w)
{
    struct admin_request *r = w->data;
    r->err = admin_proves(r) ? admin_prove(r, &r->fault) : ERR_OK;
    if (!r->err)
        r->err = r->route->run(r, &r->fault);
}

static void admin_worked(uv_work_t *w, int status)
{
    struct admin_request *r = w->data;
    if (status)
        r->err = fault_set(&r->fault, ERR_STOPPING, "Doorward is stopping");
    admin_answer(r);
}

/* What 401 and 405 owe (RFC 9110 sections 11.6.1 and 15.5.6). */
static void admin_refuse(struct exchange *x, const struct fault *f, const char *allow)
{
    struct http_header h[2] = {f->err == ERR_HTTP_METHOD
                                   ? (struct http_header){STR("Allow"), str_of(allow)}
                                   : (struct http_header){STR("WWW-Authenticate"), STR("Bearer realm=\"operators\"")}};
    admin_answer_fault(x, f, h, f->err == ERR_HTTP_METHOD || err_http(f->err) == 401);
}

/* Before there was a request to answer: its head was refused, or its body is too large. */
static void admin_refuse_early(struct exchange *x, enum err e, const struct fault *f)
{
    struct http_header h[2];
    (void)e; /* f says it */
    admin_answer_fault(x, f, h, 0);
}

/* A page in somebody's browser must not talk to this door, nor reach it under another name (DNS rebinding). Only what
 * came from here itself may. */
static enum err admin_head(struct exchange *x, struct fault *f)
{
    struct admin *a = x->app;
    struct str host = x->head.host, origin = http_header(&x->head, "origin"), from = origin;
    struct conf *conf = conf_slot_get(a->conf);
    bool named = conf_named(&conf->root.admin.allowed_hosts, host);
    conf_unref(conf);
    if (!named)
        return fault_set(f, ERR_ORIGIN, "the Host " STR_FMT " is not one of admin.allowed_hosts", STR_ARG(host));
    if (!origin.p)
        return ERR_OK;
    from = str_skip(from, str_starts(from, STR("https://")) ? 8 : str_starts(from, STR("http://")) ? 7 : from.n);
    return str_ieq(from, host)
               ? ERR_OK
               : fault_set(f, ERR_ORIGIN, "pages of " STR_FMT " have no business here", STR_ARG(origin));
}

static void admin_serve(struct exchange *x)
{
    struct admin *a = x->app;
    struct fault f;
    char allow[64] = "";
    struct admin_request *r = calloc(1, sizeof(*r));
    if (!r) {
        fault_set(&f, ERR_NOMEM, "no memory for the request");
        exchange_answer_fault(x, &f);
        return;
    }
    *r = (struct admin_request){.admin = a, .x = x, .role = ADMIN_ANYBODY, .arena = &x->arena, .status = 200};
    buf_init(&r->out, ADMIN_OUT_MAX);
    r->work.data = r;
    enum err e = admin_who(r, &f);
    x->note.operator= r->operator;
    if (!e)
        e = admin_find(r, allow, &f);
    if (!e)
        e = admin_may(r, &f);
    if (!e)
        e = admin_read(r, &f);
    if (!e && !str_is(x->head.method, "GET") && r->route->kind != ADMIN_STOP && !audit_healthy(a->audit, &f))
        e = f.err = ERR_AUDIT; /* no record, no change */
    if (e) {
        admin_forget(r);
        f.err = e;
        admin_refuse(x, &f, allow);
    } else if (r->route->kind == ADMIN_STREAM && (r->err = r->route->run(r, &r->fault)) == ERR_OK) {
        admin_forget(r); /* the answer has begun, and goes on without the request */
    } else if (r->route->kind == ADMIN_STREAM) {
        admin_answer(r);
    } else if (r->route->kind != ADMIN_LOOP &&
               uv_queue_work(&a->worker->loop, &r->work, admin_work, admin_worked) == 0) {
        return;
    } else {
        admin_work(&r->work);
        admin_answer(r);
    }
}

static struct tls *admin_tls(void *app)
{
    struct admin *a = app;
    struct conf *conf = conf_slot_get(a->conf);
    struct tls *t = conf->root.admin.tls.tls ? tls_ref(conf->root.admin.tls.tls) : NULL;
    conf_unref(conf);
    return t;
}

static void admin_over(struct exchange *x)
{
    const struct admin *a = x->app;
    if (a->over)
        a->over(a->ctx, x);
}

static void admin_gone(struct exchange *x)
{
    struct admin_flow *f = x->user;
    if (f)
        f->gone(f);
}

static void admin_drained(struct exchange *x)
{
    struct admin_flow *f = x->user;
    if (f)
        f->drained(f);
}

const struct server_ops admin_server_ops = {.head = admin_head,
                                            .request = admin_serve,
                                            .refuse = admin_refuse_early,
                                            .gone = admin_gone,
                                            .drained = admin_drained,
                                            .done = admin_over,
                                            .tls = admin_tls};
