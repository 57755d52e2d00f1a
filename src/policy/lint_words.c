/* Expressions as lint reads them, and comparisons with words and hours that do not exist. */
#include "base/near.h"
#include "policy/lint_inner.h"

enum { WORDS_SHOWN = 80 };

const struct cedar_expr *lint_child(const struct cedar_expr *e, uint32_t i)
{
    switch (e->op) {
    case CEDAR_OP_LIT:
    case CEDAR_OP_VAR:
    case CEDAR_OP_SLOT: return NULL;
    case CEDAR_OP_SET:
    case CEDAR_OP_RECORD:
    case CEDAR_OP_CALL: return i < e->n ? e->item[i] : NULL;
    case CEDAR_OP_HAS:
    case CEDAR_OP_GET:
    case CEDAR_OP_LIKE: return i == 0 ? e->of : NULL;
    case CEDAR_OP_IS: return i == 0 ? e->of : i == 1 ? e->in : NULL;
    default: return i == 0 ? e->a : i == 1 ? e->b : i == 2 ? e->c : NULL;
    }
}

uint32_t lint_start(const struct cedar_expr *e)
{
    uint32_t at = e->at;
    while ((e = lint_child(e, 0)))
        at = e->at < at ? e->at : at;
    return at;
}

bool lint_is_claims(const struct cedar_expr *e)
{
    if ((e->op != CEDAR_OP_GET && e->op != CEDAR_OP_HAS) || !str_is(e->name, "claims"))
        return false;
    for (e = e->of; e->op == CEDAR_OP_GET; e = e->of)
        continue;
    return e->op != CEDAR_OP_VAR || e->sub != CEDAR_CONTEXT; /* an argument may be called so */
}

bool lint_is_path(const struct cedar_expr *e, enum cedar_var var, const char *a, const char *b)
{
    if (b) {
        if (e->op != CEDAR_OP_GET || !str_is(e->name, b))
            return false;
        e = e->of;
    }
    return e->op == CEDAR_OP_GET && str_is(e->name, a) && e->of->op == CEDAR_OP_VAR && e->of->sub == var;
}

unsigned lint_input_path(const struct cedar_expr *e, struct str *name, unsigned max)
{
    unsigned n = 0;
    for (; e->op == CEDAR_OP_GET && !lint_is_path(e, CEDAR_CONTEXT, "input", NULL); e = e->of) {
        if (n == max)
            return 0;
        name[n++] = e->name;
    }
    if (!lint_is_path(e, CEDAR_CONTEXT, "input", NULL))
        return 0;
    for (unsigned i = 0; i < n / 2; i++) {
        struct str t = name[i];
        name[i] = name[n - 1 - i];
        name[n - 1 - i] = t;
    }
    return n;
}

/* ---- for messages ---- */

struct str lint_text_of(struct lint_run *r, const struct cedar_expr *e)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4096);
    cedar_print_expr(e, &b);
    struct str s = {b.p, b.n};
    bool cut = buf_failed(&b) || s.n > WORDS_SHOWN;
    if (s.n > WORDS_SHOWN) {
        s.n = WORDS_SHOWN;
        while (s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
            s.n--;
    }
    return arena_fmt(r->a, "`" STR_FMT "%s`", STR_ARG(s), cut ? "…" : "");
}

struct str lint_uid_text(struct lint_run *r, const struct cedar_uid *uid)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4096);
    cedar_value_print(cedar_entity_value(uid), &b);
    return arena_str(r->a, buf_view(&b));
}

struct str lint_near(struct lint_run *r, struct str word, const struct str *v, size_t n, struct str fallback)
{
    size_t best = word.n / 3 + 2, which = n;
    char low[64];
    for (size_t i = 0; i < word.n && i < sizeof(low); i++)
        low[i] = word.p[i] >= 'A' && word.p[i] <= 'Z' ? (char)(word.p[i] | 0x20) : word.p[i];
    if (word.n <= sizeof(low))
        word.p = low;
    for (size_t i = 0; i < n && r->steps < LINT_STEPS; i++) {
        size_t d = near_distance(word, v[i]);
        r->steps += word.n;
        if (d < best) {
            best = d;
            which = i;
        }
    }
    return which < n ? arena_fmt(r->a, "did you mean \"" STR_FMT "\"?", STR_ARG(v[which])) : fallback;
}

