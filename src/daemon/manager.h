/*
 * The service manager that started the daemon, if one did: sockets that it opened (sd_listen_fds(3)), and what it is
 * told (sd_notify(3)). Without one all of this is nothing.
 */
#ifndef DAEMON_MANAGER_H
#define DAEMON_MANAGER_H

#include "base/err.h"

struct manager_sockets {
    int agents, operators; /* listening; 0: none was given */
};
/* Once, before there are threads: what belongs to us alone is taken out of the environment. ERR_CONFIG: sockets that
 * are none to listen on, or whose names (FileDescriptorName=) are not ours. */
enum err manager_begin(struct manager_sockets *ret, struct fault *f) MUST_USE;
unsigned manager_watchdog_ms(void); /* how often it wants to hear of us at least; 0: not at all */

/* Any thread. Never waits. */
void manager_ready(const char *status);
void manager_reloading(void); /* manager_ready follows */
void manager_stopping(void);
void manager_alive(void);

#endif
