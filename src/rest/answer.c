/* Answers: results, and refusals as problem details (RFC 9457). */
#include "base/enc.h"
#include "gate/face.h"
#include "rest/request.h"

enum { REST_HEADERS = 4, REST_TAG = 16 /* bytes of a digest */ };

static void rest_answer_bytes(struct rest_request *r, int status, struct str type, const struct http_header *h,
                              size_t count)
{
    struct http_header all[REST_HEADERS + 1] = {{STR("Doorward-Trace-Id"), str_of(r->call.trace_id)}};
    struct exchange *x = r->x;
    struct buf *b = &r->rest->out;
    for (size_t i = 0; i < count && i < REST_HEADERS; i++)
        all[i + 1] = h[i];
    x->user = NULL;
    gate_note(x, r->lease, &r->call);
    if (r->lease)
        lease_unref(r->lease);
    r->lease = NULL;
    exchange_answer(x, status, type, all, count + 1, buf_view(b));
}

/* If-None-Match (RFC 9110 section 13.1.2): one of these, however weak. */
static bool rest_has_tag(struct str list, struct str tag)
{
    struct str one;
    while (list.n) {
        str_cut(&list, ',', &one);
        one = str_trim(one);
        if (str_starts(one, STR("W/")))
            one = str_skip(one, 2);
        if (str_eq(one, tag) || str_is(one, "*"))
            return true;
    }
    return false;
}

/* What a session sees is nobody else's to keep, and is asked for again each time. */
static void rest_answer_tagged(struct rest_request *r)
{
    unsigned char hash[SHA256_BYTES];
    char tag[2 * REST_TAG + 3] = "\"";
    struct buf *b = &r->rest->out;
    enc_sha256(b->p, b->n, hash);
    enc_hex(hash, REST_TAG, tag + 1);
    tag[2 * REST_TAG + 1] = '"';
    const struct http_header h[] = {{STR("ETag"), str_of(tag)}, {STR("Cache-Control"), STR("private, no-cache")}};
    bool same = rest_has_tag(http_header(&r->x->head, "if-none-match"), str_of(tag));
    if (same)
        buf_clear(b);
    rest_answer_bytes(r, same ? 304 : 200, same ? STR_NONE : STR("application/json"), h, 2);
}

void rest_answer(struct rest_request *r)
{
    const struct http_header h = {STR("Cache-Control"), STR("no-store")};
    if (buf_failed(&r->rest->out)) {
        struct fault f;
        fault_set(&f, ERR_NOMEM, "the answer does not fit into memory");
        rest_answer_fault(r, &f, 0);
    } else if (r->route->traits & REST_TAGGED) {
        rest_answer_tagged(r);
    } else {
        rest_answer_bytes(r, 200, STR("application/json"), &h, 1);
    }
}

/* ---- problems ---- */

/* Opens the problem; the caller may add members, and closes it. */
static struct json_out rest_problem(struct rest_request *r, const struct fault *f)
{
    struct buf *b = &r->rest->out;
    char title[64];
    r->x->note.code = err_code(f->err);
    buf_clear(b);
    struct json_out o = json_out(b);
    size_t n = 0;
    for (const char *code = err_code(f->err); code[n] && n < sizeof(title) - 1; n++)
        title[n] = code[n] == '_' ? ' ' : code[n];
    title[n] = 0;
    json_open(&o, '{');
    json_kv_str(&o, "type",
                arena_fmt(&r->x->arena, STR_FMT "/v1/errors/%s", STR_ARG(r->rest->issuer), err_code(f->err)));
    json_kv_z(&o, "title", title);
    json_kv_i64(&o, "status", err_http(f->err));
    json_kv_z(&o, "detail", f->text[0] ? f->text : err_help(f->err));
    json_kv_z(&o, "code", err_code(f->err));
    json_kv_z(&o, "traceId", r->call.trace_id);
    return o;
}

static void rest_answer_problem(struct rest_request *r, enum err e, const struct http_header *h, size_t count)
{
    struct buf *b = &r->rest->out;
    if (buf_failed(b)) {
        buf_clear(b);
        buf_z(b, "{}"); /* no memory for words: the status is left */
    }
    rest_answer_bytes(r, err_http(e), STR("application/problem+json"), h, count);
}

void rest_answer_fault(struct rest_request *r, const struct fault *f, int64_t retry_after_ms)
{
    struct arena *a = &r->x->arena;
    struct http_header h[REST_HEADERS] = {{STR("Cache-Control"), STR("no-store")}};
    size_t count = 1;
    if (gate_challenges(f->err))
        h[count++] = (struct http_header){
            STR("WWW-Authenticate"),
            gate_challenge(f,
                           arena_fmt(a, STR_FMT "/.well-known/oauth-protected-resource/v1", STR_ARG(r->rest->issuer)),
                           r->call.scope, a)};
    if (f->err == ERR_HTTP_METHOD)
        h[count++] = (struct http_header){STR("Allow"), r->allow};
    if (retry_after_ms > 0)
        h[count++] =
            (struct http_header){STR("Retry-After"), arena_fmt(a, "%lld", (long long)(retry_after_ms + 999) / 1000)};
    struct json_out o = rest_problem(r, f);
    if (retry_after_ms > 0)
        json_kv_i64(&o, "retryAfterMs", retry_after_ms);
    if (r->call.wait.id[0])
        json_kv_z(&o, "approval", r->call.wait.id);
    json_close(&o, '}');
    rest_answer_problem(r, f->err, h, count);
}

/* Codes of -32099 to -32020 speak of the hop between the server and us: what they say is not for the client. */
static void rest_put_server_error(struct json_out *o, const struct json *doc, uint32_t error)
{
    int64_t code = -32603;
    uint32_t message = json_get(doc, error, STR("message")), data = json_get(doc, error, STR("data"));
    bool told = json_i64(doc, json_get(doc, error, STR("code")), &code);
    bool of_hop = told && code <= -32020 && code >= -32099;
    json_key(o, STR("serverError"));
    json_open(o, '{');
    json_kv_i64(o, "code", of_hop || !told ? -32603 : code);
    if (json_type(doc, message) == JSON_STRING)
        json_kv_raw(o, "message", json_raw(doc, message));
    else
        json_kv_z(o, "message", "the server refused the call and did not say why");
    if (data && !of_hop)
        json_kv_raw(o, "data", json_raw(doc, data));
    json_close(o, '}');
}

void rest_answer_error(struct rest_request *r, const struct connect_answer *a)
{
    const struct http_header h = {STR("Cache-Control"), STR("no-store")};
    struct fault f;
    fault_set(&f, ERR_SERVER, "the server behind " STR_FMT " answered with an error of its own",
              STR_ARG(r->call.target));
    struct json_out o = rest_problem(r, &f);
    rest_put_server_error(&o, a->doc, a->error);
    json_close(&o, '}');
    rest_answer_problem(r, ERR_SERVER, &h, 1);
}
