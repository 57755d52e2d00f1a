/*
 * Calls that wait for a person, for somebody with ten seconds: the first lines say who wants to do what to what, and
 * until when. A decision carries the digest of what was shown here.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "approve/view.h"
#include "base/clock.h"
#include "cli/approvals.h"
#include "cli/import.h"

static const struct timespec watch_pause = {1, 0};

/* ---- looking ---- */

static enum err approvals_print(struct cli *c, struct fault *f)
{
    static const char *const columns[][2] = {{"APPROVAL", "id"},
                                             {"ENDS", "expiresAt"},
                                             {"ESCALATES", "escalatesAt"},
                                             {"RISK", "risk"},
                                             {"AGENT", "agentType"},
                                             {"TOOL", "tool"},
                                             {"USER", "user"},
                                             {"STATE", "state"},
                                             {"NEEDS", "people"},
                                             {"SESSION", "sessionId"},
                                             {NULL, NULL}};
    const char *path = cli_switch(c, "all") ? "/admin/v1/approvals?state=all" : "/admin/v1/approvals";
    struct json j;
    struct str text;
    TRY(cli_admin(c, "GET", path, STR_NONE, &j, &text, f));
    cli_print_list(c, &j, text, "approvals", columns, "nothing waits for a person");
    cli_glass_note(c, &j, json_get(&j, JSON_ROOT, STR("breakGlass")));
    return ERR_OK;
}

static enum err approval_get(struct cli *c, const char *id, struct approval_seen *ret, struct fault *f)
{
    struct str path = arena_fmt(&c->arena, "/admin/v1/approvals/%s", cli_segment(c, id));
    if (!path.p)
        return fault_set(f, ERR_NOMEM, "no memory for an address");
    TRY(cli_admin(c, "GET", path.p, STR_NONE, &ret->j, &ret->text, f));
    return view_read(&ret->j, JSON_ROOT, &c->arena, &ret->view, f);
}

/* Two lines that say it, in the colour of the risk, and then all of it. */
void cli_approval_print(FILE *to, const struct approval_view *v)
{
    const char *bold = cli_color(to) ? "\033[1m" : "", *plain = *bold ? "\033[0m" : "";
    struct buf b CLEANUP(buf_done);
    buf_init(&b, VIEW_ARENA);
    view_text(v, 0, &b);
    struct str rest = buf_view(&b), line;
    if (buf_failed(&b)) {
        fprintf(to, "this is too large to be shown\n");
        return;
    }
    str_cut(&rest, '\n', &line);
    fprintf(to, "%s" STR_FMT "%s\n", bold, STR_ARG(line), plain);
    fwrite(rest.p, 1, rest.n, to);
}

/* 4 while people are asked; else as any command that has done what it should. */
static enum err approval_pending(const struct approval_view *v)
{
    return v->state == APPROVAL_PENDING ? ERR_APPROVAL_PENDING : ERR_OK;
}

/* How a program asks what people said. */
static enum err approval_end(const struct approval_view *v)
{
    static const enum err ends[] = {[APPROVAL_NONE] = ERR_APPROVAL_VOID,
                                    [APPROVAL_PENDING] = ERR_APPROVAL_PENDING,
                                    [APPROVAL_GRANTED] = ERR_OK,
                                    [APPROVAL_TAKEN] = ERR_OK,
                                    [APPROVAL_DONE] = ERR_OK,
                                    [APPROVAL_DENIED] = ERR_APPROVAL_DENIED,
                                    [APPROVAL_EXPIRED] = ERR_APPROVAL_EXPIRED,
                                    [APPROVAL_VOID] = ERR_APPROVAL_VOID};
    return ends[v->state];
}

/* Until it is not pending any more. A gateway that is away for a while is asked again when it is back. */
static enum err approval_wait(struct cli *c, struct approval_seen *s, struct fault *f)
{
    bool lost = false;
    while (s->view.state == APPROVAL_PENDING) {
        nanosleep(&watch_pause, NULL);
        arena_reset(&c->arena);
        enum err e = approval_get(c, c->arg[0], s, f);
        if (e && e != ERR_UNREACHABLE)
            return e;
        if (e && !lost)
            fprintf(stderr, "doorward: approvals show: %s; it is tried again\n", f->text);
        lost = e != ERR_OK;
        if (e)
            s->view.state = APPROVAL_PENDING;
    }
    return ERR_OK;
}

