/* People who decide: added, shown, given a token, removed; and how they decide. */
#include "identity/people.h"

#include <stdlib.h>

#include "admin/looks.h"
#include "admin/request.h"
#include "admin/reviews.h"
#include "approve/approve.h"
#include "base/clock.h"

enum {
    FIGURES_HOURS = 24,
    FIGURES_MANY = 10,       /* so few decisions say nothing */
    FIGURES_QUICK_MS = 10000 /* who takes less has hardly read it */
};

/* ---- shown ---- */

static void person_write(struct json_out *o, const struct store_person *p)
{
    json_open(o, '{');
    json_kv_str(o, "name", p->name);
    json_kv_str(o, "role", p->role);
    json_kv_raw(o, "groups", p->groups.n ? p->groups : STR("[]"));
    json_kv_bool(o, "enabled", p->enabled);
    json_kv_bool(o, "hasToken", p->token_hash.n > 0);
    json_kv_str(o, "slack", p->slack);
    json_kv_str(o, "email", p->email);
    json_kv_str(o, "pagerduty", p->pagerduty);
    clock_kv(o, "createdAt", p->created);
    json_close(o, '}');
}

static void person_list_one(void *ctx, const struct store_person *p)
{
    person_write(ctx, p);
}

enum err admin_people_list(struct admin_request *r, struct fault *f)
{
    (void)f;
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_key(&o, STR("people"));
    json_open(&o, '[');
    people_each(r->admin->people, person_list_one, &o);
    json_close(&o, ']');
    json_close(&o, '}');
    return ERR_OK;
}

/* ---- changed ---- */

static void person_note(struct admin_request *r, enum audit_event event, const struct store_person *p)
{
    struct buf details CLEANUP(buf_done);
    buf_init(&details, 1 << 20);
    struct json_out o = json_out(&details); /* in the order of RFC 8785 */
    json_open(&o, '{');
    if (event == AUDIT_PERSON_ADDED || event == AUDIT_PERSON_CHANGED) {
        json_kv_bool(&o, "enabled", p->enabled);
        json_kv_raw(&o, "groups", p->groups.n ? p->groups : STR("[]"));
    }
    json_kv_str(&o, "name", p->name);
    if (event == AUDIT_PERSON_ADDED || event == AUDIT_PERSON_CHANGED)
        json_kv_str(&o, "role", p->role);
    json_close(&o, '}');
    admin_note(r->admin, event, r->operator, STR_NONE, buf_view(&details));
}

static enum err person_groups(struct admin_request *r, struct str *ret, struct fault *f)
{
    struct conf_strings list = {0};
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 65536);
    TRY(admin_strings(r, "groups", &list, f));
    struct json_out o = json_out(&b);
    json_put_strs(&o, list.v, list.n);
    *ret = arena_buf(r->arena, &b);
    return ret->p ? ERR_OK : fault_set(f, ERR_PARAMS, "groups: larger than 65536 bytes");
}

static enum err person_bool(struct admin_request *r, const char *key, bool *ret, struct fault *f)
{
    uint32_t node = json_get(&r->doc, JSON_ROOT, str_of(key));
    enum json_type t = json_type(&r->doc, node);
    if (node && t != JSON_TRUE && t != JSON_FALSE)
        return fault_set(f, ERR_PARAMS, "%s must be true or false", key);
    *ret = json_bool(&r->doc, node, *ret);
    return ERR_OK;
}

/* With its token, which is in no other answer. */
static enum err person_answer(struct admin_request *r, struct str name, const struct secret *token, int status,
                              struct fault *f)
{
    struct store_person p;
    TRY(people_find(r->admin->people, name, r->arena, &p, f));
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_key(&o, STR("person"));
    person_write(&o, &p);
    if (token)
        json_kv_str(&o, "token", (struct str){(const char *)secret_bytes(token), secret_len(token)});
    json_close(&o, '}');
    r->status = status;
    return ERR_OK;
}

/* "replace": true changes one that is there; what is not said is as of one that is new. */
enum err admin_people_post(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"name",      "role",    "groups",  "slack", "email",
                                       "pagerduty", "enabled", "replace", NULL};
    struct secret *token CLEANUP(secret_freep) = NULL;
    struct store_person p = {.enabled = true};
    bool replace = false;
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "name", &p.name, f));
    TRY(admin_str(r, "role", &p.role, f));
    TRY(admin_str(r, "slack", &p.slack, f));
    TRY(admin_str(r, "email", &p.email, f));
    TRY(admin_str(r, "pagerduty", &p.pagerduty, f));
    TRY(person_groups(r, &p.groups, f));
    TRY(person_bool(r, "enabled", &p.enabled, f));
    TRY(person_bool(r, "replace", &replace, f));
    if (!p.role.n)
        p.role = STR("approver");
    TRY(people_put(r->admin->people, &p, replace, f));
    r->people_changed = true;
    if (!p.enabled || str_is(p.role, people_roles[CONF_VIEWER]))
        approvals_gone(r->admin->approvals, p.name);
    person_note(r, replace ? AUDIT_PERSON_CHANGED : AUDIT_PERSON_ADDED, &p);
    if (!replace)
        TRY(people_token(r->admin->people, p.name, &token, f));
    return person_answer(r, p.name, token, replace ? 200 : 201, f);
}

