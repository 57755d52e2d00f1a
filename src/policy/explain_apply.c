/* A request with one thing of it changed. */
#include "policy/explain.h"
#include "policy/set.h"

enum { APPLY_DAY_MS = 24 * 60 * 60 * 1000, APPLY_HOUR_MS = 60 * 60 * 1000 };

/* The record with the value at the end of the names; CEDAR_NONE: without it. As deep as there are names. */
static const struct cedar_record *apply_record(const struct cedar_record *r, const struct str *name, unsigned names,
                                               struct cedar_value v, struct arena *a)
{
    size_t n = 0;
    struct cedar_value ret;
    const struct cedar_value *old = cedar_record_get(r, name[0]);
    struct cedar_field *f = arena_raw(a, (r->n + 1) * sizeof(*f), 16);
    if (!f)
        return NULL;
    if (names > 1) {
        const struct cedar_record *below = old && old->kind == CEDAR_RECORD ? old->record : &cedar_record_empty;
        v = (struct cedar_value){.kind = CEDAR_RECORD, .record = apply_record(below, name + 1, names - 1, v, a)};
        if (!v.record)
            return NULL;
    }
    for (uint32_t i = 0; i < r->n; i++)
        if (!str_eq(r->f[i].name, name[0]))
            f[n++] = r->f[i];
    if (v.kind != CEDAR_NONE)
        f[n++] = (struct cedar_field){name[0], v};
    return cedar_record_of(f, n, a, &ret) ? NULL : ret.record;
}

/* ---- time: one moment, in three ways ---- */

static bool apply_is(const struct policy_set *s, int64_t ms, const struct explain_fix *fix, struct arena *a,
                     struct cedar_value *ret)
{
    struct cedar_value moment = policy_moment(s, ms, a);
    const struct cedar_value *v = moment.kind == CEDAR_RECORD ? cedar_record_get(moment.record, fix->at.name[1]) : NULL;
    if (!v || !cedar_value_eq(*v, fix->value))
        return false;
    *ret = moment;
    return true;
}

static bool apply_time(const struct policy_set *s, const struct cedar_request *r, const struct explain_fix *fix,
                       struct arena *a, struct cedar_value *ret)
{
    static const struct explain_path when = {CEDAR_CONTEXT, {STR("time"), STR("datetime")}, 2};
    struct cedar_value now = explain_path_value(&when, r);
    bool hour = str_is(fix->at.name[1], "hour"), day = str_is(fix->at.name[1], "weekday");
    int64_t ms;
    if (fix->at.names != 2 || now.kind != CEDAR_DATETIME)
        return false;
    if (fix->value.kind == CEDAR_DATETIME)
        return apply_is(s, fix->value.i, fix, a, ret);
    for (int i = 1; i < (hour ? 24 : day ? 7 : 0); i++)
        if (!__builtin_add_overflow(now.i, i * (int64_t)(hour ? APPLY_HOUR_MS : APPLY_DAY_MS), &ms) &&
            apply_is(s, ms, fix, a, ret))
            return true;
    return false;
}

/* ---- entities ---- */

static struct cedar_entity *apply_entity(const struct cedar_request *r, const struct cedar_uid *uid,
                                         const struct explain_fix *fix, struct arena *a)
{
    const struct cedar_entity *old = cedar_world_find(&r->world, uid);
    struct cedar_entity *e = arena_alloc(a, sizeof(*e));
    if (!old || !e)
        return NULL;
    *e = *old;
    e->attrs = apply_record(old->attrs, fix->at.name, fix->at.names, fix->value, a);
    return e->attrs ? e : NULL;
}

static bool apply_type(struct cedar_entity *e, struct str type, struct arena *a)
{
    struct cedar_uid *uid = arena_alloc(a, sizeof(*uid));
    const struct cedar_uid **above = arena_alloc(a, sizeof(*above));
    if (!uid || !above)
        return false;
    *uid = cedar_uid(STR("AgentType"), type);
    above[0] = uid;
    e->ancestors = above;
    e->n = 1;
    return true;
}

