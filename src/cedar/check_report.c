/*
 * What the checker has to say. Each problem of a place is kept once, with the number of environments that have it, and
 * told when the policy is through, in the order of the text.
 */
#include "base/near.h"
#include "cedar/check.h"
#include "cedar/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX 100 /* bytes of a type or an expression in a message */

static uint32_t slot_of(const struct cedar_check *c, uint32_t mask, const void *where, enum cedar_wrong w)
{
    uint64_t h = ((uintptr_t)where >> 4 ^ (uint64_t)w << 40) * 0x9e3779b97f4a7c15u;
    uint32_t at = (uint32_t)(h >> 32) & mask;
    while (c->problem_slot[at]) {
        const struct cedar_problem *p = &c->problem[c->problem_slot[at] - 1];
        if (p->where == where && p->wrong == w)
            break;
        at = (at + 1) & mask;
    }
    return at;
}

static bool room(struct cedar_check *c)
{
    if (c->problems < c->problems_cap)
        return true;
    uint32_t cap = c->problems_cap ? c->problems_cap * 2 : 16;
    struct cedar_problem *to = arena_alloc(&c->keep, cap * sizeof(*to));
    uint32_t *slot = arena_alloc(&c->keep, (size_t)cap * 2 * sizeof(*slot));
    if (!to || !slot)
        return false;
    if (c->problems)
        memcpy(to, c->problem, c->problems * sizeof(*to));
    c->problem = to;
    c->problem_slot = slot;
    c->problems_cap = cap;
    for (uint32_t i = 0; i < c->problems; i++)
        c->problem_slot[slot_of(c, cap * 2 - 1, to[i].where, to[i].wrong)] = i + 1;
    return true;
}

bool cedar_check_wrong(struct cedar_check *c, const void *where, uint32_t at, enum cedar_wrong w)
{
    if (!room(c))
        return false;
    uint32_t slot = slot_of(c, c->problems_cap * 2 - 1, where, w);
    if (c->problem_slot[slot]) {
        struct cedar_problem *p = &c->problem[c->problem_slot[slot] - 1];
        p->times += p->last != c->env;
        p->last = c->env;
        return false;
    }
    c->problem_slot[slot] = ++c->problems;
    struct cedar_problem *p = &c->problem[c->problems - 1];
    *p = (struct cedar_problem){.where = where, .wrong = w, .at = at, .last = c->env};
    if (c->action) {
        p->times = 1;
        p->principal = c->principal;
        p->action = &c->action->uid;
        p->resource = c->resource;
    }
    return c->told + c->problems <= CEDAR_FAULTS;
}

void cedar_check_say(struct cedar_check *c, const char *fmt, ...)
{
    struct fault f;
    char text[sizeof(f.text)];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fault_write(&f, ERR_SYNTAX, "%s", text); /* what would steer a terminal is taken out there */
    c->problem[c->problems - 1].text = arena_str(&c->keep, str_of(f.text));
}

static void place(const struct cedar_check *c, uint32_t at, struct buf *out)
{
    const struct cedar_policies *ps = c->policies;
    const struct cedar_policy *p = c->policy;
    if (p->source >= ps->sources) {
        buf_z(out, "policy ");
        cedar_string_print(p->id, out); /* it came as JSON, and has no places */
        buf_z(out, ": ");
        return;
    }
    unsigned line, column;
    cedar_position(ps->source[p->source].text, at, &line, &column);
    buf_str(out, ps->source[p->source].name);
    buf_fmt(out, ":%u:%u: ", line, column);
}

static int by_place(const void *a, const void *b)
{
    const struct cedar_problem *p = a, *q = b;
    return p->at != q->at ? (p->at < q->at ? -1 : 1) : (int)p->wrong - (int)q->wrong;
}

