#include "cli/policy_explain.h"

#include "base/clock.h"
#include "cedar/print.h"
#include "cli/policy_case.h"

enum { OUT_EXPR = 400, OUT_VALUE = 160 };

/* As a policy writes it; addresses, numbers and times without the call around them. */
static const char *out_value(struct cli *c, struct cedar_value v)
{
    struct buf b CLEANUP(buf_done);
    char room[CEDAR_EXT_TEXT];
    struct str ext = v.kind >= CEDAR_DECIMAL ? cedar_ext_write(v, room) : STR_NONE;
    buf_init(&b, 16u << 20);
    if (v.kind == CEDAR_NONE)
        return "not set";
    if (ext.n)
        return arena_str(&c->arena, ext).p;
    cedar_value_print(v, &b);
    return cli_shown(c, buf_view(&b), OUT_VALUE);
}

static const char *out_expr(struct cli *c, const struct cedar_expr *e)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 16u << 20);
    cedar_print_expr(e, &b);
    return cli_shown(c, buf_failed(&b) ? STR("…") : buf_view(&b), OUT_EXPR);
}

static struct str out_error(const struct cedar_error *e, struct buf *b)
{
    cedar_error_text(e, b);
    return buf_view(b);
}

/* ---- policies ---- */

static void out_part(struct cli *c, const struct explain_policy *p, const struct explain_part *part)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    printf("      %s %s\n", part->unless ? "unless" : "when  ", out_expr(c, part->expr));
    printf("             %s:%u:%u: ", cli_shown(c, policy_base(p->file), 0), part->line, part->column);
    if (part->failed)
        printf("cannot be evaluated: %s", cli_shown(c, out_error(&part->error, &b), OUT_EXPR));
    else
        printf("is %s%s", part->held == part->want ? "true" : "false",
               part->held   ? ""
               : part->want ? ", and has to be true"
                            : ", and must not be");
    for (unsigned i = 0; i < part->values; i++)
        printf("%s%s is %s", i ? ", " : "; ", cli_shown(c, part->value[i].path, 0), out_value(c, part->value[i].value));
    putchar('\n');
}

static const char *out_verdict(struct cli *c, const struct explain *e, const struct explain_policy *p)
{
    if (p->speaks_to.n)
        return arena_fmt(&c->arena, "speaks only to a principal %s", cli_shown(c, p->speaks_to, OUT_VALUE)).p;
    if (p->failed)
        return p->policy->effect == CEDAR_FORBID ? "could not be evaluated, and so denies" : "could not be evaluated";
    if (!p->applied)
        return "does not apply";
    if (p->decided)
        return "applies, and decides";
    if (!p->enforced)
        return "applies, and its file is not enforced";
    return e->answer.effect == POLICY_DENY ? "applies, but something else denies" : "applies";
}

/* What it asks for besides; its names and words are elsewhere. */
static void out_duties(struct cli *c, const struct cedar_policy *p)
{
    for (uint32_t i = 0; i < p->annotations; i++) {
        const struct cedar_annotation *a = &p->annotation[i];
        if (!str_is(a->name, "id") && !str_is(a->name, "reason"))
            printf("      @%s(\"%s\")\n", cli_shown(c, a->name, 0), cli_shown(c, a->value, OUT_VALUE));
    }
}

static void out_policy(struct cli *c, const struct explain *e, const struct explain_policy *p)
{
    printf("  %s %s: %s (%s:%u)\n", p->policy->effect == CEDAR_FORBID ? "forbid" : "permit",
           cli_shown(c, p->policy->id, 0), out_verdict(c, e, p), cli_shown(c, policy_base(p->file), 0), p->line);
    if (p->applied)
        out_duties(c, p->policy);
    for (size_t i = 0; i < p->parts; i++)
        if (p->applied || !p->part[i].held)
            out_part(c, p, &p->part[i]);
}

/* Those that decided come first, then the permits that did not apply, and last what is in nobody's way. */
static unsigned out_rank(const struct explain_policy *p)
{
    if (p->decided || p->failed || p->applied)
        return p->decided ? 0 : p->failed ? 1 : 2;
    return p->policy->effect == CEDAR_FORBID ? 5 : p->speaks_to.n ? 4 : 3;
}

static void out_policies(struct cli *c, const struct explain *e)
{
    if (!e->policies)
        printf("  no policy speaks of this tool\n");
    for (unsigned rank = 0; rank < 6; rank++)
        for (size_t i = 0; i < e->policies; i++)
            if (out_rank(&e->policy[i]) == rank)
                out_policy(c, e, &e->policy[i]);
}

/* ---- changes ---- */