static enum err apply_own(const struct cedar_request *r, const struct cedar_entity *e, struct arena *a,
                          struct cedar_request *ret)
{
    uint32_t n = 0;
    const struct cedar_entity **own = arena_alloc(a, (r->world.n + 1) * sizeof(*own));
    if (!own)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < r->world.n; i++)
        if (!cedar_uid_eq(&r->world.own[i]->uid, &e->uid))
            own[n++] = r->world.own[i];
    own[n++] = e;
    *ret = *r;
    ret->world.own = own;
    ret->world.n = n;
    return ERR_OK;
}

static enum err apply_agent(const struct cedar_request *r, const struct explain_fix *fix, struct arena *a,
                            struct cedar_request *ret)
{
    if (fix->at.names != 1 || fix->value.kind != CEDAR_STRING)
        return ERR_NOT_FOUND;
    struct cedar_entity *e = apply_entity(r, &r->principal, fix, a);
    if (!e || (str_is(fix->at.name[0], "type") && !apply_type(e, cedar_value_str(fix->value), a)))
        return ERR_NOMEM;
    return apply_own(r, e, a, ret);
}

/* The risk is what the configuration says of the tool; the rest is the tool. */
static enum err apply_tool(const struct cedar_request *r, const struct explain_fix *fix, struct arena *a,
                           struct cedar_request *ret)
{
    if (fix->at.names != 1 || !str_is(fix->at.name[0], "risk") || fix->value.kind != CEDAR_STRING)
        return ERR_NOT_FOUND;
    for (unsigned i = DUTY_RISK_LOW; duty_risks[i]; i++)
        if (str_is(cedar_value_str(fix->value), duty_risks[i])) {
            struct cedar_entity *e = apply_entity(r, &r->resource, fix, a);
            return e ? apply_own(r, e, a, ret) : ERR_NOMEM;
        }
    return ERR_NOT_FOUND;
}

/* ---- the whole ---- */

/* What a session always has cannot be taken away, and its id is no circumstance. */
static bool apply_session(const struct explain_fix *fix)
{
    static const char *const always[] = {"age", "calls", "scopes", "taints"};
    struct str name = fix->at.name[1];
    if (fix->at.names != 2 || str_is(name, "id"))
        return false;
    if ((str_is(name, "age") || str_is(name, "calls")) && fix->value.i < 0)
        return false;
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        if (fix->value.kind == CEDAR_NONE && str_is(name, always[i]))
            return false;
    return true;
}

/* Arguments that the tool must have cannot be taken away. */
static bool apply_input(const struct policy_set *s, const struct cedar_request *r, const struct explain_fix *fix)
{
    const struct shape *shape = NULL;
    for (size_t i = 0; i < s->tools; i++)
        if (cedar_uid_eq(&s->tool[i].uid, &r->resource))
            shape = s->tool[i].input;
    bool required = false;
    for (unsigned n = 1; n < fix->at.names && shape; n++) {
        const struct shape_field *field = NULL;
        for (size_t i = 0; shape->kind == SHAPE_RECORD && i < shape->fields; i++)
            if (str_eq(shape->field[i].name, fix->at.name[n]))
                field = &shape->field[i];
        required = field && field->required;
        shape = field ? field->shape : NULL;
    }
    return shape && !(required && fix->value.kind == CEDAR_NONE);
}

enum err explain_apply(const struct policy_set *s, const struct cedar_request *r, const struct explain_fix *fix,
                       struct arena *a, struct cedar_request *ret)
{
    struct explain_fix whole = *fix;
    if (cedar_value_eq(explain_path_value(&fix->at, r), fix->value))
        return ERR_NOT_FOUND;
    if (fix->at.var == CEDAR_PRINCIPAL)
        return apply_agent(r, fix, a, ret);
    if (fix->at.var == CEDAR_RESOURCE)
        return apply_tool(r, fix, a, ret);
    if (fix->at.var != CEDAR_CONTEXT || fix->at.names < 2)
        return ERR_NOT_FOUND;
    if (str_is(fix->at.name[0], "time")) {
        if (!apply_time(s, r, fix, a, &whole.value))
            return ERR_NOT_FOUND;
        whole.at.names = 1;
    } else if (str_is(fix->at.name[0], "session") ? !apply_session(fix) : !apply_input(s, r, fix)) {
        return ERR_NOT_FOUND;
    }
    const struct cedar_record *context = apply_record(r->context, whole.at.name, whole.at.names, whole.value, a);
    if (!context)
        return ERR_NOMEM;
    *ret = *r;
    ret->context = context;
    return ERR_OK;
}
