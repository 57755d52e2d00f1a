#include "approve/glass.h"

#include <semaphore.h>

#include "approve/inner.h"
#include "base/clock.h"
#include "base/log.h"

enum { GLASS_LEAST_MS = 60000, GLASS_ARENA = 1 << 20 };
#define GLASS_ABOUT "break-glass"

const char *const glass_events[] = {"started", "used", "ended"};

/* ---- how it stands: with the lock ---- */

bool glass_open(const struct approvals *a)
{
    const struct glass *g = &a->glass;
    return g->open && clock_wall_ms() < g->now.until && clock_mono_ns() < g->until_mono;
}

bool approvals_glass(struct approvals *a, struct approval_glass *ret)
{
    pthread_mutex_lock(&a->lock);
    bool open = glass_open(a);
    if (open && ret)
        *ret = a->glass.now;
    pthread_mutex_unlock(&a->lock);
    return open;
}

int64_t approvals_glass_most(struct approvals *a)
{
    pthread_mutex_lock(&a->lock);
    int64_t ms = a->glass_most_ms;
    pthread_mutex_unlock(&a->lock);
    return ms;
}

void approvals_glass_json(struct approvals *a, struct json_out *o)
{
    struct approval_glass g;
    if (!approvals_glass(a, &g)) {
        json_put_null(o);
        return;
    }
    json_open(o, '{');
    json_kv_z(o, "id", g.id);
    json_kv_z(o, "by", g.by);
    json_kv_z(o, "reason", g.reason);
    clock_kv(o, "startedAt", g.since);
    clock_kv(o, "endsAt", g.until);
    json_kv_i64(o, "used", g.used);
    json_close(o, '}');
}

/* ---- the record ---- */

struct glass_told {
    struct audit_done done;
    sem_t told;
};

static void glass_told(struct audit_done *d)
{
    sem_post(&((struct glass_told *)d)->told);
}

static void glass_details(const struct approval_glass *g, enum audit_event event, struct buf *b)
{
    struct json_out o = json_out(b);
    buf_init(b, 8192);
    json_open(&o, '{'); /* names in the order of the canonical form */
    json_kv_z(&o, "breakGlass", g->id);
    if (event == AUDIT_BREAK_GLASS_STARTED)
        clock_kv(&o, "endsAt", g->until);
    if (event == AUDIT_BREAK_GLASS_ENDED) {
        clock_kv(&o, "startedAt", g->since);
        json_kv_z(&o, "startedBy", g->by);
        json_kv_i64(&o, "used", g->used);
    }
    json_close(&o, '}');
}

static void glass_entry(struct audit_entry *e, enum audit_event event, struct str by, struct str reason)
{
    audit_entry_init(e, event, by.n ? AUDIT_HUMAN : AUDIT_SYSTEM);
    e->actor = by;
    e->reason = reason;
    e->judged = true;
    e->allowed = event == AUDIT_BREAK_GLASS_STARTED;
    e->result = AUDIT_SUCCESS;
}

/* On the disk when it returns. */
static enum err glass_record(struct approvals *a, const struct audit_entry *e, struct fault *f)
{
    struct glass_told t = {.done = {.done = glass_told}};
    sem_init(&t.told, 0, 0);
    enum err err = audit_append(a->audit, e, &t.done, f);
    while (!err && sem_wait(&t.told) != 0)
        ;
    sem_destroy(&t.told);
    return err || !t.done.err ? err : fault_set(f, ERR_AUDIT, "the record does not take it: break-glass is not open");
}

/* ---- the store ---- */

static enum err glass_put(struct approvals *a, const struct approval_glass *g, int64_t until_mono, struct fault *f)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 16384);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_z(&o, "by", g->by);
    json_kv_z(&o, "reason", g->reason);
    json_kv_i64(&o, "since", g->since);
    json_kv_i64(&o, "until", g->until);
    json_kv_i64(&o, "untilMono", until_mono);
    json_kv_i64(&o, "used", g->used);
    json_kv_i64(&o, "written", clock_wall_ms());
    json_kv_str(&o, "boot", clock_boot());
    json_close(&o, '}');
    const struct store_note n = {STR(GLASS_ABOUT), str_of(g->id), buf_view(&b)};
    return buf_failed(&b) ? fault_set(f, ERR_NOMEM, "no memory for break-glass")
                          : a->store->ops->note_put(a->store, &n, f);
}

static bool glass_member(const struct json *j, struct arena *a, const char *key, char *to, size_t n)
{
    struct str s = json_str(j, json_get(j, JSON_ROOT, str_of(key)), a);
    if (!s.n || s.n >= n)
        return false;
    snprintf(to, n, STR_FMT, STR_ARG(s));
    return true;
}

static bool glass_number(const struct json *j, const char *key, int64_t *ret)
{
    return json_i64(j, json_get(j, JSON_ROOT, str_of(key)), ret) && *ret >= 0;
}

