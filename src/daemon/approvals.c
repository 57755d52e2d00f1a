/* Questions to people, for the house: made at the start, told of what they are bound to, and counted. */
#include "approve/glass.h"

#include "admin/approvals_stream.h"
#include "base/clock.h"
#include "base/log.h"
#include "console/console.h"
#include "daemon/house.h"

/* On the queue's thread. */
static void approvals_count(void *ctx, const struct approval_news *n)
{
    enum meter_series how = n->state == APPROVAL_GRANTED   ? METER_APPROVALS_GRANTED
                            : n->state == APPROVAL_DENIED  ? METER_APPROVALS_DENIED
                            : n->state == APPROVAL_EXPIRED ? METER_APPROVALS_EXPIRED
                                                           : METER_APPROVALS_VOID;
    struct house *h = ctx;
    struct approval_streams *streams = h->approval_streams;
    if (streams)
        approval_streams_news(streams, n);
    if (n->before == APPROVAL_NONE && n->state == APPROVAL_PENDING)
        log_info("approval_requested", LOG_S("approval", n->id), LOG_S("agent", n->agent), LOG_S("tool", n->tool));
    if (n->escalation)
        log_info("approval_escalated", LOG_S("approval", n->id), LOG_S("to", n->escalate));
    if (n->before != APPROVAL_PENDING || n->state == APPROVAL_PENDING)
        return;
    int64_t waited = clock_wall_ms() - n->created;
    meter_add(how, 1);
    meter_observe(METER_APPROVAL_WAIT_SECONDS, (waited > 0 ? waited : 0) * 1000000);
    log_info("approval_decided", LOG_S("approval", n->id), LOG_Z("state", approval_states[n->state]),
             LOG_S("by", n->by), LOG_S("channel", n->channel));
}

static void approvals_glass_told(void *ctx, const struct glass_news *n)
{
    struct house *h = ctx;
    struct approval_streams *streams = h->approval_streams;
    if (streams)
        approval_streams_glass(streams, n);
    log_warn("break_glass", LOG_Z("what", glass_events[n->event]), LOG_Z("id", n->glass->id), LOG_S("by", n->by),
             LOG_S("approval", n->approval));
}

enum err house_approvals_new(struct house *h, struct fault *f)
{
    TRY(people_new(h->store, &h->people, f));
    TRY(passkeys_new(h->store, h->people, &h->passkeys, f));
    TRY(console_new(h->people, h->passkeys, h->conf.conf, &h->console, f));
    TRY(approvals_new(h->store, h->audit, &h->approvals, f));
    approvals_conf(h->approvals, h->conf.conf);
    TRY(house_channels_watch(h, f));
    TRY(approvals_watch_glass(h->approvals, approvals_glass_told, h, f));
    return approvals_watch(h->approvals, approvals_count, h, f);
}

/* Before the first request: who waited when the last process ended waits again. */
enum err house_approvals_resume(struct house *h, struct fault *f)
{
    const struct policy_texts *t = h->policies.texts;
    return approvals_resume(h->approvals, h->sessions, h->agents, t ? str_of(t->version) : STR_NONE, f);
}

void house_approvals_session_over(struct house *h, struct str session)
{
    if (h->approvals)
        approvals_void(h->approvals, STR_NONE, session, STR_NONE, "its session is over");
}

void house_approvals_tool_changed(struct house *h, struct str tool)
{
    if (h->approvals) /* pins are read before there are questions */
        approvals_void(h->approvals, STR_NONE, STR_NONE, tool, "the tool's definition changed");
}

void house_approvals_policies_changed(struct house *h)
{
    approvals_void(h->approvals, STR_NONE, STR_NONE, STR_NONE, "other policies are in force");
}

static bool approvals_decides(const struct conf *conf, struct str name)
{
    for (size_t i = 0; i < conf->root.operators.n; i++)
        if (str_eq(conf->root.operators.v[i].name, name) && conf->root.operators.v[i].role >= CONF_APPROVER)
            return true;
    return false;
}

void house_approvals_operators(struct house *h, const struct conf *before, const struct conf *now)
{
    for (size_t i = 0; i < before->root.operators.n; i++)
        if (!approvals_decides(now, before->root.operators.v[i].name))
            approvals_gone(h->approvals, before->root.operators.v[i].name);
}

void house_approvals_done(struct house *h)
{
    approvals_free(h->approvals); /* its thread tells no news any more */
    approval_streams_free(h->approval_streams);
    console_free(h->console);
    passkeys_free(h->passkeys);
    people_free(h->people);
}
