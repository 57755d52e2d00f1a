/* One REST request while it is being answered. For the files of this room. */
#ifndef REST_REQUEST_H
#define REST_REQUEST_H

#include "rest/rest.h"

struct rest_request {
    struct rest_worker *rest;
    struct exchange *x;
    const struct rest_route *route;
    struct str id;       /* what {…} stood for in its path */
    struct str allow;    /* the methods that its path takes, when this was none of them */
    struct lease *lease; /* a reference of the request's; NULL: the route is for anybody */
    struct json doc;     /* the body, when the route has one */
    struct call call;    /* of a call; of every request its trace */
};

/* Answers the request, now or later, exactly once. */
typedef void rest_handler(struct rest_request *r);

enum { REST_ANYBODY = 0, REST_SESSION };

/* What a route takes and how it may refuse; the document is made of it. */
enum {
    REST_PAGED = 1,   /* ?limit and ?cursor */
    REST_TAGGED = 2,  /* its answer has an ETag */
    REST_OF_TOOL = 4, /* its path names a tool */
    REST_OF_CODE = 8, /* its path names an error's code */
    REST_CALLS = 16,  /* it makes a call */
};

struct rest_route {
    const char *method, *path;
    int who;
    rest_handler *run;
    const char *operation;
    unsigned traits;
    const char *body, *answer; /* components of the document; body NULL: none */
    const char *what;
};
extern const struct rest_route rest_routes[];
extern const size_t rest_route_count;

#define REST_NONE                                                     NULL
#define ROUTE(method, path, who, handler, traits, body, answer, what) rest_handler rest_##handler;
#include "rest/routes.def"
#undef ROUTE

/* Answers; each releases the request. answer.c */
void rest_answer(struct rest_request *r); /* 200, or 304, with what is in the worker's buffer */
void rest_answer_fault(struct rest_request *r, const struct fault *f, int64_t retry_after_ms);
/* The server's own JSON-RPC error. */
void rest_answer_error(struct rest_request *r, const struct connect_answer *a);

enum { REST_WAIT_MAX = 600 }; /* seconds */

/* ?limit and ?cursor. page.c */
struct rest_page {
    size_t limit;
    struct str after; /* the id of the last tool that was shown; empty: none was */
};
enum { REST_PAGE = 100, REST_PAGE_MAX = 1000 };
enum err rest_page_read(struct str query, struct arena *a, struct rest_page *ret, struct fault *f) MUST_USE;
struct str rest_cursor(struct str id, struct arena *a); /* STR_NONE: no memory */

#endif