/* One that cannot be read is not open. */
static void glass_row(void *ctx, const struct store_note *n)
{
    struct approvals *a = ctx;
    struct arena arena;
    struct json j;
    struct glass g = {.open = true};
    struct clock_end end = {.wall_ms = 0};
    arena_init(&arena, GLASS_ARENA);
    bool ok = n->key.n < sizeof(g.now.id) && json_parse(&j, n->text, &arena, NULL, NULL) == ERR_OK &&
              glass_member(&j, &arena, "by", g.now.by, sizeof(g.now.by)) &&
              glass_member(&j, &arena, "reason", g.now.reason, sizeof(g.now.reason)) &&
              glass_number(&j, "since", &g.now.since) && glass_number(&j, "until", &g.now.until) &&
              glass_number(&j, "untilMono", &end.mono_ns) && glass_number(&j, "used", &g.now.used) &&
              glass_number(&j, "written", &end.written_ms);
    if (ok) {
        snprintf(g.now.id, sizeof(g.now.id), STR_FMT, STR_ARG(n->key));
        end.wall_ms = g.now.until;
        end.boot = json_str(&j, json_get(&j, JSON_ROOT, STR("boot")), &arena);
        g.until_mono = clock_mono_ns() + clock_left(&end, a->newest) * 1000000;
        a->glass = g;
    } else {
        log_error("break_glass_unreadable", LOG_S("id", n->key));
    }
    arena_done(&arena);
}

enum err glass_load(struct approvals *a, struct fault *f)
{
    return a->store->ops->notes_load(a->store, STR(GLASS_ABOUT), glass_row, a, f);
}

/* ---- telling ---- */

static void glass_tell(struct approvals *a, const struct glass_news *n)
{
    for (unsigned i = 0; i < a->glass_watches; i++)
        a->glass_watch[i].told(a->glass_watch[i].ctx, n);
}

enum err approvals_watch_glass(struct approvals *a, void (*told)(void *ctx, const struct glass_news *n), void *ctx,
                               struct fault *f)
{
    if (a->glass_watches == APPROVAL_WATCHES)
        return fault_set(f, ERR_LIMIT, "%d watch break-glass, which is the most", APPROVAL_WATCHES);
    a->glass_watch[a->glass_watches] = (struct glass_watcher){told, ctx};
    a->glass_watches++;
    return ERR_OK;
}

/* ---- its end ---- */

/* With glass_lock, and closed already. */
static enum err glass_over(struct approvals *a, const struct approval_glass *g, struct str by, struct str reason,
                           struct fault *f)
{
    struct audit_entry e;
    struct buf details CLEANUP(buf_done);
    glass_entry(&e, AUDIT_BREAK_GLASS_ENDED, by, reason);
    glass_details(g, AUDIT_BREAK_GLASS_ENDED, &details);
    e.details = buf_view(&details);
    audit_note(a->audit, &e);
    enum err err = a->store->ops->note_drop(a->store, STR(GLASS_ABOUT), str_of(g->id), f);
    pthread_mutex_lock(&a->lock);
    memcpy(a->glass_drop, err ? g->id : "", err ? sizeof(g->id) : 1); /* tried again each second */
    pthread_mutex_unlock(&a->lock);
    const struct glass_news n = {
        .event = GLASS_ENDED, .glass = g, .at = clock_wall_ms(), .by = by, .reason = by.n ? reason : STR_NONE};
    glass_tell(a, &n);
    return err;
}

static bool glass_close(struct approvals *a, struct approval_glass *ret)
{
    pthread_mutex_lock(&a->lock);
    bool was = a->glass.open;
    *ret = a->glass.now;
    a->glass.open = false;
    pthread_mutex_unlock(&a->lock);
    return was;
}

bool glass_due(const struct approvals *a)
{
    return (a->glass.open && !glass_open(a)) || a->glass_drop[0];
}

void glass_settle(struct approvals *a)
{
    struct approval_glass g;
    struct fault f = {.text = ""};
    char drop[ENC_ID_MAX];
    pthread_mutex_lock(&a->glass_lock);
    pthread_mutex_lock(&a->lock);
    bool over = a->glass.open && !glass_open(a);
    memcpy(drop, a->glass_drop, sizeof(drop));
    pthread_mutex_unlock(&a->lock);
    if (drop[0] && !a->store->ops->note_drop(a->store, STR(GLASS_ABOUT), str_of(drop), &f)) {
        pthread_mutex_lock(&a->lock);
        a->glass_drop[0] = 0;
        pthread_mutex_unlock(&a->lock);
    }
    if (over && glass_close(a, &g) && glass_over(a, &g, STR_NONE, STR("its time is over"), &f))
        log_warn("break_glass_not_written", LOG_Z("error", f.text));
    pthread_mutex_unlock(&a->glass_lock);
}

