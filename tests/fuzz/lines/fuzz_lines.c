/*
 * The first byte says how the rest is cut into pieces. However a stream is cut, the same lines come out of it, none of
 * them empty, over the bound or with a NUL or LF in it, and the verdict is the same.
 */
#include "net/lines.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(expr)                                                                                                    \
    do {                                                                                                               \
        if (!(expr)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr);                                                 \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

enum { LINE_MAX_BYTES = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool on_line(void *ctx, struct str line)
{
    struct buf *b = ctx;
    CHECK(line.n > 0 && line.n <= LINE_MAX_BYTES);
    CHECK(!memchr(line.p, 0, line.n) && !memchr(line.p, '\n', line.n));
    buf_fmt(b, "%zu:", line.n);
    buf_str(b, line);
    return true;
}

/* Pieces of `step` bytes, each in memory of just its size. */
static enum err read_in_steps(const uint8_t *p, size_t n, size_t step, struct buf *lines)
{
    struct lines l;
    struct fault f = {0};
    enum err e = ERR_OK;
    lines_init(&l, LINE_MAX_BYTES);
    for (size_t at = 0; at < n && !e; at += step) {
        size_t k = n - at < step ? n - at : step;
        char *copy = malloc(k);
        memcpy(copy, p + at, k);
        e = lines_feed(&l, (struct str){copy, k}, on_line, lines, &f);
        free(copy);
    }
    CHECK(e == ERR_OK || ((e == ERR_LIMIT || e == ERR_SYNTAX) && f.text[0]));
    lines_done(&l);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n < 2)
        return 0;
    struct buf whole, cut;
    buf_init(&whole, 1u << 24);
    buf_init(&cut, 1u << 24);
    enum err e = read_in_steps(p + 1, n - 1, n, &whole);
    CHECK(read_in_steps(p + 1, n - 1, 1 + p[0] % 16, &cut) == e);
    CHECK(str_eq(buf_view(&whole), buf_view(&cut)));
    buf_done(&whole);
    buf_done(&cut);
    return 0;
}
