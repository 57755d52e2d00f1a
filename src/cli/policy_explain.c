/* Why a call is judged as it is: one of the record, or one that the options describe. */
#include "cli/policy_explain.h"

#include "base/clock.h"
#include "cli/policy.h"
#include "cli/policy_call.h"
#include "policy/recorded.h"
#include "policy/set.h"

enum { EXPLAIN_MEMORY = 512 << 20, EXPLAIN_WORDS = 256 };

static void explain_note(struct explained *x, const char *note)
{
    if (note && x->notes < EXPLAIN_NOTES)
        x->note[x->notes++] = note;
}

/* Without a configuration nobody says a risk, which counts as high. */
static void explain_course(struct cli *c, const struct policy_seen *seen, struct explained *x)
{
    static const struct conf_root none = {.workers = 0};
    const struct conf_root *root = c->conf ? &c->conf->root : &none;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64u << 10);
    struct json_out o = json_out(&b);
    if (!c->conf)
        explain_note(x, "no configuration says the risk of this tool, which counts as high");
    risk_course(root, x->tool, seen->risk, &x->e.answer.duty, &x->course);
    conf_rules_approvers(root, x->tool, &o);
    x->approvers = arena_buf(&c->arena, &b);
}

/* While what the call is made of is still there: what was found points into it. */
static enum err explain_show(struct cli *c, const struct policy_set *s, const struct policy_question *q,
                             struct explained *x, struct fault *f)
{
    struct arena a;
    struct policy_seen seen = {.risk = NULL};
    struct policy_question question = *q;
    question.seen = &seen;
    arena_init(&a, EXPLAIN_MEMORY);
    enum err e = explain(s, &question, &a, &x->e, f);
    if (!e)
        explain_course(c, &seen, x);
    if (!e && c->json)
        policy_explain_json(x);
    else if (!e)
        policy_explain_print(c, x);
    arena_done(&a);
    return e;
}

/* ---- of the record ---- */

static enum err explain_dir(struct cli *c, const char **ret, struct fault *f)
{
    const char *dir = cli_option(c, "dir");
    if (!dir) {
        TRY(cli_config(c, f));
        dir = arena_fmt(&c->arena, STR_FMT "/audit", STR_ARG(c->conf->root.data_dir)).p;
    }
    *ret = dir;
    return dir ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a path");
}

static enum err explain_entry(struct cli *c, const char *dir, uint64_t want, struct json *ret, struct fault *f)
{
    struct str entry;
    TRY(cli_audit_entry(c, dir, want, &entry, f));
    return json_parse(ret, entry, &c->arena, NULL, f);
}

static struct str explain_str(struct cli *c, const struct json *j, const char *path)
{
    return json_str(j, json_path(j, JSON_ROOT, path), &c->arena);
}

/* Not every entry is a call, and not every call got as far as the policies. */
static enum err explain_other(struct cli *c, const struct json *j, uint64_t seq, struct fault *f)
{
    struct str event = explain_str(c, j, "event"), stage = explain_str(c, j, "policyDecision.stage"),
               why = explain_str(c, j, "policyDecision.reason");
    bool call = str_is(event, "TOOL_CALL") || str_is(event, "TOOL_DENIED") || str_is(event, "RATE_LIMITED");
    int64_t intent;
    if (call)
        return fault_set(f, ERR_PARAMS,
                         "entry %llu was refused before the policies were asked, at the stage " STR_FMT ": " STR_FMT,
                         (unsigned long long)seq, STR_ARG(stage), STR_ARG(why));
    if (json_i64(j, json_get(j, JSON_ROOT, STR("intentSeq")), &intent))
        return fault_set(f, ERR_PARAMS, "entry %llu is " STR_FMT ", the outcome of the call %lld: explain that one",
                         (unsigned long long)seq, STR_ARG(event), (long long)intent);
    return fault_set(f, ERR_PARAMS, "entry %llu is " STR_FMT ", and no call: TOOL_CALL and TOOL_DENIED are",
                     (unsigned long long)seq, STR_ARG(event));
}

