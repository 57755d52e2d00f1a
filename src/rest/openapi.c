/* The OpenAPI 3.1 document of this face, made from its tables; and what an error means. */
#include "rest/request.h"

enum { OF_EVERY = 1 << 16, OF_SESSION = 1 << 17 };

static const struct {
    enum err err;
    unsigned of;
} rest_refusals[] = {
#define EVERY                 OF_EVERY
#define SESSION               OF_SESSION
#define REFUSAL(name, traits) {ERR_##name, traits},
#include "rest/refusals.def"
#undef REFUSAL
#undef SESSION
#undef EVERY
};
enum { REFUSALS = sizeof(rest_refusals) / sizeof(rest_refusals[0]) };

static const struct {
    const char *name, *json;
} rest_schemas[] = {
#define SCHEMA(name, ...) {#name, #__VA_ARGS__},
#include "rest/schemas.def"
#undef SCHEMA
};

static void put_ref(struct json_out *o, const char *name)
{
    json_open(o, '{');
    json_key(o, STR("$ref"));
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 256);
    buf_fmt(&b, "#/components/schemas/%s", name);
    json_put_str(o, buf_view(&b));
    json_close(o, '}');
}

static void put_content(struct json_out *o, const char *type, const char *schema)
{
    json_key(o, STR("content"));
    json_open(o, '{');
    json_key(o, str_of(type));
    json_open(o, '{');
    json_key(o, STR("schema"));
    put_ref(o, schema);
    json_close(o, '}');
    json_close(o, '}');
}

static void put_header(struct json_out *o, const char *name, const char *what)
{
    json_key(o, str_of(name));
    json_open(o, '{');
    json_kv_z(o, "description", what);
    json_kv_raw(o, "schema", STR("{\"type\":\"string\"}"));
    json_close(o, '}');
}

/* ---- what is sent ---- */

static void put_parameter(struct json_out *o, const char *in, const char *name, const char *what, const char *schema)
{
    json_open(o, '{');
    json_kv_z(o, "name", name);
    json_kv_z(o, "in", in);
    json_kv_bool(o, "required", str_is(STR("path"), in));
    json_kv_z(o, "description", what);
    json_kv_raw(o, "schema", str_of(schema));
    json_close(o, '}');
}

static void put_parameters(struct json_out *o, const struct rest_route *r)
{
    json_key(o, STR("parameters"));
    json_open(o, '[');
    if (r->traits & REST_OF_TOOL)
        put_parameter(o, "path", "tool", "The tool's name, server__tool.",
                      "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_.-]+$\"}");
    if (r->traits & REST_OF_CODE)
        put_parameter(o, "path", "code", "A problem's code.", "{\"type\":\"string\"}");
    if (r->traits & REST_PAGED) {
        char limit[96];
        snprintf(limit, sizeof(limit), "{\"type\":\"integer\",\"minimum\":1,\"maximum\":%d,\"default\":%d}",
                 REST_PAGE_MAX, REST_PAGE);
        put_parameter(o, "query", "limit", "The most tools on one page.", limit);
        put_parameter(o, "query", "cursor", "nextCursor of the page before.", "{\"type\":\"string\"}");
    }
    if (r->traits & REST_CALLS)
        put_parameter(
            o, "query", "wait",
            "Seconds that the first request of a call may wait for a person, at most approval.hold. One that is "
            "repeated waits in any case.",
            "{\"type\":\"integer\",\"minimum\":0,\"maximum\":600,\"default\":0}");
    if (r->traits & REST_TAGGED)
        put_parameter(o, "header", "If-None-Match", "The ETag of an earlier answer.", "{\"type\":\"string\"}");
    if (r->who == REST_SESSION)
        put_parameter(o, "header", "traceparent", "W3C Trace Context: the trace that this request belongs to.",
                      "{\"type\":\"string\"}");
    json_close(o, ']');
}

static void put_body(struct json_out *o, const char *schema)
{
    json_key(o, STR("requestBody"));
    json_open(o, '{');
    json_kv_bool(o, "required", true);
    put_content(o, "application/json", schema);
    json_close(o, '}');
}

