/* Which members of an entry's parameters are not written down. Not for others. */
#ifndef AUDIT_MASK_H
#define AUDIT_MASK_H

#include "audit/audit.h"

/* extra: names of the configuration, '*' for any run of characters. */
struct str mask_apply(const struct conf_strings *extra, struct str canonical, struct arena *arena, struct buf *scratch);
/* Is anything of the subtree to be masked? Yes also when that cannot be told. */
bool mask_needed(const struct conf_strings *extra, const struct json *j, uint32_t root, struct arena *a);
bool mask_text_needed(struct str text);
/* The text with what looks like a credential replaced. */
void mask_text(struct str text, struct buf *out);

#endif
