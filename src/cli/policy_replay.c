/* The recorded calls by a draft of policies: what would come out differently. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "cli/policy.h"
#include "policy/replay.h"

enum { REPLAY_SLOTS = 1 << 15, REPLAY_GROUPS = 10000, REPLAY_EXAMPLES = 3, REPLAY_PIECE = 1 << 16 };

/* Calls that came out alike, or that lack the same. */
struct replay_group {
    enum replay_outcome before, after;
    struct str tool, agent, reason; /* of the first one */
    uint64_t count, example[REPLAY_EXAMPLES];
};

struct replay_run {
    struct cli *c;
    struct recorded_range range;
    struct replay_group **slot, **group; /* by hash; in the order in which they were met */
    size_t groups;
    uint64_t calls, judged, differ, beyond; /* beyond: of groups that are too many to be told apart */
    struct buf piece;                       /* of what --json prints */
    struct json_out out;
    char first[CLOCK_RFC3339], last[CLOCK_RFC3339];
};

/* ---- groups ---- */

static bool group_is(const struct replay_group *g, const struct replay_result *r, const struct recorded_call *call)
{
    return g->before == r->before && g->after == r->after && str_eq(g->tool, call->tool) &&
           str_eq(g->agent, call->agent) && (r->after != REPLAY_NONE || str_eq(g->reason, r->reason));
}

static struct replay_group *group_of(struct replay_run *run, const struct replay_result *r,
                                     const struct recorded_call *call)
{
    struct arena *a = &run->c->arena;
    uint64_t at = str_hash(call->tool) * 31 + str_hash(call->agent) + (unsigned)r->before * 7 + (unsigned)r->after;
    for (at %= REPLAY_SLOTS; run->slot[at]; at = (at + 1) % REPLAY_SLOTS)
        if (group_is(run->slot[at], r, call))
            return run->slot[at];
    struct replay_group *g = run->groups < REPLAY_GROUPS ? arena_alloc(a, sizeof(*g)) : NULL;
    if (!g)
        return NULL;
    *g = (struct replay_group){.before = r->before, .after = r->after};
    g->tool = arena_str(a, call->tool);
    g->agent = arena_str(a, call->agent);
    g->reason = arena_str(a, r->reason);
    run->slot[at] = run->group[run->groups++] = g;
    return g;
}

static void group_count(struct replay_run *run, const struct replay_result *r, const struct recorded_call *call)
{
    struct replay_group *g = group_of(run, r, call);
    if (!g) {
        run->beyond++;
        return;
    }
    if (g->count < REPLAY_EXAMPLES)
        g->example[g->count] = call->seq;
    g->count++;
}

static int group_cmp(const void *a, const void *b)
{
    const struct replay_group *g = *(struct replay_group *const *)a, *h = *(struct replay_group *const *)b;
    return g->count != h->count ? (g->count < h->count ? 1 : -1) : (g->example[0] > h->example[0] ? 1 : -1);
}

static void group_write(const struct replay_group *g, bool numbers, struct json_out *o)
{
    json_open(o, '{');
    json_kv_z(o, "before", policy_replay_name(g->before));
    json_kv_z(o, "now", policy_replay_name(g->after));
    json_kv_str(o, "tool", g->tool);
    json_kv_str(o, "agent", g->agent);
    json_kv_i64(o, "calls", (int64_t)g->count);
    json_key(o, STR("examples"));
    json_open(o, '[');
    for (uint64_t i = 0; i < g->count && i < REPLAY_EXAMPLES; i++) {
        char text[24];
        snprintf(text, sizeof(text), "#%llu", (unsigned long long)g->example[i]);
        if (numbers)
            json_put_i64(o, (int64_t)g->example[i]);
        else
            json_put_str(o, str_of(text));
    }
    json_close(o, ']');
    json_kv_str(o, "reason", g->reason);
    json_close(o, '}');
}

/* judged: those that would come out differently; otherwise those that were not judged. */
static void groups_write(const struct replay_run *run, bool judged, bool numbers, struct json_out *o)
{
    json_open(o, '[');
    for (size_t i = 0; i < run->groups; i++)
        if ((run->group[i]->after != REPLAY_NONE) == judged)
            group_write(run->group[i], numbers, o);
    json_close(o, ']');
}

/* ---- --json: every one of them, as they are met ---- */

static void replay_flush(struct replay_run *run)
{
    cli_put_json(buf_view(&run->piece));
    buf_clear(&run->piece);
}

static void replay_put(struct replay_run *run, const struct replay_result *r, const struct recorded_call *call)
{
    struct json_out *o = &run->out;
    json_open(o, '{');
    json_kv_i64(o, "seq", (int64_t)call->seq);
    json_kv_str(o, "time", call->when);
    json_kv_str(o, "tool", call->tool);
    json_kv_str(o, "agent", call->agent);
    json_kv_str(o, "session", call->session);
    json_kv_z(o, "before", policy_replay_name(r->before));
    json_kv_z(o, "now", policy_replay_name(r->after));
    json_kv_str(o, "reason", r->reason);
    json_close(o, '}');
    if (run->piece.n >= REPLAY_PIECE)
        replay_flush(run);
}

