/* Requests: what is refused and what is taken, whole and byte by byte with the same verdict. */
#include "message.h"

#define GET  "GET / HTTP/1.1\r\n"
#define POST "POST /mcp HTTP/1.1\r\nHost: h\r\n"

struct row {
    const char *what;
    struct str bytes;
};

static const struct row refused[] = {
    /* two readings of the length */
    {"two different lengths", STR(POST "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde")},
    {"two equal lengths", STR(POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc")},
    {"a list of lengths", STR(POST "Content-Length: 3, 3\r\n\r\nabc")},
    {"a signed length", STR(POST "Content-Length: +3\r\n\r\nabc")},
    {"a negative length", STR(POST "Content-Length: -3\r\n\r\nabc")},
    {"a hexadecimal length", STR(POST "Content-Length: 0x3\r\n\r\nabc")},
    {"a length with a fraction", STR(POST "Content-Length: 3.0\r\n\r\nabc")},
    {"a length with leading zeros", STR(POST "Content-Length: 003\r\n\r\nabc")},
    {"an empty length", STR(POST "Content-Length:\r\n\r\n")},
    {"a length beyond 64 bits", STR(POST "Content-Length: 18446744073709551617\r\n\r\na")},
    {"a length beyond 63 bits", STR(POST "Content-Length: 9223372036854775808\r\n\r\na")},
    {"length and coding", STR(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    {"coding and length", STR(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n")},
    {"an unknown coding", STR(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")},
    {"a coding with a tab in it", STR(POST "Transfer-Encoding: \tchunked\v\r\n\r\n0\r\n\r\n")},
    {"two codings", STR(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")},
    {"chunked not last", STR(POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")},
    {"chunked twice", STR(POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")},
    {"the coding in two fields",
     STR(POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    {"identity", STR(POST "Transfer-Encoding: identity\r\n\r\n")},
    {"an empty coding", STR(POST "Transfer-Encoding:\r\n\r\n")},
    {"a quoted coding", STR(POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n")},
    {"a coding with a parameter", STR(POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n")},
    {"Connection names the length", STR(POST "Connection: content-length\r\nContent-Length: 1\r\n\r\na")},
    {"Connection names the host", STR(GET "Host: h\r\nConnection: close, Host\r\n\r\n")},
    /* lines */
    {"bare LF after the request line", STR("GET / HTTP/1.1\nHost: h\r\n\r\n")},
    {"bare LF after a field", STR(GET "Host: h\nX: y\r\n\r\n")},
    {"bare LF at the end", STR(GET "Host: h\r\n\n")},
    {"bare CR in a value", STR(GET "Host: h\r\nX: a\rb\r\n\r\n")},
    {"bare CR between fields", STR(GET "Host: h\rX: y\r\n\r\n")},
    {"bare CR in the request line", STR("GET /\r HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"CR CR LF", STR(GET "Host: h\r\r\n\r\n")},
    {"an empty line first", STR("\r\n" GET "Host: h\r\n\r\n")},
    {"a value continued with a space", STR(GET "Host: h\r\nX: a\r\n b\r\n\r\n")},
    {"a value continued with a tab", STR(GET "Host: h\r\nX: a\r\n\tb\r\n\r\n")},
    {"a space before the first field", STR(GET " Host: h\r\n\r\n")},
    /* fields */
    {"a space before the colon", STR(GET "Host : h\r\n\r\n")},
    {"a tab before the colon", STR(POST "Content-Length\t: 3\r\n\r\nabc")},
    {"no colon", STR(GET "Host: h\r\nX\r\n\r\n")},
    {"no name", STR(GET "Host: h\r\n: x\r\n\r\n")},
    {"a name with a control byte", STR(GET "Host: h\r\nX\001: x\r\n\r\n")},
    {"a name in parentheses", STR(GET "Host: h\r\n(X): x\r\n\r\n")},
    {"a name beyond ASCII", STR(GET "Host: h\r\nX\xc3\xa4: x\r\n\r\n")},
    {"NUL in a name", STR(GET "Host: h\r\nX\0: x\r\n\r\n")},
    {"NUL in a value", STR(GET "Host: h\r\nX: a\0b\r\n\r\n")},
    {"a control byte in a value", STR(GET "Host: h\r\nX: a\033b\r\n\r\n")},
    {"DEL in a value", STR(GET "Host: h\r\nX: a\177b\r\n\r\n")},
    {"two content types", STR(POST "Content-Type: a/b\r\nContent-Type: a/c\r\n\r\n")},
    {"two credentials", STR(POST "Authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n")},
    {"two origins", STR(POST "Origin: http://a\r\nOrigin: http://b\r\n\r\n")},
    {"two MCP fields of one name", STR(POST "Mcp-Name: a\r\nMCP-NAME: b\r\n\r\n")},
    {"an expectation that is not met", STR(POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na")},
    /* host */
    {"no host", STR(GET "X: y\r\n\r\n")},
    {"no field at all", STR("GET / HTTP/1.1\r\n\r\n")},
    {"two hosts", STR(GET "Host: a\r\nHost: b\r\n\r\n")},
    {"the same host twice", STR(GET "Host: a\r\nhost: a\r\n\r\n")},
    {"an empty host", STR(GET "Host:\r\n\r\n")},
    {"a host with a path", STR(GET "Host: a/b\r\n\r\n")},
    {"a host with userinfo", STR(GET "Host: u@a\r\n\r\n")},
    {"a host with a space", STR(GET "Host: a b\r\n\r\n")},
    {"a list of hosts", STR(GET "Host: a, b\r\n\r\n")},
    {"a host with an encoded byte", STR(GET "Host: a%00b\r\n\r\n")},
    {"a port with letters", STR(GET "Host: a:8o\r\n\r\n")},
    {"an empty port", STR(GET "Host: a:\r\n\r\n")},
    {"two ports", STR(GET "Host: a:1:2\r\n\r\n")},
    {"an IPv6 address without its end", STR(GET "Host: [::1\r\n\r\n")},
    {"something behind an IPv6 address", STR(GET "Host: [::1]x\r\n\r\n")},
    {"a name in brackets", STR(GET "Host: [evil]\r\n\r\n")},
    /* request line */
    {"HTTP/0.9", STR("GET /\r\n\r\n")},
    {"HTTP/1.0", STR("GET / HTTP/1.0\r\nHost: h\r\n\r\n")},
    {"HTTP/1.2", STR("GET / HTTP/1.2\r\nHost: h\r\n\r\n")},
    {"HTTP/2.0 as text", STR("GET / HTTP/2.0\r\nHost: h\r\n\r\n")},
    {"the preface of HTTP/2", STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
    {"http/1.1", STR("GET / http/1.1\r\nHost: h\r\n\r\n")},
    {"HTTP/1.10", STR("GET / HTTP/1.10\r\nHost: h\r\n\r\n")},
    {"no version", STR("GET / \r\nHost: h\r\n\r\n")},
    {"something behind the version", STR("GET / HTTP/1.1 x\r\nHost: h\r\n\r\n")},
    {"a space behind the version", STR("GET / HTTP/1.1 \r\nHost: h\r\n\r\n")},
    {"a lower-case method", STR("get / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"an invented method", STR("GOT / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"CONNECT", STR("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n")},
    {"TRACE", STR("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"no method", STR(" / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"two spaces", STR("GET  / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"a tab between", STR("GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"no target", STR("GET HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"a target without a slash", STR("GET x HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"the target *", STR("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"a fragment", STR("GET /#x HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"a quote in the target", STR("GET /\" HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"a backslash in the target", STR("GET /\\..\\x HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"NUL in the target", STR("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"a control byte in the target", STR("GET /\b HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"raw UTF-8 in the target", STR("GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"another authority in the target", STR("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n")},
    {"another port in the target", STR("GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n")},
    {"userinfo in the target", STR("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n")},
    {"an absolute target without a path", STR("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n")},
    {"another scheme", STR("GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n")},
    {"a dot segment", STR("GET /mcp/../admin HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"a single dot", STR("GET /./admin HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"a dot segment at the end", STR("GET /mcp/.. HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"an encoded dot", STR("GET /%2e%2E/admin HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"an encoded slash", STR("GET /mcp%2fadmin HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"an encoded backslash", STR("GET /mcp%5Cadmin HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"an encoded NUL", STR("GET /mcp%00 HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"an encoded line break", STR("GET /mcp%0d%0aX:y HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"half an encoding", STR("GET /mcp%2 HTTP/1.1\r\nHost: h\r\n\r\n")},
    {"an encoding of nothing", STR("GET /mcp%zz HTTP/1.1\r\nHost: h\r\n\r\n")},
/* chunks */
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
    {"a chunk size with a sign", STR(CHUNKED "+3\r\nabc\r\n0\r\n\r\n")},
    {"a negative chunk size", STR(CHUNKED "-3\r\nabc\r\n0\r\n\r\n")},
    {"a chunk size with 0x", STR(CHUNKED "0x3\r\nabc\r\n0\r\n\r\n")},
    {"a space before a chunk size", STR(CHUNKED " 3\r\nabc\r\n0\r\n\r\n")},
    {"a space behind a chunk size", STR(CHUNKED "3 \r\nabc\r\n0\r\n\r\n")},
    {"an empty chunk size", STR(CHUNKED "\r\nabc\r\n0\r\n\r\n")},
    {"a chunk size that overflows", STR(CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n")},
    {"a chunk size with endless zeros", STR(CHUNKED "00000000000000000003\r\nabc\r\n0\r\n\r\n")},
    {"a chunk extension", STR(CHUNKED "3;a=b\r\nabc\r\n0\r\n\r\n")},
    {"a chunk extension that hides a line", STR(CHUNKED "3;\nabc\r\n0\r\n\r\n")},
    {"an extension of the last chunk", STR(CHUNKED "0;a\r\n\r\n")},
    {"a bare LF behind a chunk size", STR(CHUNKED "3\nabc\r\n0\r\n\r\n")},
    {"a bare LF behind a chunk", STR(CHUNKED "3\r\nabc\n0\r\n\r\n")},
    {"a bare CR behind a chunk size", STR(CHUNKED "3\rabc\r\n0\r\n\r\n")},
    {"a chunk longer than its size", STR(CHUNKED "3\r\nabcd\r\n0\r\n\r\n")},
    {"a chunk shorter than its size", STR(CHUNKED "3\r\nab\r\n0\r\n\r\n")},
    {"a trailer", STR(CHUNKED "0\r\nX: y\r\n\r\n")},
    {"a trailer that frames", STR(CHUNKED "0\r\nContent-Length: 5\r\n\r\n")},
    {"a bare LF at the end of the chunks", STR(CHUNKED "0\r\n\n")},
    {"a chunk size in full-width digits", STR(CHUNKED "\xef\xbc\x93\r\nabc\r\n0\r\n\r\n")},
};

static void each_malformed_request_is_refused(void **state)
{
    (void)state;
    static const size_t steps[] = {SIZE_MAX / 2, 1, 2, 7};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
            struct message m;
            message_take(&m, refused[i].bytes, steps[s], false, false);
            if (m.verdict != HTTP_BAD || m.fault.err != ERR_SYNTAX || !m.fault.text[0])
                fail_msg("%s (in steps of %zu): verdict %d, %s", refused[i].what, steps[s], m.verdict, m.fault.text);
            message_done(&m);
        }
}

struct taken {
    const char *what;
    struct str bytes;
    const char *method, *path, *query, *host, *content;
    size_t behind; /* bytes that belong to the next message */
    bool closes;
};

static const struct taken accepted[] = {
    {"the least", STR(GET "Host: h\r\n\r\n"), "GET", "/", "", "h", "", 0, false},
    {"a query with dots and marks", STR("GET /a?b=/../&c=%2e? HTTP/1.1\r\nHost: h\r\n\r\n"), "GET", "/a",
     "b=/../&c=%2e?", "h", "", 0, false},
    {"dots that are no segment", STR("GET /...a/b..c HTTP/1.1\r\nHost: h\r\n\r\n"), "GET", "/...a/b..c", "", "h", "", 0,
     false},
    {"an encoded letter stays as it is", STR("GET /caf%C3%a9 HTTP/1.1\r\nHost: h\r\n\r\n"), "GET", "/caf%C3%a9", "",
     "h", "", 0, false},
    {"absolute-form with its authority", STR("GET http://H:1/x?y HTTP/1.1\r\nHost: h:1\r\n\r\n"), "GET", "/x", "y",
     "h:1", "", 0, false},
    {"a port", STR(GET "Host: example.com:65535\r\n\r\n"), "GET", "/", "", "example.com:65535", "", 0, false},
    {"IPv6", STR(GET "Host: [::1]:8420\r\n\r\n"), "GET", "/", "", "[::1]:8420", "", 0, false},
    {"white space around a value", STR(GET "Host:\t h \t\r\n\r\n"), "GET", "/", "", "h", "", 0, false},
    {"no space behind the colon", STR(GET "hOST:h\r\nX:\r\n\r\n"), "GET", "/", "", "h", "", 0, false},
    {"bytes beyond ASCII in a value", STR(GET "Host: h\r\nX: \xe4\xff\r\n\r\n"), "GET", "/", "", "h", "", 0, false},
    {"a field twice that may be", STR(GET "Host: h\r\nAccept: a/b\r\nAccept: c/d\r\n\r\n"), "GET", "/", "", "h", "", 0,
     false},
    {"close", STR(GET "Host: h\r\nConnection: keep-alive, Close\r\n\r\n"), "GET", "/", "", "h", "", 0, true},
    {"a body", STR(POST "Content-Length: 3\r\n\r\nabc"), "POST", "/mcp", "", "h", "abc", 0, false},
    {"an empty body", STR(POST "Content-Length: 0\r\n\r\n"), "POST", "/mcp", "", "h", "", 0, false},
    {"a body and the next request", STR(POST "Content-Length: 3\r\n\r\nabcGET /"), "POST", "/mcp", "", "h", "abc", 5,
     false},
    {"no body and the next request", STR(GET "Host: h\r\n\r\nabc"), "GET", "/", "", "h", "", 3, false},
    {"chunks", STR(CHUNKED "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"), "POST", "/mcp", "", "h", "abc0123456789", 0,
     false},
    {"chunks and the next request", STR(CHUNKED "1\r\na\r\n000\r\n\r\nGET"), "POST", "/mcp", "", "h", "a", 3, false},
    {"no chunk", STR(CHUNKED "0\r\n\r\n"), "POST", "/mcp", "", "h", "", 0, false},
    {"CHUNKED", STR(POST "Transfer-Encoding: CHUNKED\r\n\r\n2\r\n\r\n\r\n0\r\n\r\n"), "POST", "/mcp", "", "h", "\r\n",
     0, false},
    {"a body that looks like a request", STR(POST "Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n"), "POST", "/mcp",
     "", "h", "GET / HTTP/1.1\r\n\r\n", 0, false},
    {"100-continue", STR("PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\na"), "PUT",
     "/x", "", "h", "a", 0, false},
    {"PATCH", STR("PATCH /x HTTP/1.1\r\nHost: h\r\n\r\n"), "PATCH", "/x", "", "h", "", 0, false},
    {"DELETE", STR("DELETE /x HTTP/1.1\r\nHost: h\r\n\r\n"), "DELETE", "/x", "", "h", "", 0, false},
    {"OPTIONS", STR("OPTIONS /x HTTP/1.1\r\nHost: h\r\n\r\n"), "OPTIONS", "/x", "", "h", "", 0, false},
    {"HEAD", STR("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n"), "HEAD", "/x", "", "h", "", 0, false},
};

static void taken_is(const struct taken *want, const struct message *m, size_t step)
{
    if (m->verdict != HTTP_DONE)
        fail_msg("%s (in steps of %zu): verdict %d, %s", want->what, step, m->verdict, m->fault.text);
    bool same = str_is(m->head.method, want->method) && str_is(m->head.path, want->path) &&
                str_is(m->head.query, want->query) && str_is(m->head.host, want->host) &&
                str_eq((struct str){m->content, m->content_n}, str_of(want->content)) &&
                want->bytes.n - m->used == want->behind && m->head.keep_alive == !want->closes;
    if (!same)
        fail_msg("%s (in steps of %zu): read as " STR_FMT " " STR_FMT " of " STR_FMT
                 ", %zu bytes of body, %zu behind it",
                 want->what, step, STR_ARG(m->head.method), STR_ARG(m->head.target), STR_ARG(m->head.host),
                 m->content_n, want->bytes.n - m->used);
}

static void well_formed_requests_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++)
        for (size_t step = 1; step <= accepted[i].bytes.n; step++) {
            struct message m;
            message_take(&m, accepted[i].bytes, step, false, false);
            taken_is(&accepted[i], &m, step);
            message_done(&m);
        }
}

static void a_request_that_is_not_whole_is_waited_for(void **state)
{
    (void)state;
    struct str all = STR(CHUNKED "3\r\nabc\r\n0\r\n\r\n");
    for (size_t n = 1; n < all.n; n++) {
        struct message m;
        message_take(&m, (struct str){all.p, n}, 1, false, false);
        assert_int_equal(m.verdict, HTTP_MORE);
        message_done(&m);
    }
}

static void fields_are_found_by_name(void **state)
{
    (void)state;
    struct str all = STR(GET "Host: h\r\nX-Empty:\r\naCCept: a\r\nAccept: b\r\n\r\n");
    struct http_head h;
    struct fault f;
    size_t resume = 0, used;
    assert_int_equal(http_parse_request(all.p, all.n, NULL, &resume, &h, &used, &f), HTTP_DONE);
    assert_true(str_is(http_header(&h, "accept"), "a"));
    assert_int_equal(http_header_count(&h, "ACCEPT"), 2);
    assert_non_null(http_header(&h, "x-empty").p); /* there, and empty */
    assert_int_equal(http_header(&h, "x-empty").n, 0);
    assert_null(http_header(&h, "x-none").p);
}

static enum http_verdict limited(const char *target, size_t fields, size_t pad, struct http_limits l, struct fault *f)
{
    struct buf b;
    struct http_head h;
    size_t resume = 0, used;
    buf_init(&b, 1 << 20);
    buf_fmt(&b, "GET %s HTTP/1.1\r\nHost: h\r\nP: ", target);
    while (pad--)
        buf_char(&b, 'p');
    for (size_t i = 2; i < fields; i++)
        buf_fmt(&b, "\r\nX%zu: y", i);
    buf_z(&b, "\r\n\r\n");
    enum http_verdict v = http_parse_request(b.p, b.n, &l, &resume, &h, &used, f);
    buf_done(&b);
    return v;
}

static void each_bound_is_kept_to_the_byte(void **state)
{
    (void)state;
    struct fault f;
    struct http_limits none = {0};
    assert_int_equal(limited("/1234", 2, 0, (struct http_limits){.target_bytes = 5}, &f), HTTP_DONE);
    assert_int_equal(limited("/12345", 2, 0, (struct http_limits){.target_bytes = 5}, &f), HTTP_BAD);
    assert_int_equal(f.err, ERR_LIMIT);
    assert_int_equal(limited("/", 3, 0, (struct http_limits){.headers = 3}, &f), HTTP_DONE);
    assert_int_equal(limited("/", 4, 0, (struct http_limits){.headers = 3}, &f), HTTP_BAD);
    assert_int_equal(f.err, ERR_LIMIT);
    assert_int_equal(limited("/", HTTP_HEADERS_MAX, 0, none, &f), HTTP_DONE);
    assert_int_equal(limited("/", HTTP_HEADERS_MAX + 1, 0, (struct http_limits){.headers = 1000}, &f), HTTP_BAD);
    size_t head = sizeof(GET "Host: h\r\nP: \r\n\r\n") - 1;
    assert_int_equal(limited("/", 2, 16384 - head, none, &f), HTTP_DONE);
    assert_int_equal(limited("/", 2, 16385 - head, none, &f), HTTP_BAD);
    assert_int_equal(f.err, ERR_LIMIT);
}

/* A head without an end is refused when it is over the bound, whatever the size of the pieces. */
static void an_endless_head_is_refused(void **state)
{
    (void)state;
    static char bytes[20000];
    memset(bytes, 'a', sizeof(bytes));
    for (size_t step = 1; step < 20000; step = step * 3 + 1) {
        struct http_head h;
        struct fault f;
        size_t resume = 0, used, n = 0;
        enum http_verdict v = HTTP_MORE;
        for (n = step; v == HTTP_MORE && n <= sizeof(bytes); n += step)
            v = http_parse_request(bytes, n, NULL, &resume, &h, &used, &f);
        assert_int_equal(v, HTTP_BAD);
        assert_int_equal(f.err, ERR_LIMIT);
        assert_true(n - step <= 16384 + step);
    }
}

static void a_body_over_its_bound_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        enum http_verdict want;
    } rows[] = {
        {STR(POST "Content-Length: 1001\r\n\r\na"), HTTP_BAD},
        {STR(CHUNKED "3e9\r\na"), HTTP_BAD}, /* 1001: refused by what it announces */
        {STR(CHUNKED "3e8\r\na"), HTTP_MORE},
        {STR(CHUNKED "1\r\na\r\n3e8\r\na"), HTTP_BAD},
        {STR(CHUNKED "fffffffffffffff\r\na"), HTTP_BAD},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct message m;
        message_take(&m, rows[i].bytes, 1, false, false);
        assert_int_equal(m.verdict, rows[i].want);
        if (m.verdict == HTTP_BAD)
            assert_int_equal(m.fault.err, ERR_LIMIT);
        message_done(&m);
    }
}

static void what_may_be_written_as_a_field(void **state)
{
    (void)state;
    assert_true(http_field_valid(STR("Mcp-Name"), STR("a b\tc \xe4")));
    assert_true(http_field_valid(STR("X"), STR("")));
    assert_false(http_field_valid(STR(""), STR("x")));
    assert_false(http_field_valid(STR("X Y"), STR("x")));
    assert_false(http_field_valid(STR("X:"), STR("x")));
    assert_false(http_field_valid(STR("X"), STR("x\r\nEvil: y")));
    assert_false(http_field_valid(STR("X"), STR("x\ny")));
    assert_false(http_field_valid(STR("X"), STR("x\0y")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_malformed_request_is_refused),
        cmocka_unit_test(well_formed_requests_are_taken),
        cmocka_unit_test(a_request_that_is_not_whole_is_waited_for),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(each_bound_is_kept_to_the_byte),
        cmocka_unit_test(an_endless_head_is_refused),
        cmocka_unit_test(a_body_over_its_bound_is_refused),
        cmocka_unit_test(what_may_be_written_as_a_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
