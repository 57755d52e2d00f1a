/* What `policy explain` has found, in words and as JSON. */
#ifndef CLI_POLICY_EXPLAIN_H
#define CLI_POLICY_EXPLAIN_H

#include "cli/cli.h"
#include "gate/risk.h"
#include "policy/explain.h"

enum { EXPLAIN_NOTES = 4 };
struct explained {
    struct str tool, agent, type;
    int64_t now_ms;
    uint64_t seq;    /* of the entry; 0: nobody made this call */
    struct str then; /* what was decided then */
    const char *note[EXPLAIN_NOTES];
    unsigned notes;
    struct explain e;
    struct risk_course course; /* of one that is not denied: what its risk makes of it, by the configuration of now */
    struct str approvers;      /* a JSON array: who is asked then */
};
void policy_explain_print(struct cli *c, const struct explained *x);
void policy_explain_json(const struct explained *x);

#endif