enum err cli_run_approvals_show(struct cli *c, struct fault *f)
{
    struct approval_seen s;
    bool watch = cli_switch(c, "watch");
    TRY(approval_get(c, c->arg[0], &s, f));
    bool waits = watch && s.view.state == APPROVAL_PENDING;
    if (!c->json)
        cli_approval_print(stdout, &s.view);
    if (waits && fflush(stdout))
        return fault_set(f, ERR_IO, "standard output takes no more");
    if (waits)
        TRY(approval_wait(c, &s, f));
    if (c->json)
        cli_print_json(s.text);
    else if (waits)
        printf("%s: " STR_FMT "\n", cli_shown(c, str_of(c->arg[0]), 0), STR_ARG(s.view.deadline));
    return watch ? approval_end(&s.view) : approval_pending(&s.view);
}

/* ---- deciding ---- */

static enum err approval_ask(struct cli *c, const char *question, struct fault *f)
{
    if (cli_agree(c, question, f))
        return fault_set(f, ERR_CANCELLED, "nothing was decided; --yes says yes where nobody can be asked");
    return ERR_OK;
}

static enum err approval_send(struct cli *c, const char *verb, struct str body, struct fault *f)
{
    struct json j;
    struct str text, path = arena_fmt(&c->arena, "/admin/v1/approvals/%s/%s", cli_segment(c, c->arg[0]), verb);
    if (!path.p || !body.p)
        return fault_set(f, ERR_NOMEM, "no memory for the decision");
    TRY(cli_admin(c, "POST", path.p, body, &j, &text, f));
    struct str state = json_str(&j, json_get(&j, JSON_ROOT, STR("state")), &c->arena);
    bool pending = str_is(state, "pending");
    if (c->json)
        cli_print_json(text);
    else if (pending)
        printf("your yes to %s is noted; another person has to say yes, too\n", cli_shown(c, str_of(c->arg[0]), 0));
    else
        printf("%s is %s\n", cli_shown(c, str_of(c->arg[0]), 0), cli_shown(c, state, 0));
    return pending ? ERR_APPROVAL_PENDING : ERR_OK;
}

/* What is decided about is shown, whatever else: on standard error when standard output is for a program. */
static enum err approval_look(struct cli *c, struct approval_seen *s, struct fault *f)
{
    TRY(approval_get(c, c->arg[0], s, f));
    cli_approval_print(c->json ? stderr : stdout, &s->view);
    return s->view.state == APPROVAL_PENDING
               ? ERR_OK
               : fault_set(f, ERR_CONFLICT, "it is decided already, or over: " STR_FMT, STR_ARG(s->view.deadline));
}

static enum err approval_minutes(struct cli *c, int64_t *ret, struct fault *f)
{
    TRY(cli_number(c, "minutes", 0, ret, f));
    return *ret && cli_switch(c, "edit")
               ? fault_set(f, ERR_USAGE, "either --minutes or --edit: edited arguments are approved once")
               : ERR_OK;
}

enum err cli_run_approvals_approve(struct cli *c, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    struct approval_seen s;
    struct str edited = STR_NONE;
    const char *reason = cli_option(c, "reason");
    bool glass = cli_switch(c, "break-glass");
    int64_t minutes;
    buf_init(&body, 64u << 20);
    TRY(approval_minutes(c, &minutes, f));
    TRY(approval_look(c, &s, f));
    if (cli_switch(c, "edit"))
        TRY(cli_approval_edit(c, &s, &edited, f));
    if (!cli_switch(c, "yes"))
        TRY(approval_ask(c,
                         glass      ? "Approve it alone, by break-glass, of which everybody is told?"
                         : edited.n ? "Approve it with the arguments as you have edited them?"
                         : minutes  ? "Approve this call, and the same one again for so many minutes?"
                                    : "Approve this call?",
                         f));
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    json_kv_str(&o, "digest", s.view.digest);
    if (reason)
        json_kv_z(&o, "reason", reason);
    if (minutes)
        json_kv_i64(&o, "minutes", minutes);
    if (edited.n)
        json_kv_raw(&o, "arguments", edited);
    if (glass)
        json_kv_bool(&o, "breakGlass", true);
    json_close(&o, '}');
    return approval_send(c, "approve", buf_view(&body), f);
}

