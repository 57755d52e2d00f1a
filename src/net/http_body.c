/* Bodies: by length, chunked, or until the connection closes (RFC 9112 sections 6 and 7). */
#include "net/http.h"

enum {
    CHUNK_SIZE,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER,
    CHUNK_TRAILER_LF,
    CHUNK_END
};
enum { CHUNK_SIZE_DIGITS = 15 };

void http_body_request(struct http_body *b, const struct http_head *h, uint64_t max)
{
    *b = (struct http_body){.max = max};
    if (h->chunked)
        b->kind = HTTP_BODY_CHUNKED;
    else if (h->content_length > 0)
        b->kind = HTTP_BODY_LENGTH;
    b->left = b->kind == HTTP_BODY_LENGTH ? (uint64_t)h->content_length : 0;
}

void http_body_response(struct http_body *b, const struct http_head *h, bool head_request, uint64_t max)
{
    http_body_request(b, h, max);
    if (head_request || h->status == 204 || h->status == 304 || h->status < 200)
        b->kind = HTTP_BODY_NONE;
    else if (b->kind == HTTP_BODY_NONE && h->content_length < 0)
        b->kind = HTTP_BODY_CLOSE;
}

static enum http_verdict http_body_bad(struct fault *f, const char *what)
{
    fault_set(f, ERR_SYNTAX, "chunked body: %s", what);
    return HTTP_BAD;
}

static enum http_verdict http_body_over(const struct http_body *b, struct fault *f)
{
    fault_set(f, ERR_LIMIT, "the body is larger than %llu bytes", (unsigned long long)b->max);
    return HTTP_BAD;
}

static int http_chunk_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* One byte of the framing between chunks. Extensions and trailer fields are refused: nothing here uses them, and
 * parsers differ about them. */
static enum http_verdict http_chunk_byte(struct http_body *b, char c, struct fault *f)
{
    int digit;
    switch (b->state) {
    case CHUNK_SIZE:
        digit = http_chunk_digit(c);
        if (digit >= 0) {
            if (++b->line > CHUNK_SIZE_DIGITS)
                return http_body_bad(f, "a size has too many digits");
            b->size = b->size << 4 | (unsigned)digit;
            return HTTP_MORE;
        }
        if (c != '\r' || b->line == 0)
            return http_body_bad(f, "a size must be hexadecimal digits and CRLF, without sign, space or extension");
        b->state = CHUNK_SIZE_LF;
        return HTTP_MORE;
    case CHUNK_SIZE_LF:
        if (c != '\n')
            return http_body_bad(f, "CR without LF");
        b->left = b->size;
        b->state = b->size ? CHUNK_DATA : CHUNK_TRAILER;
        return HTTP_MORE;
    case CHUNK_DATA_CR:
        if (c != '\r')
            return http_body_bad(f, "a chunk is longer than its size");
        b->state = CHUNK_DATA_LF;
        return HTTP_MORE;
    case CHUNK_DATA_LF:
        if (c != '\n')
            return http_body_bad(f, "CR without LF");
        b->state = CHUNK_SIZE;
        b->line = 0;
        b->size = 0;
        return HTTP_MORE;
    case CHUNK_TRAILER:
        if (c != '\r')
            return http_body_bad(f, "trailer fields are not taken");
        b->state = CHUNK_TRAILER_LF;
        return HTTP_MORE;
    case CHUNK_TRAILER_LF:
        if (c != '\n')
            return http_body_bad(f, "CR without LF");
        b->state = CHUNK_END;
        return HTTP_DONE;
    default: return http_body_bad(f, "bytes behind the end");
    }
}

static size_t http_body_take(struct http_body *b, const char *bytes, size_t n, struct str *ret_piece)
{
    size_t take = n < b->left ? n : (size_t)b->left;
    *ret_piece = (struct str){bytes, take};
    b->left -= take;
    b->total += take;
    return take;
}

static enum http_verdict http_body_chunked(struct http_body *b, const char *bytes, size_t n, size_t *ret_used,
                                           struct str *ret_piece, struct fault *f)
{
    size_t at = 0;
    while (at < n) {
        if (b->state == CHUNK_DATA) {
            if (b->left > b->max - b->total)
                return http_body_over(b, f);
            at += http_body_take(b, bytes + at, n - at, ret_piece);
            if (b->left == 0)
                b->state = CHUNK_DATA_CR;
            *ret_used = at;
            return HTTP_MORE;
        }
        enum http_verdict v = http_chunk_byte(b, bytes[at++], f);
        if (v != HTTP_MORE) {
            *ret_used = at;
            return v;
        }
    }
    *ret_used = at;
    return HTTP_MORE;
}

enum http_verdict http_body_feed(struct http_body *b, const char *bytes, size_t n, size_t *ret_used,
                                 struct str *ret_piece, struct fault *f)
{
    *ret_used = 0;
    *ret_piece = STR_NONE;
    switch (b->kind) {
    case HTTP_BODY_NONE: return HTTP_DONE;
    case HTTP_BODY_LENGTH:
        if (b->left > b->max - b->total)
            return http_body_over(b, f);
        *ret_used = http_body_take(b, bytes, n, ret_piece);
        return b->left ? HTTP_MORE : HTTP_DONE;
    case HTTP_BODY_CHUNKED: return http_body_chunked(b, bytes, n, ret_used, ret_piece, f);
    case HTTP_BODY_CLOSE:
        if (n > b->max - b->total)
            return http_body_over(b, f);
        b->total += n;
        *ret_piece = (struct str){bytes, n};
        *ret_used = n;
        return HTTP_MORE;
    }
    return HTTP_BAD;
}

bool http_body_ended(const struct http_body *b)
{
    switch (b->kind) {
    case HTTP_BODY_LENGTH: return b->left == 0;
    case HTTP_BODY_CHUNKED: return b->state == CHUNK_END;
    default: return true;
    }
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {302, "Found"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {499, "Client Closed Request"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}
