/* if, && and ||: what is true where, and what is looked at at all. */
#include "cedar/check.h"

const struct cedar_caps *cedar_caps_of(struct cedar_check *c, uint32_t place)
{
    struct cedar_caps *caps = place ? arena_alloc(&c->scratch, sizeof(*caps)) : NULL;
    if (caps)
        caps->place = place;
    return caps;
}

const struct cedar_caps *cedar_caps_both(struct cedar_check *c, const struct cedar_caps *a, const struct cedar_caps *b)
{
    if (!a || !b || a == b)
        return a ? a : b;
    struct cedar_caps *caps = arena_alloc(&c->scratch, sizeof(*caps));
    if (caps)
        *caps = (struct cedar_caps){.left = a, .right = b};
    return caps;
}

static void count(struct cedar_check *c, const struct cedar_caps *caps, uint32_t by)
{
    while (caps && !caps->place) {
        count(c, caps->right, by);
        caps = caps->left;
    }
    if (caps)
        c->known[caps->place] += by;
}

void cedar_check_enter(struct cedar_check *c, const struct cedar_caps *caps)
{
    count(c, caps, 1);
}

void cedar_check_leave(struct cedar_check *c, const struct cedar_caps *caps)
{
    count(c, caps, UINT32_MAX); /* minus one */
}

/* Those of b that a has too, which is marked in `known` with the high bit. */
static void mark(struct cedar_check *c, const struct cedar_caps *a, bool on)
{
    for (; a && !a->place; a = a->left)
        mark(c, a->right, on);
    if (a)
        c->known[a->place] = on ? c->known[a->place] | 1u << 31 : c->known[a->place] & ~(1u << 31);
}

static const struct cedar_caps *marked(struct cedar_check *c, const struct cedar_caps *b)
{
    const struct cedar_caps *found = NULL;
    for (; b && !b->place; b = b->left)
        found = cedar_caps_both(c, found, marked(c, b->right));
    if (b && c->known[b->place] >> 31) {
        c->known[b->place] &= ~(1u << 31); /* once is enough */
        found = cedar_caps_both(c, b, found);
    }
    return found;
}

static const struct cedar_caps *common(struct cedar_check *c, const struct cedar_caps *a, const struct cedar_caps *b)
{
    if (!a || !b)
        return NULL;
    mark(c, a, true);
    const struct cedar_caps *found = marked(c, b);
    mark(c, a, false);
    return found;
}

/* Both branches may be taken: they have a common type, and what is known is what both know. */
static struct cedar_found either(struct cedar_check *c, const struct cedar_expr *e, const struct cedar_caps *test)
{
    cedar_check_enter(c, test);
    struct cedar_found b = cedar_check_expr(c, e->b);
    cedar_check_leave(c, test);
    struct cedar_found d = cedar_check_expr(c, e->c);
    if (!b.type || !d.type)
        return cedar_found_if(false, NULL);
    const struct cedar_type *t = cedar_type_join(&c->join, b.type, d.type);
    if (!t && cedar_check_wrong(c, e, e->at, CEDAR_WRONG_JOIN))
        cedar_check_say(c, "`if` comes to %s or to %s: both must be of one type", cedar_check_type_text(c, b.type),
                        cedar_check_type_text(c, d.type));
    if (!t || !b.ok || !d.ok)
        return cedar_found_if(false, t);
    return (struct cedar_found){.type = t, .ok = true, .caps = common(c, cedar_caps_both(c, test, b.caps), d.caps)};
}

struct cedar_found cedar_check_if(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found test = cedar_check_operand(c, e, e->a, CEDAR_WANT_BOOL), r;
    if (test.type && test.type->kind == CEDAR_T_TRUE) {
        cedar_check_enter(c, test.caps);
        r = cedar_check_expr(c, e->b);
        cedar_check_leave(c, test.caps);
        r.caps = cedar_caps_both(c, test.caps, r.caps);
    } else if (test.type && test.type->kind == CEDAR_T_FALSE) {
        r = cedar_check_expr(c, e->c);
    } else {
        r = either(c, e, test.caps);
    }
    if (!test.ok || !r.ok)
        return cedar_found_if(false, r.type);
    return r;
}

/* a && b, when both are typed and a is not False */
static struct cedar_found both(struct cedar_check *c, struct cedar_found a, struct cedar_found b)
{
    bool ok = a.ok && b.ok;
    if (!a.type || !b.type)
        return cedar_found_if(false, &cedar_type_bool);
    if (b.type->kind == CEDAR_T_FALSE)
        return cedar_found_if(ok, b.type);
    struct cedar_found r = {.type = &cedar_type_bool, .ok = ok};
    if (b.type->kind == CEDAR_T_TRUE)
        r.type = a.type;
    else if (a.type->kind == CEDAR_T_TRUE)
        r.type = b.type;
    if (ok)
        r.caps = cedar_caps_both(c, a.caps, b.caps);
    return r;
}

struct cedar_found cedar_check_and(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_operand(c, e, e->a, CEDAR_WANT_BOOL);
    if (a.type && a.type->kind == CEDAR_T_FALSE)
        return cedar_found_if(a.ok, a.type);
    cedar_check_enter(c, a.caps);
    struct cedar_found b = cedar_check_operand(c, e, e->b, CEDAR_WANT_BOOL);
    cedar_check_leave(c, a.caps);
    return both(c, a, b);
}

/* a || b, when both are typed and a is not True */
static struct cedar_found one(struct cedar_check *c, struct cedar_found a, struct cedar_found b)
{
    bool ok = a.ok && b.ok;
    if (!a.type || !b.type)
        return cedar_found_if(false, &cedar_type_bool);
    struct cedar_found r = {.type = &cedar_type_bool, .ok = ok};
    if (b.type->kind == CEDAR_T_TRUE || a.type->kind == CEDAR_T_FALSE)
        r = (struct cedar_found){.type = b.type, .ok = ok, .caps = b.caps};
    else if (b.type->kind == CEDAR_T_FALSE)
        r = (struct cedar_found){.type = a.type, .ok = ok, .caps = a.caps};
    else if (ok)
        r.caps = common(c, a.caps, b.caps);
    if (!ok)
        r.caps = NULL;
    return r;
}

struct cedar_found cedar_check_or(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_operand(c, e, e->a, CEDAR_WANT_BOOL);
    if (a.type && a.type->kind == CEDAR_T_TRUE)
        return a;
    return one(c, a, cedar_check_operand(c, e, e->b, CEDAR_WANT_BOOL));
}
