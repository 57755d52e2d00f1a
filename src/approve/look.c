/* Looking at questions: one of them, and lists. */
#include "approve/inner.h"
#include "base/clock.h"

struct look_one {
    struct arena *arena;
    struct approval_card *ret;
    struct fault *f;
    enum err e;
};

static void look_row(void *ctx, const struct store_approval *row)
{
    struct look_one *l = ctx;
    l->e = row_card(row, l->arena, l->ret, l->f);
}

enum err approvals_card(struct approvals *a, struct str id, struct arena *arena, struct approval_card *ret,
                        struct fault *f)
{
    struct look_one l = {arena, ret, f, ERR_OK};
    struct approval_glass g;
    TRY(a->store->ops->approval_read(a->store, id, look_row, &l, f));
    TRY(l.e);
    if (!approvals_glass(a, &g))
        return ERR_OK;
    ret->glass_until = g.until;
    ret->glass_by = arena_str(arena, str_of(g.by));
    ret->glass_reason = arena_str(arena, str_of(g.reason));
    return arena_failed(arena) ? fault_set(f, ERR_NOMEM, "no memory for approvals") : ERR_OK;
}

struct audit *approvals_record(struct approvals *a)
{
    return a->audit;
}

static void look_put(const struct approval *p, struct json_out *o)
{
    const char *digest = approval_digest(p);
    json_open(o, '{');
    json_kv_str(o, "id", str_of(p->id));
    json_kv_z(o, "state", approval_states[p->now.state]);
    json_kv_z(o, "risk", duty_risks[p->risk]);
    json_kv_str(o, "tool", p->tool);
    json_kv_str(o, "agentId", p->agent);
    json_kv_str(o, "agentType", p->agent_type);
    json_kv_str(o, "sessionId", p->sid);
    json_kv_str(o, "user", p->user);
    clock_kv(o, "createdAt", p->created);
    clock_kv(o, "expiresAt", p->now.until);
    json_kv_z(o, "digest", digest);
    json_kv_i64(o, "people", p->people);
    json_kv_raw(o, "reviewers", p->reviewers.n ? p->reviewers : STR("[]"));
    json_kv_raw(o, "escalateTo", p->escalate.n ? p->escalate : STR("[]"));
    clock_kv(o, "escalatesAt", p->now.escalates);
    clock_kv(o, "escalatedAt", p->now.escalated);
    json_key(o, STR("approvedBy"));
    json_open(o, '[');
    for (const struct approval_said *s = p->now.said; s; s = s->before)
        if (s->verdict >= APPROVE_ONCE && strcmp(s->digest, digest) == 0)
            json_put_str(o, s->by);
    json_close(o, ']');
    json_close(o, '}');
}

void approvals_list(struct approvals *a, bool pending_only, struct json_out *o)
{
    json_open(o, '[');
    pthread_mutex_lock(&a->lock);
    for (const struct approval *p = a->first; p; p = p->next)
        if (p->now.state == APPROVAL_PENDING || (!pending_only && p->now.state != APPROVAL_NONE))
            look_put(p, o);
    pthread_mutex_unlock(&a->lock);
    json_close(o, ']');
}

int64_t approvals_oldest(struct approvals *a)
{
    pthread_mutex_lock(&a->lock);
    const struct approval *p = a->first;
    while (p && p->now.state != APPROVAL_PENDING)
        p = p->next;
    int64_t created = p ? p->created : 0;
    pthread_mutex_unlock(&a->lock);
    return created;
}
