/*
 * The strict HTTP/1.1 codec, both directions, without I/O (RFC 9112, RFC 9110). What RFC 9112 lets a recipient tolerate
 * is refused: every message that two parsers could read differently is an error, and an error closes the connection.
 *
 * Heads are parsed where they lie: all strings of struct http_head point into the caller's bytes, which must stay put
 * as long as the head is used. Names are not lower-cased; compare with str_ieq or use http_header().
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/arena.h"
#include "base/buf.h"

#define HTTP_HEADERS_MAX 64

struct http_limits {
    size_t head_bytes;   /* start line and fields together; 0: 16384 */
    size_t target_bytes; /* 0: 4096 */
    size_t headers;      /* 0: HTTP_HEADERS_MAX, which is also the most */
};

struct http_header {
    struct str name, value; /* value: without white space at its ends */
};

struct http_head {
    /* request */
    struct str method; /* GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS; others are an error */
    struct str target; /* origin form as it came: "/mcp?x=1" */
    struct str path;   /* the target without query, not decoded; dot segments, encoded slashes and NUL are an error */
    struct str query;  /* without '?' */
    struct str host;   /* authority; exactly one in a request */
    /* response */
    int status;
    /* both */
    bool http10; /* responses only may be HTTP/1.0; requests must be 1.1 */
    bool keep_alive;
    bool chunked;
    bool expect_continue;
    int64_t content_length; /* -1: none given */
    size_t count;
    struct http_header header[HTTP_HEADERS_MAX];
};

enum http_verdict { HTTP_BAD = 0, HTTP_MORE, HTTP_DONE };

/* bytes[0..n) from the start of the message. HTTP_DONE: *ret_head is filled and *ret_used is the length of the head
 * with its empty line. HTTP_MORE: not all there yet (call again with more from the same start; the cost of repeated
 * calls is linear: pass the same *resume, zero at the start of a message). HTTP_BAD: *f says why (ERR_SYNTAX,
 * ERR_LIMIT). */
enum http_verdict http_parse_request(const char *bytes, size_t n, const struct http_limits *l, size_t *resume,
                                     struct http_head *ret_head, size_t *ret_used, struct fault *f) MUST_USE;
enum http_verdict http_parse_response(const char *bytes, size_t n, const struct http_limits *l, size_t *resume,
                                      struct http_head *ret_head, size_t *ret_used, struct fault *f) MUST_USE;

/* The one field of this name; STR_NONE when there is none. A field that came twice where only one makes sense never
 * gets past the parser (Host, Content-Length, Content-Type, Authorization, Transfer-Encoding, Origin, MCP-*, Mcp-*). */
struct str http_header(const struct http_head *h, const char *name);
unsigned http_header_count(const struct http_head *h, const char *name);

/* Body of a message by its head. Feed bytes; each call eats some and hands out at most one piece. */
struct http_body {
    enum { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_CLOSE } kind;
    uint64_t left; /* of the body or the chunk */
    uint64_t total, max;
    unsigned state, line;
    uint64_t size;
};
/* A request: none or length or chunked. A response to `method` with its status (HEAD, 204, 304: none; neither length
 * nor chunked: until close). max: the most bytes of content taken; beyond it ERR_LIMIT. */
void http_body_request(struct http_body *b, const struct http_head *h, uint64_t max);
void http_body_response(struct http_body *b, const struct http_head *h, bool head_request, uint64_t max);
/* HTTP_MORE: *ret_used bytes were eaten and *ret_piece (maybe empty) is content; call again with what is left or more.
 * HTTP_DONE: the body is complete after *ret_used bytes (with a last *ret_piece, maybe empty). */
enum http_verdict http_body_feed(struct http_body *b, const char *bytes, size_t n, size_t *ret_used,
                                 struct str *ret_piece, struct fault *f) MUST_USE;
/* The connection ended: is the body whole? (only HTTP_BODY_CLOSE and completed ones) */
bool http_body_ended(const struct http_body *b);

/* Does Accept list this type, or a range that holds it, with a weight above zero? The narrowest range decides. False
 * without Accept. */
bool http_accepts(const struct http_head *h, const char *type);

const char *http_reason(int status);
/* May this be written as a field of a head? A line break in a value would begin a field of somebody else's choice. */
bool http_field_valid(struct str name, struct str value);

/* The header form of a value, "=?base64?…?=" where it cannot stand as it is (MCP 2026-07-28 streamable-http, "Value
 * Encoding"), and back. STR_NONE: no memory, a malformed form, or one that is missing. */
struct str http_value_write(struct str s, struct arena *a);
struct str http_value_read(struct str value, struct arena *a);

/* URLs of upstreams: http://host[:port]/path, https://… */
struct http_url {
    bool tls;
    struct str host; /* without brackets for IPv6 */
    uint16_t port;
    struct str authority; /* as Host wants it */
    struct str target;    /* path and query, at least "/" */
};
enum err http_url_parse(struct str url, struct http_url *ret, struct fault *f) MUST_USE;

#endif
