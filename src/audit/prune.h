/* Retention. On the publisher's thread. Not for others. */
#ifndef AUDIT_PRUNE_H
#define AUDIT_PRUNE_H

#include "audit/audit.h"

enum { PRUNE_EVERY_MS = 60000 };

/* Removes the segments whose time is over by the settings in force. published: the newest checkpoint's size. */
void prune_now(struct audit *a, uint64_t published);

#endif
