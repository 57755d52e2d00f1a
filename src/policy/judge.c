/* A call before the policies: the question in their words, and what comes of the answer. */
#include <netinet/in.h>
#include <time.h>

#include "policy/set.h"

struct judge {
    const struct policy_set *s;
    const struct policy_question *q;
    const struct policy_tool *tool;
    struct arena *a;
    struct policy_answer *answer;
    struct policy_seen seen;
    struct str lost; /* a member of the arguments that a policy reads and that no type holds */
};

/* ---- the question ---- */

static void judge_lost(void *ctx, struct str name)
{
    struct judge *j = ctx;
    if (!j->lost.n && policy_set_reads(j->s, name))
        j->lost = name;
}

static struct cedar_value judge_strings(const struct str *v, size_t n, struct arena *a)
{
    struct cedar_value *all = arena_raw(a, (n + 1) * sizeof(*all), 16);
    for (size_t i = 0; all && i < n; i++)
        all[i] = cedar_string(v[i]);
    return all ? cedar_set_of(all, n, a) : (struct cedar_value){0};
}

struct judge_record { /* in the order of their names */
    struct cedar_field f[10];
    size_t n;
};

static void judge_put(struct judge_record *r, const char *name, struct cedar_value v)
{
    r->f[r->n++] = (struct cedar_field){str_of(name), v};
}

static void judge_put_str(struct judge_record *r, const char *name, struct str s)
{
    if (s.n)
        judge_put(r, name, cedar_string(s));
}

static struct cedar_value judge_record(const struct judge_record *r, struct arena *a)
{
    struct cedar_value v = {0};
    return cedar_record_of(r->f, r->n, a, &v) ? (struct cedar_value){0} : v;
}

/* An IPv4 address in IPv6's clothes is the IPv4 address: a policy that names a network means who is in it. */
static struct cedar_value judge_source(const struct sockaddr_storage *s, struct arena *a)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct cedar_ip *ip =
        s && (s->ss_family == AF_INET || s->ss_family == AF_INET6) ? arena_alloc(a, sizeof(*ip)) : NULL;
    if (!ip)
        return (struct cedar_value){0};
    const struct sockaddr_in *v4 = (const void *)s;
    const unsigned char *v6 = ((const struct sockaddr_in6 *)(const void *)s)->sin6_addr.s6_addr;
    ip->v6 = s->ss_family == AF_INET6 && memcmp(v6, mapped, sizeof(mapped)) != 0;
    ip->prefix = ip->v6 ? 128 : 32;
    if (s->ss_family == AF_INET)
        memcpy(ip->addr, &v4->sin_addr, 4);
    else
        memcpy(ip->addr, ip->v6 ? v6 : v6 + 12, ip->v6 ? 16 : 4);
    return (struct cedar_value){.kind = CEDAR_IP, .ip = ip};
}

static struct cedar_value judge_session(const struct judge *j)
{
    const struct lease *l = j->q->lease;
    struct judge_record r = {.n = 0};
    struct cedar_value source = judge_source(j->q->source, j->a);
    judge_put(&r, "age", cedar_long(j->seen.age));
    judge_put(&r, "calls", cedar_long(j->seen.calls));
    judge_put(&r, "id", cedar_string(l->sid));
    judge_put(&r, "scopes", judge_strings(l->scope, l->scope_count, j->a));
    if (source.kind != CEDAR_NONE)
        judge_put(&r, "source", source);
    judge_put(&r, "taints", judge_strings(j->q->taint, j->q->taints, j->a));
    judge_put_str(&r, "tier", l->tier);
    judge_put_str(&r, "trigger", l->trigger);
    judge_put_str(&r, "user", l->user);
    return judge_record(&r, j->a);
}

