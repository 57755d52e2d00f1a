/* One message to the gateway and what comes back: JSON, or a stream of events. */
#include <stdlib.h>

#include "cli/bridge.h"
#include "cli/curl.h"
#include "net/http.h"

enum { CALL_ERROR_BYTES = 65536, CALL_OWN_S = 30 };

struct bridge_call *bridge_call_new(struct bridge *b, enum bridge_kind kind, struct str line)
{
    struct json_limits limits = {.depth = BRIDGE_DEPTH};
    struct fault f;
    struct bridge_call *call = calloc(1, sizeof(*call));
    if (!call)
        return NULL;
    call->bridge = b;
    call->kind = kind;
    arena_init(&call->arena, BRIDGE_ARENA);
    buf_init(&call->body, BRIDGE_MESSAGE);
    sse_init(&call->sse, BRIDGE_MESSAGE);
    call->line = arena_str(&call->arena, line);
    bool fine = call->line.p && (!line.n || (json_parse(&call->doc, call->line, &call->arena, &limits, &f) == ERR_OK &&
                                             rpc_read(&call->doc, &call->arena, &call->rpc, &f) == ERR_OK));
    call->next = b->calls;
    call->link = &b->calls;
    if (b->calls)
        b->calls->link = &call->next;
    b->calls = call;
    b->count++;
    b->held += line.n;
    if (!fine) {
        bridge_call_free(call);
        return NULL;
    }
    call->modern =
        json_type(&call->doc, json_get(&call->doc, call->rpc.meta, STR(BRIDGE_META "protocolVersion"))) == JSON_STRING;
    call->listen = call->modern && kind == BRIDGE_REQUEST && str_is(call->rpc.method, "subscriptions/listen");
    return call;
}

/* Ends the transfer, and with it the stream of an answer: of a modern call that is its cancellation. */
static void call_close(struct bridge_call *call)
{
    struct bridge_session *s = call->session;
    if (call->easy) {
        curl_multi_remove_handle(call->bridge->multi, call->easy);
        curl_easy_cleanup(call->easy);
    }
    curl_headers_free(call->headers);
    call->easy = NULL;
    call->headers = NULL;
    call->session = NULL;
    if (s)
        s->calls--;
    if (s)
        bridge_session_unused(call->bridge, s);
}

void bridge_call_free(struct bridge_call *call)
{
    struct bridge *b = call->bridge;
    call_close(call);
    *call->link = call->next;
    if (call->next)
        call->next->link = call->link;
    b->count--;
    b->held -= call->line.n;
    if (b->stream == call)
        b->stream = NULL;
    arena_done(&call->arena);
    buf_done(&call->body);
    sse_done(&call->sse);
    free(call);
}

void bridge_call_wait(struct bridge_call *call, int64_t ms)
{
    call_close(call);
    call->again_at = ms ? bridge_now() + ms : 0;
}

void bridge_call_fail(struct bridge_call *call, const struct fault *f)
{
    if (call->kind == BRIDGE_REQUEST && !call->own && !call->answered)
        bridge_out_error(call->bridge, call->rpc.id, f);
    if (call->then) {
        call->fault = *f;
        call->then(call, false);
    }
    bridge_call_free(call);
}

/* ---- the request ---- */

bool bridge_header(struct bridge_call *call, const char *name, struct str value)
{
    if (!http_field_valid(str_of(name), value))
        return false;
    struct str line = arena_fmt(&call->arena, value.n ? "%s: " STR_FMT : "%s;" STR_FMT, name, STR_ARG(value));
    return line.p && curl_header_add(&call->headers, line.p);
}

/* What the body says, once more for those who do not read it (MCP 2026-07-28 streamable-http, "Request Headers"). */
static bool call_headers_modern(struct bridge_call *call)
{
    static const char *const named[][2] = {{"tools/call", "name"}, {"resources/read", "uri"}, {"prompts/get", "name"}};
    const struct json *doc = &call->doc;
    struct arena *a = &call->arena;
    uint32_t version = json_get(doc, call->rpc.meta, STR(BRIDGE_META "protocolVersion"));
    if (!bridge_header(call, "MCP-Protocol-Version", json_str(doc, version, a)) ||
        !bridge_header(call, "Mcp-Method", call->rpc.method))
        return false;
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        uint32_t node = json_get(doc, call->rpc.params, str_of(named[i][1]));
        if (!str_is(call->rpc.method, named[i][0]) || json_type(doc, node) != JSON_STRING)
            continue;
        struct str name = json_str(doc, node, a);
        if (!bridge_header(call, "Mcp-Name", http_value_write(name, a)))
            return false;
        if (i == 0)
            return bridge_tools_mirror(call, name, json_get(doc, call->rpc.params, STR("arguments")));
    }
    return true;
}

