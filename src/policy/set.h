/* What a set of policies is made of. For the files of this room only. */
#ifndef POLICY_SET_H
#define POLICY_SET_H

#include "policy/vocabulary.h"
#include "policy/zone.h"

struct policy_wait { /* a policy that speaks only of what is not there */
    struct str id, tool;
};
struct policy_set {
    struct policy_texts *texts;
    struct arena arena;
    struct policy_tool *tool; /* sorted by id */
    size_t tools;
    uint32_t *slot; /* index + 1 by the hash of the id; 0: free */
    uint32_t mask;
    struct policy_action *action; /* sorted by name */
    size_t actions;
    struct buf vocabulary;
    struct cedar_schema *schema;
    struct cedar_entities *entities;                   /* servers, tools, actions */
    struct cedar_policies *policies, *shadow_policies; /* enforced ones; those and the others, or NULL */
    struct cedar_program *program, *shadow;
    const struct str *read; /* names of attributes that any policy reads; sorted */
    size_t reads;
    bool blind; /* no policy looks at the context: it need not be made */
    struct policy_wait *wait;
    size_t waits;
    const struct zone *zone; /* of context.time */
    _Atomic unsigned refs;
};

/* NULL: the set was not made for this tool with this definition. */
const struct policy_tool *policy_set_tool(const struct policy_set *s, struct str id, const char *hash);
const struct policy_tool *policy_set_known(const struct policy_set *s, struct str id); /* with whatever definition */
bool policy_set_reads(const struct policy_set *s, struct str name);
/* reads.c: fills read and reads. */
void policy_reads(struct policy_set *s, const struct cedar_policies *ps);
/* judge.c: the two halves of policy_judge, for those who look at what lies between them, or change it. */
/* The question in Cedar's words, in the arena. Errors are what policy_judge denies with. */
enum err policy_request(const struct policy_set *s, const struct policy_question *q, struct arena *a,
                        struct cedar_request *ret, struct fault *f) MUST_USE;
void policy_judge_by(const struct policy_set *s, const struct cedar_request *r, struct arena *arena,
                     struct policy_answer *ret);
struct cedar_value policy_moment(const struct policy_set *s, int64_t now_ms, struct arena *a); /* context.time */
/* load.c: the texts (with shadow ones or without) parsed, the policies named, their annotations checked. With shadow
 * ones the policies' sources are the texts, in their order. */
enum err policy_parse(const struct policy_texts *t, bool shadow, struct cedar_policies **ret,
                      struct buf *faults) MUST_USE;
/* The same, and sets aside what waits, validates and compiles. */
enum err policy_load(struct policy_set *s, bool shadow, struct cedar_policies **ret, struct cedar_program **ret_program,
                     struct buf *faults) MUST_USE;

#endif
