#include "approve/rows.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/visible.h"

struct view_field *rows_add(struct view_rows *r, unsigned depth)
{
    static __thread struct view_field nobody;
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 16;
        struct view_field *more = arena_alloc(r->a, cap * sizeof(*more));
        if (!more)
            return nobody = (struct view_field){.depth = depth}, &nobody;
        if (r->n)
            memcpy(more, r->field, r->n * sizeof(*more));
        r->field = more;
        r->cap = cap;
    }
    struct view_field *row = &r->field[r->n++];
    *row = (struct view_field){.depth = depth};
    return row;
}

void rows_put(struct view_rows *r, const char *name, struct str value)
{
    if (!value.n)
        return;
    struct view_field *row = rows_add(r, 0);
    row->name = str_of(name);
    row->value = rows_visible(r->a, value, true);
}

void rows_close(struct view_rows *r, struct view_section *s)
{
    s->field = r->field;
    s->n = r->n;
}

struct str rows_visible(struct arena *a, struct str s, bool lines)
{
    struct buf b;
    buf_init(&b, VIEW_ARENA);
    visible_put(&b, s, lines);
    struct str shown = arena_buf(a, &b);
    buf_done(&b);
    return shown;
}

struct str rows_when(struct arena *a, int64_t wall_ms)
{
    char text[CLOCK_RFC3339];
    clock_format(wall_ms, text);
    return arena_fmt(a, "%.10s %.8s UTC", text, text + 11);
}

struct str rows_span(struct arena *a, int64_t ms)
{
    long long s = (ms + 500) / 1000, m = s / 60, h = m / 60, d = h / 24;
    if (s < 60)
        return arena_fmt(a, "%llds", s);
    if (m < 60)
        return arena_fmt(a, s % 60 ? "%lldm %llds" : "%lldm", m, s % 60);
    if (h < 48)
        return arena_fmt(a, m % 60 ? "%lldh %lldm" : "%lldh", h, m % 60);
    return arena_fmt(a, "%lldd %lldh", d, h % 24);
}
