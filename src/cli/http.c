/* libcurl, one request at a time. */
#include "cli/http.h"

#include <stdlib.h>

#include "base/clock.h"
#include "cli/curl.h"

enum { HTTP_ANSWER = 64 << 20, HTTP_CONNECT_S = 5, HTTP_ALL_S = 900 };

static size_t http_write(char *p, size_t size, size_t n, void *out)
{
    buf_put(out, p, size * n);
    return buf_failed(out) ? 0 : size * n;
}

/* The run's own, from the command line. */
static struct {
    const char *ca, *certificate;
} http_trust;

void cli_trust(const char *ca, const char *certificate)
{
    http_trust.ca = ca;
    http_trust.certificate = certificate;
}

/* A credential for this machine does not go over a proxy of the environment. */
bool curl_is_local(const char *url)
{
    static const char *const hosts[] = {"127.", "localhost:", "localhost/", "[::1]"};
    struct str at = str_of(url);
    at = str_skip(at, str_starts(at, STR("https://")) ? 8 : str_starts(at, STR("http://")) ? 7 : at.n);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (str_starts(at, str_of(hosts[i])))
            return true;
    return str_is(at, "localhost");
}

bool curl_header_add(struct curl_slist **list, const char *header)
{
    struct curl_slist *longer = curl_slist_append(*list, header);
    if (longer)
        *list = longer;
    return longer != NULL;
}

bool curl_header_bearer(struct curl_slist **list, const struct secret *token)
{
    struct buf b;
    buf_init(&b, 65536);
    buf_z(&b, "Authorization: Bearer ");
    buf_put(&b, secret_bytes(token), secret_len(token));
    buf_char(&b, 0);
    bool ok = !buf_failed(&b) && curl_header_add(list, b.p);
    secret_wipe(b.p, b.n);
    buf_done(&b);
    return ok;
}

void curl_headers_free(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next)
        secret_wipe(l->data, strlen(l->data));
    curl_slist_free_all(list);
}

void curl_options(CURL *curl, const char *url, struct curl_slist *headers, char why[CURL_ERROR_SIZE])
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "doorward/" DOORWARD_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_S);
    if (curl_is_local(url))
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (http_trust.ca)
        curl_easy_setopt(curl, CURLOPT_CAINFO, http_trust.ca);
    if (http_trust.certificate)
        curl_easy_setopt(curl, CURLOPT_SSLCERT, http_trust.certificate);
}

static bool http_headers(const struct cli_http *h, struct curl_slist **list)
{
    bool ok = curl_header_add(list, "Expect:");
    for (size_t i = 0; h->headers[i] && ok; i++)
        ok = curl_header_add(list, h->headers[i]);
    return ok && (!h->bearer || curl_header_bearer(list, h->bearer));
}

static void http_options(CURL *curl, struct cli_http *h, struct curl_slist *list, char why[CURL_ERROR_SIZE])
{
    curl_options(curl, h->url, list, why);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, h->method);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, h->patience_s ? h->patience_s : (long)HTTP_ALL_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, h->out);
    if (h->pin && !http_trust.ca) { /* who has this key is meant, whatever names and authorities say */
        curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, h->pin);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (h->body.p) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, h->body.p);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)h->body.n);
    }
}

static enum err http_failed(const struct cli_http *h, CURLcode code, const char *why, struct fault *f)
{
    const char *reason = why[0] ? why : curl_easy_strerror(code);
    switch (code) {
    case CURLE_WRITE_ERROR: return fault_set(f, ERR_LIMIT, "the answer of %s is larger than 64 MiB", h->url);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return fault_set(f, ERR_PARAMS, "%s is no URL such as http://127.0.0.1:8421", h->url);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return fault_set(f, ERR_UPSTREAM_GARBAGE, "%s is not to be trusted (%s); --ca FILE names who vouches for it",
                         h->url, reason);
    case CURLE_SSL_CERTPROBLEM: return fault_set(f, ERR_PARAMS, "--certificate cannot be used (%s)", reason);
    case CURLE_OUT_OF_MEMORY: return fault_set(f, ERR_NOMEM, "no memory for the request");
    default: return fault_set(f, ERR_UNREACHABLE, "nobody answers at %s (%s)", h->url, reason);
    }
}

enum err cli_http(struct cli_http *h, struct fault *f)
{
    char why[CURL_ERROR_SIZE] = "";
    struct curl_slist *list = NULL;
    CURL *curl = curl_easy_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    h->status = 0;
    h->type[0] = 0;
    buf_init(h->out, HTTP_ANSWER);
    if (curl && http_headers(h, &list)) {
        const char *type = NULL;
        http_options(curl, h, list, why);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &h->status);
        if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
            snprintf(h->type, sizeof(h->type), "%s", type);
    }
    curl_headers_free(list);
    curl_easy_cleanup(curl);
    return code == CURLE_OK ? ERR_OK : http_failed(h, code, why, f);
}

/* ---- one that goes on ---- */

struct http_stream {
    struct cli_http *h;
    CURL *curl;
    bool (*take)(void *ctx, struct str bytes);
    void *ctx;
    int64_t silence_ns, heard_ns;
    bool enough;
};

static size_t http_stream_write(char *p, size_t size, size_t n, void *stream)
{
    struct http_stream *s = stream;
    s->heard_ns = clock_mono_ns();
    if (!s->h->status)
        curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &s->h->status);
    if (s->h->status != 200)
        return http_write(p, size, n, s->h->out);
    s->enough = !s->take(s->ctx, (struct str){p, size * n});
    return s->enough ? 0 : size * n;
}

