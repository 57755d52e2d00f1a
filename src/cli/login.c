/*
 * As an agent: the gateway's metadata says who issues tokens (RFC 9728, RFC 8414); the agent's key signs an assertion
 * for that issuer (RFC 7523), and the token endpoint answers with an access token.
 */
#include <stdlib.h>

#include "cli/curl.h"
#include "cli/http.h"
#include "identity/assertion.h"

enum { LOGIN_KEY_MAX = 8192 };

const char *cli_gate_url(const struct cli *c)
{
    const char *url = cli_option(c, "url");
    if (!url)
        url = getenv("DOORWARD_URL");
    return url && *url ? url : "http://127.0.0.1:8420";
}

static struct str login_base(const struct cli *c)
{
    struct str url = str_of(cli_gate_url(c));
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    if (str_ends(url, STR("/mcp"))) /* the endpoint is meant well, too */
        url.n -= 4;
    return url;
}

enum err cli_mcp_url(struct cli *c, struct str *ret, struct fault *f)
{
    const char *server = cli_option(c, "server");
    struct str url = arena_fmt(&c->arena, STR_FMT "/mcp%s%s", STR_ARG(login_base(c)), server ? "/" : "",
                               server ? cli_segment(c, server) : "");
    *ret = url;
    return url.p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a URL");
}

struct login {
    struct str url; /* without a slash at the end */
    struct str issuer;
    struct json server; /* its metadata */
};

static enum err login_get(struct cli *c, const struct login *l, const char *path, struct json *ret, struct fault *f)
{
    struct str full = arena_fmt(&c->arena, STR_FMT "%s", STR_ARG(l->url), path);
    struct cli_http h = {.method = "GET", .url = full.p ? full.p : "", .headers = {"Accept: application/json"}};
    enum err e = cli_http_json(c, &h, ret, NULL, f);
    if (e == ERR_UNREACHABLE) {
        struct fault why = *f; /* "… (what libcurl says)" */
        const char *reason = strchr(why.text, '(');
        return fault_set(f, e, "nobody answers at " STR_FMT "%s%s: is the gateway running, and is --url right?",
                         STR_ARG(l->url), reason ? " " : "", reason ? reason : "");
    }
    TRY(e);
    return h.status == 200 ? ERR_OK : cli_error_of(c, ret, h.status, f);
}

/* An assertion for one issuer must not be handed to somebody else, who could use it there. So the gateway has to be the
 * one that we were told to ask (RFC 9728 section 3.3); on this machine it may go by its public name. */
static enum err login_check_resource(struct cli *c, const struct login *l, const struct json *j, struct fault *f)
{
    struct str resource = json_str(j, json_get(j, JSON_ROOT, STR("resource")), &c->arena);
    struct str want = arena_fmt(&c->arena, STR_FMT "/mcp", STR_ARG(l->url));
    if (!resource.n)
        return fault_set(f, ERR_UPSTREAM_GARBAGE, STR_FMT " does not say which resource it is: is that Doorward?",
                         STR_ARG(l->url));
    if (str_eq(resource, want) || curl_is_local(l->url.p))
        return ERR_OK;
    return fault_set(f, ERR_CLIENT_AUTH,
                     "the gateway at " STR_FMT " calls itself " STR_FMT ": give the URL that it knows itself by",
                     STR_ARG(l->url), STR_ARG(resource));
}

static enum err login_discover(struct cli *c, struct login *l, struct fault *f)
{
    struct json resource;
    TRY(login_get(c, l, "/.well-known/oauth-protected-resource/mcp", &resource, f));
    TRY(login_check_resource(c, l, &resource, f));
    uint32_t list = json_get(&resource, JSON_ROOT, STR("authorization_servers"));
    l->issuer = json_str(&resource, json_first(&resource, list), &c->arena);
    TRY(login_get(c, l, "/.well-known/oauth-authorization-server", &l->server, f));
    if (!l->issuer.n || !json_str_is(&l->server, json_get(&l->server, JSON_ROOT, STR("issuer")), l->issuer))
        return fault_set(f, ERR_UPSTREAM_GARBAGE, "the metadata of " STR_FMT " contradicts itself: is that Doorward?",
                         STR_ARG(l->url));
    return ERR_OK;
}

/* An endpoint of the metadata, as it is reached from here; zero-terminated. */
static enum err login_endpoint(struct cli *c, const struct login *l, const char *name, struct str *ret, struct fault *f)
{
    struct str at = json_str(&l->server, json_get(&l->server, JSON_ROOT, str_of(name)), &c->arena);
    if (!at.n || !str_starts(at, l->issuer))
        return fault_set(f, ERR_UPSTREAM_GARBAGE, "the metadata of " STR_FMT " names no %s: is that Doorward?",
                         STR_ARG(l->url), name);
    *ret = arena_fmt(&c->arena, STR_FMT STR_FMT, STR_ARG(l->url), STR_ARG(str_skip(at, l->issuer.n)));
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory to log in");
}

