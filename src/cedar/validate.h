/*
 * Against a schema: policies (strict validation, https://docs.cedarpolicy.com/policies/validation.html), requests,
 * entities. What validates does not fail at run time but for overflow, entities that are not there and extension
 * functions on texts that are no literals.
 */
#ifndef CEDAR_VALIDATE_H
#define CEDAR_VALIDATE_H

#include "cedar/decide.h"
#include "cedar/schema.h"

/* Every policy and template of the set, for every request that the schema allows. Errors are lines in *faults and make
 * it ERR_SYNTAX; a scope that fits no action of the schema is one. Warnings (conditions that are never true, strings
 * that look like others) are lines in *warnings, which may be NULL. At most CEDAR_FAULTS lines of each, and "and N
 * more". */
enum err cedar_validate(const struct cedar_policies *ps, const struct cedar_schema *s, struct buf *faults,
                        struct buf *warnings) MUST_USE;
/* Types of principal and resource apply to the action, enum ids exist, the context has its declared type. */
enum err cedar_validate_request(const struct cedar_request *r, const struct cedar_schema *s, struct fault *f) MUST_USE;
/* Declared type, attributes, tags and parents; actions exactly as declared. The fault begins with the entity's name. */
enum err cedar_validate_entity(const struct cedar_entity *e, const struct cedar_schema *s, struct fault *f) MUST_USE;
/* Whether v is of the type; the fault names the path. */
enum err cedar_value_check(struct cedar_value v, const struct cedar_type *t, const struct cedar_schema *s,
                           const char *path, struct fault *f) MUST_USE;
/* A context from JSON by the action's declared type (a string where an ipaddr is declared …). */
enum err cedar_context_read(const struct json *j, uint32_t at, const struct cedar_action *action, struct arena *a,
                            const struct cedar_record **ret, struct fault *f) MUST_USE;

#endif