static bool call_headers(struct bridge_call *call, const struct bridge_session *s)
{
    const struct bridge *b = call->bridge;
    bool initialize = str_is(call->rpc.method, "initialize");
    if (!curl_header_add(&call->headers, "Expect:") || !curl_header_bearer(&call->headers, s->token))
        return false;
    if (call->line.n && !curl_header_add(&call->headers, "Content-Type: application/json"))
        return false;
    if (!curl_header_add(&call->headers,
                         call->line.n ? "Accept: application/json, text/event-stream" : "Accept: text/event-stream"))
        return false;
    if (call->modern)
        return call_headers_modern(call);
    if (!b->legacy)
        return bridge_header(call, "MCP-Protocol-Version", STR("2026-07-28"));
    return initialize || ((!b->version[0] || bridge_header(call, "MCP-Protocol-Version", str_of(b->version))) &&
                          (!s->id[0] || bridge_header(call, "Mcp-Session-Id", str_of(s->id))));
}

static void call_headed(struct bridge_call *call)
{
    struct curl_header *h;
    const char *type = NULL;
    struct str kind = STR_NONE;
    call->headed = true;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &call->status);
    if (curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type) {
        struct str whole = str_of(type);
        str_cut(&whole, ';', &kind);
    }
    call->stream = str_ieq(str_trim(kind), STR("text/event-stream"));
    call->json = str_ieq(str_trim(kind), STR("application/json"));
    if (str_is(call->rpc.method, "initialize") && !call->modern &&
        curl_easy_header(call->easy, "Mcp-Session-Id", 0, CURLH_HEADER, -1, &h) == CURLHE_OK &&
        strlen(h->value) < sizeof(call->session->id))
        memcpy(call->session->id, h->value, strlen(h->value) + 1);
}

static bool call_event(void *ctx, const struct sse_event *e)
{
    struct bridge_call *call = ctx;
    bridge_said(call, e->data);
    return true;
}

static size_t call_data(char *p, size_t size, size_t n, void *ctx)
{
    struct bridge_call *call = ctx;
    struct str piece = {p, size * n};
    if (!call->headed)
        call_headed(call);
    if (call->bridge->out.n - call->bridge->out_at > BRIDGE_OUT) {
        call->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (call->stream && call->status < 300)
        return sse_feed(&call->sse, piece, call_event, call, &call->fault) ? 0 : piece.n;
    if (call->status < 300 || call->body.n + piece.n <= CALL_ERROR_BYTES)
        buf_str(&call->body, piece);
    if (buf_failed(&call->body))
        fault_set(&call->fault, ERR_LIMIT, "the answer is larger than %d bytes", BRIDGE_MESSAGE);
    return buf_failed(&call->body) ? 0 : piece.n;
}

void bridge_calls_resume(struct bridge *b)
{
    for (struct bridge_call *call = b->calls; call && b->out.n - b->out_at <= BRIDGE_OUT / 2; call = call->next) {
        if (call->paused && call->easy) {
            call->paused = false;
            curl_easy_pause(call->easy, CURLPAUSE_CONT);
        }
    }
}

static bool call_options(struct bridge_call *call)
{
    CURL *easy = call->easy;
    const char *method = call->kind == BRIDGE_GOODBYE ? "DELETE" : "GET";
    curl_options(easy, call->bridge->url.p, call->headers, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, call_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    if (call->own || call->kind == BRIDGE_GOODBYE)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)CALL_OWN_S);
    if (call->line.n) {
        /* libcurl sends again what met a pooled connection that was closed meanwhile; a call is sent once. */
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, str_is(call->rpc.method, "tools/call") ? 1L : 0L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->line.p);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->line.n);
    } else {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    }
    return curl_multi_add_handle(call->bridge->multi, easy) == CURLM_OK;
}

