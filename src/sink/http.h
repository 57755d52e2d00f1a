/*
 * HTTP from the gateway to whoever takes the record: POST, blocking, over libcurl. For threads of their own, never for
 * a loop. One handle is one peer and one thread at a time; its connection is kept from one request to the next.
 *
 * Redirects are not followed: what is sent goes where the configuration says. A proxy of the environment is not used
 * for this machine. TLS 1.2 at least; the certificate is judged by `ca`, or by the system's authorities.
 */
#ifndef SINK_HTTP_H
#define SINK_HTTP_H

#include <stdatomic.h>

#include "base/buf.h"
#include "conf/conf.h"

struct sink_http;
struct sink_http_to { /* what is needed of it is copied */
    struct str url;
    struct str ca, certificate, key;  /* PEM files; empty: none */
    const struct conf_pairs *headers; /* of the configuration, with secrets; or NULL */
    size_t answer_max;                /* of the answer's body; 0: 64 KiB */
};
enum err sink_http_new(const struct sink_http_to *to, struct sink_http **ret, struct fault *f) MUST_USE;
/* The same for a sink, as it is configured. ERR_CONFIG: its address, or what goes with it, is wrong. */
enum err sink_http_open(const struct conf_sink *conf, struct sink_http **ret, struct fault *f) MUST_USE;
void sink_http_free(struct sink_http *h); /* takes NULL */

struct sink_http_post {
    const char *path;       /* goes behind the URL's own path, such as "/v1/logs"; or NULL */
    const char *type;       /* Content-Type; NULL: none */
    const char *headers[4]; /* "Name: value", ends with NULL; no secrets */
    struct str body;
    int64_t timeout_ms;       /* for everything, from the name's lookup to the answer's last byte */
    const _Atomic bool *stop; /* or NULL. Set: the request is given up, soon */
};
struct sink_http_answer {
    int status;
    char type[64];          /* Content-Type, as it came */
    int64_t retry_after_ms; /* -1: not said. Seconds or a date; at most a day */
    struct str body;        /* lives until the next request of the handle */
};
/* ERR_OK: there is an answer, whatever its status. ERR_UNREACHABLE: nobody answered, in time, to the end; f says why.
 * ERR_LIMIT: the answer is longer than answer_max. ERR_STOPPING: *stop. ERR_NOMEM. */
enum err sink_http_post(struct sink_http *h, const struct sink_http_post *what, struct sink_http_answer *ret,
                        struct fault *f) MUST_USE;

#endif
