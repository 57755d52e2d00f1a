#include "net/lines.h"

void lines_init(struct lines *l, size_t max_line)
{
    buf_init(&l->line, max_line);
}

void lines_done(struct lines *l)
{
    buf_done(&l->line);
}

static enum err lines_one(struct str line, bool (*take)(void *, struct str), void *ctx, struct fault *f)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0)
        return ERR_OK;
    if (memchr(line.p, 0, line.n))
        return fault_set(f, ERR_SYNTAX, "a line holds a NUL byte");
    return take(ctx, line) ? ERR_OK : fault_set(f, ERR_CANCELLED, "no more lines are wanted");
}

enum err lines_feed(struct lines *l, struct str bytes, bool (*line)(void *ctx, struct str line), void *ctx,
                    struct fault *f)
{
    struct str one;
    while (bytes.n) {
        const char *lf = memchr(bytes.p, '\n', bytes.n);
        size_t n = lf ? (size_t)(lf - bytes.p) : bytes.n;
        bool whole = lf && l->line.n == 0 && n <= l->line.max; /* the common case needs no copy */
        one = (struct str){bytes.p, n};
        if (!whole)
            buf_put(&l->line, bytes.p, n);
        if (buf_failed(&l->line))
            return fault_set(f, buf_error(&l->line), "a line is longer than %zu bytes, or than memory allows",
                             l->line.max);
        bytes = str_skip(bytes, lf ? n + 1 : n);
        if (!lf)
            return ERR_OK;
        if (!whole)
            one = buf_view(&l->line);
        enum err e = lines_one(one, line, ctx, f);
        buf_clear(&l->line);
        TRY(e);
    }
    return ERR_OK;
}
