/*
 * The authorization server, as far as agents need it to open sessions, and the check of what it issued.
 *
 *   POST /oauth/token         client credentials with private_key_jwt (RFC 6749 4.4, RFC 7521, RFC 7523)
 *   POST /oauth/revoke        RFC 7009
 *   GET  /oauth/jwks          RFC 7517
 *   GET  /.well-known/oauth-authorization-server, /.well-known/oauth-protected-resource…    RFC 8414, RFC 9728
 *
 * An agent's own key is all that it has: no passwords, no refresh tokens, no client registration by strangers.
 */
#ifndef OAUTH_OAUTH_H
#define OAUTH_OAUTH_H

#include "audit/audit.h"
#include "conf/slot.h"
#include "identity/session.h"
#include "identity/token.h"
#include "net/server.h"

struct oauth { /* shared by all workers */
    struct conf_slot *conf;
    struct agents *agents;
    struct sessions *sessions;
    struct stops *stops;
    struct lease_store *leases;
    struct audit *audit;
    const struct keys *keys;
    struct str issuer, resource; /* the gateway's URL, and with /mcp behind it; for the life of the process */
    struct replay *replay;
    struct anonymous *anonymous;
    struct lease_bucket *failures; /* how many failed attempts are put on record; the rest is counted in the log */
    int64_t started_ns;            /* monotonic: a clock that is set back shuts nobody out */
};
enum err oauth_init(struct oauth *o, struct fault *f) MUST_USE; /* the fields above the replay table are the caller's */
void oauth_done(struct oauth *o);

struct oauth_worker { /* one for each worker */
    struct oauth *oauth;
    struct token_cache *tokens;
    struct buf out;
};
enum err oauth_worker_init(struct oauth_worker *w, struct oauth *o, struct fault *f) MUST_USE;
void oauth_worker_done(struct oauth_worker *w);

/* Answers the paths above; false: not one of them. */
bool oauth_serve(struct oauth_worker *w, struct exchange *x);

/* Who is it? The session named by the request's bearer token (RFC 6750 2.1), open now and allowed from this address,
 * with a reference for the caller. ctx is the struct oauth_worker. */
enum err oauth_authenticate(void *ctx, struct exchange *x, struct lease **ret, struct fault *f);

/* The address a request comes from: X-Forwarded-For is followed as far as it was written by trusted proxies. */
void oauth_client_address(const struct exchange *x, const struct conf_root *conf, struct sockaddr_storage *ret);

/* ---- for the files of this room ---- */

/* What an agent's assertion proves (RFC 7523 section 3). The agent with a reference, or ERR_CLIENT_AUTH. *ret_who is
 * whose key signed it, also where the assertion is refused for another reason; what it merely says of itself is on no
 * record. */
enum err oauth_prove_agent(struct oauth *o, struct str assertion, struct arena *a, struct agent **ret,
                           struct str *ret_who, struct fault *f) MUST_USE;
/* trial.anonymous: the session that all requests without a credential share, opened by the first one and again when it
 * is over. ERR_UNAUTHENTICATED: they have none. Any thread. anonymous.c */
struct anonymous;
struct anonymous *anonymous_new(void);
void anonymous_free(struct anonymous *n);
enum err anonymous_session(struct oauth *o, const struct exchange *x, struct lease **ret, struct fault *f) MUST_USE;
/* A failed attempt, on record unless there are too many. */
void oauth_note_failure(struct oauth *o, const struct exchange *x, struct str who, const struct fault *f);

/* Assertions that were used: each counts once. ERR_CLIENT_AUTH: seen before, or so many are remembered that there is no
 * room for another; ERR_NOMEM. Any thread. */
struct replay;
struct replay *replay_new(void);
void replay_free(struct replay *r);
enum err replay_first(struct replay *r, struct str agent, struct str jti, int64_t until_ms, int64_t now_ms) MUST_USE;

/* application/x-www-form-urlencoded, strict: known names only once, valid escapes, UTF-8. */
struct form_field {
    const char *name;
    struct str value; /* p NULL: not there */
};
enum err form_read(struct str body, struct form_field *fields, size_t count, struct arena *a, struct fault *f) MUST_USE;

/* The first fields of every form that an agent sends: who it is. */
#define OAUTH_CLIENT_FORM                                                                                              \
    {"client_assertion_type", STR_NONE}, {"client_assertion", STR_NONE},                                               \
    {                                                                                                                  \
        "client_id", STR_NONE                                                                                          \
    }
enum { OAUTH_CLIENT_FIELDS = 3 };
/* Content-Type and form. client.c */
enum err oauth_form(struct exchange *x, struct form_field *form, size_t count, struct fault *f) MUST_USE;
/* The agent that those fields prove, as oauth_prove_agent. client.c */
enum err oauth_client(struct oauth *o, const struct form_field *form, struct arena *a, struct agent **ret,
                      struct str *ret_who, struct fault *f) MUST_USE;
void oauth_answer(struct oauth_worker *w, struct exchange *x, int status); /* w->out, never kept by anybody */
/* RFC 6749 section 5.2: "error" is the stable code, which is OAuth's own where OAuth has one. */
void oauth_refuse(struct oauth_worker *w, struct exchange *x, const struct fault *f);
void oauth_revoke(struct oauth_worker *w, struct exchange *x); /* revoke.c */

#endif
