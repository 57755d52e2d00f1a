/* Strict validation of a whole set of policies. */
#include "cedar/check.h"

static void check_one(struct cedar_check *c, const struct cedar_policy *p)
{
    c->policy = p;
    c->problem = NULL;
    c->problem_slot = NULL;
    c->problems = c->problems_cap = 0;
    arena_reset(&c->keep);
    if (p->link_of)
        cedar_check_link(c);
    else
        cedar_check_policy(c);
    if (!c->err && (arena_failed(&c->keep)))
        c->err = ERR_NOMEM;
}

enum err cedar_validate(const struct cedar_policies *ps, const struct cedar_schema *s, struct buf *faults,
                        struct buf *warnings)
{
    struct cedar_check c = {.schema = s, .policies = ps, .faults = faults, .warnings = warnings};
    arena_init(&c.keep, CEDAR_CHECK_MEMORY);
    arena_init(&c.scratch, CEDAR_CHECK_MEMORY);
    for (uint32_t i = 0; i < ps->n && !c.err; i++)
        check_one(&c, ps->policy[i]);
    if (c.untold)
        buf_fmt(faults, "and %u more\n", c.untold);
    if (c.unwarned)
        buf_fmt(warnings, "and %u more\n", c.unwarned);
    arena_done(&c.keep);
    arena_done(&c.scratch);
    return c.err ? c.err : c.told + c.untold ? ERR_SYNTAX : ERR_OK;
}
