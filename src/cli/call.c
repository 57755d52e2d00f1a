/* As an agent: an access token, and a call of a tool over MCP (revision 2026-07-28). */
#include <stdlib.h>

#include "cli/http.h"
#include "net/http.h"

enum { CALL_ARGUMENTS = 1 << 20 };
#define CALL_VERSION "2026-07-28"

enum err cli_run_token(struct cli *c, struct fault *f)
{
    struct json j;
    TRY(cli_login(c, cli_option(c, "scope"), &j, f));
    const char *token = cli_shown(c, json_str(&j, json_get(&j, JSON_ROOT, STR("access_token")), &c->arena), 0);
    if (cli_switch(c, "header"))
        printf("{\"Authorization\":\"Bearer %s\"}\n", token); /* base64url and dots */
    else if (c->json)
        cli_print_json(json_raw(&j, JSON_ROOT));
    else
        puts(token);
    return ERR_OK;
}

/* ---- what is sent ---- */

/* ret_own: of a session that was opened for this call. */
static enum err call_token(struct cli *c, struct secret **ret, bool *ret_own, struct fault *f)
{
    const char *given = cli_option(c, "token");
    struct json j;
    if (!given && !cli_option(c, "agent") && !cli_option(c, "key"))
        given = getenv("DOORWARD_TOKEN");
    struct str token = str_of(given);
    if (!token.n && !cli_option(c, "agent") && !cli_option(c, "key"))
        return fault_set(f, ERR_USAGE,
                         "call: an access token is needed: --token, $DOORWARD_TOKEN, or --agent and --key");
    *ret_own = !token.n;
    if (!token.n) {
        TRY(cli_login(c, NULL, &j, f));
        token = json_str(&j, json_get(&j, JSON_ROOT, STR("access_token")), &c->arena);
    }
    for (size_t i = 0; i < token.n; i++)
        if (token.p[i] <= ' ' || token.p[i] > '~')
            return fault_set(f, ERR_USAGE, "call: the access token holds characters that no token has");
    *ret = secret_new(token.p, token.n);
    return *ret ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a token");
}

/* "desk/lookup_order" in the house is "desk__lookup_order" at /mcp. */
static struct str call_name(struct cli *c)
{
    struct str name = str_of(c->arg[0]), server;
    const char *slash = memchr(name.p, '/', name.n), *join = memmem(name.p, name.n, "__", 2);
    if (cli_option(c, "server") || !slash || (join && join < slash))
        return name;
    str_cut(&name, '/', &server);
    return arena_fmt(&c->arena, STR_FMT "__" STR_FMT, STR_ARG(server), STR_ARG(name));
}

static enum err call_arguments(struct cli *c, struct str *ret, struct fault *f)
{
    struct str text = c->arg_count > 1 ? str_of(c->arg[1]) : STR("{}");
    struct json j;
    struct fault why;
    if (str_is(text, "-"))
        TRY(cli_read(c, "-", CALL_ARGUMENTS, &text, f));
    if (json_parse(&j, text, &c->arena, NULL, &why))
        return fault_set(f, ERR_USAGE, "call: the arguments are no JSON: %s", why.text);
    if (json_type(&j, JSON_ROOT) != JSON_OBJECT)
        return fault_set(f, ERR_USAGE,
                         "call: the arguments must be a JSON object such as '{\"orderId\":\"A-1\"}', but are %s",
                         json_type_name(json_type(&j, JSON_ROOT)));
    *ret = json_raw(&j, JSON_ROOT);
    return ERR_OK;
}

