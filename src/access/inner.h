/* What access.c (handing in, the thread) and line.c share. Not for others. */
#ifndef ACCESS_INNER_H
#define ACCESS_INNER_H

#include "access/access.h"

void access_line(struct buf *b, const struct exchange *x, const struct sockaddr_storage *client);

#endif
