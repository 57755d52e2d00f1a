/* Tokens with their comments. */
#include "cedar/layout.h"

#include <stdlib.h>

void cedar_layout_done(struct cedar_layout *l)
{
    free(l->comment);
    free(l->mark);
    free(l->doc);
}

static void *grown(struct cedar_layout *l, void *v, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap || l->poor)
        return v;
    uint32_t more = *cap ? *cap * 2 : 64;
    void *w = realloc(v, size * more);
    l->poor |= !w;
    if (!w)
        return v;
    *cap = more;
    return w;
}

static void add_comment(struct cedar_layout *l, uint32_t at, uint32_t end, bool blank)
{
    l->comment = grown(l, l->comment, l->comments, &l->comments_cap, sizeof(*l->comment));
    while (end > at && (unsigned char)l->text.p[end - 1] <= ' ')
        end--;
    if (!l->poor)
        l->comment[l->comments++] = (struct cedar_comment){at, end, blank};
}

static bool new_line(struct str text, uint32_t at)
{
    return text.p[at] == '\n' || (text.p[at] == '\r' && (at + 1 >= text.n || text.p[at + 1] != '\n'));
}

/* What lies between two tokens: white space and comments. */
static void read_gap(struct cedar_layout *l, uint32_t from, uint32_t to, struct cedar_mark *before,
                     struct cedar_mark *m)
{
    unsigned lines = before ? 0 : 1;
    m->lead = l->comments;
    for (uint32_t i = from; i < to; i++) {
        if (l->text.p[i] != '/') {
            lines += new_line(l->text, i);
            continue;
        }
        uint32_t end = i;
        while (end < to && l->text.p[end] != '\n' && l->text.p[end] != '\r')
            end++;
        add_comment(l, i, end, lines > 1);
        if (before && !lines) {
            before->trail = l->comments; /* one more than its index */
            m->lead = l->comments;
        }
        lines = 0;
        i = end - 1;
    }
    m->leads = l->comments - m->lead;
    m->blank = lines > 1;
}

/* A comment behind the last word before a comma stands behind the comma. */
static void move_trail(struct cedar_mark *a, struct cedar_mark *b)
{
    enum cedar_token_kind k = (enum cedar_token_kind)b->t.kind;
    bool takes = k == CEDAR_TOK_COMMA || k == CEDAR_TOK_SEMICOLON || k == CEDAR_TOK_AND || k == CEDAR_TOK_OR;
    if (a->trail && takes && !b->leads && !b->trail) {
        b->trail = a->trail;
        a->trail = 0;
    }
}

uint32_t cedar_layout_read(struct cedar_layout *l, uint32_t at)
{
    uint32_t begin = at;
    l->comments = l->marks = l->docs = l->next = 0;
    for (;;) {
        struct cedar_token t = cedar_lex(l->text, at);
        l->mark = grown(l, l->mark, l->marks, &l->marks_cap, sizeof(*l->mark));
        if (l->poor)
            return (uint32_t)l->text.n;
        struct cedar_mark *m = &l->mark[l->marks];
        *m = (struct cedar_mark){.t = t};
        read_gap(l, at, t.at, at == begin ? NULL : m - 1, m);
        l->marks++;
        at = t.end;
        if (t.kind == CEDAR_TOK_END || t.kind == CEDAR_TOK_SEMICOLON)
            break;
    }
    if (l->mark[l->marks - 1].t.kind == CEDAR_TOK_SEMICOLON) { /* its own comment, on its line */
        uint32_t next = cedar_lex(l->text, at).at, end = at;
        while (end < next && l->text.p[end] != '\n' && l->text.p[end] != '\r')
            end++;
        struct cedar_mark none = {0};
        read_gap(l, at, end, &l->mark[l->marks - 1], &none);
        at = end;
    }
    for (uint32_t i = 0; i + 1 < l->marks; i++)
        move_trail(&l->mark[i], &l->mark[i + 1]);
    for (uint32_t i = 0, leads = 0, trails = 0; i < l->marks; i++) {
        l->mark[i].leads_sum = leads += l->mark[i].leads;
        l->mark[i].trails_sum = trails += l->mark[i].trail != 0;
    }
    return at;
}

/* ---- doc ---- */

void cedar_doc(struct cedar_layout *l, enum cedar_doc_kind kind)
{
    l->doc = grown(l, l->doc, l->docs, &l->docs_cap, sizeof(*l->doc));
    if (l->poor)
        return;
    l->doc[l->docs++] = (struct cedar_doc){.kind = (uint8_t)kind, .arg = l->next, .broken = l->broken_all};
    l->broken_all = false;
}

void cedar_doc_mark(struct cedar_layout *l)
{
    cedar_doc(l, CEDAR_DOC_MARK);
    l->next++;
}
