/* For parsers of streams: however a stream is cut, the same comes out of it. */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include "../pieces.h"
#include "base/buf.h"
#include "base/err.h"
#include "fuzz.h"

/* Reads the pieces by a new parser, and notes in `out` what it told. */
typedef enum err stream_read(struct pieces *in, struct buf *out);

static inline enum err stream_read_in(stream_read *read, struct str bytes, size_t step, struct buf *out)
{
    struct pieces in = {.rest = bytes, .first = step, .step = step};
    buf_init(out, 1u << 24);
    enum err e = read(&in, out);
    pieces_done(&in);
    return e;
}

/* The first byte of an input says how the rest is cut. */
static inline void stream_judged(stream_read *read, const uint8_t *p, size_t n)
{
    if (n < 2)
        return;
    struct str bytes = {(const char *)p + 1, n - 1};
    struct buf whole, cut;
    enum err e = stream_read_in(read, bytes, bytes.n, &whole);
    CHECK(stream_read_in(read, bytes, 1 + p[0] % 16, &cut) == e);
    CHECK(str_eq(buf_view(&whole), buf_view(&cut)));
    buf_done(&whole);
    buf_done(&cut);
}

#endif
