/* The endpoints: one table of paths; the token endpoint; the metadata. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "oauth/oauth.h"
#include "store/bucket.h"

#define OAUTH_RESOURCE_METADATA "/.well-known/oauth-protected-resource"
#define OAUTH_REST              "/v1"

/* ---- answers ---- */

void oauth_answer(struct oauth_worker *w, struct exchange *x, int status)
{
    static const struct http_header headers[] = {{{"Cache-Control", 13}, {"no-store", 8}},
                                                 {{"Pragma", 6}, {"no-cache", 8}}};
    if (buf_failed(&w->out)) { /* half an answer is none */
        struct fault f;
        fault_set(&f, ERR_NOMEM, "no memory for the answer");
        exchange_answer_fault_with(x, &f, headers, 2);
    } else {
        exchange_answer(x, status, STR("application/json"), headers, 2, buf_view(&w->out));
    }
}

void oauth_refuse(struct oauth_worker *w, struct exchange *x, const struct fault *f)
{
    buf_clear(&w->out);
    struct json_out o = json_out(&w->out);
    json_open(&o, '{');
    json_kv_z(&o, "error", err_code(f->err));
    json_kv_z(&o, "error_description", f->text);
    json_close(&o, '}');
    oauth_answer(w, x, err_http(f->err));
}

void oauth_note_failure(struct oauth *o, const struct exchange *x, struct str who, const struct fault *f)
{
    struct bucket_use use = {o->failures, "failures"};
    struct lease_verdict v;
    struct sockaddr_storage from;
    struct audit_entry e;
    char address[INET6_ADDRSTRLEN] = "", details[96];
    struct conf *conf = conf_slot_get(o->conf);
    oauth_client_address(x, &conf->root, &from);
    conf_unref(conf);
    /* inet_ntop leaves the text empty for an address of no family */
    const void *bytes = from.ss_family == AF_INET ? (const void *)&((struct sockaddr_in *)&from)->sin_addr
                                                  : (const void *)&((struct sockaddr_in6 *)&from)->sin6_addr;
    inet_ntop(from.ss_family, bytes, address, sizeof(address));
    meter_add(METER_AUTH_FAILURES_AGENTS, 1);
    bucket_take_all(&use, 1, clock_mono_ns(), &v);
    if (v.answer != LEASE_GRANTED) {
        log_debug("auth_failed", LOG_Z("address", address), LOG_Z("code", err_code(f->err)));
        return;
    }
    snprintf(details, sizeof(details), "{\"address\":\"%s\"}", address);
    audit_entry_init(&e, AUDIT_AUTH_FAILED, AUDIT_AI_AGENT);
    e.agent_id = who;
    e.judged = true;
    e.stage = "credential";
    e.reason = str_of(f->text);
    e.code = err_code(f->err);
    e.result = AUDIT_DENIED;
    e.details = str_of(details);
    audit_note(o->audit, &e);
}

/* ---- the token endpoint ---- */

enum { FORM_GRANT = OAUTH_CLIENT_FIELDS, FORM_SCOPE, FORM_RESOURCE, FORM_COUNT };

static bool oauth_is_resource(struct str resource, struct str of)
{
    struct str below = str_skip(resource, of.n);
    return str_starts(resource, of) && (!below.n || below.p[0] == '/');
}

static enum err token_form(struct oauth *o, struct exchange *x, struct form_field form[FORM_COUNT], struct fault *f)
{
    TRY(oauth_form(x, form, FORM_COUNT, f));
    if (!form[FORM_GRANT].value.n)
        return fault_set(f, ERR_INVALID, "grant_type is missing; it must be client_credentials");
    if (!str_is(form[FORM_GRANT].value, "client_credentials"))
        return fault_set(f, ERR_GRANT, "grant_type must be client_credentials");
    struct str resource = form[FORM_RESOURCE].value;
    if (!resource.n || oauth_is_resource(resource, o->resource))
        return ERR_OK;
    struct str rest = arena_fmt(&x->arena, STR_FMT OAUTH_REST, STR_ARG(o->issuer));
    if (!rest.p)
        return fault_set(f, ERR_NOMEM, "no memory for the request");
    return oauth_is_resource(resource, rest) ? ERR_OK
                                             : fault_set(f, ERR_INVALID, "resource must be " STR_FMT " or " STR_FMT,
                                                         STR_ARG(o->resource), STR_ARG(rest));
}

