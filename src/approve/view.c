/* What an approver sees, section by section. */
#include "approve/rows.h"
#include "base/clock.h"

enum { VIEW_BRIEF = 120 /* bytes of arguments in the headline */ };

const char *const view_parts[] = {"time", "who", "tool", "effect", "why", "calls", "earlier", "reasoning", NULL};
static const char *const view_titles[] = {"Time",
                                          "Who",
                                          "Tool",
                                          "What it does",
                                          "Why it is held",
                                          "The session's last calls",
                                          "Decided before, for agents of this type and this tool",
                                          "What the agent says (its own words: not checked by anybody)"};

struct view_making {
    const struct approval_card *card;
    struct approval_view *view;
    struct arena *a;
    int64_t now;
};

static void view_begin(struct view_making *m, struct view_rows *r)
{
    *r = (struct view_rows){.a = m->a};
}

static void view_end(struct view_making *m, struct view_rows *r, enum view_part part)
{
    struct view_section *s = &m->view->section[part];
    s->part = part;
    s->title = str_of(view_titles[part]);
    s->untrusted = part == VIEW_REASONING;
    rows_close(r, s);
}

/* ---- time ---- */

/* A JSON array of words: "a, b". */
static struct str view_words(struct arena *a, struct str list)
{
    struct json j;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, VIEW_ARENA);
    if (list.n && !json_parse(&j, list, a, NULL, NULL))
        JSON_EACH(&j, JSON_ROOT, one)
        {
            if (b.n)
                buf_z(&b, ", ");
            buf_str(&b, json_str(&j, one, a));
        }
    return b.n ? rows_visible(a, buf_view(&b), false) : STR_NONE;
}

/* " It goes to managers as well at 12:02:00 UTC." or nothing. */
static struct str view_escalation(const struct view_making *m)
{
    const struct approval_card *c = m->card;
    struct str to = view_words(m->a, c->escalate), when = rows_when(m->a, c->escalated ? c->escalated : c->escalates);
    if (!c->escalates || c->state != APPROVAL_PENDING)
        return STR("");
    return c->escalated ? ARENA_JOIN(m->a, STR(" Escalated to "), to, STR(" at "), when, STR("."))
                        : ARENA_JOIN(m->a, STR(" Goes to "), to, STR(" as well at "), when, STR("."));
}

static struct str view_deadline(const struct view_making *m)
{
    const struct approval_card *c = m->card;
    int64_t left = c->expires - m->now;
    struct str when = rows_when(m->a, c->expires), in = rows_span(m->a, left > 0 ? left : 0);
    switch (c->state) {
    case APPROVAL_PENDING:
        return ARENA_JOIN(m->a, STR("Until "), when, STR(" (in "), in,
                          STR("); then it counts as denied, and the call is not made."), view_escalation(m));
    case APPROVAL_GRANTED:
        return ARENA_JOIN(m->a, STR("Approved. The agent can take it up until "), when, STR(" (in "), in,
                          STR("); then it is void."));
    case APPROVAL_TAKEN: return STR("Approved, and the call is on its way.");
    case APPROVAL_DONE:
        return c->unmade.n ? ARENA_JOIN(m->a, STR("Approved, but the call was not made: "), c->unmade, STR("."))
                           : STR("Approved, and the call was made.");
    case APPROVAL_DENIED: return STR("Denied: the call is not made.");
    case APPROVAL_EXPIRED: return STR("Out of time: the call is not made.");
    case APPROVAL_VOID: return STR("Void: what it was bound to has changed, and the call is not made.");
    default: return STR_NONE;
    }
}

/* "/amount": 120 → 50; of a question that is over the place alone. */
static void view_change_row(struct view_rows *r, const struct json *j, uint32_t one)
{
    static const char *const sides[] = {"before", "after"};
    struct str text[2];
    for (int i = 0; i < 2; i++) {
        int64_t n = 0;
        struct str bytes = ARENA_JOIN(r->a, str_of(sides[i]), STR("Bytes"));
        text[i] = json_raw(j, json_get(j, one, str_of(sides[i])));
        if (!text[i].n && json_i64(j, json_get(j, one, bytes), &n))
            text[i] = arena_fmt(r->a, "(%lld bytes)", (long long)n);
    }
    struct view_field *row = rows_add(r, 1);
    row->name = rows_visible(r->a, json_str(j, json_get(j, one, STR("path")), r->a), false);
    if (text[0].n || text[1].n)
        row->value = rows_visible(r->a,
                                  ARENA_JOIN(r->a, text[0].n ? text[0] : STR("(not there)"), STR(" → "),
                                             text[1].n ? text[1] : STR("(taken away)")),
                                  false);
    else
        row->value = STR("changed");
}

