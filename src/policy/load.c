/* From texts to a program: ids, annotations, what waits for its tools, validation. */
#include <stdlib.h>

#include "policy/set.h"

enum { LOAD_MEMORY = 512 << 20 };

static void load_fault(const struct cedar_policies *ps, const struct cedar_policy *p, uint32_t at, const char *what,
                       struct buf *faults)
{
    unsigned line, column;
    const struct cedar_source *s = &ps->source[p->source];
    cedar_position(s->text, at, &line, &column);
    buf_fmt(faults, STR_FMT ":%u:%u: %s\n", STR_ARG(s->name), line, column, what);
}

/* Where the policy before stood: lines are counted on from there, since a text may have very many. */
struct load_line {
    uint32_t source, at;
    unsigned line;
};

/* @id, or file and line. */
static void load_name(struct cedar_policies *ps, struct cedar_policy *p, struct load_line *l)
{
    unsigned line, column;
    const struct cedar_source *s = &ps->source[p->source];
    const struct cedar_annotation *id = cedar_annotation_find(p, STR("id"));
    if (l->source != p->source)
        *l = (struct load_line){p->source, 0, 1};
    cedar_position(str_skip(s->text, l->at), p->at - l->at, &line, &column);
    *l = (struct load_line){p->source, p->at, l->line + line - 1};
    p->id =
        id && id->value.n ? id->value : arena_fmt(&ps->arena, STR_FMT ":%u", STR_ARG(policy_base(s->name)), l->line);
}

static int load_by_id(const void *a, const void *b)
{
    return str_cmp((*(struct cedar_policy *const *)a)->id, (*(struct cedar_policy *const *)b)->id);
}

static enum err load_names(struct cedar_policies *ps, struct buf *faults)
{
    size_t before = faults->n;
    struct load_line l = {.source = UINT32_MAX};
    struct cedar_policy **sorted = calloc(ps->n + 1, sizeof(*sorted));
    if (!sorted)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < ps->n; i++) {
        load_name(ps, ps->policy[i], &l);
        sorted[i] = ps->policy[i];
    }
    qsort(sorted, ps->n, sizeof(*sorted), load_by_id);
    for (uint32_t i = 1; i < ps->n; i++)
        if (str_eq(sorted[i]->id, sorted[i - 1]->id))
            load_fault(ps, sorted[i], sorted[i]->at, "a policy of this @id is there already: each has its own", faults);
    free(sorted);
    return faults->n > before ? ERR_CONFIG : arena_failed(&ps->arena) ? ERR_NOMEM : ERR_OK;
}

static enum err load_duties(const struct cedar_policies *ps, struct buf *faults)
{
    size_t before = faults->n;
    for (uint32_t i = 0; i < ps->n; i++) {
        struct fault f;
        if (duty_check(ps->policy[i], &f))
            load_fault(ps, ps->policy[i], ps->policy[i]->at, f.text, faults);
        if (ps->policy[i]->is_template)
            load_fault(ps, ps->policy[i], ps->policy[i]->at,
                       "a template: nothing links templates here; write the policy out", faults);
    }
    return faults->n > before ? ERR_CONFIG : ERR_OK;
}

/* ---- what waits ---- */

/* A tool's action, or a group that some tool is in. */
static bool load_known(const struct cedar_schema *s, const struct cedar_uid *uid)
{
    const struct cedar_action *a = cedar_schema_action(s, uid);
    if (!a || a->resources)
        return a != NULL;
    for (uint32_t i = 0; i < s->actions; i++)
        for (uint32_t k = 0; k < s->action[i].ancestors; k++)
            if (cedar_uid_eq(&s->action[i].ancestor[k], uid))
                return true;
    return false;
}

/* Drops from the scope what is no action that is known. False: nothing is left of it. */
static bool load_scope(const struct policy_set *s, struct cedar_scope *scope, struct arena *a, struct str *ret_unknown)
{
    uint32_t n = 0;
    if (scope->kind != CEDAR_EQ && scope->kind != CEDAR_IN && scope->kind != CEDAR_IN_ANY)
        return true;
    struct cedar_uid *kept = arena_alloc(a, (scope->n + 1) * sizeof(*kept));
    for (uint32_t i = 0; kept && i < scope->n; i++) {
        if (load_known(s->schema, &scope->uid[i]))
            kept[n++] = scope->uid[i];
        else if (str_is(scope->uid[i].type, "Action"))
            *ret_unknown = scope->uid[i].id;
        else
            kept[n++] = scope->uid[i]; /* no action at all: the validator says so */
    }
    if (!kept || (n == 0 && scope->n))
        return false;
    scope->uid = kept;
    scope->n = n;
    return true;
}

/* A policy whose actions are all unknown speaks of no tool that could be called: it is set aside until its tools are
 * there. A server that is away, or a tool of tomorrow, must not take all policies out of force. */
static void load_set_aside(struct policy_set *s, struct cedar_policies *ps)
{
    uint32_t n = 0;
    s->wait = arena_alloc(&s->arena, (ps->n + 1) * sizeof(*s->wait));
    s->waits = 0;
    for (uint32_t i = 0; s->wait && i < ps->n; i++) {
        struct str unknown = STR_NONE;
        struct cedar_policy *p = ps->policy[i];
        if (load_scope(s, &p->action, &ps->arena, &unknown))
            ps->policy[n++] = p;
        else
            s->wait[s->waits++] = (struct policy_wait){arena_str(&s->arena, p->id), arena_str(&s->arena, unknown)};
    }
    if (s->wait)
        ps->n = n;
}

enum err policy_parse(const struct policy_texts *t, bool shadow, struct cedar_policies **ret, struct buf *faults)
{
    struct cedar_policies *ps CLEANUP(cedar_policies_freep) = cedar_policies_new(LOAD_MEMORY);
    if (!ps)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n; i++)
        if (shadow || t->v[i].enforce)
            TRY(cedar_parse(ps, t->v[i].name, t->v[i].text, faults));
    TRY(load_names(ps, faults));
    TRY(load_duties(ps, faults));
    *ret = ps;
    ps = NULL;
    return ERR_OK;
}

enum err policy_load(struct policy_set *s, bool shadow, struct cedar_policies **ret, struct cedar_program **ret_program,
                     struct buf *faults)
{
    struct fault f = {.text = ""};
    struct cedar_policies *ps CLEANUP(cedar_policies_freep) = NULL;
    TRY(policy_parse(s->texts, shadow, &ps, faults));
    load_set_aside(s, ps);
    if (arena_failed(&s->arena) || arena_failed(&ps->arena))
        return ERR_NOMEM;
    if (s->actions) /* where no tool is known, no policy can apply, and that is no fault of theirs: nothing is let
                       through */
        TRY(cedar_validate(ps, s->schema, faults, NULL));
    enum err e = cedar_compile(ps, ret_program, &f);
    if (e) {
        buf_fmt(faults, "the policies: %s\n", f.text);
        return e;
    }
    *ret = ps;
    ps = NULL;
    return ERR_OK;
}
