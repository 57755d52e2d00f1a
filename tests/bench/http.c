/*
 * bench_http: MB/s and nanoseconds to read the head of a typical request, by our codec and by libhttp-parser over the
 * same bytes, round by round in turn. Both look at each byte and keep each field; ours refuses more besides. One
 * thread; the median of the rounds.
 */
#include "net/http.h"
#include "bench.h"

#include <http_parser.h>

enum { ROUNDS = 21, TIMES = 100000 };

static const char call_head[] =
    "POST /mcp HTTP/1.1\r\n"
    "Host: tools.example.com\r\n"
    "User-Agent: agent-runtime/2.4.1 node/22.11.0\r\n"
    "Accept: application/json, text/event-stream\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 1024\r\n"
    "Authorization: Bearer "
    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsxIn0.eyJpc3MiOiJodHRwczovL2RvLmV4YW1wbGUiLC"
    "JhdWQiOiJodHRwczovL2RvLmV4YW1wbGUvbWNwIiwic3ViIjoiYWdlbnQtN2YzYSIsInNpZCI6InNfOWQxYyIsImp0aSI6InRfMDAxIiwiZXhwIjox"
    "Nz"
    "k1NjMwMDAwfQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4tdGhhdC1pcy1ub25lLWJ1dC1hcy1sb25nLWFzLW9uZS1vZi1FUzI1NiBpcw\r\n"
    "MCP-Protocol-Version: 2026-07-28\r\n"
    "Mcp-Method: tools/call\r\n"
    "Mcp-Name: orders__refund_order\r\n"
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
    "Connection: keep-alive\r\n\r\n";

static const char probe_head[] = "GET /livez HTTP/1.1\r\nHost: 127.0.0.1:8420\r\nAccept: */*\r\n\r\n";

static size_t ours(struct str bytes)
{
    struct http_head h;
    struct fault f;
    size_t resume = 0, used = 0;
    if (http_parse_request(bytes.p, bytes.n, NULL, &resume, &h, &used, &f) != HTTP_DONE)
        bench_die("ours", f.text);
    return h.count;
}

/* What a user of libhttp-parser keeps: where each name and value lies. */
struct kept {
    struct http_header header[HTTP_HEADERS_MAX];
    size_t count;
    struct str target;
};

static int keep_url(http_parser *p, const char *at, size_t n)
{
    ((struct kept *)p->data)->target = (struct str){at, n};
    return 0;
}

static int keep_name(http_parser *p, const char *at, size_t n)
{
    struct kept *k = p->data;
    k->header[k->count].name = (struct str){at, n};
    return 0;
}

static int keep_value(http_parser *p, const char *at, size_t n)
{
    struct kept *k = p->data;
    k->header[k->count++].value = (struct str){at, n};
    return 0;
}

static size_t theirs(struct str bytes)
{
    static const http_parser_settings settings = {
        .on_url = keep_url, .on_header_field = keep_name, .on_header_value = keep_value};
    http_parser p;
    struct kept k;
    k.count = 0;
    http_parser_init(&p, HTTP_REQUEST);
    p.data = &k;
    http_parser_execute(&p, &settings, bytes.p, bytes.n);
    return k.count;
}

static double round_ns(size_t (*parse)(struct str), struct str bytes)
{
    size_t fields = 0;
    double start = bench_seconds();
    for (int i = 0; i < TIMES; i++)
        fields += parse(bytes);
    double took = bench_seconds() - start;
    if (fields == 0)
        bench_die("a head", "has no field");
    return took * 1e9 / TIMES;
}

static void bench(const char *name, struct str bytes)
{
    double us[ROUNDS], them[ROUNDS];
    if (ours(bytes) != theirs(bytes))
        bench_die(name, "the two see different fields");
    for (int i = 0; i < ROUNDS; i++) {
        us[i] = round_ns(ours, bytes);
        them[i] = round_ns(theirs, bytes);
    }
    double a = bench_median(us, ROUNDS), b = bench_median(them, ROUNDS);
    printf("%-6s %4zu bytes: doorward %7.0f ns %6.0f MB/s   libhttp-parser %7.0f ns %6.0f MB/s   ratio %.2f\n", name,
           bytes.n, a, (double)bytes.n * 1e3 / a, b, (double)bytes.n * 1e3 / b, b / a);
}

int main(void)
{
    bench("call", str_of(call_head));
    bench("probe", str_of(probe_head));
    return 0;
}