struct cedar_value policy_moment(const struct policy_set *s, int64_t now_ms, struct arena *a)
{
    static const char *const days[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
    int64_t utc = now_ms / 1000;
    time_t t = (time_t)(utc + zone_offset(s->zone, utc));
    struct tm tm;
    struct judge_record r = {.n = 0};
    gmtime_r(&t, &tm);
    judge_put(&r, "datetime", (struct cedar_value){.kind = CEDAR_DATETIME, .i = now_ms});
    judge_put(&r, "hour", cedar_long(tm.tm_hour));
    judge_put(&r, "weekday", cedar_string(str_of(days[tm.tm_wday % 7])));
    return judge_record(&r, a);
}

static void judge_see(struct judge *j)
{
    const struct policy_question *q = j->q;
    j->seen = (struct policy_seen){.risk = q->risk ? q->risk : j->tool->risk,
                                   .age = (q->now_ms - q->lease->created) / 1000,
                                   .calls = q->lease->used};
    if (q->seen)
        *q->seen = j->seen;
}

static const struct cedar_record *judge_context(struct judge *j)
{
    struct cedar_value input;
    struct judge_record r = {.n = 0};
    judge_see(j);
    if (j->s->blind)
        return &cedar_record_empty;
    if (shape_read(j->tool->input, j->q->doc, j->q->arguments, j->a, judge_lost, j, &input))
        return NULL;
    judge_put(&r, "input", input);
    judge_put(&r, "session", judge_session(j));
    judge_put(&r, "time", policy_moment(j->s, j->q->now_ms, j->a));
    struct cedar_value all = judge_record(&r, j->a);
    return arena_failed(j->a) || all.kind != CEDAR_RECORD ? NULL : all.record;
}

static const struct cedar_entity *judge_agent(const struct judge *j)
{
    const struct lease *l = j->q->lease;
    struct judge_record r = {.n = 0};
    struct cedar_entity *e = arena_alloc(j->a, sizeof(*e));
    struct cedar_uid *type = arena_alloc(j->a, sizeof(*type));
    const struct cedar_uid **above = arena_alloc(j->a, sizeof(*above));
    static const struct cedar_record none = {0};
    judge_put(&r, "environment", cedar_string(l->agent_env));
    judge_put(&r, "owner", cedar_string(l->agent_owner));
    judge_put(&r, "type", cedar_string(l->agent_type));
    judge_put(&r, "version", cedar_string(l->agent_version));
    struct cedar_value attrs = judge_record(&r, j->a);
    if (!e || !type || !above || attrs.kind != CEDAR_RECORD)
        return NULL;
    *type = cedar_uid(STR("AgentType"), l->agent_type);
    above[0] = type;
    *e = (struct cedar_entity){cedar_uid(STR("Agent"), l->agent_id), attrs.record, &none, above, 1};
    return e;
}

/* The tool with another risk. NULL: no memory. */
static const struct cedar_entity *judge_risk(const struct judge *j)
{
    const struct cedar_entity *tool = cedar_entities_find(j->s->entities, &j->tool->uid);
    struct cedar_entity *e = arena_alloc(j->a, sizeof(*e));
    size_t n = sizeof(*tool->attrs) + tool->attrs->n * sizeof(tool->attrs->f[0]);
    struct cedar_record *attrs = arena_raw(j->a, n, 16);
    if (!e || !attrs)
        return NULL;
    memcpy(attrs, tool->attrs, n);
    for (uint32_t i = 0; i < attrs->n; i++)
        if (str_is(attrs->f[i].name, "risk"))
            attrs->f[i].v = cedar_string(str_of(j->q->risk));
    *e = *tool;
    e->attrs = attrs;
    return e;
}

enum err policy_request(const struct policy_set *s, const struct policy_question *q, struct arena *a,
                        struct cedar_request *ret, struct fault *f)
{
    struct judge j = {.s = s, .q = q, .a = a, .tool = policy_set_tool(s, q->tool->id, q->tool->hash)};
    if (!j.tool)
        return fault_set(f, ERR_POLICY_UNREADY, "the policies in force were not validated against this tool");
    const struct cedar_record *context = judge_context(&j);
    const struct cedar_entity *agent = judge_agent(&j), **own = arena_alloc(a, 2 * sizeof(*own));
    bool other = q->risk && strcmp(q->risk, j.tool->risk) != 0;
    if (own && other)
        own[1] = judge_risk(&j);
    if (!context || !agent || !own || (other && !own[1]))
        return fault_set(f, ERR_NOMEM, "no memory to judge this call by the policies");
    if (j.lost.n)
        return fault_set(f, ERR_POLICY,
                         "a policy reads the argument " STR_FMT ", and its value is beyond what policies can hold: "
                         "integers of 64 bits, numbers of four decimals",
                         STR_ARG(j.lost));
    own[0] = agent;
    *ret = (struct cedar_request){.principal = agent->uid,
                                  .action = s->action[j.tool->action].uid,
                                  .resource = j.tool->uid,
                                  .context = context,
                                  .world = {s->entities, own, other ? 2 : 1}};
    return ERR_OK;
}

/* ---- the answer ---- */

static enum policy_effect judge_deny(struct judge *j, enum err e, const char *why)
{
    fault_set(&j->answer->fault, e, "%s", why);
    return POLICY_DENY;
}

static void judge_reasons(const struct policy_answer *a, struct buf *b)
{
    uint32_t shown = a->reasons < POLICY_REASONS ? a->reasons : POLICY_REASONS;
    for (uint32_t i = 0; i < shown; i++)
        buf_fmt(b, "%s" STR_FMT, i ? ", " : "", STR_ARG(a->reason[i]->id));
    if (a->reasons > shown)
        buf_fmt(b, " and %u more", a->reasons - shown);
}

/* What an agent is told: the policy's own words (@reason), or which one it was. */
static enum policy_effect judge_forbidden(struct judge *j)
{
    struct policy_answer *a = j->answer;
    const struct cedar_annotation *words = a->reasons ? cedar_annotation_find(a->reason[0], STR("reason")) : NULL;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4096);
    judge_reasons(a, &b);
    if (!a->reasons)
        fault_set(&a->fault, ERR_POLICY, "no policy permits this call");
    else if (words && words->value.n)
        fault_set(&a->fault, ERR_POLICY, STR_FMT " (forbidden by " STR_FMT ")", STR_ARG(words->value),
                  STR_ARG(buf_view(&b)));
    else
        fault_set(&a->fault, ERR_POLICY, "forbidden by " STR_FMT, STR_ARG(buf_view(&b)));
    return POLICY_DENY;
}

