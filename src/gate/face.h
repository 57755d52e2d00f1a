/*
 * What the faces to agents (mcp, rest) share, so that it stands once: what is read of a request beside its arguments,
 * what a list shows, and what an agent that was refused is told of its credential.
 */
#ifndef GATE_FACE_H
#define GATE_FACE_H

#include "gate/gate.h"
#include "net/server.h"
#include "net/trace.h"

/* W3C Trace Context: the caller's trace goes on; when it has none, a new one begins. */
void gate_trace(struct call *c, const struct trace *of_caller);

/* What the access log says of a request, its code aside: before its lease is given back. l: NULL, it has none. */
void gate_note(struct exchange *x, const struct lease *l, const struct call *c);

/* Under which keys an agent's runtime says what of its call. */
struct gate_claim_keys {
    const char *reasoning, *model, *tokens, *cost;
};
/* All of it is a claim: what has the wrong type was not said. said: an object; 0: there is none. c->arena is there. */
void gate_claims(struct call *c, const struct json *doc, uint32_t said, const struct gate_claim_keys *keys);

/* Does a list show this tool to this session: may it use it, and is it served? */
bool gate_shows(const struct gate *g, struct lease *l, const struct tool *t, int64_t now_ms);

/* Does a refusal come with WWW-Authenticate, and what does that say? A stranger learns where to get a credential (RFC
 * 9728 section 5.1), a known one which scope is missing (RFC 6750 section 3). metadata: the URL of the protected
 * resource's; scope: what the call needed, or empty. */
bool gate_challenges(enum err e);
struct str gate_challenge(const struct fault *f, struct str metadata, struct str scope, struct arena *a);

#endif
