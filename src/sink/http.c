#include "sink/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>

#include "sink/address.h"

enum { HTTP_ANSWER = 64 << 10, HTTP_CONNECT_MS = 5000, HTTP_TURN_MS = 100, HTTP_LATER_MS = 24 * 3600 * 1000 };

struct sink_http {
    CURLM *multi; /* holds the connection */
    CURL *easy;
    struct curl_slist *headers; /* of the configuration */
    char *url, *ca, *certificate, *key;
    struct buf answer, where;
    char why[CURL_ERROR_SIZE];
};

/* libcurl's own start is not for two threads at a time. */
static pthread_once_t http_once = PTHREAD_ONCE_INIT;

static void http_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- headers ---- */

static bool http_header_add(struct curl_slist **list, const char *header)
{
    struct curl_slist *longer = curl_slist_append(*list, header);
    if (longer)
        *list = longer;
    return longer != NULL;
}

/* Some of them are credentials. */
static void http_headers_free(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next)
        secret_wipe(l->data, strlen(l->data));
    curl_slist_free_all(list);
}

static bool http_header_pair(struct curl_slist **list, const struct conf_pair *p)
{
    struct buf b;
    buf_init(&b, 65536);
    bool ok = buf_reserve(&b, p->name.n + secret_len(p->value) + 4); /* at once: it leaves no copies when it grows */
    buf_str(&b, p->name);
    buf_z(&b, secret_len(p->value) ? ": " : ";"); /* as libcurl wants one that is empty */
    buf_put(&b, secret_bytes(p->value), secret_len(p->value));
    for (size_t i = 0; ok && i < p->name.n; i++)
        ok = b.p[i] > 0x20 && b.p[i] < 0x7f && b.p[i] != ':';
    for (size_t i = p->name.n; ok && i < b.n; i++)
        ok = b.p[i] != '\r' && b.p[i] != '\n' && b.p[i] != 0;
    ok = ok && p->name.n;
    buf_char(&b, 0);
    ok = ok && !buf_failed(&b) && http_header_add(list, b.p);
    if (b.p)
        secret_wipe(b.p, b.n);
    buf_done(&b);
    return ok;
}

/* ---- the handle ---- */

static bool http_copy(char **ret, struct str s)
{
    *ret = s.n ? strndup(s.p, s.n) : NULL;
    return !s.n || *ret;
}

static size_t http_write(char *p, size_t size, size_t n, void *out)
{
    buf_put(out, p, size * n);
    return buf_failed(out) ? 0 : size * n;
}

/* A credential for this machine does not go over a proxy of the environment. */
static bool http_is_local(const char *url)
{
    static const char *const hosts[] = {"127.", "localhost:", "localhost/", "[::1]"};
    struct str at = str_of(url);
    at = str_skip(at, str_starts(at, STR("https://")) ? 8 : 7);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (str_starts(at, str_of(hosts[i])))
            return true;
    return str_is(at, "localhost");
}

/* What holds for every request. */
static bool http_options(struct sink_http *h)
{
    CURL *e = h->easy;
    bool ok = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_ERRORBUFFER, h->why) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_USERAGENT, "doorward/" DOORWARD_VERSION) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    ok = ok && (!h->ca || curl_easy_setopt(e, CURLOPT_CAINFO, h->ca) == CURLE_OK);
    ok = ok && (!h->certificate || curl_easy_setopt(e, CURLOPT_SSLCERT, h->certificate) == CURLE_OK);
    ok = ok && (!h->key || curl_easy_setopt(e, CURLOPT_SSLKEY, h->key) == CURLE_OK);
    ok = ok && (!http_is_local(h->url) || curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, http_write);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, &h->answer);
    return ok;
}

enum err sink_http_new(const struct sink_http_to *to, struct sink_http **ret, struct fault *f)
{
    pthread_once(&http_once, http_start);
    struct sink_http *h = calloc(1, sizeof(*h));
    if (!h)
        return fault_set(f, ERR_NOMEM, "no memory for a connection");
    buf_init(&h->answer, to->answer_max ? to->answer_max : HTTP_ANSWER);
    buf_init(&h->where, 65536);
    h->multi = curl_multi_init();
    h->easy = curl_easy_init();
    bool ok = h->multi && h->easy && http_copy(&h->url, to->url) && http_copy(&h->ca, to->ca) &&
              http_copy(&h->certificate, to->certificate) && http_copy(&h->key, to->key) && h->url && http_options(h);
    for (size_t i = 0; ok && to->headers && i < to->headers->n; i++)
        if (!http_header_pair(&h->headers, &to->headers->v[i])) {
            fault_set(f, ERR_CONFIG, "the header " STR_FMT " is none that can be sent",
                      STR_ARG(to->headers->v[i].name));
            sink_http_free(h);
            return ERR_CONFIG;
        }
    if (!ok) {
        sink_http_free(h);
        return fault_set(f, ERR_NOMEM, "no memory for a connection");
    }
    *ret = h;
    return ERR_OK;
}

enum err sink_http_open(const struct conf_sink *conf, struct sink_http **ret, struct fault *f)
{
    const struct sink_http_to to = {.url = conf->url,
                                    .ca = conf->ca,
                                    .certificate = conf->certificate,
                                    .key = conf->key,
                                    .headers = &conf->headers};
    TRY(sink_address_http(conf->url, f));
    TRY(sink_address_check(conf, str_starts(conf->url, STR("https://")), f));
    return sink_http_new(&to, ret, f);
}

void sink_http_free(struct sink_http *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->easy);
    curl_multi_cleanup(h->multi);
    http_headers_free(h->headers);
    buf_done(&h->answer);
    buf_done(&h->where);
    free(h->url);
    free(h->ca);
    free(h->certificate);
    free(h->key);
    free(h);
}