/* What stands in a and not in b, with commas; empty unless that is all that they differ in. */
static const char *out_more(struct cli *c, struct cedar_value a, struct cedar_value b)
{
    struct buf more CLEANUP(buf_done);
    unsigned n = 0;
    buf_init(&more, 1u << 20);
    if (a.kind != CEDAR_SET || b.kind != CEDAR_SET)
        return NULL;
    for (uint32_t i = 0; i < b.set->n; i++)
        if (!cedar_set_has(a.set, b.set->v[i]))
            return NULL;
    for (uint32_t i = 0; i < a.set->n; i++)
        if (!cedar_set_has(b.set, a.set->v[i])) {
            buf_z(&more, n++ ? ", " : "");
            cedar_value_print(a.set->v[i], &more);
        }
    return n ? cli_shown(c, buf_view(&more), OUT_VALUE) : NULL;
}

static void out_change(struct cli *c, const struct explain_change *x)
{
    const char *path = cli_shown(c, x->path, 0), *more = out_more(c, x->after, x->before);
    const char *less = out_more(c, x->before, x->after), *now = out_value(c, x->before);
    if (more)
        printf("%s held %s as well", path, more);
    else if (less)
        printf("%s did not hold %s", path, less);
    else
        printf("%s were %s%s (it is %s)", path, x->example ? "for example " : "", out_value(c, x->after), now);
}

static void out_ways(struct cli *c, const struct explain *e)
{
    if (!e->ways) {
        printf("No small change of what is known of this call was found that would let it through.\n");
        return;
    }
    printf("It would be otherwise:\n");
    for (unsigned i = 0; i < e->ways; i++) {
        const struct explain_way *w = &e->way[i];
        printf("  %s", w->effect == POLICY_APPROVE ? "allowed with a person's approval" : "allowed");
        if (w->by)
            printf(" by %s", cli_shown(c, w->by->id, 0));
        for (unsigned k = 0; k < w->changes; k++) {
            printf("%s", k ? "\n    and " : ", if ");
            out_change(c, &w->change[k]);
        }
        putchar('\n');
    }
}

/* What policies let through may still wait for a person, or never be made: the gate goes by the risk. */
static const char *out_course(struct cli *c, const struct explained *x)
{
    const struct risk_course *r = &x->course;
    const char *risk = duty_risks[r->risk];
    bool groups = x->approvers.n > 2;
    switch (r->turn) {
    case RISK_NEVER: return arena_fmt(&c->arena, "its risk is %s: it is never made, whoever approves", risk).p;
    case RISK_ASKS:
        return arena_fmt(&c->arena, "its risk is %s: it waits until %s%s%s", risk,
                         r->people > 1 ? "two people say yes" : "a person says yes", groups ? ", of " : "",
                         groups ? cli_shown(c, x->approvers, 0) : "")
            .p;
    case RISK_REVIEWED:
        return arena_fmt(&c->arena, "its risk is %s: it goes through, and waits in the review queue", risk).p;
    default: return arena_fmt(&c->arena, "its risk is %s: it goes through", risk).p;
    }
}

void policy_explain_print(struct cli *c, const struct explained *x)
{
    static const char *const now[] = {
        [POLICY_DENY] = "denied", [POLICY_APPROVE] = "a person has to approve it", [POLICY_ALLOW] = "allowed"};
    char when[CLI_TIME];
    bool color = cli_color(stdout);
    const struct policy_answer *a = &x->e.answer;
    cli_when(x->now_ms, when);
    printf("%s by %s (%s), %s", cli_shown(c, x->tool, 0), cli_shown(c, x->agent, 0), cli_shown(c, x->type, 0), when);
    if (x->seq)
        printf(", entry %llu", (unsigned long long)x->seq);
    putchar('\n');
    if (x->then.n)
        printf("then: %s\n", cli_shown(c, x->then, 0));
    for (unsigned i = 0; i < x->notes; i++)
        printf("note: %s\n", x->note[i]);
    printf("%s%s%s%s\n", color ? (a->effect == POLICY_ALLOW ? "\033[32m" : "\033[31m") : "", now[a->effect],
           color ? "\033[0m" : "",
           a->effect == POLICY_DENY ? arena_fmt(&c->arena, ": %s", cli_shown(c, str_of(a->fault.text), 0)).p : "");
    if (a->effect != POLICY_DENY)
        printf("%s\n", out_course(c, x));
    putchar('\n');
    out_policies(c, &x->e);
    if (a->effect == POLICY_DENY) {
        putchar('\n');
        out_ways(c, &x->e);
    }
}

/* ---- JSON ---- */