/* What only some requests run into is told with one of them. */
static void when(struct cedar_check *c, const struct cedar_problem *p)
{
    buf_fmt(c->faults, " (when " STR_FMT " asks for %s on " STR_FMT ")", STR_ARG(p->principal),
            cedar_check_uid_text(c, p->action), STR_ARG(p->resource));
}

void cedar_check_tell(struct cedar_check *c, uint32_t envs)
{
    if (c->problems == 0)
        return;
    qsort(c->problem, c->problems, sizeof(*c->problem), by_place);
    for (uint32_t i = 0; i < c->problems; i++) {
        const struct cedar_problem *p = &c->problem[i];
        if (!p->text.n) {
            c->untold++;
            continue;
        }
        place(c, p->at, c->faults);
        buf_str(c->faults, p->text);
        if (p->times && p->times < envs)
            when(c, p);
        buf_char(c->faults, '\n');
        c->told++;
    }
}

void cedar_check_warn(struct cedar_check *c, uint32_t at, const char *fmt, ...)
{
    if (!c->warnings)
        return;
    if (c->warned == CEDAR_FAULTS) {
        c->unwarned++;
        return;
    }
    struct fault f;
    char text[sizeof(f.text)];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fault_write(&f, ERR_SYNTAX, "%s", text);
    c->warned++;
    place(c, at, c->warnings);
    buf_z(c->warnings, f.text);
    buf_char(c->warnings, '\n');
}

/* ---- words ---- */

/* Cut at a character's edge. */
static const char *kept(struct cedar_check *c, struct buf *b)
{
    struct str s = {b->p, b->n};
    bool cut = buf_failed(b) || s.n > WORDS_MAX;
    if (cut) {
        s.n = s.n < WORDS_MAX ? s.n : WORDS_MAX;
        while (s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
            s.n--;
    }
    s = ARENA_JOIN(&c->keep, s, cut ? STR("…") : STR(""));
    buf_done(b);
    return s.p ? s.p : "";
}

const char *cedar_check_type_text(struct cedar_check *c, const struct cedar_type *t)
{
    struct buf b;
    buf_init(&b, (size_t)2 * WORDS_MAX);
    cedar_type_print(t, &b);
    return kept(c, &b);
}

const char *cedar_check_expr_text(struct cedar_check *c, const struct cedar_expr *e)
{
    struct buf b;
    buf_init(&b, (size_t)2 * WORDS_MAX);
    cedar_print_expr(e, &b);
    return kept(c, &b);
}

const char *cedar_check_uid_text(struct cedar_check *c, const struct cedar_uid *uid)
{
    struct buf b;
    buf_init(&b, (size_t)2 * WORDS_MAX);
    cedar_value_print(cedar_entity_value(uid), &b);
    return kept(c, &b);
}

/* ---- suggestions ---- */

#define SEARCHED 10000 /* names, at most */

/* "User" for "Shop::User" */
static bool unqualified(struct str word, struct str name)
{
    return name.n > word.n + 2 && str_ends(name, word) && memcmp(name.p + name.n - word.n - 2, "::", 2) == 0;
}

const char *cedar_check_list_text(struct cedar_check *c, struct str word, const struct str *name, uint32_t n)
{
    struct buf b;
    buf_init(&b, 4096);
    size_t best = word.n / 3 + 1;
    uint32_t which = n;
    for (uint32_t i = 0; i < n && i < SEARCHED; i++) {
        size_t d = unqualified(word, name[i]) ? 0 : near_distance(word, name[i]);
        if (d < best) {
            best = d;
            which = i;
        }
    }
    if (which < n) {
        buf_fmt(&b, "did you mean `" STR_FMT "`?", STR_ARG(name[which]));
        return kept(c, &b);
    }
    uint32_t i = 0;
    buf_z(&b, n ? "it has " : "it has none");
    for (; i < n && i < 5 && b.n < WORDS_MAX / 2; i++)
        buf_fmt(&b, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(name[i]));
    if (i < n)
        buf_fmt(&b, " and %u more", n - i);
    return kept(c, &b);
}
