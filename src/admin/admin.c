/* From a request to its route: who asks, may they, and where the answer is made. */
#include "admin/admin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/authzen.h"
#include "admin/request.h"
#include "base/clock.h"
#include "base/enc.h"
#include "identity/people.h"
#include "store/bucket.h"

enum { ADMIN_OUT_MAX = 64 << 20, ADMIN_TOKEN_BYTES = 32 };

const struct admin_route admin_routes[] = {
#define ROUTE(method, path, role, kind, handler, what)                                                                 \
    {#method, path, ADMIN_##role, ADMIN_##kind, admin_##handler, what},
#include "admin/routes.def"
#undef ROUTE
};
const size_t admin_route_count = sizeof(admin_routes) / sizeof(admin_routes[0]);

/* ---- paths ---- */

static bool admin_path_is(struct str path, const char *pattern, struct str *ret_id)
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

/* ---- the token ---- */

static enum err admin_token_make(const char *path, struct fault *f)
{
    unsigned char raw[ADMIN_TOKEN_BYTES];
    char text[8 + ADMIN_TOKEN_BYTES * 2] = "opt_";
    enc_random(raw, sizeof(raw));
    size_t n = 4 + enc_b64url(raw, sizeof(raw), text + 4);
    text[n++] = '\n';
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !ok)
        unlink(path); /* half a token would lock everybody out */
    secret_wipe(text, sizeof(text));
    secret_wipe(raw, sizeof(raw));
    return ok ? ERR_OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(why));
}

enum err admin_token(const char *data_dir, struct secret **ret, struct fault *f)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/operator.token", data_dir);
    if (access(path, F_OK) != 0)
        TRY(admin_token_make(path, f));
    return secret_read(path, 4096, true, ret, f);
}

/* ---- who ---- */

static bool admin_is(const struct secret *token, struct str given)
{
    return token && secret_len(token) > 0 && secret_eq(token, given);
}

/* inet_ntop leaves the text empty for an address of no family. */
static struct str admin_address(struct admin_request *r)
{
    const struct sockaddr_storage *from = &r->x->peer;
    const void *bytes = from->ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)from)->sin_addr
                                                   : (const void *)&((const struct sockaddr_in6 *)from)->sin6_addr;
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(from->ss_family, bytes, text, sizeof(text));
    return text[0] ? arena_fmt(r->arena, "{\"address\":\"%s\"}", text) : STR_NONE;
}

/* On record, unless there are so many that they would fill the disk. */
static void admin_note_failure(struct admin_request *r)
{
    struct bucket_use use = {r->admin->failures, "failures"};
    struct lease_verdict v;
    meter_add(METER_AUTH_FAILURES_OPERATORS, 1);
    bucket_take_all(&use, 1, clock_mono_ns(), &v);
    if (v.answer == LEASE_GRANTED)
        admin_note(r->admin, AUDIT_AUTH_FAILED, STR_NONE, STR_NONE, admin_address(r));
}

/* admin.metrics: open. Whoever reaches the listener reads the figures, and nothing else. */
static bool admin_is_open(struct admin_request *r)
{
    struct conf *conf = conf_slot_get(r->admin->conf);
    bool open = conf->root.admin.metrics == CONF_METRICS_OPEN && str_is(r->x->head.path, "/metrics");
    conf_unref(conf);
    return open;
}

/* What needs no credential asks for none: whoever finds out where to ask has none yet. */
static bool admin_is_for_anybody(struct admin_request *r)
{
    struct str id;
    for (size_t i = 0; i < admin_route_count; i++)
        if (admin_routes[i].role == ADMIN_ANYBODY && admin_path_is(r->x->head.path, admin_routes[i].path, &id))
            return true;
    return false;
}

struct str admin_token_of(const struct exchange *x)
{
    struct str value = http_header(&x->head, "authorization"), scheme;
    str_cut(&value, ' ', &scheme);
    return str_ieq(scheme, STR("Bearer")) ? str_trim(value) : STR_NONE;
}

