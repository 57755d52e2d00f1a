#include "policy/duty.h"

const char *const duty_risks[] = {"none", "low", "medium", "high", "critical", NULL};

struct duty_reading {
    struct duty *d;
    const struct cedar_policy *p;
    struct fault *f;
};

/* ---- one annotation ---- */

static enum err duty_risk(const struct duty_reading *r, struct str v)
{
    for (unsigned i = DUTY_RISK_LOW; duty_risks[i]; i++)
        if (str_is(v, duty_risks[i])) {
            r->d->risk = i > r->d->risk ? i : r->d->risk;
            return ERR_OK;
        }
    return fault_set(r->f, ERR_SYNTAX, "@risk(\"" STR_FMT "\"): one of low, medium, high, critical", STR_ARG(v));
}

static enum err duty_approve(const struct duty_reading *r, struct str v)
{
    unsigned n = str_is(v, "one") ? 1 : str_is(v, "two") ? 2 : 0;
    if (!n)
        return fault_set(r->f, ERR_SYNTAX, "@approve(\"" STR_FMT "\"): one or two", STR_ARG(v));
    r->d->approvals = n > r->d->approvals ? n : r->d->approvals;
    return ERR_OK;
}

static enum err duty_full(const struct duty_reading *r, const char *name)
{
    return fault_set(r->f, ERR_CONFLICT, "more than %d %s of one call", DUTY_ITEMS, name);
}

static enum err duty_limit(const struct duty_reading *r, struct str v)
{
    struct conf_rate rate;
    if (conf_rate_parse(v, &rate) || !rate.count)
        return fault_set(r->f, ERR_SYNTAX, "@limit(\"" STR_FMT "\"): a rate such as 10/minute", STR_ARG(v));
    if (r->d->limits == DUTY_ITEMS)
        return duty_full(r, "limits");
    r->d->limit[r->d->limits++] = (struct duty_limit){r->p, rate};
    return ERR_OK;
}

/* "input.a.b" -> "a.b"; empty: it is no such path. */
static struct str duty_path(struct str s, struct str root)
{
    s = str_trim(s);
    if (!str_starts(s, root) || s.n == root.n)
        return STR_NONE;
    s = str_skip(s, root.n);
    for (struct str rest = s, part; rest.n;) {
        bool more = str_cut(&rest, '.', &part);
        if (!part.n || (more && !rest.n))
            return STR_NONE;
    }
    return s;
}

/* The JSON value at the beginning of *s, which is moved behind it. */
static struct str duty_value(struct str *s)
{
    size_t i = 0, depth = 0;
    for (bool quoted = false; i < s->n; i++) {
        char c = s->p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']'))
            depth--;
        else if (!quoted && c == ';' && depth == 0)
            break;
    }
    i = i < s->n ? i : s->n;
    struct str v = str_trim((struct str){s->p, i});
    *s = str_skip(*s, i + 1);
    return v;
}

static enum err duty_put(const struct duty_reading *r, struct duty_set set)
{
    for (unsigned i = 0; i < r->d->sets; i++)
        if (str_eq(r->d->set[i].path, set.path))
            return str_eq(r->d->set[i].value, set.value)
                       ? ERR_OK
                       : fault_set(r->f, ERR_CONFLICT, "input." STR_FMT " would be set to " STR_FMT " and to " STR_FMT,
                                   STR_ARG(set.path), STR_ARG(r->d->set[i].value), STR_ARG(set.value));
    if (r->d->sets == DUTY_ITEMS)
        return duty_full(r, "changes");
    r->d->set[r->d->sets++] = set;
    return ERR_OK;
}

static enum err duty_set(const struct duty_reading *r, struct str v)
{
    struct str rest = v;
    do {
        struct str path;
        bool has = str_cut(&rest, '=', &path);
        struct duty_set set = {.path = duty_path(path, STR("input."))};
        set.value = has ? duty_value(&rest) : STR_NONE;
        struct arena a;
        struct json j;
        arena_init(&a, 1 << 20);
        bool ok = set.path.n && set.value.n && json_parse(&j, set.value, &a, NULL, NULL) == ERR_OK;
        arena_done(&a);
        if (!ok)
            return fault_set(r->f, ERR_SYNTAX,
                             "@set(\"" STR_FMT "\"): a path and a JSON value, such as input.limit = 100", STR_ARG(v));
        TRY(duty_put(r, set));
    } while (str_trim(rest).n);
    return ERR_OK;
}

static enum err duty_mask(const struct duty_reading *r, struct str v)
{
    struct str rest = v, part;
    for (bool more = true; more;) {
        more = str_cut(&rest, ',', &part);
        struct str path = duty_path(part, STR("output."));
        if (!path.n)
            return fault_set(r->f, ERR_SYNTAX, "@mask(\"" STR_FMT "\"): a path such as output.customer.email",
                             STR_ARG(v));
        if (r->d->masks == DUTY_ITEMS)
            return duty_full(r, "masks");
        r->d->mask[r->d->masks++] = path;
    }
    return ERR_OK;
}

/* ---- all of a policy ---- */

static const struct {
    const char *name;
    enum err (*add)(const struct duty_reading *r, struct str value);
    bool only_permit; /* a forbid that decided has denied already */
} duty_words[] = {
    {"risk", duty_risk, false}, {"approve", duty_approve, true}, {"limit", duty_limit, true},
    {"set", duty_set, true},    {"mask", duty_mask, true},
};

enum err duty_add(struct duty *d, const struct cedar_policy *p, struct fault *f)
{
    const struct duty_reading r = {d, p, f};
    for (uint32_t i = 0; i < p->annotations; i++)
        for (size_t k = 0; k < sizeof(duty_words) / sizeof(duty_words[0]); k++)
            if (str_is(p->annotation[i].name, duty_words[k].name))
                TRY(duty_words[k].add(&r, p->annotation[i].value));
    return ERR_OK;
}

enum err duty_check(const struct cedar_policy *p, struct fault *f)
{
    struct duty d = {0};
    for (uint32_t i = 0; i < p->annotations && p->effect == CEDAR_FORBID; i++)
        for (size_t k = 0; k < sizeof(duty_words) / sizeof(duty_words[0]); k++)
            if (duty_words[k].only_permit && str_is(p->annotation[i].name, duty_words[k].name))
                return fault_set(f, ERR_SYNTAX, "@%s on a forbid: what is forbidden has nothing to fulfil",
                                 duty_words[k].name);
    return duty_add(&d, p, f);
}
