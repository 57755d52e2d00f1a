/*
 * Heads of requests and responses. Strict: each thing that RFC 9112 allows a recipient to repair is refused here
 * instead, because the next parser on the way may repair it differently (RFC 9112 section 11.2).
 */
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "net/http.h"

enum { HTTP_HEAD_BYTES = 16384, HTTP_TARGET_BYTES = 4096 };

/* RFC 9110 5.6.2 tchar; and what may stand in a target (RFC 3986, no fragment) and in a field value (5.5, no obs-text).
 */
enum { C_TOKEN = 1, C_TARGET = 2, C_VALUE = 4, C_DIGIT = 8, C_HOST = 16 };
static const unsigned char http_class[256] = {
    ['\t'] = C_VALUE,
    [' '] = C_VALUE,
    ['!'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['"'] = C_VALUE,
    ['#'] = C_TOKEN | C_VALUE,
    ['$'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['%'] = C_TOKEN | C_TARGET | C_VALUE,
    ['&'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['\''] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['('] = C_TARGET | C_VALUE | C_HOST,
    [')'] = C_TARGET | C_VALUE | C_HOST,
    ['*'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['+'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    [','] = C_TARGET | C_VALUE | C_HOST,
    ['-'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['.'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['/'] = C_TARGET | C_VALUE,
    ['0' ... '9'] = C_TOKEN | C_TARGET | C_VALUE | C_DIGIT | C_HOST,
    [':'] = C_TARGET | C_VALUE,
    [';'] = C_TARGET | C_VALUE | C_HOST,
    ['<'] = C_VALUE,
    ['='] = C_TARGET | C_VALUE | C_HOST,
    ['>'] = C_VALUE,
    ['?'] = C_TARGET | C_VALUE,
    ['@'] = C_TARGET | C_VALUE,
    ['A' ... 'Z'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['['] = C_VALUE,
    ['\\'] = C_VALUE,
    [']'] = C_VALUE,
    ['^'] = C_TOKEN | C_VALUE,
    ['_'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['`'] = C_TOKEN | C_VALUE,
    ['a' ... 'z'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['{'] = C_VALUE,
    ['|'] = C_TOKEN | C_VALUE,
    ['}'] = C_VALUE,
    ['~'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    [0x80 ... 0xff] = C_VALUE, /* obs-text is opaque; a field that matters is compared with ASCII */
};

static bool http_all(struct str s, unsigned class)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(http_class[(unsigned char)s.p[i]] & class))
            return false;
    return s.n > 0;
}

/* A field's value holds no controls but tabs. Tokens are long: 16 bytes at a time where the machine has SSE2. */
static bool http_all_value(struct str s)
{
    size_t i = 0;
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(0x20), tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7f);
    for (; i + 16 <= s.n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.p + i));
        __m128i fine = _mm_or_si128(_mm_cmpeq_epi8(_mm_max_epu8(v, space), v), _mm_cmpeq_epi8(v, tab));
        if (_mm_movemask_epi8(_mm_andnot_si128(_mm_cmpeq_epi8(v, del), fine)) != 0xffff)
            return false;
    }
#endif
    return i == s.n || http_all(str_skip(s, i), C_VALUE);
}

static size_t http_bound(size_t configured, size_t fallback)
{
    return configured ? configured : fallback;
}

/* Finds the empty line that ends the head. Every LF must follow a CR, every CR must precede an LF. */
static enum http_verdict http_find_end(const char *bytes, size_t n, const struct http_limits *l, size_t *resume,
                                       size_t *ret_end, struct fault *f)
{
    size_t max = http_bound(l ? l->head_bytes : 0, HTTP_HEAD_BYTES), i = *resume;
    while (i < n) {
        const char *lf = memchr(bytes + i, '\n', n - i);
        if (!lf) {
            i = n;
            break;
        }
        size_t at = (size_t)(lf - bytes);
        if (at == 0 || bytes[at - 1] != '\r') {
            fault_set(f, ERR_SYNTAX, "a line ends with a bare LF");
            return HTTP_BAD;
        }
        if (at >= 3 && bytes[at - 2] == '\n') {
            if (at + 1 > max)
                break;
            *ret_end = at + 1;
            return HTTP_DONE;
        }
        if (at == 1) {
            fault_set(f, ERR_SYNTAX, "the message begins with an empty line");
            return HTTP_BAD;
        }
        i = at + 1;
    }
    *resume = i;
    if (n <= max && i <= max)
        return HTTP_MORE;
    fault_set(f, ERR_LIMIT, "the head is larger than %zu bytes", max);
    return HTTP_BAD;
}

/* The next line without its CRLF; the head is known to consist of whole ones. */
static struct str http_line(struct str *rest)
{
    const char *lf = memchr(rest->p, '\n', rest->n);
    struct str line = {rest->p, (size_t)(lf - rest->p) - 1};
    *rest = str_skip(*rest, line.n + 2);
    return line;
}

/* Fields of which two make a message ambiguous. A prefix ends with '*'. */
static const struct str http_single[] = {
    {"Host", 4},           {"Content-Length", 14}, {"Transfer-Encoding", 17}, {"Content-Type", 12},
    {"Authorization", 13}, {"Origin", 6},          {"Connection", 10},        {"Expect", 6},
    {"MCP-*", 5},          {"Traceparent", 11},    {"Last-Event-ID", 13},     {"Upgrade", 7},
};

static bool http_is_single(struct str name)
{
    for (size_t i = 0; i < sizeof(http_single) / sizeof(http_single[0]); i++) {
        struct str s = http_single[i];
        if (s.p[s.n - 1] == '*' ? name.n >= s.n && str_ieq((struct str){name.p, s.n - 1}, (struct str){s.p, s.n - 1})
                                : str_ieq(name, s))
            return true;
    }
    return false;
}

static enum err http_parse_field(struct str line, struct http_head *h, size_t max, struct fault *f)
{
    struct str name, value = line;
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return fault_set(f, ERR_SYNTAX, "a field is continued on a second line");
    if (!str_cut(&value, ':', &name) || !http_all(name, C_TOKEN))
        return fault_set(f, ERR_SYNTAX, "a field needs a name of token characters and a colon right behind it");
    value = str_trim(value);
    if (!http_all_value(value))
        return fault_set(f, ERR_SYNTAX, "the field " STR_FMT " holds a control character", STR_ARG(name));
    if (h->count >= max)
        return fault_set(f, ERR_LIMIT, "more than %zu fields", max);
    if (http_is_single(name))
        for (size_t i = 0; i < h->count; i++)
            if (str_ieq(h->header[i].name, name))
                return fault_set(f, ERR_SYNTAX, "the field " STR_FMT " came twice", STR_ARG(name));
    h->header[h->count++] = (struct http_header){name, value};
    return ERR_OK;
}

bool http_field_valid(struct str name, struct str value)
{
    return http_all(name, C_TOKEN) && http_all_value(value);
}

struct str http_header(const struct http_head *h, const char *name)
{
    struct str want = str_of(name);
    for (size_t i = 0; i < h->count; i++)
        if (str_ieq(h->header[i].name, want))
            return h->header[i].value;
    return STR_NONE;
}

unsigned http_header_count(const struct http_head *h, const char *name)
{
    unsigned n = 0;
    for (size_t i = 0; i < h->count; i++)
        n += str_ieq(h->header[i].name, str_of(name));
    return n;
}

static enum err http_framing(struct http_head *h, struct fault *f)
{
    struct str length = http_header(h, "content-length"), coding = http_header(h, "transfer-encoding");
    h->content_length = -1;
    if (coding.p) {
        if (length.p)
            return fault_set(f, ERR_SYNTAX, "Content-Length and Transfer-Encoding together");
        if (!str_ieq(coding, STR("chunked")) || h->http10)
            return fault_set(f, ERR_SYNTAX, "the only Transfer-Encoding taken is chunked, in HTTP/1.1");
        h->chunked = true;
    }
    if (length.p) {
        uint64_t v;
        if (!str_u64(length, &v) || v > INT64_MAX || (length.n > 1 && length.p[0] == '0'))
            return fault_set(f, ERR_SYNTAX, "Content-Length must be one decimal number");
        h->content_length = (int64_t)v;
    }
    return ERR_OK;
}

static enum err http_connection(struct http_head *h, struct fault *f)
{
    struct str value = http_header(h, "connection"), option;
    bool close = false;
    h->keep_alive = !h->http10;
    while (value.n) {
        str_cut(&value, ',', &option);
        option = str_trim(option);
        if (str_ieq(option, STR("close")))
            close = true;
        else if (str_ieq(option, STR("keep-alive")) && h->http10)
            h->keep_alive = true;
        else if (str_ieq(option, STR("transfer-encoding")) || str_ieq(option, STR("content-length")) ||
                 str_ieq(option, STR("host")))
            return fault_set(f, ERR_SYNTAX, "Connection names a field that frames the message");
    }
    h->keep_alive &= !close;
    return ERR_OK;
}

static enum err http_parse_fields(struct str rest, struct http_head *h, const struct http_limits *l, struct fault *f)
{
    size_t max = http_bound(l ? l->headers : 0, HTTP_HEADERS_MAX);
    if (max > HTTP_HEADERS_MAX)
        max = HTTP_HEADERS_MAX;
    while (rest.n > 2) {
        struct str line = http_line(&rest);
        if (memchr(line.p, '\r', line.n))
            return fault_set(f, ERR_SYNTAX, "a bare CR stands in a line");
        TRY(http_parse_field(line, h, max, f));
    }
    TRY(http_framing(h, f));
    return http_connection(h, f);
}

/* uri-host [":" port] of RFC 9110 7.2: no userinfo, no path, no empty host. */
static bool http_is_host(struct str s)
{
    struct str host = s, port = STR_NONE;
    if (s.n && s.p[0] == '[') {
        const char *end = memchr(s.p, ']', s.n);
        if (!end)
            return false;
        host = (struct str){s.p + 1, (size_t)(end - s.p) - 1};
        struct str rest = str_skip(s, host.n + 2);
        for (size_t i = 0; i < host.n; i++)
            if (!strchr("0123456789abcdefABCDEF:.", host.p[i]))
                return false;
        if (rest.n == 0)
            return host.n > 0;
        if (rest.p[0] != ':')
            return false;
        port = str_skip(rest, 1);
        return host.n > 0 && port.n <= 5 && http_all(port, C_DIGIT);
    }
    bool with_port = str_cut(&s, ':', &host);
    if (!http_all(host, C_HOST))
        return false;
    return !with_port || (s.n <= 5 && http_all(s, C_DIGIT));
}

static int http_hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Percent signs must encode, and must not hide a slash, a dot segment or a control. */
static enum err http_check_path(struct str path, struct fault *f)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] != '%')
            continue;
        int high = i + 2 < path.n ? http_hex(path.p[i + 1]) : -1, low = i + 2 < path.n ? http_hex(path.p[i + 2]) : -1;
        int c = high < 0 || low < 0 ? 0 : high << 4 | low;
        if (c < 0x20 || c == 0x7f || c == '/' || c == '\\' || c == '.')
            return fault_set(f, ERR_SYNTAX, "the path holds a percent sign that encodes nothing, or hides a separator");
    }
    for (struct str rest = path, segment; rest.n;) {
        str_cut(&rest, '/', &segment);
        if (str_is(segment, ".") || str_is(segment, ".."))
            return fault_set(f, ERR_SYNTAX, "the path holds a dot segment");
    }
    return ERR_OK;
}

static enum err http_parse_target(struct http_head *h, struct fault *f)
{
    struct str t = h->target, authority = STR_NONE;
    if (str_starts(t, STR("http://")) || str_starts(t, STR("https://"))) { /* absolute-form, RFC 9112 3.2.2 */
        t = str_skip(t, t.p[4] == 's' ? 8 : 7);
        size_t n = 0;
        while (n < t.n && t.p[n] != '/' && t.p[n] != '?')
            n++;
        authority = (struct str){t.p, n};
        t = str_skip(t, n);
        if (!t.n || t.p[0] != '/')
            return fault_set(f, ERR_SYNTAX, "an absolute target needs a path");
        if (!str_ieq(authority, h->host))
            return fault_set(f, ERR_SYNTAX, "the target names another authority than Host");
    }
    if (!t.n || t.p[0] != '/')
        return fault_set(f, ERR_SYNTAX, "the target must begin with a slash");
    h->target = h->query = t;
    if (!str_cut(&h->query, '?', &h->path))
        h->query = STR_NONE;
    return http_check_path(h->path, f);
}

static enum err http_parse_request_line(struct str line, struct http_head *h, const struct http_limits *l,
                                        struct fault *f)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
    struct str rest = line;
    bool known = false;
    if (!str_cut(&rest, ' ', &h->method) || !str_cut(&rest, ' ', &h->target) || !str_eq(rest, STR("HTTP/1.1")))
        return fault_set(f, ERR_SYNTAX, "the request line must be METHOD target HTTP/1.1 with single spaces");
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        known |= str_is(h->method, methods[i]);
    if (!known)
        return fault_set(f, ERR_SYNTAX, "the method is none of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS");
    size_t max = http_bound(l ? l->target_bytes : 0, HTTP_TARGET_BYTES);
    if (h->target.n > max)
        return fault_set(f, ERR_LIMIT, "the target is longer than %zu bytes", max);
    if (!http_all(h->target, C_TARGET))
        return fault_set(f, ERR_SYNTAX, "the target holds a character that must be percent-encoded");
    return ERR_OK;
}

static enum err http_request_fields(struct http_head *h, struct fault *f)
{
    h->host = http_header(h, "host");
    if (!h->host.p || !http_is_host(h->host))
        return fault_set(f, ERR_SYNTAX, "Host must be there once, as host or host:port");
    struct str expect = http_header(h, "expect");
    if (expect.p && !str_ieq(expect, STR("100-continue")))
        return fault_set(f, ERR_SYNTAX, "the only expectation met is 100-continue");
    h->expect_continue = expect.p != NULL;
    return http_parse_target(h, f);
}

static enum err http_read_request(struct str line, struct str fields, struct http_head *h, const struct http_limits *l,
                                  struct fault *f)
{
    TRY(http_parse_request_line(line, h, l, f));
    TRY(http_parse_fields(fields, h, l, f));
    return http_request_fields(h, f);
}

static enum err http_read_response(struct str line, struct str fields, struct http_head *h, const struct http_limits *l,
                                   struct fault *f)
{
    bool ok = line.n >= 12 && (str_starts(line, STR("HTTP/1.1 ")) || str_starts(line, STR("HTTP/1.0 "))) &&
              http_all((struct str){line.p + 9, 3}, C_DIGIT) && line.p[9] >= '1' && line.p[9] <= '5' &&
              (line.n == 12 || (line.p[12] == ' ' && (line.n == 13 || http_all(str_skip(line, 13), C_VALUE))));
    if (!ok)
        return fault_set(f, ERR_SYNTAX, "the status line must be HTTP/1.1 and three digits");
    h->http10 = line.p[7] == '0';
    h->status = (line.p[9] - '0') * 100 + (line.p[10] - '0') * 10 + (line.p[11] - '0');
    TRY(http_parse_fields(fields, h, l, f));
    if ((h->status < 200 || h->status == 204) && (h->chunked || h->content_length > 0)) /* RFC 9110 8.6 */
        return fault_set(f, ERR_SYNTAX, "an answer with status %d announces content", h->status);
    return ERR_OK;
}

/* The first line and the fields behind it, both known to be whole. */
typedef enum err http_reader(struct str line, struct str fields, struct http_head *h, const struct http_limits *l,
                             struct fault *f);

static enum http_verdict http_parse(http_reader *read, const char *bytes, size_t n, const struct http_limits *l,
                                    size_t *resume, struct http_head *h, size_t *ret_used, struct fault *f)
{
    size_t end;
    enum http_verdict v = http_find_end(bytes, n, l, resume, &end, f);
    if (v != HTTP_DONE)
        return v;
    memset(h, 0, offsetof(struct http_head, header));
    struct str rest = {bytes, end}, line = http_line(&rest);
    if (read(line, rest, h, l, f))
        return HTTP_BAD;
    *ret_used = end;
    return HTTP_DONE;
}

enum http_verdict http_parse_request(const char *bytes, size_t n, const struct http_limits *l, size_t *resume,
                                     struct http_head *ret_head, size_t *ret_used, struct fault *f)
{
    return http_parse(http_read_request, bytes, n, l, resume, ret_head, ret_used, f);
}

enum http_verdict http_parse_response(const char *bytes, size_t n, const struct http_limits *l, size_t *resume,
                                      struct http_head *ret_head, size_t *ret_used, struct fault *f)
{
    return http_parse(http_read_response, bytes, n, l, resume, ret_head, ret_used, f);
}
