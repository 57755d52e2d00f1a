/* What the record says of questions. Before anybody hears of one, and before a decision is in force. */
#include "approve/inner.h"
#include "base/clock.h"

static enum audit_event log_of(const struct approval_move *m)
{
    switch (m->event) {
    case APPROVAL_ASKED: return AUDIT_APPROVAL_REQUESTED;
    case APPROVAL_YES:
    case APPROVAL_GRANT: return m->next.said && m->next.said->edited ? AUDIT_APPROVAL_EDITED : AUDIT_APPROVAL_GRANTED;
    case APPROVAL_REPEAT: return AUDIT_APPROVAL_GRANTED;
    case APPROVAL_ESCALATE: return AUDIT_APPROVAL_ESCALATED;
    case APPROVAL_DENY: return AUDIT_APPROVAL_DENIED;
    case APPROVAL_TIMEOUT: return AUDIT_APPROVAL_EXPIRED;
    case APPROVAL_BREAK: return AUDIT_APPROVAL_VOID;
    default: return AUDIT_NONE; /* the call's own entries say it */
    }
}

bool approvals_logs(const struct approval_move *m)
{
    return log_of(m) != AUDIT_NONE;
}

static void log_asked(const struct approval *p, struct json_out *o)
{
    char at[CLOCK_RFC3339];
    json_kv_str(o, "approval", str_of(p->id));
    if (p->now.escalates) {
        json_kv_raw(o, "escalateTo", p->escalate);
        clock_kv(o, "escalatesAt", p->now.escalates);
    }
    clock_format(p->now.until, at);
    json_kv_z(o, "expiresAt", at);
    json_kv_i64(o, "people", p->people);
    json_kv_raw(o, "reviewers", p->reviewers.n ? p->reviewers : STR("[]"));
    json_kv_z(o, "risk", duty_risks[p->risk]);
}

static bool log_sealed(const struct approval_move *m)
{
    return m->on->seal || (m->changes && m->changes->sealed);
}

/* Of an edit what differs; both arguments are the entry's parameters, masked and sealed as a call's are. */
static void log_decided(const struct approval_move *m, int64_t now, struct json_out *o)
{
    const struct approval *p = m->on;
    const struct approval_said *s = m->next.said;
    unsigned yes = approval_yes(s, s->digest);
    json_kv_str(o, "approval", str_of(p->id));
    if (s->glass[0])
        json_kv_z(o, "breakGlass", s->glass);
    if (m->changes)
        json_kv_raw(o, "changes", buf_view(&m->changes->all));
    if (m->changes && m->changes->more)
        json_kv_i64(o, "changesMore", (int64_t)m->changes->more);
    json_kv_str(o, "channel", s->channel);
    if (s->edited && !log_sealed(m)) /* which would give small values away */
        json_kv_z(o, "digestBefore", approval_digest(p));
    if (m->dwell_ms > 0)
        json_kv_i64(o, "dwellMs", m->dwell_ms);
    json_kv_i64(o, "latencyMs", now - p->created);
    if (m->event != APPROVAL_DENY)
        json_kv_i64(o, "needed", yes < p->people && !s->glass[0] ? p->people - yes : 0);
    if (s->passkey.n)
        json_kv_str(o, "passkey", s->passkey);
    if (s->shape_ms)
        json_kv_i64(o, "shapeMs", s->shape_ms);
    if (s->verdict == APPROVE_DENY_AND_KILL)
        json_kv_z(o, "verdict", "deny_and_kill");
}

static void log_details(const struct approval_move *m, int64_t now, struct buf *b)
{
    const struct approval *p = m->on;
    struct json_out o = json_out(b);
    json_open(&o, '{'); /* names in the order of the canonical form */
    if (m->event == APPROVAL_ASKED)
        log_asked(p, &o);
    else if (m->event == APPROVAL_YES || m->event == APPROVAL_GRANT || m->event == APPROVAL_DENY)
        log_decided(m, now, &o);
    else {
        json_kv_str(&o, "approval", str_of(p->id));
        if (m->event == APPROVAL_TIMEOUT || m->event == APPROVAL_BREAK)
            json_kv_z(&o, "before", approval_states[m->before]);
        json_kv_i64(&o, "latencyMs", now - p->created);
        if (m->event == APPROVAL_ESCALATE) {
            json_kv_raw(&o, "reviewers", p->reviewers.n ? p->reviewers : STR("[]"));
            json_kv_raw(&o, "to", p->escalate);
        }
        if (m->event == APPROVAL_REPEAT)
            json_kv_str(&o, "shapeOf", str_of(m->shape_of));
    }
    json_close(&o, '}');
}