/* A person of the store. Who is there and has no memory left is nobody. */
static int64_t admin_person(struct admin *a, struct str token, struct arena *arena, struct str *ret_name,
                            struct str *ret_groups)
{
    struct store_person p;
    int64_t role;
    struct arena own;
    arena_init_small(&own, 1u << 20);
    enum err e = people_of_token(a->people, token, arena ? arena : &own, &p, &role);
    arena_done(&own);
    if (e || role < CONF_VIEWER || role > CONF_ADMIN)
        return ADMIN_ANYBODY;
    if (arena && ret_name)
        *ret_name = p.name;
    if (arena && ret_groups)
        *ret_groups = p.groups;
    return role;
}

int64_t admin_role_of(struct admin *a, struct str token, struct arena *arena, struct str *ret_name,
                      struct str *ret_groups)
{
    int64_t role = ADMIN_ANYBODY;
    struct str name = STR_NONE;
    struct conf *conf = conf_slot_get(a->conf);
    if (admin_is(a->token, token)) {
        name = STR("operator");
        role = ADMIN_ADMIN;
    }
    for (size_t i = 0; role == ADMIN_ANYBODY && i < conf->root.operators.n; i++) {
        const struct conf_operator *o = &conf->root.operators.v[i];
        if (!admin_is(o->token, token))
            continue;
        name = o->name;
        role = o->role;
    }
    if (ret_name && role != ADMIN_ANYBODY)
        *ret_name = arena_str(arena, name);
    conf_unref(conf);
    return role != ADMIN_ANYBODY ? role : admin_person(a, token, arena, ret_name, ret_groups);
}

static enum err admin_who(struct admin_request *r, struct fault *f)
{
    struct admin *a = r->admin;
    struct str value = http_header(&r->x->head, "authorization");
    if (!value.p && admin_is_open(r)) {
        r->role = ADMIN_VIEWER;
        return ERR_OK;
    }
    if (!value.p && admin_is_for_anybody(r))
        return ERR_OK;
    if (!value.p)
        return fault_set(f, ERR_UNAUTHENTICATED, "Authorization: Bearer and an operator's token are needed");
    r->role = admin_role_of(a, admin_token_of(r->x), r->arena, &r->operator, & r->groups);
    if (r->role == ADMIN_ANYBODY)
        admin_note_failure(r);
    return r->role == ADMIN_ANYBODY ? fault_set(f, ERR_TOKEN, "this is no operator's token") : ERR_OK;
}

