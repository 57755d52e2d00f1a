/*
 * Whose word a policy takes: what a server says of its tools, what an agent says for itself, and what an agent can
 * write differently, or leave out.
 */
#include "cedar/print.h"
#include "policy/lint_inner.h"

enum { TRUST_PATH = 16 };

struct trust {
    struct lint_run *r;
    struct lint_policy *p;
    bool claims, words, avoidable; /* told */
};

/* Whether an expression, being true, works for the policy's effect or against it: what stands in an `unless` works
 * against it. */
typedef void trust_look(struct trust *t, const struct cedar_expr *e, bool against);

static bool trust_is_false(const struct cedar_expr *e)
{
    return e->op == CEDAR_OP_LIT && e->lit.kind == CEDAR_BOOL && !e->lit.b;
}

static void trust_walk(struct trust *t, const struct cedar_expr *e, bool against, trust_look *look)
{
    const struct cedar_expr *child;
    look(t, e, against);
    if (e->op == CEDAR_OP_NOT || e->op == CEDAR_OP_NE ||
        (e->op == CEDAR_OP_EQ && (trust_is_false(e->a) || trust_is_false(e->b))))
        against = !against;
    for (uint32_t i = 0; (child = lint_child(e, i)); i++) /* as deep as the parser lets it be */
        trust_walk(t, child, against, look);
}

static bool trust_permits(const struct trust *t)
{
    return t->p->p->effect == CEDAR_PERMIT;
}

/* ---- claims ---- */

static void trust_claims(struct trust *t, const struct cedar_expr *e, bool against)
{
    static const char right[] = "go by resource.risk, or by Action::\"read-only\", which the configuration vouches for";
    if (t->claims || !lint_is_claims(e) || (!trust_permits(t) && !against))
        return;
    t->claims = true;
    if (trust_permits(t))
        lint_tell(t->r, LINT_CODE_CLAIMS, t->p, e->at,
                  STR("a permit goes by resource.claims, which the tool's server says of itself"), str_of(right));
    else
        lint_note(t->r, LINT_CODE_CLAIMS, t->p, e->at,
                  STR("resource.claims, which the tool's server says of itself, lifts this forbid"), str_of(right));
}

/* ---- the agent's words ---- */

static bool trust_is_plea(struct str name)
{
    static const char *const pleas[] = {
        "reason",        "reasoning",    "reasons",      "justification", "justify",    "rationale",    "explanation",
        "explain",       "approved",     "isapproved",   "approval",      "approvedby", "approver",     "confirmed",
        "isconfirmed",   "confirm",      "confirmation", "authorized",    "authorised", "isauthorized", "permission",
        "userconfirmed", "userapproved", "trusted",      "verified",      NULL};
    char low[32];
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c == '_' || c == '-')
            continue;
        if (n == sizeof(low))
            return false;
        low[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return lint_is_value(pleas, (struct str){low, n});
}

static void trust_words(struct trust *t, const struct cedar_expr *e, bool against)
{
    struct str name[TRUST_PATH];
    if (t->words || (e->op != CEDAR_OP_GET && e->op != CEDAR_OP_HAS) || !trust_is_plea(e->name) ||
        (!trust_permits(t) && !against))
        return;
    if (!lint_is_path(e->of, CEDAR_CONTEXT, "input", NULL) && !lint_input_path(e->of, name, TRUST_PATH))
        return;
    t->words = true;
    lint_tell(t->r, LINT_CODE_AGENT_WORDS, t->p, e->at,
              arena_fmt(t->r->a, "the agent writes " STR_FMT " itself, and this %s",
                        STR_ARG(ARENA_JOIN(t->r->a, STR("`"), e->name, STR("`"))),
                        trust_permits(t) ? "permit goes by it" : "forbid is lifted by it"),
              STR("what an agent says must not widen what it may do: let a person approve, @approve(\"one\")"));
}

/* ---- free text ---- */

/* The JSON Schema of an argument; 0: not found, or behind a reference. */
static uint32_t trust_schema(const struct policy_tool *t, const struct str *name, unsigned n)
{
    const struct json *j = &t->claims_doc;
    uint32_t at = json_get(j, JSON_ROOT, STR("inputSchema"));
    for (unsigned i = 0; i < n && at; i++)
        at = json_get(j, json_get(j, at, STR("properties")), name[i]);
    return at;
}

static bool trust_is_free(const struct trust *t, const struct str *name, unsigned n)
{
    for (size_t i = 0; i < t->r->s->tools; i++) {
        const struct policy_tool *tool = &t->r->s->tool[i];
        const struct shape *s = t->r->verdict[i] == LINT_NEVER ? NULL : tool->input;
        for (unsigned k = 0; k < n && s; k++) {
            const struct shape *below = NULL;
            for (size_t m = 0; s->kind == SHAPE_RECORD && m < s->fields; m++)
                if (str_eq(s->field[m].name, name[k]))
                    below = s->field[m].shape;
            s = below;
        }
        uint32_t at = trust_schema(tool, name, n);
        if (s && s->kind == SHAPE_STRING && !json_get(&tool->claims_doc, at, STR("enum")) &&
            !json_get(&tool->claims_doc, at, STR("const")))
            return true;
    }
    return false;
}

