/*
 * A case of a test of Cedar: policies, a schema, entities, and requests that are asked of them. The programs that
 * compare src/cedar with expectations (cedar.c, cedar_suite.c) and with another implementation (cedar_judge.c) share
 * it, so that all of them read a case in one way:
 *
 * - entities are read with the schema when there is one, and a request's context by its action's type;
 * - a request is held against the schema unless it says "validateRequest": false.
 */
#ifndef CONFORMANCE_CEDAR_CASE_H
#define CONFORMANCE_CEDAR_CASE_H

#include "cedar/cedar.h"

#define CASE_MEMORY ((size_t)512 << 20)

struct cedar_case {
    struct arena arena; /* what requests need, until the case is done */
    size_t memory;      /* that policies, entities and a decision may take; CASE_MEMORY unless it is changed */
    struct cedar_policies *policies;
    struct cedar_schema *schema; /* or NULL */
    struct cedar_entities *entities;
    struct cedar_program *program;
};
void cedar_case_init(struct cedar_case *c);
void cedar_case_done(struct cedar_case *c);

/* Each says in `why` what was refused, in one line. The order is policies, links, schema, entities, and then requests.
 */
enum err cedar_case_policies(struct cedar_case *c, struct str file, struct str text, struct buf *why) MUST_USE;
/* A whole set as JSON: policies, templates and links. */
enum err cedar_case_set(struct cedar_case *c, struct str json, struct buf *why) MUST_USE;
/* [{"templateId", "newId", "values": {"?principal": uid, "?resource": uid}} …]; index 0: none. */
enum err cedar_case_links(struct cedar_case *c, const struct json *j, uint32_t links, struct buf *why) MUST_USE;
/* JSON when the text begins with a brace. */
enum err cedar_case_schema(struct cedar_case *c, struct str file, struct str text, struct buf *why) MUST_USE;
enum err cedar_case_entities(struct cedar_case *c, struct str json, struct buf *why) MUST_USE;
/* ERR_SYNTAX: the policies do not validate. Not without a schema. */
enum err cedar_case_validate(const struct cedar_case *c, struct buf *why) MUST_USE;

/* What came of a request. Its ids live in the case's arena. */
struct case_answer {
    enum cedar_decision decision;
    const struct str *reason, *error; /* ids of policies, sorted */
    uint32_t reasons, errors;
    struct str why; /* of the first error, in words */
};
/* {"principal", "action", "resource", "context", "validateRequest"}; uids are {"type", "id"}, {"__entity"} or text. */
enum err cedar_case_ask(struct cedar_case *c, const struct json *j, uint32_t request, struct case_answer *ret,
                        struct buf *why) MUST_USE;
/* The ids of a JSON array, sorted and without doubles. */
const struct str *case_ids(const struct json *j, uint32_t array, struct arena *a, uint32_t *ret_n);
bool case_ids_same(const struct str *a, uint32_t n, const struct str *b, uint32_t m);
/* "deny by policy1, policy3; failing: policy2" */
void case_answer_put(const struct case_answer *r, struct buf *out);

#endif
