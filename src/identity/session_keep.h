/* A session written down, and read again into an empty lease. */
#ifndef IDENTITY_SESSION_KEEP_H
#define IDENTITY_SESSION_KEEP_H

#include "identity/session.h"

/* ERR_CORRUPT, ERR_SESSION_ENDED, ERR_NOMEM. */
enum err session_unkeep(struct lease *l, struct str kept, int64_t newest, struct fault *f) MUST_USE;

#endif
