#include "daemon/manager.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

enum { MANAGER_FIRST = 3, MANAGER_SOCKETS = 8 };

static int manager_fd = -1; /* a datagram socket, connected to the manager's */
static unsigned manager_watchdog;

/* ---- telling ---- */

static void manager_tell(const char *text)
{
    if (manager_fd >= 0 && send(manager_fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return; /* it has gone, or does not listen: nothing that a daemon could do about it */
}

void manager_ready(const char *status)
{
    char text[300];
    snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
    manager_tell(text);
}

/* The time tells a manager of the kind notify-reload whether this answers its own signal. */
void manager_reloading(void)
{
    char text[80];
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(clock_mono_ns() / 1000));
    manager_tell(text);
}

void manager_stopping(void)
{
    manager_tell("STOPPING=1\nSTATUS=finishes the calls in flight");
}

void manager_alive(void)
{
    manager_tell("WATCHDOG=1");
}

unsigned manager_watchdog_ms(void)
{
    return manager_watchdog;
}

/* An absolute path, or "@" and an abstract name. */
static void manager_connect(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(to.sun_path, path, n);
    if (path[0] == '@')
        to.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, length) == 0)
        manager_fd = fd;
    else if (fd >= 0)
        close(fd);
}

/* ---- what it gave us ---- */

static bool manager_u64(const char *name, uint64_t *ret)
{
    const char *text = getenv(name);
    return text && str_u64(str_of(text), ret);
}

/* Is it meant for this process? Whoever inherited the variables by accident is somebody else. */
static bool manager_means_us(const char *name)
{
    uint64_t pid;
    return manager_u64(name, &pid) && pid == (uint64_t)getpid();
}

static bool manager_listens(int fd)
{
    int domain = 0, type = 0, listens = 0;
    socklen_t n = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) == 0 && type == SOCK_STREAM && listens &&
           (domain == AF_INET || domain == AF_INET6);
}

static enum err manager_take(int fd, struct str name, struct manager_sockets *ret, struct fault *f)
{
    int *at = str_is(name, "agents") ? &ret->agents : str_is(name, "operators") ? &ret->operators : NULL;
    if (!at)
        return fault_set(f, ERR_CONFIG,
                         "the service manager gave a socket that is named \"" STR_FMT
                         "\": FileDescriptorName= must be agents or operators",
                         STR_ARG(name));
    if (*at)
        return fault_set(f, ERR_CONFIG, "the service manager gave two sockets that are named " STR_FMT, STR_ARG(name));
    if (!manager_listens(fd))
        return fault_set(f, ERR_CONFIG, "what the service manager gave for " STR_FMT " is no TCP socket that listens",
                         STR_ARG(name));
    fcntl(fd, F_SETFD, FD_CLOEXEC); /* servers over stdio get none of it */
    *at = fd;
    return ERR_OK;
}

static enum err manager_sockets(struct manager_sockets *ret, struct fault *f)
{
    uint64_t count = 0;
    if (!manager_means_us("LISTEN_PID") || !manager_u64("LISTEN_FDS", &count) || !count)
        return ERR_OK;
    if (count > MANAGER_SOCKETS)
        return fault_set(f, ERR_CONFIG, "the service manager gave %llu sockets", (unsigned long long)count);
    struct str names = str_of(getenv("LISTEN_FDNAMES")), name;
    for (int i = 0; i < (int)count; i++) {
        str_cut(&names, ':', &name);
        TRY(manager_take(MANAGER_FIRST + i, name, ret, f));
    }
    return ERR_OK;
}

enum err manager_begin(struct manager_sockets *ret, struct fault *f)
{
    static const char *const ours[] = {"NOTIFY_SOCKET",  "LISTEN_PID",    "LISTEN_FDS",
                                       "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"};
    uint64_t us = 0;
    *ret = (struct manager_sockets){0};
    manager_connect(getenv("NOTIFY_SOCKET"));
    if (manager_u64("WATCHDOG_USEC", &us) && (!getenv("WATCHDOG_PID") || manager_means_us("WATCHDOG_PID")))
        manager_watchdog = us / 1000 < UINT32_MAX ? (unsigned)(us / 1000) : UINT32_MAX;
    enum err e = manager_sockets(ret, f);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        unsetenv(ours[i]);
    return e;
}
