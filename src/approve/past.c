/* What the record says of before: the session's last calls, and what people decided about such calls. */
#include <stdlib.h>

#include "approve/rows.h"
#include "base/clock.h"
#include "search/search.h"

enum {
    PAST_CALLS = 10,
    PAST_DECISIONS = 10,
    PAST_LOOK = 50, /* decisions of each kind that are looked at */
    PAST_RESULTS = 40,
    PAST_VALUE = 300 /* bytes of a call's arguments; the record holds all of them */
};

struct past_entry {
    uint64_t seq;
    struct str when, tool, agent_type, actor, parameters, code, result, reason;
    int64_t intent;
    enum audit_event event;
};

struct past {
    struct arena *a;
    struct past_entry *v;
    size_t n, max;
    struct str but; /* an entry that holds this is passed over */
    enum audit_event event;
};

static struct str past_str(const struct json *j, const char *path, struct arena *a)
{
    struct str s = json_str(j, json_path(j, JSON_ROOT, path), a);
    return s.n ? arena_str(a, s) : STR_NONE;
}

/* The entry's text does not outlive this. */
static enum err past_take(void *ctx, uint64_t seq, struct str entry, struct fault *f)
{
    struct past *p = ctx;
    struct json j;
    if (p->n == p->max)
        return ERR_OK;
    if (p->but.n && memmem(entry.p, entry.n, p->but.p, p->but.n))
        return ERR_OK;
    if (json_parse(&j, entry, p->a, NULL, NULL))
        return arena_failed(p->a) ? fault_set(f, ERR_NOMEM, "no memory for the record's entries") : ERR_OK;
    uint32_t parameters = json_get(&j, JSON_ROOT, STR("parameters"));
    struct past_entry *e = &p->v[p->n];
    *e = (struct past_entry){.seq = seq, .intent = -1, .event = p->event};
    e->when = past_str(&j, "timestamp", p->a);
    e->tool = past_str(&j, "toolName", p->a);
    e->agent_type = past_str(&j, "agentType", p->a);
    e->actor = past_str(&j, "actor", p->a);
    e->code = past_str(&j, "code", p->a);
    e->result = past_str(&j, "result", p->a);
    e->reason = past_str(&j, "policyDecision.reason", p->a);
    if (json_type(&j, parameters) == JSON_OBJECT)
        e->parameters = arena_str(p->a, json_raw(&j, parameters));
    if (!json_i64(&j, json_get(&j, JSON_ROOT, STR("intentSeq")), &e->intent))
        e->intent = -1;
    p->n++;
    return ERR_OK;
}

static enum err past_ask(struct past *p, struct audit *audit, struct search_question q, enum audit_event event,
                         unsigned limit, struct fault *f)
{
    struct search_answer answer;
    p->event = event;
    q.event = str_of(audit_event_name(event));
    q.limit = limit;
    return search_ask(audit_dir(audit), &q, past_take, p, &answer, f);
}

static bool past_room(struct past *p, struct arena *a, size_t max)
{
    *p = (struct past){.a = a, .v = arena_alloc(a, max * sizeof(*p->v)), .max = max};
    return p->v != NULL;
}

static int past_newest_first(const void *a, const void *b)
{
    const struct past_entry *x = a, *y = b;
    return x->seq < y->seq ? 1 : x->seq > y->seq ? -1 : 0;
}

static void past_unknown(struct view_rows *r, const struct fault *f)
{
    struct view_field *row = rows_add(r, 0);
    row->value = ARENA_JOIN(r->a, STR("the record cannot be read now: "), rows_visible(r->a, str_of(f->text), false));
}

static struct str past_time(struct arena *a, const struct past_entry *e)
{
    int64_t ms;
    return clock_parse(e->when, &ms) ? STR("-") : rows_when(a, ms);
}

/* Arguments in a line; of long ones the beginning, and where all of them are. */
static struct str past_arguments(struct arena *a, const struct past_entry *e)
{
    if (e->parameters.n <= 2)
        return STR_NONE;
    size_t n = e->parameters.n;
    if (n <= PAST_VALUE)
        return rows_visible(a, e->parameters, false);
    for (n = PAST_VALUE; n && ((unsigned char)e->parameters.p[n] & 0xc0) == 0x80;)
        n--;
    struct str some = rows_visible(a, (struct str){e->parameters.p, n}, false);
    return arena_fmt(a, STR_FMT "… (%zu bytes: entry %llu of the record)", STR_ARG(some), e->parameters.n,
                     (unsigned long long)e->seq);
}

