/* One HTTP request of the command line, over libcurl. */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include "cli/cli.h"

struct cli_http {
    const char *method, *url;
    const struct secret *bearer; /* or NULL */
    const char *pin;             /* tls_pin() of the one that is meant; NULL: authorities decide */
    const char *headers[12];     /* "Name: value", ends with NULL */
    struct str body;             /* p == NULL: none */
    long patience_s;             /* 0: as long as a call may take */
    struct buf *out;             /* initialised here; the caller's to free, also after an error */
    /* the answer */
    long status;
    char type[128];
};
/* Whom to believe behind https, instead of the system's authorities, and what is shown there: PEM files, the second
 * with its key in it; NULL: nothing said. For the whole run, before its first request. */
void cli_trust(const char *ca, const char *certificate);
/* ERR_UNREACHABLE when nobody answers. Every status is ERR_OK here. */
enum err cli_http(struct cli_http *h, struct fault *f) MUST_USE;
/* An answer that goes on and on: `take` gets its bytes as they come, until it answers false (ERR_CANCELLED), the server
 * ends it (ERR_OK), or nothing comes for silence_s (ERR_UNREACHABLE, as when the connection breaks; then h->status is
 * not 0). An answer with another status than 200 goes to h->out, and take sees nothing of it. */
enum err cli_http_stream(struct cli_http *h, bool (*take)(void *ctx, struct str bytes), void *ctx, long silence_s,
                         struct fault *f) MUST_USE;
/* The same for an answer in JSON, whatever its status; h->out is not used. Bytes and tape are in the arena. */
enum err cli_http_json(struct cli *c, struct cli_http *h, struct json *ret, struct str *text /* or NULL */,
                       struct fault *f) MUST_USE;

/* admin.c. The operators' API: method, path and JSON body (or STR_NONE); *ret is the answer's tape, *text its bytes
 * (may be NULL). An answer that is an error becomes that error; *ret and *text are set even then when there was an
 * answer. */
enum err cli_admin(struct cli *c, const char *method, const char *path, struct str body, struct json *ret,
                   struct str *text, struct fault *f) MUST_USE;
/* What a GET answers, as cli_print_list prints it. */
enum err cli_list(struct cli *c, const char *path, const char *member, const char *const (*columns)[2],
                  const char *none, struct fault *f) MUST_USE;
/* Such a request, to be sent by others: where, and with which token, which the caller frees. *ret holds neither headers
 * nor a body. */
enum err cli_admin_request(struct cli *c, const char *method, const char *path, struct cli_http *ret,
                           struct secret **ret_token, struct fault *f) MUST_USE;
bool cli_admin_named(const struct cli *c); /* by --admin or $DOORWARD_ADMIN: it may be on another machine */
/* {"error": code, "message" or "error_description": …} as an error of ours. */
enum err cli_error_of(struct cli *c, const struct json *j, long status, struct fault *f) MUST_USE;
enum err cli_error_by_code(struct str code);
/* A segment of a path, percent-encoded; a value of a form. */
const char *cli_segment(struct cli *c, const char *text);
const char *cli_percent(struct cli *c, struct str s);

#endif
