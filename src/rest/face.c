/* From an exchange to a route: who asks, may they, what is in the body. */
#include <stdio.h>

#include "gate/face.h"
#include "rest/request.h"

#define REST_OUT_MAX (64u << 20)

const struct rest_route rest_routes[] = {
#define ROUTE(method, path, who, handler, traits, body, answer, what)                                                  \
    {#method, path, REST_##who, rest_##handler, #handler, traits, body, answer, what},
#include "rest/routes.def"
#undef ROUTE
};
const size_t rest_route_count = sizeof(rest_routes) / sizeof(rest_routes[0]);

void rest_worker_init(struct rest_worker *w, struct gate_worker *gate)
{
    *w = (struct rest_worker){.gate = gate};
    buf_init(&w->out, REST_OUT_MAX);
}

void rest_worker_done(struct rest_worker *w)
{
    buf_done(&w->out);
}

bool rest_is(const struct exchange *x)
{
    struct str rest = str_skip(x->head.path, 3);
    return str_starts(x->head.path, STR("/v1")) && (!rest.n || rest.p[0] == '/');
}

/* Segments are compared as they were sent: no name that is found here needs percent-encoding, so that there is one way
 * to write each path. */
static bool rest_path_is(struct str path, const char *pattern, struct str *ret_id)
{
    struct str want = str_of(pattern), w, h;
    unsigned slashes = 0, wanted = 0;
    for (size_t i = 0; i < path.n; i++)
        slashes += path.p[i] == '/';
    for (size_t i = 0; i < want.n; i++)
        wanted += want.p[i] == '/';
    if (slashes != wanted)
        return false;
    *ret_id = STR_NONE;
    while (want.n) {
        str_cut(&want, '/', &w);
        str_cut(&path, '/', &h);
        if (w.n && w.p[0] == '{' && h.n)
            *ret_id = h;
        else if (!str_eq(w, h))
            return false;
    }
    return true;
}

static enum err rest_find(struct rest_request *r, struct fault *f)
{
    const struct http_head *h = &r->x->head;
    for (size_t i = 0; i < rest_route_count; i++) {
        const struct rest_route *route = &rest_routes[i];
        if (!rest_path_is(h->path, route->path, &r->id))
            continue;
        if (str_is(h->method, route->method)) {
            r->route = route;
            return ERR_OK;
        }
        r->allow = r->allow.n ? arena_fmt(&r->x->arena, STR_FMT ", %s", STR_ARG(r->allow), route->method)
                              : str_of(route->method);
    }
    return r->allow.n ? fault_set(f, ERR_HTTP_METHOD, "this path takes " STR_FMT, STR_ARG(r->allow))
                      : fault_set(f, ERR_NOT_FOUND, "there is no route " STR_FMT "; /v1/openapi.json lists them",
                                  STR_ARG(h->path));
}

static enum err rest_read(struct rest_request *r, struct fault *f)
{
    struct exchange *x = r->x;
    struct str type = http_header(&x->head, "content-type"), kind;
    if (http_header(&x->head, "accept").p && !http_accepts(&x->head, "application/json"))
        return fault_set(f, ERR_NOT_ACCEPTABLE, "Accept must list application/json");
    if (!r->route->body)
        return ERR_OK;
    str_cut(&type, ';', &kind);
    if (!str_ieq(str_trim(kind), STR("application/json")))
        return fault_set(f, ERR_MEDIA_TYPE, "Content-Type must be application/json");
    TRY(json_parse(&r->doc, x->body, &x->arena, NULL, f));
    return json_type(&r->doc, JSON_ROOT) == JSON_OBJECT
               ? ERR_OK
               : fault_set(f, ERR_INVALID, "the body must be a JSON object, but is %s",
                           json_type_name(json_type(&r->doc, JSON_ROOT)));
}

static enum err rest_begin(struct rest_request *r, struct fault *f)
{
    struct rest_worker *w = r->rest;
    TRY(rest_find(r, f));
    if (r->route->who == REST_SESSION)
        TRY(w->authenticate(w->ctx, r->x, &r->lease, f));
    r->call.source = r->x->client;
    return rest_read(r, f);
}

static void rest_request_init(struct rest_request *r, struct rest_worker *w, struct exchange *x)
{
    *r = (struct rest_request){.rest = w, .x = x};
    struct trace t;
    trace_head(&x->head, &x->arena, &t);
    gate_trace(&r->call, &t);
}

void rest_serve(struct rest_worker *w, struct exchange *x)
{
    struct fault f = {0};
    struct rest_request *r = arena_alloc(&x->arena, sizeof(*r));
    if (!r) {
        fault_set(&f, ERR_NOMEM, "no memory for the request");
        rest_refuse(w, x, &f);
        return;
    }
    rest_request_init(r, w, x);
    if (rest_begin(r, &f))
        rest_answer_fault(r, &f, 0);
    else
        r->route->run(r);
}

void rest_refuse(struct rest_worker *w, struct exchange *x, const struct fault *f)
{
    struct rest_request r;
    rest_request_init(&r, w, x);
    rest_answer_fault(&r, f, 0);
}

void rest_gone(struct exchange *x)
{
    struct rest_request *r = x->user;
    if (r)
        gate_cancel(&r->call, "the client closed the connection");
}
