/* What requests and entities are both asked against a schema. */
#ifndef CEDAR_SCHEMA_CHECK_H
#define CEDAR_SCHEMA_CHECK_H

#include "cedar/validate.h"

bool cedar_type_is_action(struct str type); /* Action, or A::B::Action */
/* The type is declared, and the id is one of an enum's; actions are declared one by one. where: before the words of the
 * fault ("principal: ", ""). */
enum err cedar_schema_uid_check(const struct cedar_schema *s, const struct cedar_uid *uid, const char *where,
                                struct fault *f) MUST_USE;

#endif