static void explain_then(struct cli *c, const struct json *j, const struct policy_set *s, struct explained *x)
{
    struct str why = explain_str(c, j, "policyDecision.reason"), stage = explain_str(c, j, "policyDecision.stage");
    bool went = str_is(explain_str(c, j, "event"), "TOOL_CALL");
    x->then = went ? STR("let through")
                   : arena_fmt(&c->arena, "refused at the stage " STR_FMT ": " STR_FMT, STR_ARG(stage), STR_ARG(why));
    if (!str_is(explain_str(c, j, "policyVersion"), policy_set_texts(s)->version))
        explain_note(x, "the policies have changed since: what follows is what today's say");
}

static enum err explain_recorded(struct cli *c, const struct policy_set *s, struct explained *x, struct fault *f)
{
    struct recorded *r CLEANUP(recorded_closep) = NULL;
    struct recorded_range range = {.since = 0};
    struct recorded_call call = {.seq = 0};
    struct policy_question q;
    struct tool tool;
    struct json j;
    const char *dir;
    TRY(explain_dir(c, &dir, f));
    TRY(explain_entry(c, dir, x->seq, &j, f));
    if (clock_parse(explain_str(c, &j, "timestamp"), &range.since))
        return fault_set(f, ERR_CORRUPT, "entry %llu has no time", (unsigned long long)x->seq);
    range.until = range.since + 1;
    range.last = x->seq;
    TRY(recorded_open(dir, &range, NULL, NULL, &r, f));
    enum err e = ERR_OK;
    while (!e && call.seq != x->seq)
        e = recorded_next(r, &call, f);
    if (e == ERR_NOT_FOUND)
        return explain_other(c, &j, x->seq, f);
    TRY(e);
    x->tool = arena_str(&c->arena, call.tool);
    x->agent = arena_str(&c->arena, call.agent);
    x->type = arena_str(&c->arena, call.type);
    x->now_ms = call.now_ms;
    if (!recorded_question(&call, s, &tool, &q))
        return fault_set(f, ERR_NOT_FOUND, "the tool " STR_FMT " of this call is not known any more",
                         STR_ARG(call.tool));
    explain_then(c, &j, s, x);
    if (call.lack)
        explain_note(x, arena_fmt(&c->arena, "judged by what is known of it, since %s", call.lack).p);
    if (call.effect == RECORDED_LIMIT)
        explain_note(x, "an @limit was used up then; what follows counts no calls");
    return explain_show(c, s, &q, x, f);
}

/* ---- by hand ---- */

static enum err explain_words(struct cli *c, const char *option, const struct str **ret, size_t *ret_n, struct fault *f)
{
    struct str rest = str_of(cli_option(c, option)), word;
    struct str *v = arena_alloc(&c->arena, EXPLAIN_WORDS * sizeof(*v));
    size_t n = 0;
    while (v && rest.n) {
        str_cut(&rest, ' ', &word);
        if (word.n && n == EXPLAIN_WORDS)
            return fault_set(f, ERR_USAGE, "policy explain: --%s: more than %d", option, EXPLAIN_WORDS);
        if (word.n)
            v[n++] = word;
    }
    *ret = v;
    *ret_n = n;
    return v ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a call");
}

static enum err explain_count(struct cli *c, const char *option, int64_t *ret, struct fault *f)
{
    const char *text = cli_option(c, option);
    uint64_t n = 0;
    if (text && (!str_u64(str_of(text), &n) || n > 1000000000))
        return fault_set(f, ERR_USAGE, "policy explain: --%s must be a whole number, not %s", option, text);
    *ret = (int64_t)n;
    return ERR_OK;
}

/* What the registry says of the agent, where the gateway is asked anyway. */
static void explain_agent(struct cli *c, struct policy_call *call, struct explained *x)
{
    const char *id = cli_option(c, "agent");
    struct fault f;
    struct json j;
    if (!id || cli_option(c, "tools"))
        return;
    const char *path = arena_fmt(&c->arena, "/admin/v1/agents/%s", cli_segment(c, id)).p;
    enum err e = path ? cli_admin(c, "GET", path, STR_NONE, &j, NULL, &f) : ERR_NOMEM;
    if (e) {
        explain_note(x, e == ERR_NOT_FOUND ? "no agent of this id is registered: one is imagined"
                                           : "the registry of agents could not be asked: one is imagined");
        return;
    }
    call->type = explain_str(c, &j, "agentType");
    call->version = explain_str(c, &j, "version");
    call->environment = explain_str(c, &j, "deploymentEnv");
    call->owner = explain_str(c, &j, "owner");
}

