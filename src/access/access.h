/*
 * The access log: one JSON object a line for each request (NDJSON). Who, what and what came of it; never arguments,
 * tokens or results.
 *
 * Workers put lines together in memory; one thread writes them to the file or to standard error. A disk that is slow or
 * full never holds up a call: what does not fit into memory meanwhile, and what the file does not take, is lost and
 * counted (doorward_access_log_lost_total), and told in the log.
 *
 * Any thread; access_open and access_close once each.
 */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include "net/server.h"

struct access;
/* target: "off", "stderr", or a path, as log.access says it. ERR_IO: the file cannot be opened. */
enum err access_open(struct str target, struct access **ret, struct fault *f) MUST_USE;
/* The same file again, which may have been renamed meanwhile, or another target. */
void access_reopen(struct access *a, struct str target);
/* Writes what is there. NULL: nothing. */
void access_close(struct access *a);

/* Is it on? Whoever fills an exchange's note only for the log can spare himself the work when not. */
bool access_on(const struct access *a);
/* The request is over. client: whom it came from, as trusted proxies say; NULL: from the connection's other end. */
void access_note(struct access *a, const struct exchange *x, const struct sockaddr_storage *client);

#endif