static int http_stream_silent(void *stream, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct http_stream *s = stream;
    (void)a, (void)b, (void)c, (void)d; /* how much went to and fro says nothing here */
    return clock_mono_ns() - s->heard_ns > s->silence_ns;
}

static void http_stream_options(struct http_stream *s, struct curl_slist *list, char why[CURL_ERROR_SIZE])
{
    http_options(s->curl, s->h, list, why);
    curl_easy_setopt(s->curl, CURLOPT_TIMEOUT, 0L);
    curl_easy_setopt(s->curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, http_stream_write);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(s->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(s->curl, CURLOPT_XFERINFOFUNCTION, http_stream_silent);
    curl_easy_setopt(s->curl, CURLOPT_XFERINFODATA, s);
}

static enum err http_stream_ended(const struct http_stream *s, CURLcode code, const char *why, struct fault *f)
{
    if (code == CURLE_OK)
        return ERR_OK;
    if (s->enough)
        return fault_set(f, ERR_CANCELLED, "no more of it is wanted");
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return fault_set(f, ERR_UNREACHABLE, "%s has said nothing for %lld s", s->h->url,
                         (long long)(s->silence_ns / 1000000000));
    if (s->h->status)
        return fault_set(f, ERR_UNREACHABLE, "%s", why[0] ? why : curl_easy_strerror(code));
    return http_failed(s->h, code, why, f);
}

enum err cli_http_stream(struct cli_http *h, bool (*take)(void *ctx, struct str bytes), void *ctx, long silence_s,
                         struct fault *f)
{
    char why[CURL_ERROR_SIZE] = "";
    struct curl_slist *list = NULL;
    struct http_stream s = {.h = h,
                            .curl = curl_easy_init(),
                            .take = take,
                            .ctx = ctx,
                            .silence_ns = silence_s * INT64_C(1000000000),
                            .heard_ns = clock_mono_ns()};
    CURLcode code = CURLE_OUT_OF_MEMORY;
    h->status = 0;
    buf_init(h->out, HTTP_ANSWER);
    if (s.curl && http_headers(h, &list)) {
        http_stream_options(&s, list, why);
        code = curl_easy_perform(s.curl);
        if (!h->status)
            curl_easy_getinfo(s.curl, CURLINFO_RESPONSE_CODE, &h->status);
    }
    curl_headers_free(list);
    curl_easy_cleanup(s.curl);
    return http_stream_ended(&s, code, why, f);
}

/* ---- JSON ---- */

enum err cli_http_json(struct cli *c, struct cli_http *h, struct json *ret, struct str *text, struct fault *f)
{
    struct buf out;
    struct json j;
    h->out = &out;
    h->patience_s = h->patience_s ? h->patience_s : c->patience_s;
    enum err e = cli_http(h, f);
    struct str copy = e ? STR_NONE : arena_str(&c->arena, buf_view(&out));
    secret_wipe(out.p, out.n); /* it may hold a token */
    buf_done(&out);
    TRY(e);
    if (!copy.p)
        return fault_set(f, ERR_NOMEM, "no memory for the answer");
    if (json_parse(&j, copy, &c->arena, NULL, f)) {
        return fault_set(f, ERR_UPSTREAM_GARBAGE, "%s answered with status %ld and no JSON: is that Doorward?", h->url,
                         h->status);
    }
    *ret = j;
    if (text)
        *text = copy;
    return ERR_OK;
}

enum err cli_error_by_code(struct str code)
{
    for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++)
        if (str_is(code, err_code(e)))
            return e;
    return ERR_INTERNAL;
}

enum err cli_error_of(struct cli *c, const struct json *j, long status, struct fault *f)
{
    static const char *const words[] = {"message", "error_description"};
    struct str code = json_str(j, json_get(j, JSON_ROOT, STR("error")), &c->arena), text = STR_NONE;
    for (size_t i = 0; i < 2 && !text.n; i++)
        text = json_str(j, json_get(j, JSON_ROOT, str_of(words[i])), &c->arena);
    if (!code.n)
        return fault_set(f, ERR_UPSTREAM_GARBAGE, "the answer has status %ld and names no error: is that Doorward?",
                         status);
    enum err e = cli_error_by_code(code);
    if (e == ERR_INTERNAL && !str_is(code, err_code(ERR_INTERNAL)))
        return fault_set(f, e, STR_FMT ": " STR_FMT, STR_ARG(code), STR_ARG(text));
    return fault_set(f, e, STR_FMT, STR_ARG(text.n ? text : str_of(err_help(e))));
}

static void http_percent(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char b = (unsigned char)s.p[i];
        bool plain = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || strchr("-._~", b);
        if (plain && b)
            buf_char(out, (char)b);
        else
            buf_fmt(out, "%%%02X", b);
    }
}

const char *cli_percent(struct cli *c, struct str s)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    http_percent(&b, s);
    struct str copy = arena_str(&c->arena, buf_view(&b));
    buf_done(&b);
    return copy.p ? copy.p : "";
}

const char *cli_segment(struct cli *c, const char *text)
{
    /* "." and ".." would be taken for steps of the path. */
    if (strcmp(text, ".") == 0)
        return "%2E";
    return strcmp(text, "..") == 0 ? "%2E%2E" : cli_percent(c, str_of(text));
}
