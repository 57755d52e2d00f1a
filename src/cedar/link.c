/* Links: templates with their slots filled. */
#include "cedar/path.h"
#include "cedar/policy.h"

static bool fill(struct cedar_policies *ps, struct cedar_scope *s, const struct cedar_uid *with)
{
    if (!s->slot)
        return true;
    struct cedar_uid *uid = arena_alloc(&ps->arena, sizeof(*uid));
    struct str type = arena_str(&ps->arena, with->type), id = arena_str(&ps->arena, with->id);
    if (!uid || !type.p || !id.p)
        return false;
    *uid = cedar_uid(type, id);
    s->uid = uid;
    s->n = 1;
    s->slot = false;
    return true;
}

static enum err slot_fits(const struct cedar_policy *t, const struct cedar_scope *s, const char *name,
                          const struct cedar_uid *with, struct fault *f)
{
    if (s->slot && !with)
        return fault_set(f, ERR_SYNTAX, "the template `" STR_FMT "` has the slot %s: say what fills it",
                         STR_ARG(cedar_cut(t->id)), name);
    if (!s->slot && with)
        return fault_set(f, ERR_SYNTAX, "the template `" STR_FMT "` has no slot %s: leave it out",
                         STR_ARG(cedar_cut(t->id)), name);
    return ERR_OK;
}

enum err cedar_policies_link(struct cedar_policies *ps, struct str template_id, struct str id,
                             const struct cedar_uid *principal, const struct cedar_uid *resource, struct fault *f)
{
    const struct cedar_policy *t = cedar_policy_find(ps, template_id);
    if (!t)
        return fault_set(f, ERR_NOT_FOUND, "there is no template `" STR_FMT "`", STR_ARG(cedar_cut(template_id)));
    if (!t->is_template)
        return fault_set(f, ERR_SYNTAX, "`" STR_FMT "` is no template: it has no slots to fill",
                         STR_ARG(cedar_cut(template_id)));
    TRY(slot_fits(t, &t->principal, "?principal", principal, f));
    TRY(slot_fits(t, &t->resource, "?resource", resource, f));
    struct cedar_policy *p = arena_alloc(&ps->arena, sizeof(*p));
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for a link");
    *p = *t;
    p->id = arena_str(&ps->arena, id);
    p->is_template = false;
    p->link_of = t;
    if (!p->id.p || !fill(ps, &p->principal, principal) || !fill(ps, &p->resource, resource))
        return fault_set(f, ERR_NOMEM, "no memory for a link");
    return cedar_policies_add(ps, p, f);
}
