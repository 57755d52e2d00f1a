/*
 * Policies: whether this agent may call this tool with these arguments, in this session, at this moment. The language
 * is Cedar (src/cedar); this room gives it the gateway's vocabulary.
 *
 *   principal  Agent::"agt_1" in AgentType::"support"   owner, version, environment, type
 *   action     Action::"lookup_order", one for each tool, in Action::"server:orders" and in Action::"read-only" or
 * "side-effect" resource   Tool::"orders/lookup_order" in Server::"orders"   server, name, risk, claims (of the server,
 * untrusted) context    input (by the tool's inputSchema), session, time
 *
 * What an agent says of itself (reasoning, claimed model and cost, clientInfo) has no place in it.
 *
 *   texts --with the tools that are known--> set: validated, compiled --> judge
 *
 * A set is immutable and counted. It is made for the tools that are known when it is made; a tool that it was not
 * validated for is denied. A text that does not parse or does not validate makes no set; the one before stays. Without
 * any text one built-in policy holds, which permits what the registry allows.
 *
 * Threads: judging on any; making on a pool thread.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "cedar/cedar.h"
#include "connect/catalogue.h"
#include "policy/duty.h"
#include "store/lease.h"

/* ---- texts ---- */

#define POLICY_VERSION 33 /* 128 bits of SHA-256, hex, and a zero */

struct policy_text {
    struct str name; /* of the file, as messages show it */
    struct str text;
    bool enforce; /* false: judged and told, not enforced */
};
struct policy_texts {
    struct policy_text *v;
    size_t n;
    bool builtin;
    char version[POLICY_VERSION]; /* of all of them together */
    struct arena arena;
    _Atomic unsigned refs;
};
/* Reads the files that the configuration names, and their syntax. ERR_CONFIG: *faults holds a line for each fault. */
enum err policy_texts_read(const struct conf *conf, struct policy_texts **ret, struct buf *faults) MUST_USE;
/* The same of texts in memory, which are copied. */
enum err policy_texts_of(const struct policy_text *v, size_t n, struct policy_texts **ret, struct buf *faults) MUST_USE;
struct policy_texts *policy_texts_ref(struct policy_texts *t);
void policy_texts_unref(struct policy_texts *t);
struct str policy_base(struct str path); /* what stands behind the last slash */
extern const char policy_builtin[];      /* the text of the built-in one */

/* ---- sets ---- */

/* A tool as policies see it. */
struct policy_fact {
    struct str id, server, name; /* "orders/lookup_order" … */
    struct str definition;       /* canonical JSON */
    char hash[65];
};
struct policy_set;
/* facts: each id once. ERR_CONFIG: *faults. */
enum err policy_set_new(struct policy_texts *texts, const struct conf_root *conf, const struct policy_fact *fact,
                        size_t n, struct policy_set **ret, struct buf *faults) MUST_USE;
struct policy_set *policy_set_ref(struct policy_set *s);
void policy_set_unref(struct policy_set *s);
const struct policy_texts *policy_set_texts(const struct policy_set *s);
void policy_set_schema(const struct policy_set *s, struct buf *out); /* the vocabulary, as a Cedar schema */
/* Policies that speak only of tools that nobody knows: they wait for these. */
void policy_set_waiting_json(const struct policy_set *s /* or NULL */,
                             struct json_out *o); /* "waiting": [{"policy", "tool"} …] */
size_t policy_set_waiting(const struct policy_set *s, void (*policy)(void *ctx, struct str id, struct str tool),
                          void *ctx);

/* ---- judging ---- */

struct policy_seen {    /* what they saw beside the arguments and what never changes */
    const char *risk;   /* of the tool */
    int64_t age, calls; /* of the session */
};
struct policy_question {
    const struct lease *lease;
    const struct tool *tool;
    const struct json *doc;                /* the arguments, as a tape */
    uint32_t arguments;                    /* 0: none */
    const struct sockaddr_storage *source; /* where the call came from, or NULL */
    const struct str *taint;               /* of the session; none yet but in what is only imagined */
    size_t taints;
    int64_t now_ms;           /* wall clock */
    const char *risk;         /* the tool's, where it is not the one of the configuration (the past); or NULL */
    struct policy_seen *seen; /* filled, for the record; or NULL */
};

enum policy_effect { POLICY_DENY, POLICY_APPROVE, POLICY_ALLOW }; /* zero denies; APPROVE: a person has to */

enum { POLICY_REASONS = 16, POLICY_ERRORS = 4 };
struct policy_answer {
    enum policy_effect effect;
    const struct cedar_policy *reason[POLICY_REASONS]; /* those that decided */
    struct cedar_error error[POLICY_ERRORS];           /* those that failed */
    uint32_t reasons, errors;                          /* how many there were; the arrays hold the first of them */
    struct duty duty;                                  /* what the ones that decided ask for */
    bool shadowed;                                     /* with the texts that are not enforced … */
    enum policy_effect shadow;                         /* … it would have been this */
    struct fault fault;                                /* why it is denied */
};
/* The answer lives as long as the set and the arena. */
void policy_judge(const struct policy_set *s, const struct policy_question *q, struct arena *a,
                  struct policy_answer *ret);

#endif