static void view_verdict_row(struct view_rows *r, const struct json *j, uint32_t one)
{
    struct view_field *row = rows_add(r, 0);
    struct str by = json_str(j, json_get(j, one, STR("by")), r->a);
    struct str verdict = json_str(j, json_get(j, one, STR("verdict")), r->a);
    struct str channel = json_str(j, json_get(j, one, STR("channel")), r->a);
    struct str reason = json_str(j, json_get(j, one, STR("reason")), r->a);
    bool glass = json_bool(j, json_get(j, one, STR("breakGlass")), false);
    row->name = STR("Decided");
    row->value =
        rows_visible(r->a,
                     ARENA_JOIN(r->a, verdict, STR(" by "), by, channel.n ? STR(", over ") : STR_NONE, channel,
                                glass ? STR(", by break-glass") : STR_NONE, reason.n ? STR(": ") : STR_NONE, reason),
                     false);
    JSON_EACH(j, json_get(j, one, STR("changes")), change)
    view_change_row(r, j, change);
}

static void view_time(struct view_making *m)
{
    const struct approval_card *c = m->card;
    struct view_rows r;
    struct json j;
    view_begin(m, &r);
    m->view->deadline = view_deadline(m);
    rows_put(&r, "Ends", m->view->deadline);
    rows_put(&r, "Asked", rows_when(m->a, c->created));
    if (c->decisions.n && !json_parse(&j, c->decisions, m->a, NULL, NULL))
        JSON_EACH(&j, JSON_ROOT, one)
    view_verdict_row(&r, &j, one);
    rows_put(&r, "Why", c->reason);
    view_end(m, &r, VIEW_TIME);
}

/* ---- who, and the tool ---- */

static void view_who(struct view_making *m)
{
    const struct approval_card *c = m->card;
    struct view_rows r;
    view_begin(m, &r);
    rows_put(&r, "Agent", ARENA_JOIN(m->a, c->agent_type, STR(" ("), c->agent, STR(")")));
    rows_put(&r, "Version", c->agent_version);
    rows_put(&r, "Deployed", c->agent_env);
    rows_put(&r, "Owner", c->owner);
    rows_put(&r, "Session", c->session);
    rows_put(&r, "User", c->user.n ? c->user : STR("none: it acts on nobody's behalf"));
    rows_put(&r, "Tier", c->tier);
    rows_put(&r, "Started by", c->trigger);
    view_end(m, &r, VIEW_WHO);
}

static void view_tool(struct view_making *m)
{
    const struct approval_card *c = m->card;
    struct view_rows r;
    view_begin(m, &r);
    rows_put(&r, "Tool", c->tool);
    rows_put(&r, "Its server calls it", c->title);
    rows_put(&r, "Its server says", c->description);
    rows_put(&r, "Definition", c->definition);
    view_end(m, &r, VIEW_TOOL);
}

/* ---- what it would do, and why it is held ---- */

static enum err view_effect(struct view_making *m, struct audit *audit, struct fault *f)
{
    const struct approval_card *c = m->card;
    struct approval_view *v = m->view;
    struct view_rows r;
    view_begin(m, &r);
    if (c->arguments.n) {
        TRY(effect_arguments(audit, c->arguments, m->a, &v->arguments, &v->masked, f));
        TRY(effect_rows(&r, c->arguments, v->arguments, c->schema, f));
    } else {
        rows_put(&r, "", STR("not kept: the question is over. The record has the call."));
    }
    rows_put(&r, "SHA-256", c->digest);
    view_end(m, &r, VIEW_EFFECT);
    return ERR_OK;
}

static void view_list(struct view_rows *r, const char *name, struct str list, const char *none)
{
    struct str words = view_words(r->a, list);
    rows_put(r, name, words.n ? words : str_of(none));
}

static void view_deciders(struct view_rows *r, const struct approval_card *c)
{
    struct str groups = view_words(r->a, c->reviewers), more = view_words(r->a, c->escalate);
    if (groups.n && c->escalates && more.n)
        groups = ARENA_JOIN(r->a, groups, c->escalated ? STR("; since ") : STR("; from "),
                            rows_when(r->a, c->escalated ? c->escalated : c->escalates), STR(" on also "), more);
    rows_put(r, "Who decides", groups.n ? groups : STR("anybody with the role approver"));
}