/* ---- what comes back ---- */

static bool route_refuses(const struct rest_route *r, size_t i)
{
    unsigned of = r->traits | OF_EVERY | (r->who == REST_SESSION ? OF_SESSION : 0u);
    return rest_refusals[i].of & of;
}

static bool refused_before(const struct rest_route *r, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (route_refuses(r, k) && err_http(rest_refusals[k].err) == err_http(rest_refusals[i].err))
            return true;
    return false;
}

static void put_refusal_headers(struct json_out *o, int status)
{
    json_key(o, STR("headers"));
    json_open(o, '{');
    put_header(o, "Doorward-Trace-Id", "The trace of this request, in the record and in the log.");
    if (status == 401)
        put_header(o, "WWW-Authenticate", "Where to get a credential, or what is wrong with this one.");
    if (status == 429 || status == err_http(ERR_APPROVAL_PENDING))
        put_header(o, "Retry-After", "Seconds until the next request has a chance, where that is known.");
    json_close(o, '}');
}

/* All refusals with the status of the i-th. */
static void put_refusal(struct json_out *o, const struct rest_route *r, size_t i)
{
    struct buf text CLEANUP(buf_done);
    int status = err_http(rest_refusals[i].err);
    char key[16];
    buf_init(&text, 65536);
    for (size_t k = i; k < REFUSALS; k++)
        if (route_refuses(r, k) && err_http(rest_refusals[k].err) == status)
            buf_fmt(&text, "%s`%s`: %s", text.n ? "\n\n" : "", err_code(rest_refusals[k].err),
                    err_help(rest_refusals[k].err));
    snprintf(key, sizeof(key), "%d", status);
    json_key(o, str_of(key));
    json_open(o, '{');
    json_kv_str(o, "description", buf_view(&text));
    put_refusal_headers(o, status);
    put_content(o, "application/problem+json", "Problem");
    json_close(o, '}');
}

static void put_success(struct json_out *o, const struct rest_route *r)
{
    json_key(o, STR("200"));
    json_open(o, '{');
    json_kv_z(o, "description", "It was done.");
    json_key(o, STR("headers"));
    json_open(o, '{');
    put_header(o, "Doorward-Trace-Id", "The trace of this request, in the record and in the log.");
    if (r->traits & REST_TAGGED)
        put_header(o, "ETag", "What this answer is; for If-None-Match.");
    json_close(o, '}');
    put_content(o, "application/json", r->answer);
    json_close(o, '}');
    if (r->traits & REST_TAGGED)
        json_kv_raw(o, "304", STR("{\"description\":\"It is what If-None-Match names.\"}"));
}

static void put_responses(struct json_out *o, const struct rest_route *r)
{
    json_key(o, STR("responses"));
    json_open(o, '{');
    put_success(o, r);
    for (size_t i = 0; i < REFUSALS; i++)
        if (route_refuses(r, i) && !refused_before(r, i))
            put_refusal(o, r, i);
    json_close(o, '}');
}

/* ---- the document ---- */

static void put_operation(struct json_out *o, const struct rest_route *r)
{
    char method[8] = "";
    for (size_t i = 0; r->method[i] && i < sizeof(method) - 1; i++)
        method[i] = (char)(r->method[i] | 0x20);
    json_key(o, str_of(method));
    json_open(o, '{');
    json_kv_z(o, "operationId", r->operation);
    json_kv_z(o, "summary", r->what);
    if (r->who == REST_ANYBODY)
        json_kv_raw(o, "security", STR("[]"));
    put_parameters(o, r);
    if (r->body)
        put_body(o, r->body);
    put_responses(o, r);
    json_close(o, '}');
}

static void put_paths(struct json_out *o)
{
    const char *path = "";
    json_key(o, STR("paths"));
    json_open(o, '{');
    for (size_t i = 0; i < rest_route_count; i++) {
        const struct rest_route *r = &rest_routes[i];
        if (strcmp(path, r->path) != 0) {
            if (*path)
                json_close(o, '}');
            json_key(o, str_of(r->path));
            json_open(o, '{');
            path = r->path;
        }
        put_operation(o, r);
    }
    json_close(o, '}');
    json_close(o, '}');
}