enum err admin_people_token(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {NULL};
    struct secret *token CLEANUP(secret_freep) = NULL;
    struct store_person p = {.name = r->id};
    TRY(admin_only(r, keys, f));
    TRY(people_token(r->admin->people, r->id, &token, f));
    r->people_changed = true;
    person_note(r, AUDIT_PERSON_TOKEN, &p);
    return person_answer(r, r->id, token, 200, f);
}

enum err admin_people_drop(struct admin_request *r, struct fault *f)
{
    struct store_person p = {.name = r->id};
    TRY(people_drop(r->admin->people, r->id, f));
    r->people_changed = true;
    approvals_gone(r->admin->approvals, r->id);
    person_note(r, AUDIT_PERSON_REMOVED, &p);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_str(&o, "removed", r->id);
    json_close(&o, '}');
    return ERR_OK;
}

/* ---- how they decide ---- */

struct figures {
    struct arena *arena;
    struct str name;
    size_t granted, denied, dwells;
    bool more; /* than were looked at */
    bool grants;
    int64_t dwell[3 * SEARCH_LIMIT];
};

/* Entries also come for questions that were asked on this person's behalf. */
static enum err figures_take(void *ctx, uint64_t seq, struct str entry, struct fault *f)
{
    struct figures *g = ctx;
    struct json j;
    int64_t ms;
    (void)seq;
    arena_reset(g->arena);
    if (json_parse(&j, entry, g->arena, NULL, f) || !json_str_is(&j, json_get(&j, JSON_ROOT, STR("actor")), g->name))
        return ERR_OK;
    g->granted += g->grants;
    g->denied += !g->grants;
    if (json_i64(&j, json_path(&j, JSON_ROOT, "details.dwellMs"), &ms) && ms > 0)
        g->dwell[g->dwells++] = ms;
    return ERR_OK;
}

static enum err figures_ask(struct admin_request *r, struct figures *g, enum audit_event event, struct fault *f)
{
    struct str dir = admin_audit_dir(r);
    struct search_answer answer;
    struct search_question q = {.user = g->name,
                                .event = str_of(audit_event_name(event)),
                                .since = clock_wall_ms() - FIGURES_HOURS * INT64_C(3600000),
                                .limit = SEARCH_LIMIT};
    if (!dir.p)
        return fault_set(f, ERR_NOMEM, "no memory for the figures");
    g->grants = event != AUDIT_APPROVAL_DENIED;
    TRY(search_ask(dir.p, &q, figures_take, g, &answer, f));
    g->more = g->more || answer.next;
    return ERR_OK;
}

static int figures_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static const char *figures_hint(const struct figures *g, int64_t median)
{
    if (g->granted + g->denied < FIGURES_MANY || g->denied || !g->dwells || median >= FIGURES_QUICK_MS)
        return NULL;
    return "approves everything within seconds: are these questions worth asking, or too many for one person?";
}

static void figures_write(struct json_out *o, struct figures *g)
{
    size_t n = g->granted + g->denied;
    qsort(g->dwell, g->dwells, sizeof(g->dwell[0]), figures_order);
    int64_t median = g->dwells ? g->dwell[g->dwells / 2] : 0;
    const char *hint = figures_hint(g, median);
    json_open(o, '{');
    json_kv_str(o, "name", g->name);
    json_kv_i64(o, "hours", FIGURES_HOURS);
    json_kv_i64(o, "decisions", (int64_t)n);
    json_kv_bool(o, "more", g->more);
    json_kv_i64(o, "approved", (int64_t)g->granted);
    json_kv_i64(o, "denied", (int64_t)g->denied);
    if (n)
        json_kv_i64(o, "approvedPercent", (int64_t)(g->granted * 100 / n));
    else
        json_kv_null(o, "approvedPercent");
    if (g->dwells)
        json_kv_i64(o, "medianDwellMs", median);
    else
        json_kv_null(o, "medianDwellMs");
    if (hint)
        json_kv_z(o, "hint", hint);
    else
        json_kv_null(o, "hint");
    json_close(o, '}');
}

enum err admin_people_figures(struct admin_request *r, struct fault *f)
{
    struct arena arena;
    struct figures *g = calloc(1, sizeof(*g));
    if (!g)
        return fault_set(f, ERR_NOMEM, "no memory for the figures");
    arena_init(&arena, 64u << 20);
    g->arena = &arena;
    g->name = r->id;
    enum err e = figures_ask(r, g, AUDIT_APPROVAL_GRANTED, f);
    if (!e)
        e = figures_ask(r, g, AUDIT_APPROVAL_EDITED, f); /* a yes as well */
    if (!e)
        e = figures_ask(r, g, AUDIT_APPROVAL_DENIED, f);
    struct json_out o = json_out(&r->out);
    if (!e)
        figures_write(&o, g);
    arena_done(&arena);
    free(g);
    return e;
}

/* ---- for the others ---- */

enum err admin_settle(struct admin_request *r, struct fault *f)
{
    return approvals_settle(r->admin->approvals, f)
               ? fault_wrap(f, "done, but a restart may open a session again in which a call waits for a person")
               : ERR_OK;
}

/* ---- for the daemon ---- */

enum err admin_people_new(struct admin *a, struct fault *f)
{
    a->looks = looks_new();
    a->reviews = reviews_new();
    return a->looks && a->reviews ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for looks and reviews");
}

void admin_people_free(struct admin *a)
{
    looks_free(a->looks);
    reviews_free(a->reviews);
    a->looks = NULL;
    a->reviews = NULL;
}
