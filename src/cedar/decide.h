/*
 * Decisions. Policies are compiled once: constants folded, conditions joined, and an index by what the scopes say of
 * action, principal and resource, so that a request looks only at policies that can speak to it. A decision allocates
 * nothing but what expressions themselves build (a set or record literal with variables in it), and that in the scratch
 * arena of the caller.
 *
 * https://docs.cedarpolicy.com/auth/authorization.html
 */
#ifndef CEDAR_DECIDE_H
#define CEDAR_DECIDE_H

#include "cedar/entities.h"
#include "cedar/policy.h"

struct cedar_program;

/* Templates are left out; links are in. The program keeps pointers into ps: free it first. */
enum err cedar_compile(const struct cedar_policies *ps, struct cedar_program **ret, struct fault *f) MUST_USE;
void cedar_program_free(struct cedar_program *p);
void cedar_program_freep(struct cedar_program **p); /* for CLEANUP */

struct cedar_request {
    struct cedar_uid principal, action, resource;
    const struct cedar_record *context; /* never NULL */
    struct cedar_world world;
};

/* Why an evaluation failed; words are made only when somebody asks (cedar_error_text). */
enum cedar_why {
    CEDAR_WHY_NONE,
    CEDAR_WHY_TYPE, /* an operand of the wrong kind */
    CEDAR_WHY_BOOL, /* no bool, where one is wanted: a condition, a part of && and ||, what ! and if ask */
    CEDAR_WHY_OVERFLOW,
    CEDAR_WHY_NO_ATTR, /* the record or entity has no such attribute */
    CEDAR_WHY_NO_TAG,
    CEDAR_WHY_NO_ENTITY, /* an attribute or tag of an entity that is not there */
    CEDAR_WHY_EXT,       /* an extension function refused its arguments */
    CEDAR_WHY_DEPTH,
    CEDAR_WHY_MEMORY,
    CEDAR_WHY_SLOT,
};
struct cedar_error {
    const struct cedar_policy *policy;
    const struct cedar_expr *expr; /* where */
    enum cedar_why why;
};

enum cedar_decision { CEDAR_DENY, CEDAR_ALLOW }; /* zero denies */

/* The caller gives the room; what does not fit is counted and left out. Reasons are the satisfied forbids when there
 * are any, else the satisfied permits; in the order of the set. */
struct cedar_answer {
    enum cedar_decision decision;
    const struct cedar_policy **reason;
    struct cedar_error *error;
    uint32_t reasons, errors;         /* how many there were */
    uint32_t reasons_max, errors_max; /* how many there is room for */
};
/* scratch: reset by the caller between requests. ERR_OK whatever the decision; ERR_NOMEM when scratch was too small for
 * a policy, which might have been a forbid: then the answer says deny. */
enum err cedar_decide(const struct cedar_program *p, const struct cedar_request *r, struct arena *scratch,
                      struct cedar_answer *ret) MUST_USE;

/* A single expression; ERR_SYNTAX with *ret_error filled in when it fails. */
enum err cedar_eval(const struct cedar_expr *e, const struct cedar_request *r, struct arena *scratch,
                    struct cedar_value *ret, struct cedar_error *ret_error) MUST_USE;
/* "attribute `amount` of `context.input` is not there" … needs the request again. */
void cedar_error_text(const struct cedar_error *e, struct buf *out);

#endif