/* A forbid that could not be evaluated might have fired. Cedar skips it; here it denies. */
static bool judge_forbid_failed(struct judge *j, const struct cedar_answer *c)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4096);
    if (c->errors > POLICY_ERRORS) {
        fault_set(&j->answer->fault, ERR_POLICY, "%u policies could not be evaluated", c->errors);
        return true;
    }
    for (uint32_t i = 0; i < c->errors; i++) {
        if (c->error[i].policy->effect != CEDAR_FORBID)
            continue;
        cedar_error_text(&c->error[i], &b);
        fault_set(&j->answer->fault, ERR_POLICY, "the policy " STR_FMT " could not be evaluated: " STR_FMT,
                  STR_ARG(c->error[i].policy->id), STR_ARG(buf_view(&b)));
        return true;
    }
    return false;
}

static enum policy_effect judge_duties(struct judge *j)
{
    struct policy_answer *a = j->answer;
    struct fault f;
    if (a->reasons > POLICY_REASONS)
        return judge_deny(j, ERR_POLICY, "more policies permit this call than can be combined");
    for (uint32_t i = 0; i < a->reasons; i++)
        if (duty_add(&a->duty, a->reason[i], &f)) {
            fault_set(&a->fault, ERR_POLICY, "the policies ask for what cannot be combined: %s", f.text);
            return POLICY_DENY;
        }
    if (a->duty.risk == DUTY_RISK_CRITICAL)
        return judge_deny(j, ERR_CRITICAL, "a policy calls this critical: nobody may let it through");
    return a->duty.approvals || a->duty.risk == DUTY_RISK_HIGH ? POLICY_APPROVE : POLICY_ALLOW;
}

static enum policy_effect judge_by(struct judge *j, const struct cedar_program *program, const struct cedar_request *r)
{
    struct policy_answer *a = j->answer;
    struct cedar_answer c = {
        .reason = a->reason, .error = a->error, .reasons_max = POLICY_REASONS, .errors_max = POLICY_ERRORS};
    enum err e = cedar_decide(program, r, j->a, &c);
    a->reasons = c.reasons;
    a->errors = c.errors;
    if (e || arena_failed(j->a))
        return judge_deny(j, ERR_NOMEM, "no memory to judge this call by the policies");
    if (c.decision == CEDAR_ALLOW)
        return judge_forbid_failed(j, &c) ? POLICY_DENY : judge_duties(j);
    return judge_forbidden(j);
}

void policy_judge_by(const struct policy_set *s, const struct cedar_request *r, struct arena *arena,
                     struct policy_answer *ret)
{
    struct policy_answer shadow = {.effect = POLICY_DENY};
    struct judge j = {.s = s, .a = arena, .answer = &shadow};
    *ret = (struct policy_answer){.effect = POLICY_DENY};
    if (s->shadow)
        ret->shadow = judge_by(&j, s->shadow, r);
    j.answer = ret;
    ret->effect = judge_by(&j, s->program, r);
    ret->shadowed = s->shadow != NULL;
}

void policy_judge(const struct policy_set *s, const struct policy_question *q, struct arena *arena,
                  struct policy_answer *ret)
{
    struct cedar_request r;
    struct fault f;
    if (policy_request(s, q, arena, &r, &f))
        *ret = (struct policy_answer){.effect = POLICY_DENY, .fault = f};
    else
        policy_judge_by(s, &r, arena, ret);
}
