/* Every policy with every tool: the rules in their order, and what was found in the order of the texts. */
#include "policy/lint_inner.h"

#include <stdlib.h>

enum { LINT_MEMORY = 512 << 20, LINT_TOOLS_SHOWN = 3 };

const char *const lint_severities[] = {"note", "warning", "error"};
const char *const lint_codes[] = {
#define LINT(name, code, severity, what) code,
#include "policy/lint.def"
#undef LINT
};
const char *const lint_meanings[] = {
#define LINT(name, code, severity, what) what,
#include "policy/lint.def"
#undef LINT
};
const enum lint_severity lint_usual[] = {
#define LINT(name, code, severity, what) LINT_##severity,
#include "policy/lint.def"
#undef LINT
};

/* ---- what was found ---- */

struct lint_place {
    struct lint_finding f;
    uint32_t source; /* UINT32_MAX: no text */
    uint32_t at;
    uint32_t order;
};

static struct lint_place *lint_put(struct lint_run *r, enum lint_code code, const struct lint_policy *p)
{
    static struct lint_place *const none;
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 64;
        struct lint_place *v = arena_raw(r->a, cap * sizeof(*v), 16);
        if (!v)
            return none;
        if (r->n)
            memcpy(v, r->found, r->n * sizeof(*v));
        r->found = v;
        r->cap = cap;
    }
    struct lint_place *x = &r->found[r->n];
    *x = (struct lint_place){.f = {.code = code, .severity = lint_usual[code]},
                             .source = p ? p->p->source : UINT32_MAX,
                             .order = (uint32_t)r->n++};
    if (p)
        x->f.policy = arena_str(r->a, p->p->id);
    return x;
}

static struct lint_place *lint_put_words(struct lint_run *r, enum lint_code code, const struct lint_policy *p,
                                         uint32_t at, struct str what, struct str right)
{
    struct lint_place *x = lint_put(r, code, p);
    if (!x)
        return NULL;
    x->at = at;
    x->f.what = arena_str(r->a, what);
    x->f.right = arena_str(r->a, right);
    return x;
}

void lint_tell(struct lint_run *r, enum lint_code code, const struct lint_policy *p, uint32_t at, struct str what,
               struct str right)
{
    (void)lint_put_words(r, code, p, at, what, right);
}

void lint_note(struct lint_run *r, enum lint_code code, const struct lint_policy *p, uint32_t at, struct str what,
               struct str right)
{
    struct lint_place *x = lint_put_words(r, code, p, at, what, right);
    if (x)
        x->f.severity = LINT_NOTE;
}