static enum err token_write(struct oauth_worker *w, const struct lease *l, struct str token, struct fault *f)
{
    buf_clear(&w->out);
    struct json_out o = json_out(&w->out);
    json_open(&o, '{');
    json_kv_str(&o, "access_token", token);
    json_kv_z(&o, "token_type", "Bearer");
    json_kv_i64(&o, "expires_in", (l->expires - clock_wall_ms()) / 1000);
    struct str scope = STR_NONE;
    struct buf b;
    buf_init(&b, 1u << 20);
    for (size_t i = 0; i < l->scope_count; i++) {
        if (i)
            buf_char(&b, ' ');
        buf_str(&b, l->scope[i]);
    }
    scope = buf_view(&b);
    json_kv_str(&o, "scope", scope);
    bool whole = !buf_failed(&b);
    buf_done(&b);
    json_close(&o, '}');
    return whole && !buf_failed(&w->out) ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the answer");
}

static enum err token_open_session(struct oauth_worker *w, struct exchange *x, struct str *ret_who, struct fault *f)
{
    struct oauth *o = w->oauth;
    struct form_field form[FORM_COUNT] = {
        OAUTH_CLIENT_FORM, {"grant_type", STR_NONE}, {"scope", STR_NONE}, {"resource", STR_NONE}};
    struct agent *agent CLEANUP(agent_unrefp) = NULL;
    TRY(token_form(o, x, form, f));
    TRY(oauth_client(o, form, &x->arena, &agent, ret_who, f));
    if (!audit_healthy(o->audit, f))
        return f->err = ERR_AUDIT;
    struct session_wish wish = {
        .scopes = form[FORM_SCOPE].value}; /* an agent's own word gives it no user, no tier, no trigger */
    struct lease *l;
    TRY(session_open(o->sessions, agent, &wish, &l, f));
    struct buf token;
    buf_init(&token, JOSE_TOKEN_MAX);
    enum err e = token_mint(o->keys, l, o->issuer, o->resource, &token, f);
    if (!e)
        e = token_write(w, l, buf_view(&token), f);
    if (e) /* nobody could use it */
        session_end(o->sessions, l->sid, STR_NONE, STR("its token could not be given out"));
    secret_wipe(token.p, token.n);
    buf_done(&token);
    lease_unref(l);
    return e;
}

static void oauth_token(struct oauth_worker *w, struct exchange *x)
{
    struct fault f;
    struct str who = STR_NONE;
    if (token_open_session(w, x, &who, &f) == ERR_OK) {
        oauth_answer(w, x, 200);
        secret_wipe(w->out.p, w->out.n);
        return;
    }
    if (f.err == ERR_CLIENT_AUTH || f.err == ERR_AGENT_STOPPED)
        oauth_note_failure(w->oauth, x, who, &f);
    oauth_refuse(w, x, &f);
}

/* ---- metadata ---- */

/* Clients want to read an authorization endpoint even where no grant uses it (RFC 8414 section 2 does not ask for it).
 */
static void oauth_authorize(struct oauth_worker *w, struct exchange *x)
{
    struct fault f;
    fault_set(&f, ERR_INVALID,
              "nothing is authorized here: agents open sessions at the token endpoint with client_credentials");
    oauth_refuse(w, x, &f);
}

static void oauth_server_metadata(struct oauth_worker *w, struct exchange *x)
{
    struct str issuer = w->oauth->issuer;
    buf_clear(&w->out);
    struct json_out o = json_out(&w->out);
    json_open(&o, '{');
    json_kv_str(&o, "issuer", issuer);
    json_kv_str(&o, "authorization_endpoint", arena_fmt(&x->arena, STR_FMT "/oauth/authorize", STR_ARG(issuer)));
    json_kv_str(&o, "token_endpoint", arena_fmt(&x->arena, STR_FMT "/oauth/token", STR_ARG(issuer)));
    json_kv_str(&o, "revocation_endpoint", arena_fmt(&x->arena, STR_FMT "/oauth/revoke", STR_ARG(issuer)));
    json_kv_raw(&o, "revocation_endpoint_auth_methods_supported", STR("[\"private_key_jwt\"]"));
    json_kv_raw(&o, "revocation_endpoint_auth_signing_alg_values_supported", STR("[\"EdDSA\",\"ES256\"]"));
    json_kv_str(&o, "jwks_uri", arena_fmt(&x->arena, STR_FMT "/oauth/jwks", STR_ARG(issuer)));
    json_kv_raw(&o, "response_types_supported", STR("[]"));
    json_kv_raw(&o, "grant_types_supported", STR("[\"client_credentials\"]"));
    json_kv_raw(&o, "token_endpoint_auth_methods_supported", STR("[\"private_key_jwt\"]"));
    json_kv_raw(&o, "token_endpoint_auth_signing_alg_values_supported", STR("[\"EdDSA\",\"ES256\"]"));
    json_close(&o, '}');
    exchange_answer(x, 200, STR("application/json"), NULL, 0, buf_view(&w->out));
}

