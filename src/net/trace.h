/*
 * W3C Trace Context (REC 2021-11-23), strict: what came from a caller, to be taken over.
 */
#ifndef NET_TRACE_H
#define NET_TRACE_H

#include "net/http.h"

struct trace {
    char id[33];      /* 32 hex digits; empty: the caller brought none */
    char parent[17];  /* 16 hex digits: the caller's span; empty: the trace begins here */
    bool sampled;     /* the caller's flag */
    struct str state; /* tracestate, as one list; or STR_NONE */
};

/* *ret holds the trace of a traceparent (section 3.2), or none when it is malformed. Its state is empty. */
void trace_parent(struct str text, struct trace *ret);
/* tracestate (section 3.3) of a trace that was found: list after list, in the arena; a malformed one is dropped as a
 * whole, and so is one of more than 512 characters or 32 members. */
void trace_state(const struct str *list, size_t n, struct arena *a, struct trace *ret);
/* Both of a request's headers. */
void trace_head(const struct http_head *h, struct arena *a, struct trace *ret);
/* The caller brought none: a new one begins. */
void trace_begin(struct trace *t);

#endif
