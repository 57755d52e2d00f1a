/* A connection over TCP, or TLS over it, for a thread of its own: connects, sends, and waits until the other side's
 * system has what was sent. For sinks that speak no HTTP. */
#ifndef SINK_STREAM_H
#define SINK_STREAM_H

#include <stdatomic.h>

#include "sink/address.h"

struct sink_stream;
/* How long, until when at most, and when to give up. */
struct sink_patience {
    int64_t end_ns; /* monotonic */
    const _Atomic bool *stop;
};
/* t: NULL: no TLS. ERR_UNREACHABLE, ERR_STOPPING, ERR_NOMEM. */
enum err sink_stream_open(const struct sink_address *to, struct tls *t, const struct sink_patience *p,
                          struct sink_stream **ret, struct fault *f) MUST_USE;
void sink_stream_close(struct sink_stream *s); /* takes NULL */
/* Has the other side ended it, or said something that ended it? What it says is not listened to. */
bool sink_stream_dead(struct sink_stream *s);
/* All of it, and then until the other side's TCP has acknowledged every byte. After an error the stream is of no use.
 */
enum err sink_stream_send(struct sink_stream *s, struct str bytes, const struct sink_patience *p,
                          struct fault *f) MUST_USE;

#endif
