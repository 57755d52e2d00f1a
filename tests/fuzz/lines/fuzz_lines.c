/*
 * The first byte says how the rest is cut into pieces. However a stream is cut, the same lines come out of it, none of
 * them empty, over the bound or with a NUL or LF in it, and the verdict is the same.
 */
#include "../stream.h"
#include "net/lines.h"

enum { LINE_MAX_BYTES = 24 };

static bool on_line(void *ctx, struct str line)
{
    struct buf *b = ctx;
    CHECK(line.n > 0 && line.n <= LINE_MAX_BYTES);
    CHECK(!memchr(line.p, 0, line.n) && !memchr(line.p, '\n', line.n));
    buf_fmt(b, "%zu:", line.n);
    buf_str(b, line);
    return true;
}

static enum err read_lines(struct pieces *in, struct buf *lines)
{
    struct lines l;
    struct str piece;
    struct fault f = {0};
    enum err e = ERR_OK;
    lines_init(&l, LINE_MAX_BYTES);
    while (!e && pieces_next(in, &piece))
        e = lines_feed(&l, piece, on_line, lines, &f);
    CHECK(e == ERR_OK || ((e == ERR_LIMIT || e == ERR_SYNTAX) && f.text[0]));
    lines_done(&l);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    stream_judged(read_lines, p, n);
    return 0;
}
