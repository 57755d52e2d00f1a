/* Which members of an entry's parameters are not written down. Not for others. */
#ifndef AUDIT_MASK_H
#define AUDIT_MASK_H

#include "audit/audit.h"

/* extra: names of the configuration, '*' for any run of characters. */
struct str mask_apply(const struct conf_strings *extra, struct str canonical, struct arena *arena, struct buf *scratch);
/* The text with what looks like a credential replaced. */
void mask_text(struct str text, struct buf *out);

#endif