enum err approvals_glass_end(struct approvals *a, struct str by, struct str reason, struct approval_glass *ret,
                             struct fault *f)
{
    struct approval_glass g;
    struct fault late = {.text = ""};
    if (reason.n > GLASS_REASON)
        return fault_set(f, ERR_PARAMS, "a reason is %d bytes at most", GLASS_REASON);
    pthread_mutex_lock(&a->glass_lock);
    bool open = approvals_glass(a, NULL) && glass_close(a, &g);
    pthread_mutex_unlock(&a->glass_lock);
    if (!open)
        return fault_set(f, ERR_CONFLICT, "break-glass is not open");
    if (approvals_settle(a, &late)) /* what was decided by it before; the queue's thread needs the lock for that */
        log_warn("approvals_not_written", LOG_Z("error", late.text));
    pthread_mutex_lock(&a->glass_lock);
    pthread_mutex_lock(&a->lock);
    if (strcmp(a->glass.now.id, g.id) == 0)
        g.used = a->glass.now.used;
    pthread_mutex_unlock(&a->lock);
    enum err e = glass_over(a, &g, by, reason, f);
    pthread_mutex_unlock(&a->glass_lock);
    *ret = g;
    return e ? fault_wrap(f, "break-glass has ended; the store does not know it yet") : ERR_OK;
}

/* ---- its start ---- */

static enum err glass_check(struct approvals *a, struct str by, struct str reason, int64_t ms, struct fault *f)
{
    int64_t most = approvals_glass_most(a);
    if (!by.n || by.n >= APPROVAL_BY)
        return fault_set(f, ERR_ROLE, "who starts break-glass has a name, of less than %d bytes", APPROVAL_BY);
    if (!str_trim(reason).n || reason.n > GLASS_REASON)
        return fault_set(f, ERR_PARAMS, "reason: needed, of at most %d bytes", GLASS_REASON);
    if (most < GLASS_LEAST_MS)
        return fault_set(f, ERR_CONFLICT, "the configuration allows no break-glass (approval.break_glass)");
    if (ms < GLASS_LEAST_MS || ms > most)
        return fault_set(f, ERR_PARAMS, "minutes must be from 1 to %lld (approval.break_glass)",
                         (long long)(most / 60000));
    return ERR_OK;
}

static enum err glass_begin(struct approvals *a, const struct approval_glass *g, int64_t until_mono, struct fault *f)
{
    struct audit_entry e;
    struct buf details CLEANUP(buf_done);
    glass_entry(&e, AUDIT_BREAK_GLASS_STARTED, str_of(g->by), str_of(g->reason));
    glass_details(g, AUDIT_BREAK_GLASS_STARTED, &details);
    e.details = buf_view(&details);
    TRY(glass_record(a, &e, f));
    enum err err = glass_put(a, g, until_mono, f);
    if (err) {
        e.allowed = false;
        e.result = AUDIT_FAILURE;
        e.reason = STR("the store did not take it: it is not open");
        audit_note(a->audit, &e);
        return err;
    }
    pthread_mutex_lock(&a->lock);
    a->glass = (struct glass){.now = *g, .until_mono = until_mono, .open = true};
    pthread_mutex_unlock(&a->lock);
    const struct glass_news n = {.event = GLASS_STARTED, .glass = g, .at = g->since, .by = str_of(g->by)};
    glass_tell(a, &n);
    return ERR_OK;
}

enum err approvals_glass_start(struct approvals *a, struct str by, struct str reason, int64_t ms,
                               struct approval_glass *ret, struct fault *f)
{
    struct approval_glass g = {.since = clock_wall_ms()}, now;
    char until[CLOCK_RFC3339];
    TRY(glass_check(a, by, reason, ms, f));
    glass_settle(a); /* the one before, when its time is over */
    enc_id("bg", g.id);
    snprintf(g.by, sizeof(g.by), STR_FMT, STR_ARG(by));
    snprintf(g.reason, sizeof(g.reason), STR_FMT, STR_ARG(reason));
    g.until = g.since + ms;
    pthread_mutex_lock(&a->glass_lock);
    enum err e;
    if (approvals_glass(a, &now)) {
        clock_format(now.until, until);
        e = fault_set(f, ERR_CONFLICT, "break-glass is open already, by %.60s, until %s", now.by, until);
    } else {
        e = glass_begin(a, &g, clock_mono_ns() + ms * 1000000, f);
    }
    pthread_mutex_unlock(&a->glass_lock);
    if (!e)
        *ret = g;
    return e;
}

/* ---- its use ---- */

static void glass_count(struct approvals *a, struct approval_glass *ret)
{
    struct fault f = {.text = ""};
    pthread_mutex_lock(&a->glass_lock);
    pthread_mutex_lock(&a->lock);
    a->glass.now.used++;
    *ret = a->glass.now;
    bool open = a->glass.open;
    int64_t until_mono = a->glass.until_mono;
    pthread_mutex_unlock(&a->lock);
    if (open && glass_put(a, ret, until_mono, &f))
        log_warn("break_glass_not_written", LOG_Z("error", f.text));
    pthread_mutex_unlock(&a->glass_lock);
}

void glass_used(struct approvals *a, const struct approval_move *m)
{
    struct approval_glass g;
    const struct approval *p = m->on;
    const struct approval_said *s = m->next.said;
    glass_count(a, &g);
    const struct glass_news n = {.event = GLASS_USED,
                                 .glass = &g,
                                 .at = s->at,
                                 .by = s->by,
                                 .approval = str_of(p->id),
                                 .tool = p->tool,
                                 .agent = p->agent};
    glass_tell(a, &n);
}