static enum err explain_options(struct cli *c, struct policy_call *call, struct fault *f)
{
    const struct {
        const char *option;
        struct str *to;
    } texts[] = {{"agent", &call->agent},     {"type", &call->type},   {"agent-version", &call->version},
                 {"env", &call->environment}, {"owner", &call->owner}, {"tool", &call->tool},
                 {"user", &call->user},       {"tier", &call->tier},   {"trigger", &call->trigger},
                 {"source", &call->source}};
    const char *time = cli_option(c, "time"), *input = cli_option(c, "input");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (cli_option(c, texts[i].option))
            *texts[i].to = str_of(cli_option(c, texts[i].option));
    TRY(explain_count(c, "calls", &call->calls, f));
    TRY(explain_count(c, "age", &call->age, f));
    if (cli_option(c, "scopes")) {
        TRY(explain_words(c, "scopes", &call->scope, &call->scopes, f));
        call->scopes_said = true;
    }
    if (cli_option(c, "taints"))
        TRY(explain_words(c, "taints", &call->taint, &call->taints, f));
    if (time && clock_parse(str_of(time), &call->now_ms))
        return fault_set(f, ERR_USAGE, "policy explain: --time must be such as 2026-01-05T12:00:00Z, not %s", time);
    if (!input)
        return ERR_OK;
    if (json_parse(&call->doc, str_of(input), &c->arena, NULL, f))
        return fault_wrap(f, "--input");
    call->input = JSON_ROOT;
    return json_type(&call->doc, JSON_ROOT) == JSON_OBJECT
               ? ERR_OK
               : fault_set(f, ERR_USAGE, "policy explain: --input must be a JSON object of arguments");
}

static enum err explain_imagined(struct cli *c, const struct policy_set *s, struct explained *x, struct fault *f)
{
    struct policy_call call;
    struct policy_made made CLEANUP(policy_made_done) = {.lease = NULL};
    struct policy_question q;
    policy_call_init(&call, clock_wall_ms());
    explain_agent(c, &call, x);
    TRY(explain_options(c, &call, f));
    TRY(policy_call_make(&call, s, &c->arena, &made, &q, f));
    x->tool = call.tool;
    x->agent = call.agent;
    x->type = call.type;
    x->now_ms = call.now_ms;
    return explain_show(c, s, &q, x, f);
}

/* ---- both ---- */

static enum err explain_usage(const struct cli *c, uint64_t *ret_seq, struct fault *f)
{
    static const char *const by_hand[] = {"agent",  "type",  "agent-version", "env",     "owner",  "tool",
                                          "input",  "user",  "tier",          "trigger", "scopes", "taints",
                                          "source", "calls", "age",           "time"};
    if (!c->arg_count)
        return cli_option(c, "tool") ? ERR_OK
                                     : fault_set(f, ERR_USAGE,
                                                 "policy explain: give the number of an entry of the record, or "
                                                 "describe a call, beginning with --tool server/tool");
    if (!str_u64(str_of(c->arg[0]), ret_seq) || !*ret_seq)
        return fault_set(f, ERR_USAGE, "policy explain: SEQ must be an entry's number, not %s", c->arg[0]);
    for (size_t i = 0; i < sizeof(by_hand) / sizeof(by_hand[0]); i++)
        if (cli_option(c, by_hand[i]))
            return fault_set(f, ERR_USAGE, "policy explain: a call of the record is as it was: --%s goes without SEQ",
                             by_hand[i]);
    return ERR_OK;
}

enum err cli_run_policy_explain(struct cli *c, struct fault *f)
{
    struct explained x = {.seq = 0};
    struct policy_set *s = NULL;
    TRY(explain_usage(c, &x.seq, f));
    TRY(cli_policy_set(c, c->arg_count, &s, f));
    enum err e = x.seq ? explain_recorded(c, s, &x, f) : explain_imagined(c, s, &x, f);
    policy_set_unref(s);
    return e;
}
