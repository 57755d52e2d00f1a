/* What the files of servers over stdio share: stdio.c (the kind), stdio_child.c (processes that serve calls) and
 * stdio_probe.c. Worker 0 only. Not for others. */
#ifndef CONNECT_STDIO_CHILD_H
#define CONNECT_STDIO_CHILD_H

#include "connect/child.h"

enum { STDIO_ARENA = 256 << 20 };

struct stdio_flight {
    struct flight flight; /* first */
    struct child *child;
    struct stdio_flight *next, **link;
    char id[24];
    bool sent;
};

struct stdio_inner {
    struct child *children; /* all, the closing ones too */
    unsigned crashes;
    uint64_t not_before; /* of the loop's clock: no new process until then */
    unsigned probes;     /* of processes that serve calls: their ids go on */
    unsigned changes;    /* of its lists, that its processes told of */
};

static inline struct stdio_inner *stdio_inner(const struct upstream *u)
{
    return u->inner;
}

void stdio_link(struct stdio_flight **list, struct stdio_flight *s);
void stdio_unlink(struct stdio_flight *s);

/* The process that serves this key and these capabilities, or whichever serves the key. NULL: there is none. */
struct child *stdio_child(struct upstream *u, struct str key, unsigned can);
struct child *stdio_child_any(struct upstream *u, struct str key);
bool stdio_serves(const struct child *c, struct str key);
enum err stdio_start(struct upstream *u, struct str key, unsigned can, struct child **ret, struct fault *f) MUST_USE;
void stdio_child_unlink(struct child *c);
/* One that was forgotten ends with its last call. */
void stdio_rest(struct child *c);

/* What is said to a process. */
void stdio_call_send(struct stdio_flight *s);
void stdio_reply(struct flight *f, struct str id, bool error, struct str value);
void stdio_ask(struct child *c, struct str uri, bool on); /* resources/subscribe, of a legacy server */
void stdio_listen(struct child *c);                       /* subscriptions/listen, of a modern one */
void stdio_tell_roots(struct child *c);
/* What it says: a line as a message (false: it is none), and what becomes of it. */
bool stdio_read(struct child *c, struct str line, struct arena *a, struct json *doc, struct wire_message *ret);
void stdio_message(struct child *c, const struct json *doc, const struct wire_message *m, struct arena *arena);

void stdio_probe(struct upstream *u);
void stdio_probe_lost(struct child *c, const char *how); /* the process that it asks has ended */

#endif