/* ---- one request ---- */

/* The address with `path` behind its own one: "https://host/base/?q" and "/v1/logs" is "https://host/base/v1/logs?q".
 */
static const char *http_where(struct sink_http *h, const char *path)
{
    struct str head, rest = str_of(h->url);
    if (!path)
        return h->url;
    bool query = str_cut(&rest, '?', &head);
    while (head.n && head.p[head.n - 1] == '/')
        head.n--;
    buf_clear(&h->where);
    buf_str(&h->where, head);
    buf_z(&h->where, path);
    if (query)
        buf_char(&h->where, '?');
    buf_str(&h->where, rest);
    buf_char(&h->where, 0);
    return buf_failed(&h->where) ? NULL : h->where.p;
}

/* A list of its own for each request: libcurl's lists are not to be shared between two. The secrets are in the first
 * part, which is linked in, not copied. */
static bool http_own_headers(const struct sink_http_post *what, struct curl_slist **list)
{
    char type[200];
    int n = snprintf(type, sizeof(type), "Content-Type:%s%s", what->type ? " " : "", what->type ? what->type : "");
    bool ok = n > 0 && (size_t)n < sizeof(type) && http_header_add(list, type) && http_header_add(list, "Expect:");
    for (size_t i = 0; i < sizeof(what->headers) / sizeof(what->headers[0]) && what->headers[i] && ok; i++)
        ok = http_header_add(list, what->headers[i]);
    return ok;
}

/* Until it is over, or `stop`. False: stopped. */
static bool http_run(struct sink_http *h, const _Atomic bool *stop, CURLcode *ret)
{
    int running = 1, left;
    *ret = CURLE_FAILED_INIT;
    while (running) {
        if (stop && atomic_load(stop)) {
            curl_easy_setopt(h->easy, CURLOPT_QUICK_EXIT, 1L); /* a name that is looked up is not waited for */
            return false;
        }
        CURLMcode m = curl_multi_perform(h->multi, &running);
        if (m == CURLM_OK && running)
            m = curl_multi_poll(h->multi, NULL, 0, HTTP_TURN_MS, NULL);
        if (m != CURLM_OK) {
            *ret = m == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
            return true;
        }
    }
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));)
        if (m->msg == CURLMSG_DONE)
            *ret = m->data.result;
    return true;
}

static enum err http_failed(struct sink_http *h, CURLcode code, struct fault *f)
{
    const char *reason = h->why[0] ? h->why : curl_easy_strerror(code);
    switch (code) {
    case CURLE_OUT_OF_MEMORY: return fault_set(f, ERR_NOMEM, "no memory for the request");
    case CURLE_WRITE_ERROR: return fault_set(f, ERR_LIMIT, "the answer is longer than %zu bytes", h->answer.max);
    case CURLE_PEER_FAILED_VERIFICATION:
        return fault_set(f, ERR_UNREACHABLE, "the certificate is not to be trusted (%s)", reason);
    default: return fault_set(f, ERR_UNREACHABLE, "%s", reason);
    }
}

/* Retry-After (RFC 9110, 10.2.3), which libcurl has read already. */
static int64_t http_retry_after(CURL *e)
{
    struct curl_header *said;
    curl_off_t s = 0;
    if (curl_easy_header(e, "Retry-After", 0, CURLH_HEADER, -1, &said) != CURLHE_OK ||
        curl_easy_getinfo(e, CURLINFO_RETRY_AFTER, &s) != CURLE_OK || s < 0)
        return -1;
    return s > HTTP_LATER_MS / 1000 ? HTTP_LATER_MS : s * 1000;
}

static void http_answer(struct sink_http *h, struct sink_http_answer *ret)
{
    const char *type = NULL;
    long status = 0;
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    *ret = (struct sink_http_answer){
        .status = (int)status, .retry_after_ms = http_retry_after(h->easy), .body = buf_view(&h->answer)};
    if (curl_easy_getinfo(h->easy, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
        snprintf(ret->type, sizeof(ret->type), "%s", type);
}

enum err sink_http_post(struct sink_http *h, const struct sink_http_post *what, struct sink_http_answer *ret,
                        struct fault *f)
{
    struct curl_slist *own = NULL, *last = NULL;
    const char *where = http_where(h, what->path);
    CURLcode code;
    if (!where || !http_own_headers(what, &own)) {
        curl_slist_free_all(own);
        return fault_set(f, ERR_NOMEM, "no memory for the request");
    }
    for (last = own; last->next;)
        last = last->next;
    last->next = h->headers;
    buf_clear(&h->answer);
    h->why[0] = 0;
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, own);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, what->body.p ? what->body.p : "");
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)what->body.n);
    curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)what->timeout_ms);
    curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(what->timeout_ms < HTTP_CONNECT_MS ? what->timeout_ms : HTTP_CONNECT_MS));
    enum err e = ERR_OK;
    if (curl_easy_setopt(h->easy, CURLOPT_URL, where) != CURLE_OK ||
        curl_multi_add_handle(h->multi, h->easy) != CURLM_OK) {
        e = fault_set(f, ERR_NOMEM, "no memory for the request");
    } else {
        bool stopped = !http_run(h, what->stop, &code);
        if (stopped)
            e = fault_set(f, ERR_STOPPING, "given up, since the gateway stops");
        else if (code != CURLE_OK)
            e = http_failed(h, code, f);
        else
            http_answer(h, ret);
        curl_multi_remove_handle(h->multi, h->easy);
    }
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
    last->next = NULL;
    curl_slist_free_all(own);
    return e;
}