void bridge_call_start(struct bridge_call *call, struct bridge_session *s)
{
    struct fault f;
    call->session = s;
    s->calls++;
    call->again_at = 0;
    call->status = 0;
    call->headed = call->stream = call->json = call->paused = false;
    call->fault = (struct fault){0};
    buf_clear(&call->body);
    sse_done(&call->sse);
    sse_init(&call->sse, BRIDGE_MESSAGE);
    call->easy = curl_easy_init();
    if (call->easy && call_headers(call, s) && call_options(call))
        return;
    fault_set(&f, ERR_INVALID,
              "the message cannot be put into a request: what headers repeat of it (its method, name "
              "or version) is too long or holds control characters");
    bridge_call_fail(call, &f);
}

/* ---- its end ---- */

static void call_trouble(struct bridge_call *call, CURLcode code, struct fault *f)
{
    const struct bridge *b = call->bridge;
    long sent = 0;
    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
    if (code == CURLE_WRITE_ERROR && call->fault.text[0])
        *f = call->fault;
    else if (code && !sent)
        fault_set(f, ERR_UNREACHABLE, "nobody answers at " STR_FMT " (%s): is the gateway running, and is --url right?",
                  STR_ARG(b->url), curl_easy_strerror(code));
    else if (code || call->status < 300)
        fault_set(f, ERR_UNREACHABLE,
                  STR_FMT " ended the connection without an answer%s%s%s; whether the request took effect is not known",
                  STR_ARG(b->url), code ? " (" : "", code ? curl_easy_strerror(code) : "", code ? ")" : "");
    else
        fault_set(f, ERR_UPSTREAM_GARBAGE, STR_FMT " answered with status %ld and no MCP message: is that Doorward?",
                  STR_ARG(b->url), call->status);
}

/* Refused before anything was done with it: once more, with a new session. */
static bool call_again(struct bridge_call *call)
{
    struct bridge *b = call->bridge;
    struct bridge_session *s = call->session;
    bool token = call->status == 401, protocol = call->status == 404 && !call->modern && s->id[0];
    bool fit = (call->kind == BRIDGE_REQUEST || call->kind == BRIDGE_NOTIFICATION) && !call->own && !call->retried;
    if (!fit || call->answered || (!token && !protocol))
        return false;
    call->retried = true;
    s->over = s->over || token;
    bridge_session_over(b, s);
    bridge_call_wait(call, 0);
    return true;
}

static void call_note(struct bridge_call *call, CURLcode code)
{
    struct fault f;
    bool taken = code == CURLE_OK && call->status >= 200 && call->status < 300;
    if (code) {
        call_trouble(call, code, &f);
        bridge_tell(call->bridge, &f);
    }
    if (taken && !call->own && str_is(call->rpc.method, "notifications/initialized"))
        bridge_listen(call->bridge);
    if (call->then)
        call->then(call, taken);
    bridge_call_free(call);
}

static void call_request(struct bridge_call *call, CURLcode code)
{
    struct bridge *b = call->bridge;
    struct fault f;
    if (code == CURLE_OK && !call->stream && call->body.n)
        bridge_said(call, buf_view(&call->body));
    if (call->answered) {
        bool fine = !call->fault.text[0];
        bool late =
            !call->own && !call->modern && str_is(call->rpc.method, "initialize") && b->current != call->session;
        if (late && b->current) /* its protocol session is one with a credential that was renewed meanwhile */
            bridge_session_over(b, b->current);
        if (call->then)
            call->then(call, fine);
        bridge_call_free(call);
        return;
    }
    call_trouble(call, code, &f);
    if (f.err == ERR_UNREACHABLE && code)
        bridge_tell(b, &f);
    if (!call->listen || !call->opened) {
        bridge_call_fail(call, &f);
        return;
    }
    call->reopened = true; /* the client's subscription goes on */
    bridge_call_wait(call, bridge_again(call->failures++));
}

void bridge_call_over(struct bridge_call *call, CURLcode code)
{
    if (!call->headed)
        call_headed(call);
    if (code == CURLE_OK)
        bridge_well(call->bridge);
    if (call->kind == BRIDGE_STREAM)
        bridge_stream_over(call);
    else if (code == CURLE_OK && call->status >= 400 && call_again(call))
        return;
    else if (call->kind == BRIDGE_REQUEST)
        call_request(call, code);
    else
        call_note(call, code);
}