static void replay_end_json(struct replay_run *run, const struct recorded *rec)
{
    struct json_out *o = &run->out;
    json_close(o, ']');
    json_key(o, STR("groups"));
    groups_write(run, true, true, o);
    json_key(o, STR("notJudgedGroups"));
    groups_write(run, false, true, o);
    json_kv_i64(o, "recorded", (int64_t)run->calls);
    json_kv_i64(o, "judged", (int64_t)run->judged);
    json_kv_i64(o, "differ", (int64_t)run->differ);
    json_kv_i64(o, "notJudged", (int64_t)(run->calls - run->judged));
    json_kv_i64(o, "refusedEarlier", (int64_t)recorded_earlier(rec));
    json_close(o, '}');
    replay_flush(run);
    putchar('\n');
}

/* ---- for people ---- */

static void replay_table(struct replay_run *run, bool judged)
{
    static const char *const columns[][2] = {{"BEFORE", "before"}, {"NOW", "now"},     {"CALLS", "calls"},
                                             {"TOOL", "tool"},     {"AGENT", "agent"}, {"EXAMPLES", "examples"},
                                             {"REASON", "reason"}, {NULL, NULL}};
    struct buf b CLEANUP(buf_done);
    struct json j;
    buf_init(&b, 64u << 20);
    struct json_out o = json_out(&b);
    groups_write(run, judged, false, &o);
    struct str text = arena_buf(&run->c->arena, &b);
    if (text.n && json_parse(&j, text, &run->c->arena, NULL, NULL) == ERR_OK)
        cli_table(run->c, &j, JSON_ROOT, columns);
}

static void replay_end(struct replay_run *run, const struct recorded *rec)
{
    uint64_t lack = run->calls - run->judged, earlier = recorded_earlier(rec);
    if (!run->calls)
        printf("The record has no calls in this time that policies judged.\n");
    else
        printf("%llu call%s from %s to %s: %llu would come out differently.\n", (unsigned long long)run->calls,
               run->calls == 1 ? "" : "s", run->first, run->last, (unsigned long long)run->differ);
    if (run->differ) {
        putchar('\n');
        replay_table(run, true);
    }
    if (lack) {
        printf("\n%llu could not be judged exactly:\n\n", (unsigned long long)lack);
        replay_table(run, false);
    }
    if (run->beyond)
        printf("\n%llu more are of too many kinds to be grouped; --json lists every one.\n",
               (unsigned long long)run->beyond);
    if (earlier)
        printf("\nLeft out: %llu call%s refused before the policies were asked.\n", (unsigned long long)earlier,
               earlier == 1 ? ", which was" : "s, which were");
}

/* ---- the run ---- */

static void replay_one(struct replay_run *run, struct policy_replay *replay, const struct recorded_call *call)
{
    struct replay_result r;
    policy_replay_judge(replay, call, &r);
    clock_format(call->now_ms, run->calls ? run->last : run->first);
    memcpy(run->last, run->calls ? run->last : run->first, sizeof(run->last));
    run->calls++;
    run->judged += r.after != REPLAY_NONE;
    run->differ += r.differs;
    if (!r.differs && r.after != REPLAY_NONE)
        return;
    group_count(run, &r, call);
    if (run->c->json)
        replay_put(run, &r, call);
}

static enum err replay_walk(struct replay_run *run, const struct policy_set *set, struct fault *f)
{
    struct recorded *rec CLEANUP(cli_policy_recorded_done) = NULL;
    struct policy_replay *replay CLEANUP(policy_replay_freep) = policy_replay_new(set);
    struct recorded_call call;
    if (!replay)
        return fault_set(f, ERR_NOMEM, "no memory to judge calls");
    TRY(cli_policy_recorded(run->c, &run->range, &rec, f));
    if (run->c->json) {
        json_open(&run->out, '{');
        json_key(&run->out, STR("calls"));
        json_open(&run->out, '[');
    }
    enum err e;
    while ((e = recorded_next(rec, &call, f)) == ERR_OK)
        replay_one(run, replay, &call);
    cli_policy_recorded_quiet();
    if (e != ERR_NOT_FOUND)
        return e;
    qsort(run->group, run->groups, sizeof(*run->group), group_cmp);
    if (run->c->json)
        replay_end_json(run, rec);
    else
        replay_end(run, rec);
    return ERR_OK;
}

enum err cli_run_policy_replay(struct cli *c, struct fault *f)
{
    struct replay_run run = {.c = c};
    struct policy_set *set = NULL;
    TRY(cli_policy_range(c, &run.range, f));
    TRY(cli_policy_set(c, 0, &set, f));
    run.slot = arena_alloc(&c->arena, REPLAY_SLOTS * sizeof(*run.slot));
    run.group = arena_alloc(&c->arena, REPLAY_GROUPS * sizeof(*run.group));
    buf_init(&run.piece, 512u << 20);
    run.out = json_out(&run.piece);
    enum err e =
        run.slot && run.group ? replay_walk(&run, set, f) : fault_set(f, ERR_NOMEM, "no memory to judge calls");
    buf_done(&run.piece);
    policy_set_unref(set);
    if (e || !run.differ)
        return e;
    *f = (struct fault){.err = ERR_CONFLICT}; /* it is said already */
    return ERR_CONFLICT;
}