void admin_note(struct admin *a, enum audit_event event, struct str operator, struct str agent, struct str details)
{
    struct audit_entry e;
    audit_entry_init(&e, event, AUDIT_HUMAN);
    e.actor = operator;
    e.agent_id = agent;
    e.details = details;
    e.result = event == AUDIT_AUTH_FAILED ? AUDIT_DENIED : AUDIT_SUCCESS;
    audit_note(a->audit, &e);
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

static void admin_answer(struct admin_request *r)
{
    struct exchange *x = r->x;
    if (r->conf) {
        r->admin->apply(r->admin->ctx, r->conf, r->operator);
        conf_unref(r->conf);
    }
    if (r->people_changed)
        admin_streams_reloaded(r->admin); /* who is not let in any more reads on nowhere */
    if (!r->err && buf_failed(&r->out))
        r->err = fault_set(&r->fault, ERR_NOMEM, "the answer does not fit into memory");
    struct http_header headers[] = {{STR("Cache-Control"), r->err || !r->cache.n ? STR("no-store") : r->cache},
                                    {STR_NONE, STR_NONE}};
    if (r->err && (!r->out.n || buf_failed(&r->out))) { /* half an answer is none */
        r->fault.err = r->err;
        admin_answer_fault(x, &r->fault, headers, 0);
    } else {
        struct str type = r->err || !r->type.n ? STR("application/json") : r->type;
        exchange_answer(x, r->err ? err_http(r->err) : r->status, type, headers, 1 + admin_echo(x, &headers[1]),
                        buf_view(&r->out));
    }
    secret_wipe(r->out.p, r->out.n);
    buf_done(&r->out);
    free(r);
}

static void admin_work(uv_work_t *w)
{
    struct admin_request *r = w->data;
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
    if (!e && r->role < r->route->role)
        e = fault_set(&f, ERR_ROLE, "this needs the role %s", people_roles[r->route->role]);
    if (!e)
        e = admin_read(r, &f);
    if (!e && !str_is(x->head.method, "GET") && r->route->kind != ADMIN_STOP && !audit_healthy(a->audit, &f))
        e = f.err = ERR_AUDIT; /* no record, no change */
    if (e) {
        buf_done(&r->out);
        free(r);
        f.err = e;
        admin_refuse(x, &f, allow);
    } else if (r->route->kind == ADMIN_STREAM && (r->err = r->route->run(r, &r->fault)) == ERR_OK) {
        buf_done(&r->out); /* the answer has begun, and goes on without the request */
        free(r);
    } else if (r->route->kind == ADMIN_STREAM) {
        admin_answer(r);
    } else if (r->route->kind != ADMIN_LOOP &&
               uv_queue_work(&a->worker->loop, &r->work, admin_work, admin_worked) == 0) {
        return;
    } else {
        r->err = r->route->run(r, &r->fault);
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

/* ---- members of the body ---- */

static enum err admin_wrong(const struct admin_request *r, const char *key, uint32_t node, const char *want,
                            struct fault *f)
{
    return fault_set(f, ERR_PARAMS, "%s must be %s, but is %s", key, want, json_type_name(json_type(&r->doc, node)));
}

enum err admin_str(struct admin_request *r, const char *key, struct str *ret, struct fault *f)
{
    uint32_t node = json_get(&r->doc, JSON_ROOT, str_of(key));
    *ret = STR_NONE;
    if (!node || json_type(&r->doc, node) == JSON_NULL)
        return ERR_OK;
    if (json_type(&r->doc, node) != JSON_STRING)
        return admin_wrong(r, key, node, "a string", f);
    *ret = json_str(&r->doc, node, r->arena);
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the request");
}

enum err admin_i64(struct admin_request *r, const char *key, int64_t *ret, struct fault *f)
{
    uint32_t node = json_get(&r->doc, JSON_ROOT, str_of(key));
    *ret = 0;
    if (!node || json_type(&r->doc, node) == JSON_NULL)
        return ERR_OK;
    return json_i64(&r->doc, node, ret) && *ret > 0 ? ERR_OK
                                                    : admin_wrong(r, key, node, "a whole number greater than 0", f);
}

enum err admin_strings(struct admin_request *r, const char *key, struct conf_strings *ret, struct fault *f)
{
    uint32_t node = json_get(&r->doc, JSON_ROOT, str_of(key));
    *ret = (struct conf_strings){0};
    if (!node || json_type(&r->doc, node) == JSON_NULL)
        return ERR_OK;
    if (json_type(&r->doc, node) != JSON_ARRAY)
        return admin_wrong(r, key, node, "a list of strings", f);
    ret->v = arena_raw(r->arena, r->doc.node[node].size * sizeof(struct str) + 1, 16);
    if (!ret->v)
        return fault_set(f, ERR_NOMEM, "no memory for the request");
    JSON_EACH(&r->doc, node, v)
    {
        if (json_type(&r->doc, v) != JSON_STRING)
            return admin_wrong(r, key, v, "a list of strings", f);
        ret->v[ret->n++] = json_str(&r->doc, v, r->arena);
    }
    ret->set = true;
    return ERR_OK;
}

enum err admin_only(struct admin_request *r, const char *const *keys, struct fault *f)
{
    JSON_PAIRS(&r->doc, JSON_ROOT, k, v)
    {
        bool known = false;
        for (const char *const *key = keys; *key && !known; key++)
            known = json_str_is(&r->doc, k, str_of(*key));
        if (!known)
            return fault_set(f, ERR_PARAMS, "there is no member " STR_FMT " here", STR_ARG(json_raw(&r->doc, k)));
    }
    return ERR_OK;
}
