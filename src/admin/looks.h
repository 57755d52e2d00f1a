/*
 * Who looked at which question when, so that it is known how long somebody looked before deciding. The newest ones
 * only: a look that is forgotten makes a time that is not known. Any thread.
 */
#ifndef ADMIN_LOOKS_H
#define ADMIN_LOOKS_H

#include "base/str.h"

struct looks;
struct looks *looks_new(void); /* NULL: no memory */
void looks_free(struct looks *l);
void looks_seen(struct looks *l, struct str name, struct str id);     /* the first look counts */
int64_t looks_dwell(struct looks *l, struct str name, struct str id); /* ms since then, at least 1; 0: not known */

#endif