static void json_value(struct json_out *o, const char *key, struct cedar_value v)
{
    json_key(o, str_of(key));
    if (v.kind == CEDAR_NONE)
        json_put_null(o);
    else
        cedar_value_json(v, o);
}

static void json_part(struct json_out *o, const struct explain_part *part)
{
    struct buf b CLEANUP(buf_done), error CLEANUP(buf_done);
    buf_init(&b, 16u << 20);
    buf_init(&error, 1u << 20);
    cedar_print_expr(part->expr, &b);
    json_open(o, '{');
    json_kv_z(o, "clause", part->unless ? "unless" : "when");
    json_kv_i64(o, "line", part->line);
    json_kv_i64(o, "column", part->column);
    json_kv_str(o, "text", buf_view(&b));
    json_kv_bool(o, "wanted", part->want);
    json_kv_bool(o, "held", part->held);
    if (part->failed)
        json_kv_str(o, "error", out_error(&part->error, &error));
    json_key(o, STR("values"));
    json_open(o, '[');
    for (unsigned i = 0; i < part->values; i++) {
        json_open(o, '{');
        json_kv_str(o, "path", part->value[i].path);
        json_value(o, "value", part->value[i].value);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

static void json_policy(struct json_out *o, const struct explain_policy *p)
{
    json_open(o, '{');
    json_kv_str(o, "id", p->policy->id);
    json_kv_z(o, "effect", p->policy->effect == CEDAR_FORBID ? "forbid" : "permit");
    json_kv_str(o, "file", p->file);
    json_kv_i64(o, "line", p->line);
    json_kv_i64(o, "column", p->column);
    json_kv_bool(o, "applies", p->applied);
    json_kv_bool(o, "decides", p->decided);
    json_kv_bool(o, "failed", p->failed);
    json_kv_bool(o, "enforced", p->enforced);
    if (p->speaks_to.n)
        json_kv_str(o, "speaksTo", p->speaks_to);
    json_key(o, STR("parts"));
    json_open(o, '[');
    for (size_t i = 0; i < p->parts; i++)
        json_part(o, &p->part[i]);
    json_close(o, ']');
    json_close(o, '}');
}

static void json_way(struct json_out *o, const struct explain_way *w)
{
    json_open(o, '{');
    json_kv_z(o, "decision", policy_effects[w->effect]);
    if (w->by)
        json_kv_str(o, "by", w->by->id);
    json_key(o, STR("changes"));
    json_open(o, '[');
    for (unsigned i = 0; i < w->changes; i++) {
        json_open(o, '{');
        json_kv_str(o, "path", w->change[i].path);
        json_value(o, "before", w->change[i].before);
        json_value(o, "after", w->change[i].after);
        json_kv_bool(o, "example", w->change[i].example);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

static void json_call(struct json_out *o, const struct explained *x)
{
    char when[CLOCK_RFC3339];
    clock_format(x->now_ms, when);
    json_kv_str(o, "tool", x->tool);
    json_kv_str(o, "agent", x->agent);
    json_kv_str(o, "agentType", x->type);
    json_kv_z(o, "time", when);
    if (x->seq)
        json_kv_i64(o, "seq", (int64_t)x->seq);
    if (x->then.n)
        json_kv_str(o, "then", x->then);
    json_key(o, STR("notes"));
    json_open(o, '[');
    for (unsigned i = 0; i < x->notes; i++)
        json_put_str(o, str_of(x->note[i]));
    json_close(o, ']');
}

void policy_explain_json(const struct explained *x)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 256u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_call(&o, x);
    json_kv_z(&o, "decision", policy_effects[x->e.answer.effect]);
    if (x->e.answer.effect != POLICY_DENY) {
        json_kv_z(&o, "risk", duty_risks[x->course.risk]);
        json_kv_z(&o, "course", risk_turns[x->course.turn]);
        json_kv_i64(&o, "people", x->course.turn == RISK_ASKS ? x->course.people : 0);
        json_kv_raw(&o, "approvers", x->approvers.n ? x->approvers : STR("[]"));
    }
    if (x->e.answer.effect == POLICY_DENY)
        json_kv_z(&o, "reason", x->e.answer.fault.text);
    json_key(&o, STR("policies"));
    json_open(&o, '[');
    for (size_t i = 0; i < x->e.policies; i++)
        json_policy(&o, &x->e.policy[i]);
    json_close(&o, ']');
    json_key(&o, STR("changes"));
    json_open(&o, '[');
    for (unsigned i = 0; i < x->e.ways; i++)
        json_way(&o, &x->e.way[i]);
    json_close(&o, ']');
    json_close(&o, '}');
    cli_print_json(buf_view(&b));
}