static int lint_by_place(const void *a, const void *b)
{
    const struct lint_place *x = a, *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* Counted on from the finding before: a text is gone through once. */
static void lint_places(struct lint_run *r)
{
    uint32_t source = UINT32_MAX, from = 0;
    unsigned line = 1, column = 1;
    if (r->n)
        qsort(r->found, r->n, sizeof(*r->found), lint_by_place);
    for (size_t i = 0; i < r->n && r->found[i].source != UINT32_MAX; i++) {
        struct lint_place *x = &r->found[i];
        const struct cedar_source *s = &r->ps->source[x->source];
        unsigned down, right;
        if (x->source != source) {
            source = x->source;
            from = 0;
            line = column = 1;
        }
        cedar_position(str_skip(s->text, from), x->at - from, &down, &right);
        line += down - 1;
        column = down > 1 ? right : column + right - 1;
        from = x->at;
        x->f.line = line;
        x->f.column = column;
        x->f.file = arena_str(r->a, s->name);
    }
}

/* ---- rules of one policy ---- */

static struct str lint_tools_text(struct lint_run *r, const struct policy_tool *const *v, size_t n)
{
    struct str s = STR_NONE;
    for (size_t i = 0; i < n && i < LINT_TOOLS_SHOWN; i++)
        s = arena_fmt(r->a, STR_FMT "%s" STR_FMT " (risk %s)", STR_ARG(s), i ? ", " : "", STR_ARG(v[i]->fact.id),
                      v[i]->risk);
    return n > LINT_TOOLS_SHOWN ? arena_fmt(r->a, STR_FMT " and %zu more", STR_ARG(s), n - LINT_TOOLS_SHOWN) : s;
}

static bool lint_is_risky(const struct policy_tool *t)
{
    return str_is(str_of(t->risk), "high") || str_is(str_of(t->risk), "critical");
}

static void lint_bare(struct lint_run *r, const struct lint_policy *p)
{
    struct duty d = {0};
    size_t n = 0;
    const struct policy_tool **v = arena_alloc(&r->scratch, (r->s->tools + 1) * sizeof(*v));
    if (!v || p->p->effect != CEDAR_PERMIT || duty_add(&d, p->p, NULL) || d.approvals || d.risk >= DUTY_RISK_HIGH)
        return;
    for (size_t i = 0; i < r->s->tools; i++)
        if (r->verdict[i] == LINT_ALWAYS && lint_is_risky(&r->s->tool[i]))
            v[n++] = &r->s->tool[i];
    if (!n)
        return;
    lint_tell(r, LINT_CODE_BARE_CRITICAL, p, p->p->at,
              arena_fmt(r->a, "every call of " STR_FMT " is permitted, whatever its arguments",
                        STR_ARG(lint_tools_text(r, v, n))),
              STR("add a condition on arguments, session or time, or @approve(\"one\"); if the risk is lower, the "
                  "configuration says so"));
}

static void lint_never(struct lint_run *r, struct lint_policy *p, bool scope)
{
    if (p->never)
        return;
    p->never = true;
    if (scope)
        lint_tell(r, LINT_CODE_NEVER, p, p->p->at,
                  STR("this never applies, since its conditions cannot be true together for any tool that is known"),
                  STR("look for parts that exclude each other"));
    else
        lint_tell(r, LINT_CODE_NEVER, p, p->p->at,
                  STR("this never applies, since no tool that is known has both its action and its resource"),
                  STR("name an action of a tool of that server"));
}

static void lint_cover(struct lint_run *r, const struct lint_policy *p)
{
    bool permit = p->p->effect == CEDAR_PERMIT;
    bool all = p->p->principal.kind == CEDAR_ANY || p->p->principal.kind == CEDAR_IS;
    for (size_t i = 0; p->enforced && i < r->s->tools; i++)
        if (permit ? r->verdict[i] != LINT_NEVER : all && r->verdict[i] == LINT_ALWAYS)
            r->covered[i] = true; /* or forbidden on purpose */
}

static void lint_one(struct lint_run *r, struct lint_policy *p)
{
    bool scope = false, may = false;
    uint8_t same = LINT_NEVER;
    lint_split(r, p);
    lint_unknown(r, p);
    if (p->waits)
        return;
    lint_words(r, p);
    for (uint32_t i = 0; i < p->p->conditions; i++)
        p->by_tool = p->by_tool || lint_about_tool(p->p->condition[i].expr);
    for (size_t i = 0; i < r->s->tools; i++) {
        bool fits = lint_fits(r, p->p, &r->s->tool[i]);
        if (fits && (p->by_tool || !scope))
            same = (uint8_t)lint_judge(r, p, &r->s->tool[i]);
        r->verdict[i] = fits ? same : LINT_NEVER;
        scope = scope || fits;
        may = may || r->verdict[i] != LINT_NEVER;
    }
    p->idle = !may && scope && p->by_tool && !lint_counts_up(r, p->p) && !lint_contradicts(r, p);
    if (!may && !p->idle && r->s->tools)
        lint_never(r, p, scope);
    lint_cover(r, p);
    lint_trust(r, p);
    if (may)
        lint_bare(r, p);
    arena_reset(&r->scratch);
}

/* ---- rules of the whole ---- */

/* The validator's warnings. It is asked policy by policy, so that none is lost behind the first twenty. */
static void lint_validator(struct lint_run *r, struct lint_policy *p, const struct cedar_policies *ps,
                           struct cedar_policy *valid)
{
    struct buf faults CLEANUP(buf_done), warnings CLEANUP(buf_done);
    struct cedar_policies one = *ps;
    buf_init(&faults, 65536);
    buf_init(&warnings, 65536);
    one.policy = &valid;
    one.n = 1;
    if (cedar_validate(&one, r->s->schema, &faults, &warnings))
        return; /* it was valid when the set was made: no memory */
    for (struct str rest = buf_view(&warnings), line; rest.n;) {
        struct str what, part;
        str_cut(&rest, '\n', &line);
        line = str_skip(line, ps->source[valid->source].name.n + 1);
        if (!str_cut(&line, ':', &part) || !str_cut(&line, ':', &part))
            continue;
        line = str_trim(line);
        if (str_starts(line, STR("this policy never applies"))) {
            if (!p->never)
                lint_never(r, p, true);
        } else {
            str_cut(&line, ':', &what);
            lint_tell(r, LINT_CODE_LOOKALIKE, p, p->p->at, what, str_trim(line));
        }
    }
}

/* A rule for tools of a kind that there is none of yet may be meant so. */
static void lint_idle(struct lint_run *r, struct lint_policy *p)
{
    if (!p->idle || p->never)
        return;
    p->never = true;
    lint_note(r, LINT_CODE_NEVER, p, p->p->at, STR("this applies to none of the tools that are known today"),
              STR("it is right as it is when it is meant for tools to come"));
}

static struct lint_policy *lint_at(struct lint_run *r, const struct cedar_policy *valid, uint32_t *i)
{
    for (; *i < r->policies; ++*i)
        if (str_eq(r->policy[*i].p->id, valid->id))
            return &r->policy[(*i)++];
    return NULL;
}

static void lint_uncovered(struct lint_run *r)
{
    for (size_t i = 0; i < r->s->tools; i++) {
        struct lint_place *x = r->covered[i] ? NULL : lint_put(r, LINT_CODE_UNCOVERED, NULL);
        if (!x)
            continue;
        x->f.tool = arena_str(r->a, r->s->tool[i].fact.id);
        x->f.what = STR("no policy permits this tool, so every call of it is denied");
        x->f.right = STR("permit it, or forbid it where that is meant");
    }
}

static void lint_files(struct lint_run *r)
{
    const struct policy_texts *t = r->s->texts;
    for (uint32_t i = 0; i < t->n && i < r->ps->sources; i++) {
        struct lint_place *x = t->v[i].enforce ? NULL : lint_put(r, LINT_CODE_NOT_ENFORCED, NULL);
        if (!x)
            continue;
        x->source = i;
        x->f.what = STR("this file is judged and put on record, and not enforced");
        x->f.right = STR("enforce: true in the configuration, when the record shows that it decides well");
    }
}

/* Nobody wrote this one: it has no rules to break. */
static void lint_built_in(struct lint_run *r)
{
    size_t risky = 0;
    struct lint_place *x = lint_put(r, LINT_CODE_BUILT_IN, NULL);
    for (size_t i = 0; i < r->s->tools; i++)
        risky += lint_is_risky(&r->s->tool[i]);
    if (!x)
        return;
    x->f.what = STR("no files of policies are configured: what the registry and the scopes allow goes through");
    x->f.right = arena_fmt(r->a,
                           "policy.files names them; of the %zu tools that are known %zu are of risk high or "
                           "critical",
                           r->s->tools, risky);
}

static void lint_all(struct lint_run *r)
{
    const struct cedar_policies *valid = r->s->shadow_policies ? r->s->shadow_policies : r->s->policies;
    for (uint32_t i = 0; i < r->policies && !arena_failed(r->a); i++)
        lint_one(r, &r->policy[i]);
    for (uint32_t i = 0, at = 0; i < valid->n; i++) { /* both in the order of the texts */
        struct lint_policy *p = lint_at(r, valid->policy[i], &at);
        if (p)
            lint_validator(r, p, valid, valid->policy[i]);
    }
    for (uint32_t i = 0; i < r->policies; i++)
        lint_idle(r, &r->policy[i]);
    lint_pairs(r);
    lint_files(r);
    if (!r->s->tools)
        return;
    lint_uncovered(r);
}

/* ---- the run ---- */

static enum err lint_begin(struct lint_run *r, struct fault *f)
{
    const struct policy_set *s = r->s;
    struct buf faults CLEANUP(buf_done);
    buf_init(&faults, 65536);
    if (policy_parse(s->texts, true, &r->ps, &faults)) /* it went well when the set was made */
        return fault_set(f, ERR_NOMEM, "no memory to look at the policies");
    struct arena *a = &r->ps->arena;
    r->policies = r->ps->n;
    r->policy = arena_alloc(a, (r->policies + 1) * sizeof(*r->policy));
    r->action = arena_alloc(a, (s->actions + 1) * sizeof(*r->action));
    r->verdict = arena_alloc(a, s->tools + 1);
    r->covered = arena_alloc(a, s->tools + 1);
    r->names.action = arena_alloc(a, (s->schema->actions + 1) * sizeof(struct str));
    r->names.tool = arena_alloc(a, (s->tools + 1) * sizeof(struct str));
    r->names.server = arena_alloc(a, (s->tools + 1) * sizeof(struct str));
    if (arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory to look at the policies");
    for (uint32_t i = 0; i < r->policies; i++)
        r->policy[i] =
            (struct lint_policy){.p = r->ps->policy[i], .enforced = s->texts->v[r->ps->policy[i]->source].enforce};
    for (uint32_t i = 0; i < s->schema->actions; i++)
        r->names.action[i] = s->schema->action[i].uid.id;
    for (size_t i = 0; i < s->tools; i++) {
        r->names.tool[i] = s->tool[i].fact.id;
        r->names.server[i] = s->tool[i].fact.server;
    }
    for (size_t i = 0; i < s->actions; i++)
        r->action[i] = cedar_schema_action(s->schema, &s->action[i].uid);
    return ERR_OK;
}

static enum err lint_end(struct lint_run *r, struct lint *ret, struct fault *f)
{
    lint_places(r);
    struct lint l = {.n = r->n, .policies = r->policies, .v = arena_alloc(r->a, (r->n + 1) * sizeof(*l.v))};
    for (size_t i = 0; l.v && i < r->n; i++) {
        l.v[i] = r->found[i].f;
        l.errors += l.v[i].severity == LINT_ERROR;
        l.warnings += l.v[i].severity == LINT_WARNING;
        l.notes += l.v[i].severity == LINT_NOTE;
    }
    if (arena_failed(r->a) || arena_failed(&r->scratch) || arena_failed(&r->ps->arena))
        return fault_set(f, ERR_NOMEM, "no memory to look at the policies");
    *ret = l;
    return ERR_OK;
}

enum err lint(const struct policy_set *s, struct arena *a, struct lint *ret, struct fault *f)
{
    struct lint_run r = {.s = s, .a = a};
    arena_init(&r.scratch, LINT_MEMORY);
    enum err e = lint_begin(&r, f);
    if (!e && s->texts->builtin)
        lint_built_in(&r);
    else if (!e)
        lint_all(&r);
    if (!e)
        e = lint_end(&r, ret, f);
    cedar_policies_free(r.ps);
    arena_done(&r.scratch);
    return e;
}