/* A part that only keeps some texts out. */
static bool trust_excludes(const struct trust *t, const struct lint_part *part)
{
    struct str name[TRUST_PATH];
    const struct cedar_expr *e = part->expr, *of = NULL;
    bool out = e->op == CEDAR_OP_NE ? part->want : !part->want;
    if (e->op == CEDAR_OP_LIKE)
        of = e->of;
    else if (e->op == CEDAR_OP_EQ || e->op == CEDAR_OP_NE)
        of = e->b->op == CEDAR_OP_LIT ? e->a : e->b;
    else if (e->op == CEDAR_OP_CONTAINS && e->a->op == CEDAR_OP_SET)
        of = e->b;
    unsigned n = out && of ? lint_input_path(of, name, TRUST_PATH) : 0;
    return n && trust_is_free(t, name, n);
}

/* has x && x like …, which must not be: out of which only the second half counts. */
static bool trust_excludes_guarded(const struct trust *t, const struct lint_part *part)
{
    if (part->want || part->expr->op != CEDAR_OP_AND)
        return trust_excludes(t, part);
    const struct lint_part half[] = {{part->expr->a, false, 0}, {part->expr->b, false, 0}};
    return (half[0].expr->op == CEDAR_OP_HAS || trust_excludes(t, &half[0])) && trust_excludes(t, &half[1]);
}

static void trust_negative(struct trust *t)
{
    const struct lint_policy *p = t->p;
    const struct cedar_expr *first = NULL;
    if (p->parts == UINT32_MAX)
        return;
    for (uint32_t i = 0; i < p->parts; i++) {
        const struct lint_part *part = &p->part[i];
        if (part->expr->op == CEDAR_OP_HAS && part->want)
            continue;
        if (!trust_excludes_guarded(t, part))
            return;
        first = !first || lint_start(part->expr) < lint_start(first) ? part->expr : first;
    }
    if (first)
        lint_tell(t->r, LINT_CODE_NEGATIVE, p, lint_start(first),
                  STR("this permits every text but a few, and the same thing can be written in many ways"),
                  STR("name the texts that are allowed"));
}

/* ---- what can be left out ---- */

static bool trust_optional(const struct policy_tool *tool, const struct str *name, unsigned n, struct str last)
{
    const struct shape *s = tool->input;
    for (unsigned i = 0; i <= n; i++) {
        struct str want = i < n ? name[i] : last;
        const struct shape_field *found = NULL;
        for (size_t k = 0; s->kind == SHAPE_RECORD && k < s->fields; k++)
            if (str_eq(s->field[k].name, want))
                found = &s->field[k];
        if (!found || i == n)
            return found && !found->required;
        s = found->shape;
    }
    return false;
}

/* Whether the policy reads what `has` asks for. If not, it is the argument itself that is forbidden. */
static bool trust_reads(struct lint_run *r, const struct cedar_expr *e, const struct cedar_expr *has)
{
    const struct cedar_expr *child;
    if (r->steps++ > LINT_STEPS)
        return false;
    if (e->op == CEDAR_OP_GET && str_eq(e->name, has->name) && cedar_expr_same(e->of, has->of))
        return true;
    for (uint32_t i = 0; (child = lint_child(e, i)); i++) /* as deep as the parser lets it be */
        if (trust_reads(r, child, has))
            return true;
    return false;
}

static bool trust_is_guard(const struct trust *t, const struct cedar_expr *has)
{
    for (uint32_t i = 0; i < t->p->p->conditions; i++)
        if (trust_reads(t->r, t->p->p->condition[i].expr, has))
            return true;
    return false;
}

static void trust_avoidable(struct trust *t, const struct cedar_expr *e, bool against)
{
    struct str name[TRUST_PATH];
    if (t->avoidable || against || e->op != CEDAR_OP_HAS || !trust_is_guard(t, e))
        return;
    unsigned n = lint_input_path(e->of, name, TRUST_PATH);
    if (!n && !lint_is_path(e->of, CEDAR_CONTEXT, "input", NULL))
        return;
    for (size_t i = 0; i < t->r->s->tools; i++) {
        const struct policy_tool *tool = &t->r->s->tool[i];
        if (t->r->verdict[i] == LINT_NEVER || !trust_optional(tool, name, n, e->name))
            continue;
        t->avoidable = true;
        lint_tell(t->r, LINT_CODE_AVOIDABLE, t->p, e->at,
                  arena_fmt(t->r->a, "a call of " STR_FMT " without `" STR_FMT "` is not forbidden by this",
                            STR_ARG(tool->fact.id), STR_ARG(e->name)),
                  STR("forbid … unless it is there and has a value that is right"));
        return;
    }
}

void lint_trust(struct lint_run *r, struct lint_policy *p)
{
    struct trust t = {.r = r, .p = p};
    for (uint32_t i = 0; i < p->p->conditions; i++) {
        const struct cedar_condition *c = &p->p->condition[i];
        trust_walk(&t, c->expr, c->unless, trust_claims);
        trust_walk(&t, c->expr, c->unless, trust_words);
        if (!trust_permits(&t))
            trust_walk(&t, c->expr, c->unless, trust_avoidable);
    }
    if (trust_permits(&t))
        trust_negative(&t);
}
