/* The least policy that covers what an agent did: written from the record, validated, and replayed against it. */
#include "base/clock.h"
#include "cli/policy.h"
#include "policy/replay.h"
#include "policy/suggest.h"

struct suggesting {
    struct cli *c;
    struct str agent, type;
    const char *tools;
    struct recorded_range range;
    struct suggest *suggest;
    uint64_t replayed, allowed, lacking; /* lacking: cannot be judged exactly */
};

/* ---- what was seen ---- */

static enum err suggest_collect(struct suggesting *g, struct fault *f)
{
    struct recorded *rec CLEANUP(cli_policy_recorded_done) = NULL;
    struct recorded_call call;
    enum err e;
    TRY(cli_policy_recorded(g->c, &g->range, &rec, f));
    g->range.last = recorded_last(rec); /* what comes meanwhile is not replayed */
    while ((e = recorded_next(rec, &call, f)) == ERR_OK)
        TRY(suggest_call(g->suggest, &call, f));
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- whether it holds ---- */

static enum err suggest_set(struct suggesting *g, struct str text, struct policy_set **ret, struct fault *f)
{
    struct policy_texts *texts = NULL;
    struct buf faults CLEANUP(buf_done);
    const struct policy_text one = {.name = STR("suggested"), .text = text, .enforce = true};
    buf_init(&faults, 1u << 20);
    enum err e = policy_texts_of(&one, 1, &texts, &faults);
    if (!e)
        e = cli_policy_set_of(g->c, texts, g->tools, ret, f);
    else
        fault_set(f, e, "what is suggested is no text of policies: " STR_FMT, STR_ARG(buf_view(&faults)));
    policy_texts_unref(texts);
    return e;
}

/* The same calls by the new policies. Tools whose calls would not be allowed lose their conditions. */
static enum err suggest_replay(struct suggesting *g, const struct policy_set *set, struct fault *f)
{
    struct recorded *rec CLEANUP(cli_policy_recorded_done) = NULL;
    struct policy_replay *replay CLEANUP(policy_replay_freep) = policy_replay_new(set);
    struct recorded_call call;
    struct replay_result r;
    enum err e;
    if (!replay)
        return fault_set(f, ERR_NOMEM, "no memory to judge calls");
    g->replayed = g->allowed = g->lacking = 0;
    TRY(cli_policy_recorded(g->c, &g->range, &rec, f));
    while ((e = recorded_next(rec, &call, f)) == ERR_OK) {
        if (!suggest_takes(g->suggest, &call))
            continue;
        policy_replay_judge(replay, &call, &r);
        g->lacking += r.after == REPLAY_NONE;
        g->replayed += r.after != REPLAY_NONE;
        g->allowed += r.after == REPLAY_ALLOW;
        if (r.after != REPLAY_NONE && r.after != REPLAY_ALLOW)
            suggest_plain(g->suggest, call.tool);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err suggest_try(struct suggesting *g, struct buf *out, struct fault *f)
{
    struct policy_set *set = NULL;
    buf_clear(out);
    suggest_write(g->suggest, out);
    if (buf_failed(out))
        return fault_set(f, ERR_LIMIT, "what could be suggested is larger than a text of policies may be");
    TRY(suggest_set(g, buf_view(out), &set, f));
    enum err e = suggest_replay(g, set, f);
    policy_set_unref(set);
    return e;
}

/* A condition may read a member that another tool's call has in a form that no policy can hold; then not only the tools
 * that were refused but all lose theirs. */
static enum err suggest_make(struct suggesting *g, struct buf *out, struct fault *f)
{
    for (unsigned turn = 0; turn < 3; turn++) {
        TRY(suggest_try(g, out, f));
        if (g->allowed == g->replayed)
            return ERR_OK;
        if (turn == 1)
            suggest_plain(g->suggest, STR_NONE);
    }
    return fault_set(f, ERR_INTERNAL, "no policy was found that allows all of these calls");
}

/* ---- what is printed ---- */

static void suggest_head(const struct suggesting *g, const struct suggest_counts *n, struct buf *out)
{
    char since[CLOCK_RFC3339], until[CLOCK_RFC3339];
    int64_t now = clock_wall_ms();
    clock_format(g->range.since, since);
    clock_format(g->range.until < now ? g->range.until : now, until);
    buf_z(out, g->agent.n ? "// What the agent " : "// What agents of the type ");
    cedar_string_print(g->agent.n ? g->agent : g->type, out);
    buf_fmt(out, " did from %s to %s, as the record has it:\n// %llu call%s of %zu tool%s went through.\n", since,
            until, (unsigned long long)n->calls, n->calls == 1 ? "" : "s", n->tools, n->tools == 1 ? "" : "s");
    buf_fmt(out, "// Replayed against these policies: all %llu that can be judged exactly are allowed.\n",
            (unsigned long long)g->replayed);
    if (g->lacking > n->unknown)
        buf_fmt(out, "// Not replayed: %llu, whose parameters are masked or whose session is not on record.\n",
                (unsigned long long)(g->lacking - n->unknown));
    if (n->unknown)
        buf_fmt(out, "// Not covered: %llu of tools that are not known now.\n", (unsigned long long)n->unknown);
    buf_char(out, '\n');
}

static void suggest_tool_json(void *ctx, struct str id, uint64_t calls)
{
    struct json_out *o = ctx;
    json_open(o, '{');
    json_kv_str(o, "tool", id);
    json_kv_i64(o, "calls", (int64_t)calls);
    json_close(o, '}');
}

static void suggest_json(const struct suggesting *g, const struct suggest_counts *n, struct str text)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_str(&o, "policies", text);
    json_kv_i64(&o, "calls", (int64_t)n->calls);
    json_kv_i64(&o, "replayed", (int64_t)g->replayed);
    json_kv_i64(&o, "allowed", (int64_t)g->allowed);
    json_kv_i64(&o, "notReplayed", (int64_t)g->lacking);
    json_key(&o, STR("tools"));
    json_open(&o, '[');
    suggest_each(g->suggest, suggest_tool_json, &o);
    json_close(&o, ']');
    json_close(&o, '}');
    cli_print_json(buf_view(&b));
}

static enum err suggest_print(struct suggesting *g, struct str policies, struct fault *f)
{
    struct suggest_counts n;
    struct buf text CLEANUP(buf_done), form CLEANUP(buf_done), shown CLEANUP(buf_done), faults CLEANUP(buf_done);
    buf_init(&text, CEDAR_TEXT_MAX);
    buf_init(&form, 2 * CEDAR_TEXT_MAX);
    buf_init(&shown, 64u << 20);
    buf_init(&faults, 1u << 20);
    suggest_counts(g->suggest, &n);
    suggest_head(g, &n, &text);
    buf_str(&text, policies);
    if (buf_failed(&text) || cedar_format(STR("suggested"), buf_view(&text), &form, &faults))
        return fault_set(f, ERR_LIMIT, "what could be suggested is larger than a text of policies may be");
    if (g->c->json) {
        suggest_json(g, &n, buf_view(&form));
        return ERR_OK;
    }
    cli_visible(&shown, buf_view(&form), true);
    fwrite(shown.p, 1, shown.n, stdout);
    return ERR_OK;
}

/* ---- the run ---- */

static enum err suggest_run(struct suggesting *g, struct fault *f)
{
    struct suggest_counts n;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, CEDAR_TEXT_MAX);
    TRY(suggest_collect(g, f));
    suggest_counts(g->suggest, &n);
    if (!n.tools)
        return fault_set(f, ERR_NOT_FOUND, "the record has no calls of %s " STR_FMT " in this time that went through%s",
                         g->agent.n ? "the agent" : "agents of the type", STR_ARG(g->agent.n ? g->agent : g->type),
                         n.unknown ? " and are of tools that are known now" : "");
    TRY(suggest_make(g, &out, f));
    return suggest_print(g, buf_view(&out), f);
}

enum err cli_run_policy_suggest(struct cli *c, struct fault *f)
{
    struct suggesting g = {.c = c, .tools = cli_option(c, "tools")};
    struct policy_set *set = NULL;
    g.agent = str_of(cli_option(c, "agent"));
    g.type = str_of(cli_option(c, "type"));
    if (!g.agent.n == !g.type.n)
        return fault_set(f, ERR_USAGE, "give --agent ID, or --type TYPE for all agents of a type");
    TRY(cli_policy_range(c, &g.range, f));
    TRY(suggest_set(&g, str_of(policy_builtin), &set, f)); /* for its tools */
    g.suggest = suggest_new(set, g.agent, g.type);
    enum err e = g.suggest ? suggest_run(&g, f) : fault_set(f, ERR_NOMEM, "no memory for what was seen");
    suggest_free(g.suggest);
    policy_set_unref(set);
    return e;
}
