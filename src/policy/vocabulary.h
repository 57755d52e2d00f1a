/* The gateway's words as a Cedar schema, made from the tools that are known. Not for others. */
#ifndef POLICY_VOCABULARY_H
#define POLICY_VOCABULARY_H

#include "policy/policy.h"
#include "policy/shape.h"

struct policy_tool {
    struct policy_fact fact; /* in the set's arena */
    const struct shape *input;
    const char *risk; /* of the configuration */
    bool read_only;   /* likewise */
    struct json claims_doc;
    uint32_t claims; /* annotations of the definition, in claims_doc; 0: none */
    struct cedar_uid uid, server_uid;
    unsigned action; /* index */
};
struct policy_action {
    struct str name;
    struct cedar_uid uid;
    const struct shape *input; /* what all tools of this name have in common */
    bool read_only;            /* all of them are */
};

void vocabulary_schema(const struct policy_tool *t, size_t n, const struct policy_action *action, size_t actions,
                       struct buf *out);

#endif