static void log_fill(const struct approval_move *m, int64_t now, struct audit_entry *e)
{
    const struct approval *p = m->on;
    const struct approval_said *s = m->next.said;
    bool person = m->event == APPROVAL_YES || m->event == APPROVAL_GRANT || m->event == APPROVAL_DENY;
    audit_entry_init(e, log_of(m), m->event == APPROVAL_ASKED ? AUDIT_AI_AGENT : person ? AUDIT_HUMAN : AUDIT_SYSTEM);
    e->agent_id = p->agent;
    e->agent_type = p->agent_type;
    e->agent_version = p->lease ? p->lease->agent_version : STR_NONE;
    e->agent_env = p->lease ? p->lease->agent_env : STR_NONE;
    e->session_id = p->sid;
    e->user = p->user;
    e->trigger = p->lease ? p->lease->trigger : STR_NONE;
    e->trace_id = p->trace_id;
    e->tool = p->tool;
    e->digest = str_of(person && s ? s->digest : approval_digest(p));
    e->seal = log_sealed(m);
    if (m->changes) {
        e->parameters = buf_view(&m->changes->parameters);
        e->unmasked = true;
    }
    e->policy_ids = p->policy_ids;
    e->policy_version = p->policy_version;
    if (person && s) {
        e->actor = s->by;
        e->reason = s->reason;
    } else if (m->event == APPROVAL_BREAK)
        e->reason = str_of(m->next.why);
    else if (m->event == APPROVAL_ESCALATE)
        e->reason = STR("nobody has decided so far");
    else if (m->event == APPROVAL_TIMEOUT)
        e->reason =
            m->before == APPROVAL_GRANTED ? STR("approved, and not taken up in time") : STR("nobody decided in time");
    e->judged = m->event != APPROVAL_ASKED && m->event != APPROVAL_ESCALATE;
    e->allowed = m->event == APPROVAL_GRANT || m->event == APPROVAL_REPEAT;
    if (m->event != APPROVAL_ASKED)
        e->latency_us = (now - p->created) * 1000;
    e->result = m->event == APPROVAL_TIMEOUT                              ? AUDIT_TIMEOUT
                : m->event == APPROVAL_DENY || m->event == APPROVAL_BREAK ? AUDIT_DENIED
                                                                          : AUDIT_SUCCESS;
}

/* details: to be freed, also when they failed. */
static void log_entry(const struct approval_move *m, struct audit_entry *e, struct buf *details)
{
    int64_t now = clock_wall_ms();
    buf_init(details, 1u << 20);
    log_fill(m, now, e);
    log_details(m, now, details);
    e->details = buf_view(details);
}

enum err approvals_log(struct approvals *a, struct approval_move *m, struct audit_done *done, struct fault *f)
{
    struct audit_entry e;
    struct buf details CLEANUP(buf_done);
    log_entry(m, &e, &details);
    if (buf_failed(&details))
        return fault_set(f, ERR_NOMEM, "no memory for the record");
    return audit_append(a->audit, &e, done, f);
}

static void log_waived(const struct approval_move *m, struct buf *b)
{
    struct json_out o = json_out(b);
    buf_init(b, 4096);
    json_open(&o, '{');
    json_kv_str(&o, "approval", str_of(m->on->id));
    json_kv_z(&o, "breakGlass", m->next.said->glass);
    json_key(&o, STR("waived"));
    json_open(&o, '[');
    if (m->waives_groups)
        json_put_str(&o, STR("groups"));
    if (m->waives_people)
        json_put_str(&o, STR("people"));
    json_close(&o, ']');
    json_close(&o, '}');
}

enum err approvals_log_glass(struct approvals *a, struct approval_move *m, struct audit_done *done, struct fault *f)
{
    struct audit_entry e;
    struct buf details CLEANUP(buf_done);
    log_fill(m, clock_wall_ms(), &e);
    log_waived(m, &details);
    e.event = AUDIT_BREAK_GLASS_USED;
    e.details = buf_view(&details);
    if (buf_failed(&details))
        return fault_set(f, ERR_NOMEM, "no memory for the record");
    return audit_append(a->audit, &e, done, f);
}

void approvals_log_failed(struct approvals *a, struct approval_move *m)
{
    struct audit_entry e;
    struct buf details CLEANUP(buf_done);
    log_entry(m, &e, &details);
    e.allowed = false;
    e.reason = STR("the store did not take it: it is not in force");
    e.result = AUDIT_FAILURE;
    audit_note(a->audit, &e);
    if (m->waives_groups || m->waives_people) {
        e.event = AUDIT_BREAK_GLASS_USED;
        audit_note(a->audit, &e);
    }
}