static void put_schemas(struct json_out *o)
{
    json_key(o, STR("schemas"));
    json_open(o, '{');
    for (size_t i = 0; i < sizeof(rest_schemas) / sizeof(rest_schemas[0]); i++)
        json_kv_raw(o, rest_schemas[i].name, str_of(rest_schemas[i].json));
    json_key(o, STR("ErrorCode"));
    json_open(o, '{');
    json_kv_z(o, "type", "string");
    json_kv_z(o, "description", "Stable: a code never changes its meaning. /v1/errors/{code} says what it is.");
    json_key(o, STR("enum"));
    json_open(o, '[');
    for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++)
        json_put_str(o, str_of(err_code(e)));
    json_close(o, ']');
    json_close(o, '}');
    json_close(o, '}');
}

static void put_security(struct json_out *o, struct str issuer)
{
    struct buf url CLEANUP(buf_done);
    buf_init(&url, 4096);
    buf_str(&url, issuer);
    buf_z(&url, "/oauth/token");
    json_key(o, STR("securitySchemes"));
    json_open(o, '{');
    json_key(o, STR("session"));
    json_open(o, '{');
    json_kv_z(o, "type", "oauth2");
    json_kv_z(o, "description",
              "Client credentials with private_key_jwt (RFC 7523): the agent's own key opens a session.");
    json_key(o, STR("flows"));
    json_open(o, '{');
    json_key(o, STR("clientCredentials"));
    json_open(o, '{');
    json_kv_str(o, "tokenUrl", buf_view(&url));
    json_kv_raw(o, "scopes", STR("{}"));
    json_close(o, '}');
    json_close(o, '}');
    json_close(o, '}');
    json_kv_raw(o, "token",
                STR("{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\","
                    "\"description\":\"A session that an operator or a platform opened.\"}"));
    json_close(o, '}');
}

void rest_openapi(struct buf *out, struct str issuer)
{
    struct json_out o = json_out(out);
    json_open(&o, '{');
    json_kv_z(&o, "openapi", "3.1.0");
    json_kv_raw(&o, "info",
                STR("{\"title\":\"Doorward\",\"version\":\"" DOORWARD_VERSION "\",\"description\":\"The tools that an "
                    "agent may use, for programs without MCP. Every call is judged and put on record.\"}"));
    json_key(&o, STR("servers"));
    json_open(&o, '[');
    json_open(&o, '{');
    json_kv_str(&o, "url", issuer);
    json_close(&o, '}');
    json_close(&o, ']');
    json_kv_raw(&o, "security", STR("[{\"session\":[]},{\"token\":[]}]"));
    put_paths(&o);
    json_key(&o, STR("components"));
    json_open(&o, '{');
    put_schemas(&o);
    put_security(&o, issuer);
    json_close(&o, '}');
    json_close(&o, '}');
}

void rest_openapi_get(struct rest_request *r)
{
    buf_clear(&r->rest->out);
    rest_openapi(&r->rest->out, r->rest->issuer);
    rest_answer(r);
}

void rest_errors_get(struct rest_request *r)
{
    struct fault f;
    enum err e = ERR_OK + 1;
    while (e < ERR_COUNT && !str_is(r->id, err_code(e)))
        e++;
    if (e == ERR_COUNT) {
        fault_set(&f, ERR_NOT_FOUND, "there is no code " STR_FMT, STR_ARG(r->id));
        rest_answer_fault(r, &f, 0);
        return;
    }
    buf_clear(&r->rest->out);
    struct json_out o = json_out(&r->rest->out);
    json_open(&o, '{');
    json_kv_z(&o, "code", err_code(e));
    json_kv_i64(&o, "status", err_http(e));
    json_kv_z(&o, "meaning", err_help(e));
    json_kv_z(&o, "when", err_when(e));
    json_kv_z(&o, "todo", err_todo(e));
    json_close(&o, '}');
    rest_answer(r);
}