static void view_why(struct view_making *m)
{
    const struct approval_card *c = m->card;
    struct view_rows r;
    struct json j;
    view_begin(m, &r);
    rows_put(&r, "Risk", str_of(duty_risks[c->risk]));
    if (c->why.n && !json_parse(&j, c->why, m->a, NULL, NULL))
        JSON_EACH(&j, JSON_ROOT, one)
    rows_put(&r, "Because", json_str(&j, one, m->a));
    view_list(&r, "Policies", c->policy_ids, "");
    view_deciders(&r, c);
    rows_put(&r, "Needed",
             c->people > 1 ? arena_fmt(m->a, "%u different people, neither the owner nor the user", c->people)
                           : STR("one person"));
    if (c->glass_until && c->state == APPROVAL_PENDING) {
        rows_put(&r, "Break-glass",
                 ARENA_JOIN(m->a, STR("open until "), rows_when(m->a, c->glass_until),
                            STR(": one approver alone may say yes (--break-glass)")));
        rows_put(&r, "Opened by", ARENA_JOIN(m->a, c->glass_by, STR(": "), c->glass_reason));
    }
    view_end(m, &r, VIEW_WHY);
}

/* The agent's words may hold what it should not have said. */
static void view_reasoning(struct view_making *m, struct audit *audit)
{
    struct view_rows r;
    struct json j;
    struct buf b CLEANUP(buf_done), masked CLEANUP(buf_done);
    view_begin(m, &r);
    buf_init(&b, VIEW_ARENA);
    buf_init(&masked, VIEW_ARENA);
    struct json_out o = json_out(&b);
    json_put_strs(&o, &m->card->reasoning, 1);
    struct str words = m->card->reasoning.n ? audit_mask(audit, NULL, 0, buf_view(&b), m->a, &masked) : STR_NONE;
    if (words.n && !json_parse(&j, words, m->a, NULL, NULL))
        rows_put(&r, "", json_str(&j, json_first(&j, JSON_ROOT), m->a));
    else
        rows_put(&r, "", STR("nothing"));
    view_end(m, &r, VIEW_REASONING);
}

/* ---- all of it ---- */

/* "support wants to call desk/issue_refund (amount 120, order "A-1") for usr_1": who, what, to what. */
static struct str view_headline(const struct view_making *m)
{
    const struct approval_card *c = m->card;
    struct str brief = m->view->arguments.n ? effect_brief(m->view->arguments, VIEW_BRIEF, m->a) : STR_NONE;
    struct str who = c->agent_type.n ? c->agent_type : c->agent;
    struct str words =
        ARENA_JOIN(m->a, who, STR(" wants to call "), c->tool, c->user.n ? STR(" for ") : STR_NONE, c->user);
    words = rows_visible(m->a, words, false);
    return brief.n ? ARENA_JOIN(m->a, words, STR(": "), brief) : words;
}

static enum err view_make(struct view_making *m, struct audit *audit, bool past, struct fault *f)
{
    const struct approval_card *c = m->card;
    struct view_rows r;
    m->view->id = c->id;
    m->view->state = c->state;
    m->view->expires = c->expires;
    m->view->risk = str_of(duty_risks[c->risk]);
    m->view->digest = c->digest;
    view_time(m);
    view_who(m);
    view_tool(m);
    TRY(view_effect(m, audit, f));
    view_why(m);
    view_begin(m, &r);
    if (past)
        past_calls(&r, audit, c);
    view_end(m, &r, VIEW_CALLS);
    view_begin(m, &r);
    if (past)
        past_decisions(&r, audit, c);
    view_end(m, &r, VIEW_EARLIER);
    view_reasoning(m, audit);
    m->view->headline = view_headline(m);
    return arena_failed(m->a) ? fault_set(f, ERR_NOMEM, "no memory to show this") : ERR_OK;
}

enum err view_of_card(struct audit *audit, const struct approval_card *c, int64_t now, struct arena *arena,
                      struct approval_view *ret, struct fault *f)
{
    struct approval_view v = {.state = APPROVAL_NONE};
    struct view_making m = {c, &v, arena, now};
    TRY(view_make(&m, audit, false, f));
    *ret = v;
    return ERR_OK;
}

enum err approvals_view(struct approvals *a, struct str id, struct arena *arena, struct approval_view *ret,
                        struct approval_card *ret_card, struct fault *f)
{
    struct approval_card c;
    struct approval_view v = {.state = APPROVAL_NONE};
    struct view_making m = {&c, &v, arena, clock_wall_ms()};
    TRY(approvals_card(a, id, arena, &c, f));
    TRY(view_make(&m, approvals_record(a), true, f));
    *ret = v;
    if (ret_card)
        *ret_card = c;
    return ERR_OK;
}