static enum err login_key(const char *file, struct jose_key **ret, struct fault *f)
{
    struct secret *text CLEANUP(secret_freep) = NULL;
    struct jose_key *key CLEANUP(jose_key_freep) = NULL;
    TRY(secret_read(file, LOGIN_KEY_MAX, true, &text, f));
    struct str jwk = {(const char *)secret_bytes(text), secret_len(text)};
    if (jose_key_parse(jwk, false, &key, f))
        return fault_wrap(f, "%s", file);
    if (!jose_key_private(key))
        return fault_set(f, ERR_PARAMS, "%s holds a public key only; the agent's private key is needed", file);
    *ret = key;
    key = NULL;
    return ERR_OK;
}

enum err cli_key_check(const struct cli *c, struct fault *f)
{
    struct jose_key *key CLEANUP(jose_key_freep) = NULL;
    const char *file;
    TRY(cli_need(c, "key", &file, f));
    return login_key(file, &key, f);
}

static enum err login_assertion(const char *agent, const char *file, struct str issuer, struct buf *out,
                                struct fault *f)
{
    struct jose_key *key CLEANUP(jose_key_freep) = NULL;
    TRY(login_key(file, &key, f));
    return assertion_make(key, str_of(agent), issuer, out, f);
}

static enum err login_begin(struct cli *c, struct login *l, struct fault *f)
{
    *l = (struct login){.url = login_base(c)};
    return login_discover(c, l, f);
}

/* A form with a new assertion of the agent's. *ret is the answer; nothing when it has no body. */
static enum err login_post(struct cli *c, const struct login *l, const char *endpoint, const char *form,
                           struct json *ret, struct fault *f)
{
    struct buf assertion CLEANUP(buf_done), body CLEANUP(buf_done);
    struct str url;
    const char *agent, *key;
    buf_init(&assertion, JOSE_TOKEN_MAX);
    buf_init(&body, 1u << 20);
    TRY(cli_need(c, "agent", &agent, f));
    TRY(cli_need(c, "key", &key, f));
    TRY(login_endpoint(c, l, endpoint, &url, f));
    TRY(login_assertion(agent, key, l->issuer, &assertion, f));
    buf_z(&body, form);
    buf_z(&body, "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
                 "&client_assertion=");
    buf_str(&body, buf_view(&assertion)); /* letters, digits, - _ and . */
    struct cli_http h = {.method = "POST",
                         .url = url.p,
                         .body = buf_view(&body),
                         .headers = {"Accept: application/json", "Content-Type: application/x-www-form-urlencoded"}};
    enum err e = cli_http_json(c, &h, ret, NULL, f);
    return !e && h.status != 200 ? cli_error_of(c, ret, h.status, f) : e;
}

enum err cli_login(struct cli *c, const char *scope, struct json *ret, struct fault *f)
{
    struct login l;
    const char *agent, *key;
    TRY(cli_need(c, "agent", &agent, f)); /* before anybody is asked */
    TRY(cli_need(c, "key", &key, f));
    TRY(login_begin(c, &l, f));
    struct str form = arena_fmt(&c->arena, "grant_type=client_credentials%s%s", scope ? "&scope=" : "",
                                scope ? cli_percent(c, str_of(scope)) : "");
    TRY(form.p ? login_post(c, &l, "token_endpoint", form.p, ret, f) : fault_set(f, ERR_NOMEM, "no memory to log in"));
    return json_type(ret, json_get(ret, JSON_ROOT, STR("access_token"))) == JSON_STRING
               ? ERR_OK
               : fault_set(f, ERR_UPSTREAM_GARBAGE, STR_FMT " answered without an access token: is that Doorward?",
                           STR_ARG(l.url));
}

enum err cli_logout(struct cli *c, const struct secret *token, struct fault *f)
{
    struct login l;
    struct json j;
    struct buf form CLEANUP(buf_done);
    buf_init(&form, JOSE_TOKEN_MAX + 64);
    TRY(login_begin(c, &l, f));
    buf_z(&form, "token=");
    buf_put(&form, secret_bytes(token), secret_len(token)); /* as an assertion's characters */
    buf_char(&form, 0);
    enum err e = login_post(c, &l, "revocation_endpoint", form.p, &j, f);
    secret_wipe(form.p, form.n);
    return e;
}