/* ---- what there is ---- */

static const char *const words_days[] = {"monday", "tuesday",  "wednesday", "thursday",
                                         "friday", "saturday", "sunday",    NULL};
static const char *const words_risks[] = {"low", "medium", "high", "critical", NULL};
static const char *const words_environments[] = {"production", "staging", "development", NULL};
static const char *const words_triggers[] = {"user", "schedule", "event", "agent", NULL};

static const struct {
    enum cedar_var var;
    const char *a, *b;
    const char *what;
    const char *const *values;
} words_of[] = {
    {CEDAR_CONTEXT, "time", "weekday", "weekday", words_days},
    {CEDAR_RESOURCE, "risk", NULL, "risk", words_risks},
    {CEDAR_PRINCIPAL, "environment", NULL, "environment of an agent", words_environments},
    {CEDAR_CONTEXT, "session", "trigger", "trigger of a session", words_triggers},
};
#define WORDS_OF (sizeof(words_of) / sizeof(words_of[0]))

static size_t words_find(const struct cedar_expr *e)
{
    for (size_t i = 0; i < WORDS_OF; i++)
        if (lint_is_path(e, words_of[i].var, words_of[i].a, words_of[i].b))
            return i;
    return WORDS_OF;
}

const char *const *lint_values(const struct cedar_expr *e)
{
    size_t i = words_find(e);
    return i < WORDS_OF ? words_of[i].values : NULL;
}

bool lint_is_value(const char *const *values, struct str word)
{
    for (; *values; values++)
        if (str_is(word, *values))
            return true;
    return false;
}

/* ---- words ---- */

static void words_never(struct lint_run *r, struct lint_policy *p, const struct cedar_expr *at, struct str what,
                        struct str right)
{
    p->never = true;
    lint_tell(r, LINT_CODE_NEVER, p, lint_start(at), what, right);
}

static bool words_is_string(const struct cedar_expr *e)
{
    return e->op == CEDAR_OP_LIT && e->lit.kind == CEDAR_STRING;
}

static void words_word(struct lint_run *r, struct lint_policy *p, size_t of, const struct cedar_expr *e)
{
    const char *const *values = words_of[of].values;
    struct str v[8], all = STR_NONE;
    size_t n = 0;
    if (!words_is_string(e) || lint_is_value(values, cedar_value_str(e->lit)))
        return;
    for (; values[n]; n++) {
        v[n] = str_of(values[n]);
        all = n ? ARENA_JOIN(r->a, all, STR(", "), v[n]) : v[n];
    }
    words_never(r, p, e,
                arena_fmt(r->a, STR_FMT " is no %s, so nothing is ever equal to it", STR_ARG(lint_text_of(r, e)),
                          words_of[of].what),
                lint_near(r, cedar_value_str(e->lit), v, n, arena_fmt(r->a, "there are " STR_FMT, STR_ARG(all))));
}

/* ---- hours ---- */

/* `hour < 24` says nothing, but it is how people end an evening. */
static bool words_hour_right(enum cedar_op op, int64_t hour)
{
    switch (op) {
    case CEDAR_OP_LT: return hour > 0 && hour <= 24;
    case CEDAR_OP_GT: return hour >= 0 && hour < 23;
    default: return hour >= 0 && hour <= 23;
    }
}

static void words_hour(struct lint_run *r, struct lint_policy *p, const struct cedar_expr *e, enum cedar_op op,
                       const struct cedar_expr *hour)
{
    if (hour->op != CEDAR_OP_LIT || hour->lit.kind != CEDAR_LONG || words_hour_right(op, hour->lit.i))
        return;
    words_never(r, p, e, arena_fmt(r->a, STR_FMT " is the same at every hour", STR_ARG(lint_text_of(r, e))),
                STR("hours are 0 to 23, and hour 23 ends at midnight"));
}

static enum cedar_op words_turned(enum cedar_op op)
{
    return op == CEDAR_OP_LT   ? CEDAR_OP_GT
           : op == CEDAR_OP_LE ? CEDAR_OP_GE
           : op == CEDAR_OP_GT ? CEDAR_OP_LT
           : op == CEDAR_OP_GE ? CEDAR_OP_LE
                               : op;
}

