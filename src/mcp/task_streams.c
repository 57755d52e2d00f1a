/*
 * Streams that tell how tasks stand (MCP 2026-07-28 subscriptions/listen with taskIds; notifications/tasks): the first
 * time when the stream begins, and then with each change. A task is told whole, as tasks/get would answer.
 */
#include "mcp/tasks.h"

enum { TASK_STREAM_IDS = 256, TASK_STREAM_EVENT = 32 << 20 };

/* How a task stands, through the eyes of the stream's session. What is found is in the arena, and in r->call until
 * task_unseen. */
static bool task_seen(struct mcp_request *r, struct str id, struct arena *a, struct gate_task_seen *ret)
{
    arena_init(a, MCP_TASK_ARENA);
    struct call look = {.arena = a, .lease = r->lease};
    memcpy(look.trace_id, r->call.trace_id, sizeof(look.trace_id));
    r->call = look;
    return gate_task_look(r->mcp->gate, id, &r->call, false, ret);
}

static void task_unseen(struct mcp_request *r, struct arena *a)
{
    struct call none = {.arena = NULL};
    memcpy(none.trace_id, r->call.trace_id, sizeof(none.trace_id));
    r->call = none;
    arena_done(a);
}

enum err mcp_tasks_listen(struct mcp_stream *s, uint32_t list, struct fault *f)
{
    struct mcp_request *r = s->r;
    unsigned n = 0;
    if (!list)
        return ERR_OK;
    TRY(mcp_needs_tasks(r, f));
    if (json_type(&r->doc, list) != JSON_ARRAY)
        return fault_set(f, ERR_PARAMS, "params.notifications.taskIds must be an array");
    JSON_EACH(&r->doc, list, v)
    {
        if (json_type(&r->doc, v) != JSON_STRING || ++n > TASK_STREAM_IDS)
            return fault_set(f, ERR_PARAMS, "params.notifications.taskIds must hold at most %d strings",
                             TASK_STREAM_IDS);
    }
    if (!(s->task = arena_alloc(&r->x->arena, (n + 1) * sizeof(*s->task))))
        return fault_set(f, ERR_NOMEM, "no memory for what is listened to");
    JSON_EACH(&r->doc, list, v)
    {
        struct arena a;
        struct gate_task_seen seen;
        struct str id = json_str(&r->doc, v, &r->x->arena);
        if (r->mcp->gate->gate->tasks && task_seen(r, id, &a, &seen))
            s->task[s->task_count++] = (struct mcp_stream_task){.id = id};
        task_unseen(r, &a);
    }
    return ERR_OK;
}

void mcp_tasks_acknowledge(const struct mcp_stream *s, struct json_out *o)
{
    if (!s->task_count)
        return;
    json_key(o, STR("taskIds"));
    json_open(o, '[');
    for (size_t i = 0; i < s->task_count; i++)
        json_put_str(o, s->task[i].id);
    json_close(o, ']');
}

static void task_tell(struct mcp_stream *s, struct mcp_stream_task *t)
{
    struct arena a;
    struct gate_task_seen seen;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, TASK_STREAM_EVENT);
    if (t->told && gate_task_version(s->r->mcp->gate->gate->tasks, t->id, s->r->lease) == t->told)
        return;
    if (task_seen(s->r, t->id, &a, &seen) && seen.version != t->told) {
        struct json_out o = mcp_notification_open(s, &b, "notifications/tasks");
        mcp_put_task(s->r, &o, t->id, &seen);
        mcp_notification_close(&o);
        if (!buf_failed(&b) && !arena_failed(&a) &&
            !arena_failed(&s->r->x->arena)) /* its client still asks by itself */
            mcp_stream_send(s, &b);
        t->told = seen.version;
    }
    task_unseen(s->r, &a);
}

void mcp_tasks_tell(struct mcp_stream *s)
{
    if (!s->task_count)
        return;
    uint64_t version = gate_tasks_version(s->r->mcp->gate->gate->tasks);
    for (size_t i = 0; i < s->task_count && version != s->tasks_told; i++)
        task_tell(s, &s->task[i]);
    s->tasks_told = version;
}
