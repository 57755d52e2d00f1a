/* The daemon: everything put together, started, reloaded and stopped. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

/* `doorward serve`: runs until SIGTERM or SIGINT. Returns the exit code: 0 stopped as told, 1 did not start (why is on
 * standard error). */
int daemon_serve(const char *config_file);

#endif
