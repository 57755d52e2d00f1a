/* Which groups stand on one line, and the text that comes of it. */
#include "cedar/layout.h"

#include <stdlib.h>

enum { COLUMNS = 100, STEP = 4, IN_MAX = 60 };

static uint32_t characters(struct str s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static struct str mark_text(const struct cedar_layout *l, const struct cedar_mark *m)
{
    return (struct str){l->text.p + m->t.at, m->t.end - m->t.at};
}

static uint32_t flat_width(const struct cedar_layout *l, const struct cedar_doc *d)
{
    if (d->kind == CEDAR_DOC_MARK)
        return characters(mark_text(l, &l->mark[d->arg]));
    return d->kind == CEDAR_DOC_SPACE || d->kind == CEDAR_DOC_LINE;
}

/* Groups learn their ends (arg), and that a comment within them needs the rest of its line: then they are broken. One
 * before their first or behind their last word is none within. */
static bool match_groups(struct cedar_layout *l)
{
    uint32_t *open = malloc(sizeof(*open) * ((size_t)l->docs + 1)), n = 0;
    if (!open)
        return false;
    for (uint32_t i = 0; i < l->docs; i++) {
        struct cedar_doc *d = &l->doc[i];
        if (d->kind == CEDAR_DOC_OPEN)
            open[n++] = i;
        if (d->kind != CEDAR_DOC_CLOSE || !n)
            continue;
        struct cedar_doc *o = &l->doc[open[--n]];
        const struct cedar_mark *first = &l->mark[o->arg], *last = &l->mark[d->arg - 1];
        o->broken |= last->leads_sum != first->leads_sum ||
                     last->trails_sum - (last->trail != 0) != first->trails_sum - (first->trail != 0);
        o->arg = i;
    }
    free(open);
    return true;
}

/* What a group needs to stand on one line: itself, and what follows without a chance to break. */
static void measure(struct cedar_layout *l)
{
    uint32_t sum = 0, rest = 0;
    for (uint32_t i = 0; i < l->docs; i++) {
        l->doc[i].width = sum;
        sum += flat_width(l, &l->doc[i]);
    }
    for (uint32_t i = l->docs; i--;) {
        struct cedar_doc *d = &l->doc[i];
        if (d->kind == CEDAR_DOC_LINE || d->kind == CEDAR_DOC_BREAK || d->kind == CEDAR_DOC_HARD)
            rest = 0;
        else if (d->kind == CEDAR_DOC_CLOSE)
            d->arg = rest;
        else if (d->kind == CEDAR_DOC_OPEN)
            d->width = l->doc[d->arg].width - d->width + l->doc[d->arg].arg;
        else
            rest += flat_width(l, d);
    }
}

/* ---- writing ---- */

struct writer {
    const struct cedar_layout *l;
    struct buf *out;
    uint32_t column, indent;
    uint32_t flat;       /* groups on one line that are open */
    bool fresh, pending; /* at the begin of a line; a new line is due */
};

static void new_line(struct writer *w)
{
    if (!w->fresh)
        buf_char(w->out, '\n');
    w->fresh = true;
    w->pending = false;
}

static uint32_t column_of(const struct writer *w)
{
    uint32_t in = w->indent * STEP;
    return w->fresh || w->pending ? (in < IN_MAX ? in : IN_MAX) : w->column;
}

static void put(struct writer *w, struct str s)
{
    if (w->pending)
        new_line(w);
    if (w->fresh) {
        w->column = column_of(w);
        for (uint32_t i = 0; i < w->column; i++)
            buf_char(w->out, ' ');
        w->fresh = false;
    }
    buf_str(w->out, s);
    w->column += characters(s);
}

static void put_comment(struct writer *w, uint32_t i)
{
    const struct cedar_comment *c = &w->l->comment[i];
    put(w, (struct str){w->l->text.p + c->at, c->end - c->at});
    w->pending = true;
}

/* Between policies stands an empty line, and where one stood around their comments. */
static void blank_line(struct writer *w)
{
    new_line(w);
    buf_char(w->out, '\n');
}

static void write_leads(struct writer *w, const struct cedar_mark *m, bool outer)
{
    bool closes =
        m->t.kind == CEDAR_TOK_ROUND_END || m->t.kind == CEDAR_TOK_CURLY_END || m->t.kind == CEDAR_TOK_SQUARE_END;
    if (m->leads && !outer)
        new_line(w);
    w->indent += closes;
    for (uint32_t i = 0; i < m->leads; i++) {
        if (outer && i && w->l->comment[m->lead + i].blank)
            blank_line(w);
        put_comment(w, m->lead + i);
    }
    w->indent -= closes;
    if (outer && m->leads && m->blank && m->t.kind != CEDAR_TOK_END)
        blank_line(w);
}

static void write_mark(struct writer *w, uint32_t i)
{
    const struct cedar_mark *m = &w->l->mark[i];
    write_leads(w, m, i == 0);
    if (m->t.kind != CEDAR_TOK_END)
        put(w, mark_text(w->l, m));
    if (m->trail) {
        put(w, STR(" "));
        put_comment(w, m->trail - 1);
    }
}

static void write_doc(struct writer *w, const struct cedar_doc *d)
{
    switch ((enum cedar_doc_kind)d->kind) {
    case CEDAR_DOC_NONE: break;
    case CEDAR_DOC_MARK: write_mark(w, d->arg); break;
    case CEDAR_DOC_BREAK:
    case CEDAR_DOC_LINE:
        if (!w->flat) {
            new_line(w);
            break;
        }
        if (d->kind == CEDAR_DOC_BREAK)
            break;
        __attribute__((fallthrough));
    case CEDAR_DOC_SPACE:
        if (!w->fresh && !w->pending)
            put(w, STR(" "));
        break;
    case CEDAR_DOC_HARD: new_line(w); break;
    case CEDAR_DOC_OPEN:
        if (w->flat || (!d->broken && column_of(w) + d->width <= COLUMNS))
            w->flat++;
        break;
    case CEDAR_DOC_CLOSE: w->flat -= w->flat > 0; break;
    case CEDAR_DOC_IN: w->indent++; break;
    case CEDAR_DOC_OUT: w->indent--; break;
    }
}

void cedar_layout_write(struct cedar_layout *l, bool first, struct buf *out)
{
    struct writer w = {.l = l, .out = out, .fresh = true};
    l->poor |= !match_groups(l);
    if (l->poor || (l->mark[0].t.kind == CEDAR_TOK_END && !l->mark[0].leads))
        return;
    measure(l);
    if (!first)
        buf_char(out, '\n');
    for (uint32_t i = 0; i < l->docs; i++)
        write_doc(&w, &l->doc[i]);
    new_line(&w);
}
