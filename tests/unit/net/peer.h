/* The other end of a connection, as bytes on a blocking socket; and work done on a worker's thread. */
#ifndef TEST_NET_PEER_H
#define TEST_NET_PEER_H

#include "../unit.h"

#include "net/loop.h"

#include <arpa/inet.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 10000 /* how long a test waits for what must come */

static inline struct sockaddr_in peer_address(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline int peer_connect(uint16_t port)
{
    struct sockaddr_in at = peer_address(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static inline int peer_listen(uint16_t *ret_port)
{
    struct sockaddr_in at = peer_address(0);
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static inline bool peer_ready(int fd, int ms)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, ms) == 1;
}

static inline int peer_accept(int listener)
{
    assert_true(peer_ready(listener, PATIENCE_MS));
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    return fd;
}

static inline void peer_put(int fd, const void *p, size_t n)
{
    while (n) {
        ssize_t done = send(fd, p, n, MSG_NOSIGNAL);
        assert_true(done > 0);
        p = (const char *)p + done;
        n -= (size_t)done;
    }
}

static inline void peer_say(int fd, const char *text)
{
    peer_put(fd, text, strlen(text));
}

/* Reads until `end` has come and not a byte further, or with NULL until the connection ends. The text is the caller's.
 * NULL: it never came. */
static inline char *peer_hear(int fd, const char *end)
{
    size_t n = 0, cap = 4096, tail = end ? strlen(end) : 0;
    char *text = malloc(cap), *found = NULL;
    for (;;) {
        if (cap - n < 1024)
            text = realloc(text, cap *= 2);
        ssize_t got = peer_ready(fd, PATIENCE_MS) ? recv(fd, text + n, cap - n - 1, MSG_PEEK) : -1;
        if (got < 0 || (got == 0 && end)) {
            free(text);
            return NULL;
        }
        text[n + (size_t)got] = 0;
        found = end ? strstr(text + (n > tail ? n - tail : 0), end) : NULL;
        size_t take = found ? (size_t)(found - text) + tail - n : (size_t)got;
        assert_int_equal(recv(fd, text + n, take, 0), take);
        n += take;
        text[n] = 0;
        if (found || got == 0)
            return text;
    }
}

/* What comes until the connection ends must hold these words. */
static inline void peer_hears(int fd, const char *end, const char *words)
{
    char *text = peer_hear(fd, end);
    if (!text || !strstr(text, words))
        fail_msg("heard \"%s\" where \"%s\" was expected", text ? text : "(no end)", words);
    free(text);
}

static inline bool peer_ended(int fd)
{
    char c;
    return peer_ready(fd, PATIENCE_MS) && recv(fd, &c, 1, 0) <= 0;
}

/* ---- on the worker ---- */

struct peer_order {
    struct worker_mail mail;
    void (*fn)(void *arg);
    void *arg;
    sem_t done;
};

static inline void peer_order_run(struct worker *w, struct worker_mail *m)
{
    (void)w;
    struct peer_order *o = (struct peer_order *)m;
    o->fn(o->arg);
    sem_post(&o->done);
}

static inline void on_worker(struct worker *w, void (*fn)(void *arg), void *arg)
{
    struct peer_order o = {.mail.run = peer_order_run, .fn = fn, .arg = arg};
    sem_init(&o.done, 0, 0);
    worker_post(w, &o.mail);
    while (sem_wait(&o.done))
        ;
    sem_destroy(&o.done);
}

/* Waits for a semaphore that the other thread posts. */
static inline void told(sem_t *s)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += PATIENCE_MS / 1000;
    if (sem_timedwait(s, &t))
        fail_msg("waited in vain");
}

#endif
