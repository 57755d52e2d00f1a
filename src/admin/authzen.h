/*
 * AuthZEN: others ask the decision point that every call goes through (OpenID Authorization API 1.0,
 * https://openid.net/specs/authorization-api-1_0.html). docs/AUTHZEN.md says how its words map to ours. For the files
 * of this room.
 *
 *   an evaluation --read--> authzen_asked --decide: the tool, the agent, its session, the policies--> authzen_decision
 *                 --write--> {"decision", "context"}
 *
 * Nothing of it is a call: no entry in the record, no session, no budget is touched. Any thread.
 */
#ifndef ADMIN_AUTHZEN_H
#define ADMIN_AUTHZEN_H

#include "admin/request.h"
#include "connect/catalogue.h"
#include "gate/risk.h"
#include "policy/force.h"

enum { AUTHZEN_EVALUATIONS = 1000 };

struct authzen { /* what one request is answered with: all of its evaluations by the same policies and tools */
    struct admin *admin;
    const struct json *doc;
    struct policy_set *set;
    struct catalogue *tools;
    struct conf *conf;
    struct arena arena; /* of one evaluation */
};

/* An evaluation as it was asked, defaults filled in. Nodes of the document; 0: not there. */
struct authzen_asked {
    struct str subject_type, subject_id, action, resource_type, resource_id;
    uint32_t subject_properties, input, session;
    const struct str *scope, *taint; /* of the session */
    size_t scopes, taints;
    struct str session_id, user, tier, trigger;
    int64_t calls, age_ms, now_ms;
    struct sockaddr_storage source;
    bool has_source;
};
/* own: the object that asks; top: where its defaults are, which may be the same. ERR_PARAMS: what is asked cannot be
 * understood, and f says which member it is. */
enum err authzen_read(struct authzen *z, uint32_t own, uint32_t top, struct authzen_asked *ret,
                      struct fault *f) MUST_USE;

struct authzen_decision {
    enum policy_effect effect;
    bool judged;                 /* the policies were asked */
    struct policy_answer answer; /* then */
    struct risk_course course;   /* of one that policies let through: what its risk makes of it */
    struct str approvers;        /* then: a JSON array of groups; of these are those who are asked */
    struct str input;            /* the arguments as the policies change them; empty: they do not */
    struct fault fault;          /* why not */
};
void authzen_decide(struct authzen *z, const struct authzen_asked *q, struct authzen_decision *ret);

void authzen_write(const struct authzen *z, const struct authzen_decision *d, struct json_out *o);
/* An evaluation of several that could not be understood: it denies, and tells why. */
void authzen_write_fault(const struct fault *f, struct json_out *o);

/* Is this one of its paths? Then errors are plain text, and X-Request-ID comes back. */
bool authzen_path(struct str path);
void authzen_answer_fault(struct exchange *x, const struct fault *f, const struct http_header *headers, size_t n);

#endif
