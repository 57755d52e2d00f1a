/* One request of an operator while it is being answered. For the files of this room. */
#ifndef ADMIN_REQUEST_H
#define ADMIN_REQUEST_H

#include <arpa/inet.h>

#include "admin/admin.h"
#include "console/console.h"

enum { ADMIN_HEADERS = 12, ADMIN_COOKIE = 160 };

struct admin_request {
    struct admin *admin;
    struct exchange *x;
    struct str operator;        /* the name on record */
    int64_t role;               /* enum admin_role */
    struct str groups;          /* of a person: a JSON array; else empty */
    struct console_who console; /* of a request with the console's cookie; else its id is empty */
    struct str passkey;         /* that signed this very request: base64url; else empty */
    struct str id;   /* what {} stood for, from the first to the last: "a/b" for {}/{}; for {*} the rest of the path */
    struct json doc; /* the body; empty when there is none */
    struct arena *arena; /* the exchange's */
    const struct admin_route *route;
    uv_work_t work;
    /* the answer */
    int status;
    struct str type;                          /* empty: application/json */
    struct str cache;                         /* Cache-Control of an answer that is no error; empty: no-store */
    struct http_header header[ADMIN_HEADERS]; /* more of them, of an answer that is no error */
    size_t headers;
    char cookie[ADMIN_COOKIE]; /* Set-Cookie, which one of them points to */
    struct str retry;          /* Retry-After, of an error */
    bool bare;                 /* an answer without content */
    struct buf out;
    struct conf *conf; /* of a reload: to be put in force */
    bool people_changed;
    enum err err;
    struct fault fault;
};

/* Fills status and out. An error is answered as {"error","message"}. */
typedef enum err admin_handler(struct admin_request *r, struct fault *f);

enum admin_role { /* enum conf_role, and who has none of them */
                  ADMIN_ANYBODY = -1,
                  ADMIN_VIEWER = CONF_VIEWER,
                  ADMIN_APPROVER = CONF_APPROVER,
                  ADMIN_OPERATOR = CONF_OPERATOR,
                  ADMIN_ADMIN = CONF_ADMIN
};

struct admin_route {
    const char *method, *path;
    int64_t role; /* enum admin_role */
    enum admin_console {
        ADMIN_CONSOLE_NO = 0,
        ADMIN_CONSOLE_YES,
        ADMIN_CONSOLE_SELF,
        ADMIN_CONSOLE_PASSKEY,
        ADMIN_CONSOLE_OWN,
        ADMIN_CONSOLE_OWN_PASSKEY,
        ADMIN_CONSOLE_OWN_ENROL
    } console;
    enum admin_kind { ADMIN_LOOP = 0, ADMIN_POOL, ADMIN_STOP, ADMIN_STREAM } kind;
    admin_handler *run;
    const char *what;
};
extern const struct admin_route admin_routes[];
extern const size_t admin_route_count;

#define ROUTE(method, path, role, console, kind, handler, what) admin_handler admin_##handler;
#include "admin/routes.def"
#undef ROUTE

/* The bearer token of a request; STR_NONE: none. Whose it is by the configuration in force, or of the people in the
 * store: the role, or ADMIN_ANYBODY. ret_name, ret_groups (may be NULL): the name on record, and the groups of a
 * person, in the arena. */
struct str admin_token_of(const struct exchange *x);
int64_t admin_role_of(struct admin *a, struct str token, struct arena *arena, struct str *ret_name,
                      struct str *ret_groups);

bool admin_path_is(struct str path, const char *pattern, struct str *ret_id);

/* who.c. Who asks: fills role, operator, groups, console. May they do what the route is for? Then, on a pool thread and
 * before the handler: has a passkey signed it, when the route wants that? Fills passkey. */
enum err admin_who(struct admin_request *r, struct fault *f) MUST_USE;
enum err admin_may(struct admin_request *r, struct fault *f) MUST_USE;
bool admin_proves(const struct admin_request *r);
enum err admin_prove(struct admin_request *r, struct fault *f) MUST_USE;
/* AUTH_FAILED, unless there are too many. how: "link", "passkey", "page"; NULL: a token. */
void admin_note_failure(struct admin_request *r, const char *how);
void admin_address(const struct exchange *x, char ret[INET6_ADDRSTRLEN]);
/* As whom browsers know this gateway (console_party). */
enum err admin_party(struct admin_request *r, struct passkey_party *ret, struct fault *f) MUST_USE;
struct str admin_passkey_id(struct admin_request *r,
                            const struct store_passkey *k); /* base64url; STR_NONE: no memory */

/* Who opened a stream. admin_caller_over: ERR_OK while they are let in; else why not. */
struct admin_caller {
    struct secret *token;
    char session[ENC_ID_MAX]; /* of the console; then there is no token */
};
enum { ADMIN_STREAMS_OF = 6 /* of one kind and one session of the console: what a browser opens to one host */ };
enum err admin_caller(struct admin_request *r, struct admin_caller *ret, struct fault *f) MUST_USE;
bool admin_caller_is(const struct admin_caller *c, const struct admin_request *r); /* the console's session of r */
/* ERR_STREAMS: n are open for who asks, and no more may be. */
enum err admin_caller_room(const struct admin_request *r, unsigned n, struct fault *f) MUST_USE;
void admin_caller_done(struct admin_caller *c);
enum err admin_caller_over(struct admin *a, const struct admin_caller *c, const char **ret_text) MUST_USE;

/* Parameters behind the question mark, decoded: STR_NONE when one is not there. ERR_PARAMS: one that is none of these.
 * ERR_INVALID: no form, or one came twice. */
struct admin_query {
    const char *name;
    struct str *value;
};
enum err admin_query_read(struct admin_request *r, const struct admin_query *fields, size_t n,
                          struct fault *f) MUST_USE;
/* "7d" before now, or a date: wall clock, ms. Untouched when there is no text. */
enum err admin_query_when(const char *name, struct str text, int64_t *ret, struct fault *f) MUST_USE;
/* The record's folder, in the arena; STR_NONE: no memory. */
struct str admin_audit_dir(struct admin_request *r);

/* (blocks) Sessions that were ended stay so, also after a restart: what waited in them is void in the store. */
enum err admin_settle(struct admin_request *r, struct fault *f) MUST_USE;

/* What an answer that goes on without its request hears (ADMIN_STREAM): the first member of what x->user points to. */
struct admin_flow {
    void (*gone)(struct admin_flow *f);
    void (*drained)(struct admin_flow *f);
};

/* Members of the body. STR_NONE when it is not there; ERR_PARAMS when it has another type. */
enum err admin_str(struct admin_request *r, const char *key, struct str *ret, struct fault *f) MUST_USE;
enum err admin_i64(struct admin_request *r, const char *key, int64_t *ret, struct fault *f) MUST_USE;
enum err admin_strings(struct admin_request *r, const char *key, struct conf_strings *ret, struct fault *f) MUST_USE;
/* The body holds nothing but these; the list ends with NULL. */
enum err admin_only(struct admin_request *r, const char *const *keys, struct fault *f) MUST_USE;

#endif