enum err cli_run_approvals_deny(struct cli *c, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    const char *reason = cli_option(c, "reason");
    bool kill = cli_switch(c, "kill");
    buf_init(&body, 65536);
    if (kill && !cli_switch(c, "yes"))
        TRY(approval_ask(c, "Deny this call, and stop the agent's session?", f));
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    if (reason)
        json_kv_z(&o, "reason", reason);
    if (kill)
        json_kv_bool(&o, "kill", true);
    json_close(&o, '}');
    return approval_send(c, "deny", buf_view(&body), f);
}

/* ---- watching ---- */

struct approval_known { /* sorted: ids that were there the last time */
    struct str *id;
    size_t n;
    struct arena arena;
    bool seen, lost; /* the gateway has answered once; it does not now */
};

static bool watch_knew(const struct approval_known *k, struct str id)
{
    for (size_t i = 0; i < k->n; i++)
        if (str_eq(k->id[i], id))
            return true;
    return false;
}

static void watch_line(struct cli *c, const struct json *j, uint32_t one)
{
    if (c->json) {
        cli_print_json(json_raw(j, one));
        return;
    }
    char ends[CLI_TIME] = "";
    int64_t at;
    const char *columns[] = {"id", "agentType", "tool", "user", "risk"};
    const char *cell[5];
    for (int i = 0; i < 5; i++)
        cell[i] = cli_shown(c, json_str(j, json_get(j, one, str_of(columns[i])), &c->arena), 80);
    if (!clock_parse(json_str(j, json_get(j, one, STR("expiresAt")), &c->arena), &at))
        cli_ago(at, ends);
    bool escalated = json_type(j, json_get(j, one, STR("escalatedAt"))) == JSON_STRING;
    const char *to = escalated ? cli_shown(c, json_raw(j, json_get(j, one, STR("escalateTo"))), 80) : "";
    printf("%s  %s wants to call %s%s%s (risk %s), ends %s%s%s\n", cell[0], cell[1], cell[2], *cell[3] ? " for " : "",
           cell[3], cell[4], ends, escalated ? ", escalated to " : "", to ? to : "");
}

static enum err watch_once(struct cli *c, struct approval_known *k, struct fault *f)
{
    struct json j;
    struct arena arena;
    arena_reset(&c->arena);
    TRY(cli_admin(c, "GET", "/admin/v1/approvals", STR_NONE, &j, NULL, f));
    uint32_t list = json_get(&j, JSON_ROOT, STR("approvals"));
    size_t n = 0, max = json_type(&j, list) == JSON_ARRAY ? j.node[list].size : 0;
    arena_init(&arena, 64u << 20);
    struct str *ids = arena_alloc(&arena, (max + 1) * sizeof(*ids));
    JSON_EACH(&j, list, one)
    {
        bool escalated = json_type(&j, json_get(&j, one, STR("escalatedAt"))) == JSON_STRING; /* that is news, too */
        struct str id = json_str(&j, json_get(&j, one, STR("id")), &c->arena);
        id = escalated ? ARENA_JOIN(&c->arena, id, STR(" escalated")) : id;
        if (!watch_knew(k, id))
            watch_line(c, &j, one);
        if (ids && n < max)
            ids[n++] = arena_str(&arena, id);
    }
    arena_done(&k->arena);
    k->id = ids;
    k->n = ids ? n : 0;
    k->arena = arena;
    return fflush(stdout) ? fault_set(f, ERR_IO, "standard output takes no more") : ERR_OK;
}

static enum err approvals_watched(struct cli *c, struct fault *f)
{
    struct approval_known known = {.n = 0};
    enum err e;
    arena_init(&known.arena, 64u << 20);
    while ((e = watch_once(c, &known, f)) == ERR_OK || (e == ERR_UNREACHABLE && known.seen)) {
        if (e && !known.lost)
            fprintf(stderr, "doorward: approvals list: %s; it is tried again\n", f->text);
        known.lost = e != ERR_OK;
        known.seen = true;
        nanosleep(&watch_pause, NULL);
    }
    arena_done(&known.arena);
    return e;
}

enum err cli_run_approvals_list(struct cli *c, struct fault *f)
{
    if (!cli_switch(c, "watch"))
        return approvals_print(c, f);
    if (cli_switch(c, "all"))
        return fault_set(f, ERR_USAGE, "either --watch or --all: what is over does not begin to wait");
    return approvals_watched(c, f);
}
