/* A unified difference of two texts: the longest common run of lines, shown with three lines around each change. */
#include <stdlib.h>

#include "audit/audit.h"
#include "cli/import.h"

enum { DIFF_CELLS = 1 << 23, DIFF_AROUND = 3, DIFF_LONG = 400 };

struct diff_line {
    struct str text; /* without its newline */
    bool whole;      /* it has one */
};
struct diff_side {
    struct diff_line *v;
    size_t n;
};
struct diff_step {
    char kind;       /* ' ', '-' or '+' */
    size_t old, new; /* how many lines of each stand before it */
};

static bool diff_split(struct str text, struct diff_side *ret)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    *ret = (struct diff_side){calloc(lines, sizeof(*ret->v)), 0};
    while (ret->v && text.n) {
        struct diff_line *l = &ret->v[ret->n++];
        l->whole = str_cut(&text, '\n', &l->text);
    }
    return ret->v;
}

static bool diff_same(const struct diff_line *a, const struct diff_line *b)
{
    return a->whole == b->whole && str_eq(a->text, b->text);
}

/* The steps between `from` and the common end, by a table of lengths; without one all old lines go and all new come. */
static void diff_middle(const struct diff_side *a, const struct diff_side *b, size_t from, size_t na, size_t nb,
                        struct diff_step *steps, size_t *n)
{
    size_t i = 0, k = 0, width = nb + 1;
    unsigned *run = na < DIFF_CELLS / width ? calloc((na + 1) * width, sizeof(*run)) : NULL;
    for (size_t x = na; run && x-- > 0;)
        for (size_t y = nb; y-- > 0;) {
            unsigned down = run[(x + 1) * width + y], right = run[x * width + y + 1];
            run[x * width + y] = diff_same(&a->v[from + x], &b->v[from + y]) ? run[(x + 1) * width + y + 1] + 1
                                 : down > right                              ? down
                                                                             : right;
        }
    while (i < na || k < nb) {
        bool same = run && i < na && k < nb && diff_same(&a->v[from + i], &b->v[from + k]);
        bool gone = !same && i < na && (k == nb || !run || run[(i + 1) * width + k] >= run[i * width + k + 1]);
        steps[(*n)++] = (struct diff_step){same ? ' ' : gone ? '-' : '+', from + i, from + k};
        i += same || gone;
        k += same || !gone;
    }
    free(run);
}

static size_t diff_steps(const struct diff_side *a, const struct diff_side *b, struct diff_step *steps)
{
    size_t n = 0, head = 0, tail = 0, least = a->n < b->n ? a->n : b->n;
    while (head < least && diff_same(&a->v[head], &b->v[head]))
        head++;
    while (tail < least - head && diff_same(&a->v[a->n - 1 - tail], &b->v[b->n - 1 - tail]))
        tail++;
    for (size_t i = 0; i < head; i++)
        steps[n++] = (struct diff_step){' ', i, i};
    diff_middle(a, b, head, a->n - head - tail, b->n - head - tail, steps, &n);
    for (size_t i = tail; i > 0; i--)
        steps[n++] = (struct diff_step){' ', a->n - i, b->n - i};
    return n;
}

static void diff_range(struct buf *out, char sign, size_t before, size_t n)
{
    buf_fmt(out, "%c%zu", sign, n ? before + 1 : before);
    if (n != 1)
        buf_fmt(out, ",%zu", n);
}

/* Does the line look as if a secret stands in it, as `"name": "value"` or by itself? A long one is not looked through.
 */
static bool diff_hides(struct str line)
{
    struct str rest = line, name;
    bool member = str_cut(&rest, ':', &name);
    while (name.n && !((name.p[0] | 32) >= 'a' && (name.p[0] | 32) <= 'z'))
        name = str_skip(name, 1);
    return line.n > DIFF_LONG || audit_is_secret(member ? name : STR(""), line);
}

static void diff_hunk(const struct diff_side *a, const struct diff_side *b, const struct diff_step *s, size_t n,
                      bool shy, struct buf *out)
{
    size_t old = 0, new = 0;
    for (size_t i = 0; i < n; i++) {
        old += s[i].kind != '+';
        new += s[i].kind != '-';
    }
    buf_z(out, "@@ ");
    diff_range(out, '-', s[0].old, old);
    buf_char(out, ' ');
    diff_range(out, '+', s[0].new, new);
    buf_z(out, " @@\n");
    for (size_t i = 0; i < n; i++) {
        const struct diff_line *l = s[i].kind == '+' ? &b->v[s[i].new] : &a->v[s[i].old];
        buf_char(out, s[i].kind);
        if (shy && s[i].kind != '+' && diff_hides(l->text))
            buf_z(out, "    (not shown: it may hold a secret)");
        else
            cli_visible(out, str_ends(l->text, STR("\r")) ? (struct str){l->text.p, l->text.n - 1} : l->text, true);
        buf_z(out, l->whole ? "\n" : "\n\\ No newline at end of file\n");
    }
}

/* Changes with at most twice DIFF_AROUND lines between them are one hunk. */
static void diff_write(const struct diff_side *a, const struct diff_side *b, const struct diff_step *s, size_t n,
                       bool shy, struct buf *out)
{
    for (size_t i = 0; i < n;) {
        if (s[i].kind == ' ') {
            i++;
            continue;
        }
        size_t from = i > DIFF_AROUND ? i - DIFF_AROUND : 0, last = i;
        for (size_t k = i; k < n && k <= last + 2 * DIFF_AROUND + 1; k++)
            if (s[k].kind != ' ')
                last = k;
        size_t to = last + DIFF_AROUND + 1 < n ? last + DIFF_AROUND + 1 : n;
        diff_hunk(a, b, s + from, to - from, shy, out);
        i = to;
    }
}

void diff_unified(struct str old, struct str new, const char *old_name, const char *new_name, bool shy, struct buf *out)
{
    struct diff_side a = {0}, b = {0};
    if (str_eq(old, new) || !diff_split(old, &a) || !diff_split(new, &b)) {
        free(a.v);
        return;
    }
    struct diff_step *steps = calloc(a.n + b.n + 1, sizeof(*steps));
    if (steps) {
        size_t n = diff_steps(&a, &b, steps);
        buf_fmt(out, "--- %s\n+++ %s\n", old_name, new_name);
        diff_write(&a, &b, steps, n, shy, out);
    }
    free(steps);
    free(a.v);
    free(b.v);
}

void diff_print(struct str old, struct str new, const char *path, bool shy)
{
    bool color = cli_color(stdout);
    struct buf b;
    struct str rest, line;
    buf_init(&b, 128u << 20);
    diff_unified(old, new, old.n ? path : "/dev/null", path, shy, &b);
    for (rest = buf_view(&b); rest.n;) {
        str_cut(&rest, '\n', &line);
        const char *on = !color || !line.n ? "" : line.p[0] == '+' ? "\033[32m" : line.p[0] == '-' ? "\033[31m" : "";
        printf("%s" STR_FMT "%s\n", on, STR_ARG(line), *on ? "\033[0m" : "");
    }
    buf_done(&b);
}