/* The resource is the one whose path stands in the metadata's own (RFC 9728 section 3.3): /mcp, which is also what is
 * meant without a path, /mcp/{server}, or /v1. One token is good for all of them. */
static bool oauth_resource_path(struct str path, struct str *ret_resource)
{
    bool all = !path.n || str_is(path, "/mcp/");
    *ret_resource = all ? STR("/mcp") : path;
    return all || str_is(path, "/mcp") || str_is(path, OAUTH_REST) ||
           (str_starts(path, STR("/mcp/")) && memrchr(path.p, '/', path.n) == path.p + 4);
}

static void oauth_resource_metadata(struct oauth_worker *w, struct exchange *x)
{
    struct fault f;
    struct str below = str_skip(x->head.path, strlen(OAUTH_RESOURCE_METADATA)), resource;
    if (!oauth_resource_path(below, &resource)) {
        fault_set(&f, ERR_NOT_FOUND, "there is no resource " STR_FMT " here", STR_ARG(below));
        oauth_refuse(w, x, &f);
        return;
    }
    buf_clear(&w->out);
    struct json_out o = json_out(&w->out);
    json_open(&o, '{');
    json_kv_str(&o, "resource", arena_fmt(&x->arena, STR_FMT STR_FMT, STR_ARG(w->oauth->issuer), STR_ARG(resource)));
    json_kv_raw(&o, "bearer_methods_supported", STR("[\"header\"]"));
    json_kv_z(&o, "resource_name", "Doorward");
    json_kv_strs(&o, "authorization_servers", &w->oauth->issuer, 1);
    json_close(&o, '}');
    exchange_answer(x, 200, STR("application/json"), NULL, 0, buf_view(&w->out));
}

static void oauth_jwks(struct oauth_worker *w, struct exchange *x)
{
    buf_clear(&w->out);
    keys_jwks(w->oauth->keys, &w->out);
    exchange_answer(x, 200, STR("application/json"), NULL, 0, buf_view(&w->out));
}

/* ---- paths ---- */

static const struct {
    const char *path, *method;
    bool below; /* and everything below it */
    void (*serve)(struct oauth_worker *w, struct exchange *x);
} oauth_paths[] = {
    {"/oauth/token", "POST", false, oauth_token},
    {"/oauth/revoke", "POST", false, oauth_revoke},
    {"/oauth/authorize", "GET", false, oauth_authorize},
    {"/oauth/jwks", "GET", false, oauth_jwks},
    {"/.well-known/oauth-authorization-server", "GET", false, oauth_server_metadata},
    {OAUTH_RESOURCE_METADATA, "GET", true, oauth_resource_metadata},
};

static bool oauth_path_is(struct str path, const char *want, bool below)
{
    struct str rest = str_skip(path, strlen(want));
    return str_starts(path, str_of(want)) && (rest.n == 0 || (below && rest.p[0] == '/'));
}

bool oauth_serve(struct oauth_worker *w, struct exchange *x)
{
    for (size_t i = 0; i < sizeof(oauth_paths) / sizeof(oauth_paths[0]); i++) {
        if (!oauth_path_is(x->head.path, oauth_paths[i].path, oauth_paths[i].below))
            continue;
        if (str_is(x->head.method, oauth_paths[i].method)) {
            oauth_paths[i].serve(w, x);
            return true;
        }
        struct http_header allow = {STR("Allow"), str_of(oauth_paths[i].method)};
        exchange_answer(x, 405, STR("application/json"), &allow, 1,
                        STR("{\"error\":\"method_not_allowed\",\"error_description\":\"the Allow header says what this "
                            "path takes\"}"));
        return true;
    }
    return false;
}

/* ---- life ---- */

enum err oauth_init(struct oauth *o, struct fault *f)
{
    static const struct conf_rate failures = {600, 60000};
    o->started_ns = clock_mono_ns();
    o->replay = replay_new();
    o->failures = bucket_new(&failures);
    o->anonymous = anonymous_new();
    return o->replay && o->failures && o->anonymous ? ERR_OK
                                                    : fault_set(f, ERR_NOMEM, "no memory for the token endpoint");
}

void oauth_done(struct oauth *o)
{
    replay_free(o->replay);
    bucket_free(o->failures);
    anonymous_free(o->anonymous);
}

enum err oauth_worker_init(struct oauth_worker *w, struct oauth *o, struct fault *f)
{
    *w = (struct oauth_worker){.oauth = o, .tokens = token_cache_new()};
    buf_init(&w->out, 2u << 20);
    return w->tokens ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the token cache");
}

void oauth_worker_done(struct oauth_worker *w)
{
    token_cache_free(w->tokens);
    buf_done(&w->out);
}