/* ---- scopes ---- */

static bool words_tool_known(const struct lint_run *r, struct str id)
{
    for (size_t i = 0; i < r->s->tools; i++)
        if (str_eq(r->s->tool[i].fact.id, id))
            return true;
    return false;
}

static void words_scope(struct lint_run *r, struct lint_policy *p, const struct cedar_expr *e)
{
    if (!words_is_string(e))
        return;
    struct str scope = cedar_value_str(e->lit), rest = scope, first;
    bool parts = str_cut(&rest, ':', &first) && first.n && rest.n;
    if (!parts || memchr(scope.p, ' ', scope.n)) {
        words_never(r, p, e,
                    arena_fmt(r->a, STR_FMT " is no scope that a session can have", STR_ARG(lint_text_of(r, e))),
                    STR("a scope is resource:action, resource:action:kind:id or tool:SERVER/TOOL:execute"));
        return;
    }
    if (!str_is(first, "tool"))
        return;
    bool whole = str_ends(rest, STR(":execute"));
    struct str id = whole ? (struct str){rest.p, rest.n - strlen(":execute")} : rest;
    if (whole && words_tool_known(r, id))
        return;
    words_never(r, p, e, arena_fmt(r->a, STR_FMT " is the scope of no tool that is known", STR_ARG(lint_text_of(r, e))),
                whole ? lint_near(r, id, r->names.tool, r->s->tools, STR("`doorward tools list` names the tools"))
                      : STR("the scope of a tool is tool:SERVER/TOOL:execute"));
}

/* ---- all of a policy ---- */

static void words_equal(struct lint_run *r, struct lint_policy *p, const struct cedar_expr *e)
{
    size_t a = words_find(e->a), b = words_find(e->b);
    if (a < WORDS_OF)
        words_word(r, p, a, e->b);
    if (b < WORDS_OF)
        words_word(r, p, b, e->a);
}

static void words_contains(struct lint_run *r, struct lint_policy *p, const struct cedar_expr *e)
{
    bool scopes = lint_is_path(e->a, CEDAR_CONTEXT, "session", "scopes");
    size_t of = e->op == CEDAR_OP_CONTAINS ? words_find(e->b) : WORDS_OF;
    if (scopes && e->op == CEDAR_OP_CONTAINS)
        words_scope(r, p, e->b);
    for (uint32_t i = 0; scopes && e->b->op == CEDAR_OP_SET && i < e->b->n; i++)
        words_scope(r, p, e->b->item[i]);
    for (uint32_t i = 0; of < WORDS_OF && e->a->op == CEDAR_OP_SET && i < e->a->n; i++)
        words_word(r, p, of, e->a->item[i]);
}

static void words_expr(struct lint_run *r, struct lint_policy *p, const struct cedar_expr *e)
{
    switch (e->op) {
    case CEDAR_OP_EQ:
    case CEDAR_OP_NE: words_equal(r, p, e); __attribute__((fallthrough));
    case CEDAR_OP_LT:
    case CEDAR_OP_LE:
    case CEDAR_OP_GT:
    case CEDAR_OP_GE:
        if (lint_is_path(e->a, CEDAR_CONTEXT, "time", "hour"))
            words_hour(r, p, e, e->op, e->b);
        else if (lint_is_path(e->b, CEDAR_CONTEXT, "time", "hour"))
            words_hour(r, p, e, words_turned(e->op), e->a);
        break;
    case CEDAR_OP_CONTAINS:
    case CEDAR_OP_CONTAINS_ALL:
    case CEDAR_OP_CONTAINS_ANY: words_contains(r, p, e); break;
    default: break;
    }
    const struct cedar_expr *child;
    for (uint32_t i = 0; (child = lint_child(e, i)); i++) /* as deep as the parser lets it be */
        words_expr(r, p, child);
}

void lint_words(struct lint_run *r, struct lint_policy *p)
{
    for (uint32_t i = 0; i < p->p->conditions; i++)
        words_expr(r, p, p->p->condition[i].expr);
}