/* state: with which a call that waits for a person is sent again; or empty. */
static void call_body(struct buf *b, struct str name, struct str arguments, struct str state)
{
    struct json_out o = json_out(b);
    buf_clear(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_i64(&o, "id", 1);
    json_kv_z(&o, "method", "tools/call");
    json_key(&o, STR("params"));
    json_open(&o, '{');
    json_kv_str(&o, "name", name);
    json_kv_raw(&o, "arguments", arguments);
    if (state.n)
        json_kv_str(&o, "requestState", state);
    json_key(&o, STR("_meta"));
    json_open(&o, '{');
    json_kv_z(&o, "io.modelcontextprotocol/protocolVersion", CALL_VERSION);
    json_kv_raw(&o, "io.modelcontextprotocol/clientCapabilities", STR("{}"));
    json_kv_raw(&o, "io.modelcontextprotocol/clientInfo",
                STR("{\"name\":\"doorward-cli\",\"version\":\"" DOORWARD_VERSION "\"}"));
    json_close(&o, '}');
    json_close(&o, '}');
    json_close(&o, '}');
}

/* Is nothing wanted but that the call is sent again, with *ret_state? A person has not decided yet. */
static bool call_waits(struct cli *c, const struct json *j, struct str *ret_state)
{
    uint32_t result = json_get(j, JSON_ROOT, STR("result")), state = json_get(j, result, STR("requestState"));
    if (!json_str_is(j, json_get(j, result, STR("resultType")), STR("input_required")) ||
        json_get(j, result, STR("inputRequests")) || json_type(j, state) != JSON_STRING)
        return false;
    bool first = !ret_state->n;
    uint32_t id = json_get(j, json_get(j, result, STR("_meta")), STR("dev.doorward/approval"));
    *ret_state = json_str(j, state, &c->arena);
    if (first)
        fprintf(stderr, "waits for a person to approve the call (%s)\n", cli_shown(c, json_str(j, id, &c->arena), 40));
    return ret_state->n > 0;
}

static enum err call_send(struct cli *c, struct json *ret, long *ret_status, struct fault *f)
{
    struct secret *token CLEANUP(secret_freep) = NULL;
    struct buf body CLEANUP(buf_done);
    bool own;
    struct fault ignored;
    struct str name = call_name(c), arguments, full, state = STR_NONE;
    enum err e;
    buf_init(&body, 4u << 20);
    TRY(call_arguments(c, &arguments, f));
    TRY(cli_mcp_url(c, &full, f));
    TRY(call_token(c, &token, &own, f));
    struct str name_header = arena_fmt(&c->arena, "Mcp-Name: " STR_FMT, STR_ARG(http_value_write(name, &c->arena)));
    struct cli_http h = {.method = "POST",
                         .url = full.p,
                         .bearer = token,
                         .headers = {"Accept: application/json, text/event-stream", "Content-Type: application/json",
                                     "MCP-Protocol-Version: " CALL_VERSION, "Mcp-Method: tools/call", name_header.p}};
    do {
        call_body(&body, name, arguments, state);
        h.body = buf_view(&body);
        e = name_header.p && !buf_failed(&body) ? cli_http_json(c, &h, ret, NULL, f)
                                                : fault_set(f, ERR_NOMEM, "no memory for the call");
    } while (!e && call_waits(c, ret, &state));
    *ret_status = h.status;
    if (own && cli_logout(c, token, &ignored)) /* an agent may have only so many; it ends by itself too */
        fprintf(stderr, "doorward: call: its session stays open until it expires: %s\n", ignored.text);
    if (e == ERR_UNREACHABLE)
        return fault_set(f, e, "nobody answers at %s: is the gateway running, and is --url right?", cli_gate_url(c));
    return e;
}

/* ---- what comes back ---- */

static void call_print_text(FILE *to, struct str text)
{
    struct buf b;
    buf_init(&b, 256u << 20);
    cli_visible(&b, text, true);
    fprintf(to, STR_FMT "%s", STR_ARG(buf_view(&b)), b.n && b.p[b.n - 1] == '\n' ? "" : "\n");
    buf_done(&b);
}

/* The text of the content; what is no text is named; structured content when there was no text. */
static void call_print_result(struct cli *c, const struct json *j, uint32_t result)
{
    bool said = false;
    JSON_EACH(j, json_get(j, result, STR("content")), v)
    {
        uint32_t type = json_get(j, v, STR("type"));
        if (json_str_is(j, type, STR("text"))) {
            struct str text = json_str(j, json_get(j, v, STR("text")), &c->arena);
            call_print_text(stdout, text);
            said = said || text.n;
        } else {
            struct str mime = json_str(j, json_get(j, v, STR("mimeType")), &c->arena);
            printf("[%s%s%s; --json shows it]\n", cli_shown(c, json_str(j, type, &c->arena), 40), mime.n ? " " : "",
                   cli_shown(c, mime, 80));
            said = true;
        }
    }
    uint32_t structured = json_get(j, result, STR("structuredContent"));
    if (!said && structured)
        cli_print_json(json_raw(j, structured));
    else if (!said)
        fputs("done; the tool said nothing\n", stderr);
}

static enum err call_result(struct cli *c, const struct json *j, uint32_t result, struct fault *f)
{
    bool failed = json_bool(j, json_get(j, result, STR("isError")), false);
    struct str code = json_str(j, json_get(j, json_get(j, result, STR("_meta")), STR("dev.doorward/code")), &c->arena);
    if (c->json)
        cli_print_json(json_raw(j, result));
    if (!failed) {
        if (!c->json)
            call_print_result(c, j, result);
        return ERR_OK;
    }
    struct str text = json_str(j, json_path(j, json_first(j, json_get(j, result, STR("content"))), "text"), &c->arena);
    if (code.n) { /* the gate's own words, said to the model: without their preface */
        const char *colon = memmem(text.p ? text.p : "", text.n, "): ", 3);
        struct str reason = colon ? str_skip(text, (size_t)(colon - text.p) + 3) : text;
        return fault_set(f, cli_error_by_code(code), STR_FMT, STR_ARG(reason));
    }
    if (!c->json)
        call_print_result(c, j, result);
    return fault_set(f, ERR_UPSTREAM, "the tool says that it failed");
}

static enum err call_error(struct cli *c, const struct json *j, uint32_t error, struct fault *f)
{
    struct str code = json_str(j, json_path(j, error, "data.code"), &c->arena),
               message = json_str(j, json_get(j, error, STR("message")), &c->arena);
    if (c->json)
        cli_print_json(json_raw(j, JSON_ROOT));
    enum err e = code.n ? cli_error_by_code(code) : ERR_UPSTREAM;
    if (e == ERR_UPSTREAM && !str_is(code, err_code(e)))
        return fault_set(f, e, "the server refused the call: " STR_FMT, STR_ARG(message));
    return fault_set(f, e, STR_FMT, STR_ARG(message));
}

enum err cli_run_call(struct cli *c, struct fault *f)
{
    struct json j;
    long status = 0;
    TRY(call_send(c, &j, &status, f));
    uint32_t result = json_get(&j, JSON_ROOT, STR("result")), error = json_get(&j, JSON_ROOT, STR("error"));
    if (result)
        return call_result(c, &j, result, f);
    if (json_type(&j, error) == JSON_OBJECT)
        return call_error(c, &j, error, f);
    if (c->json)
        cli_print_json(json_raw(&j, JSON_ROOT));
    return cli_error_of(c, &j, status, f);
}
