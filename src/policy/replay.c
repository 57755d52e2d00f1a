#include "policy/replay.h"

#include <stdlib.h>

#include "store/bucket.h"

enum {
    REPLAY_MEMORY = 256 << 20, /* of one call */
    REPLAY_SWEEP = 1 << 14,    /* calls; buckets that are full again are forgotten */
};

struct policy_replay {
    const struct policy_set *s;
    struct buckets *buckets;
    uint64_t calls;
    struct arena arena; /* of the call */
};

const char *policy_replay_name(enum replay_outcome o)
{
    static const char *const names[] = {
        [REPLAY_NONE] = "not judged",
        [REPLAY_DENY] = "deny",
        [REPLAY_APPROVAL] = "approval",
        [REPLAY_LIMIT] = "limit",
        [REPLAY_ALLOW] = "allow",
        [REPLAY_CHANGED] = "allow changed",
        [REPLAY_OTHERWISE] = "allow changed otherwise",
    };
    return names[o];
}

struct policy_replay *policy_replay_new(const struct policy_set *s)
{
    struct policy_replay *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->s = s;
    r->buckets = buckets_new();
    arena_init(&r->arena, REPLAY_MEMORY);
    if (r->buckets)
        return r;
    policy_replay_free(r);
    return NULL;
}

void policy_replay_free(struct policy_replay *r)
{
    if (!r)
        return;
    if (r->buckets)
        buckets_free(r->buckets);
    arena_done(&r->arena);
    free(r);
}

void policy_replay_freep(struct policy_replay **r)
{
    policy_replay_free(*r);
}

/* ---- changed arguments ---- */

static uint32_t replay_argument(const struct json *j, uint32_t at, struct str path)
{
    struct str name;
    for (bool more = true; more && at;) {
        more = str_cut(&path, '.', &name);
        at = json_get(j, at, name);
    }
    return at;
}

/* Do these arguments have the value there already? */
static bool replay_is_set(struct policy_replay *r, const struct json *j, uint32_t arguments, const struct duty_set *set)
{
    struct json value;
    uint32_t at = replay_argument(j, arguments, set->path);
    return at && json_parse(&value, set->value, &r->arena, NULL, NULL) == ERR_OK &&
           json_equal(j, at, &value, JSON_ROOT, &r->arena);
}

static bool replay_sets(const struct duty *d, const struct json *j, uint32_t path, struct arena *a)
{
    struct str s = json_str(j, path, a);
    for (unsigned i = 0; i < d->sets; i++)
        if (str_eq(d->set[i].path, s))
            return true;
    return false;
}

static enum replay_outcome replay_changes(struct policy_replay *r, const struct recorded_call *c, const struct duty *d)
{
    bool changed = false, same = true;
    for (unsigned i = 0; i < d->sets; i++) {
        changed = changed || !replay_is_set(r, c->doc, c->arguments, &d->set[i]);
        same = same && replay_is_set(r, c->doc, c->sent, &d->set[i]);
    }
    JSON_EACH(c->doc, c->changed, path)
    same = same && replay_sets(d, c->doc, path, &r->arena);
    return !changed ? REPLAY_ALLOW : same || !c->changed ? REPLAY_CHANGED : REPLAY_OTHERWISE;
}

/* Policies may have set what was so already. */
static bool replay_was_changed(const struct recorded_call *c)
{
    struct arena a;
    arena_init(&a, REPLAY_MEMORY);
    bool equal = !c->changed || json_equal(c->doc, c->arguments, c->doc, c->sent, &a);
    arena_done(&a);
    return !equal;
}

/* ---- judging ---- */

static enum replay_outcome replay_before(const struct recorded_call *c)
{
    switch (c->effect) {
    case RECORDED_APPROVAL: return REPLAY_APPROVAL;
    case RECORDED_LIMIT: return REPLAY_LIMIT;
    case RECORDED_ALLOW: return replay_was_changed(c) ? REPLAY_CHANGED : REPLAY_ALLOW;
    default: return REPLAY_DENY;
    }
}

static struct str replay_ids(struct policy_replay *r, const char *words, const struct policy_answer *a)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4096);
    buf_z(&b, words);
    for (uint32_t i = 0; i < a->reasons && i < POLICY_REASONS; i++)
        buf_fmt(&b, "%s" STR_FMT, i ? ", " : " ", STR_ARG(a->reason[i]->id));
    return arena_buf(&r->arena, &b);
}

static bool replay_limited(struct policy_replay *r, const struct recorded_call *c, const struct duty *d)
{
    struct bucket_use use[DUTY_ITEMS];
    struct lease_verdict v;
    int64_t now_ns = c->now_ms * 1000000;
    if (++r->calls % REPLAY_SWEEP == 0)
        buckets_sweep(r->buckets, now_ns);
    for (unsigned i = 0; i < d->limits; i++)
        use[i] = (struct bucket_use){
            buckets_get(r->buckets, STR("policy"), c->agent, d->limit[i].policy->id, &d->limit[i].rate), "policy"};
    bucket_take_all(use, d->limits, now_ns, &v);
    return v.answer != LEASE_GRANTED;
}

static enum replay_outcome replay_after(struct policy_replay *r, const struct recorded_call *c,
                                        const struct policy_answer *a, struct str *reason)
{
    if (a->effect == POLICY_DENY) {
        *reason = arena_str(&r->arena, str_of(a->fault.text));
        return REPLAY_DENY;
    }
    if (a->effect == POLICY_APPROVE) {
        *reason = replay_ids(r, "a person has to approve, by", a);
        return REPLAY_APPROVAL;
    }
    if (replay_limited(r, c, &a->duty)) {
        *reason = replay_ids(r, "over a limit of", a);
        return REPLAY_LIMIT;
    }
    *reason = replay_ids(r, "permitted by", a);
    return replay_changes(r, c, &a->duty);
}

void policy_replay_judge(struct policy_replay *r, const struct recorded_call *c, struct replay_result *ret)
{
    struct policy_question q;
    struct policy_answer a;
    struct tool tool;
    arena_reset(&r->arena);
    *ret = (struct replay_result){.before = replay_before(c), .after = REPLAY_NONE};
    const char *lack = c->lack;
    if (!lack && !recorded_question(c, r->s, &tool, &q))
        lack = "the tool is not known now";
    if (lack) {
        ret->reason = str_of(lack);
        return;
    }
    policy_judge(r->s, &q, &r->arena, &a);
    if (a.fault.err == ERR_NOMEM || arena_failed(&r->arena)) {
        ret->reason = STR("no memory to judge it");
        return;
    }
    ret->after = replay_after(r, c, &a, &ret->reason);
    if (c->asked && ret->after == REPLAY_APPROVAL)
        ret->before = REPLAY_APPROVAL;
    ret->differs = !c->refused && ret->before != ret->after;
}