/* ---- calls ---- */

static const char *past_outcome(const struct past_entry *call, const struct past *results)
{
    if (call->event == AUDIT_TOOL_DENIED)
        return "denied";
    for (size_t i = 0; i < results->n; i++)
        if (results->v[i].intent == (int64_t)call->seq)
            return results->v[i].result.n ? results->v[i].result.p : "unknown";
    return "no outcome yet";
}

static void past_call_row(struct view_rows *r, const struct past_entry *e, const char *outcome)
{
    struct view_field *row = rows_add(r, 0);
    struct str arguments = past_arguments(r->a, e);
    row->name = past_time(r->a, e);
    row->value = ARENA_JOIN(r->a, rows_visible(r->a, e->tool, false), arguments.n ? STR(" ") : STR_NONE, arguments);
    row->note =
        rows_visible(r->a, e->code.n ? ARENA_JOIN(r->a, str_of(outcome), STR(", "), e->code) : str_of(outcome), false);
}

void past_calls(struct view_rows *r, struct audit *audit, const struct approval_card *c)
{
    struct search_question q = {.session = c->session};
    struct past calls, results;
    struct fault f = {0};
    if (!past_room(&calls, r->a, (size_t)PAST_CALLS * 2) || !past_room(&results, r->a, PAST_RESULTS))
        return;
    if (past_ask(&calls, audit, q, AUDIT_TOOL_CALL, PAST_CALLS, &f) ||
        past_ask(&calls, audit, q, AUDIT_TOOL_DENIED, PAST_CALLS, &f) ||
        past_ask(&results, audit, q, AUDIT_TOOL_RESULT, PAST_RESULTS, &f)) {
        past_unknown(r, &f);
        return;
    }
    qsort(calls.v, calls.n, sizeof(*calls.v), past_newest_first);
    for (size_t i = 0; i < calls.n && i < PAST_CALLS; i++)
        past_call_row(r, &calls.v[i], past_outcome(&calls.v[i], &results));
    if (!calls.n)
        rows_add(r, 0)->value = STR("none: this is the session's first");
}

/* ---- decisions ---- */

static const char *past_word(enum audit_event e)
{
    return e == AUDIT_APPROVAL_GRANTED ? "granted" : e == AUDIT_APPROVAL_DENIED ? "denied" : "out of time";
}

static void past_decision_row(struct view_rows *r, const struct past_entry *e)
{
    struct view_field *row = rows_add(r, 0);
    struct str by = e->actor.n ? ARENA_JOIN(r->a, STR(" by "), e->actor) : STR_NONE;
    struct str why = e->reason.n ? ARENA_JOIN(r->a, STR(": "), e->reason) : STR_NONE;
    row->name = past_time(r->a, e);
    row->value = rows_visible(r->a, ARENA_JOIN(r->a, str_of(past_word(e->event)), by, why), false);
    row->note = past_arguments(r->a, e);
}

/* The same tool, for agents of the same type. */
void past_decisions(struct view_rows *r, struct audit *audit, const struct approval_card *c)
{
    static const enum audit_event events[] = {AUDIT_APPROVAL_GRANTED, AUDIT_APPROVAL_DENIED, AUDIT_APPROVAL_EXPIRED};
    struct search_question q = {.tool = c->tool};
    struct past p;
    struct fault f = {0};
    size_t like[3] = {0}, n = 0;
    if (!past_room(&p, r->a, (size_t)PAST_LOOK * 3))
        return;
    p.but = c->id;
    for (size_t i = 0; i < 3; i++)
        if (past_ask(&p, audit, q, events[i], PAST_LOOK, &f)) {
            past_unknown(r, &f);
            return;
        }
    qsort(p.v, p.n, sizeof(*p.v), past_newest_first);
    for (size_t i = 0; i < p.n; i++)
        for (size_t k = 0; k < 3; k++)
            like[k] += p.v[i].event == events[k] && str_eq(p.v[i].agent_type, c->agent_type);
    struct view_field *row = rows_add(r, 0);
    row->value = like[0] + like[1] + like[2] == 0
                     ? STR("none")
                     : arena_fmt(r->a, "%zu granted, %zu denied, %zu out of time", like[0], like[1], like[2]);
    for (size_t i = 0; i < p.n && n < PAST_DECISIONS; i++)
        if (str_eq(p.v[i].agent_type, c->agent_type) && ++n)
            past_decision_row(r, &p.v[i]);
}
