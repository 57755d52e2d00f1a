#include "admin/reviews.h"

#include <pthread.h>
#include <stdlib.h>

#include "admin/request.h"

enum { REVIEWS_LIMIT = 100, REVIEWS_MAX = 1000, REVIEWS_TURNS = 20 };

struct reviews {
    pthread_mutex_t lock;
    bool loaded;
    uint64_t floor; /* it and all before are cleared */
    uint64_t *seq;  /* cleared ones behind the floor, sorted */
    size_t n, cap;
};

struct reviews *reviews_new(void)
{
    struct reviews *r = calloc(1, sizeof(*r));
    if (r)
        pthread_mutex_init(&r->lock, NULL);
    return r;
}

void reviews_free(struct reviews *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r->seq);
    free(r);
}

/* ---- what is cleared: with the lock held ---- */

/* Where it stands, or would. */
static size_t reviews_at(const struct reviews *r, uint64_t seq)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (r->seq[mid] < seq)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool reviews_has(const struct reviews *r, uint64_t seq)
{
    size_t at = reviews_at(r, seq);
    return seq <= r->floor || (at < r->n && r->seq[at] == seq);
}

static bool reviews_add(struct reviews *r, uint64_t seq)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 256;
        uint64_t *more = realloc(r->seq, cap * sizeof(*more));
        if (!more)
            return false;
        r->seq = more;
        r->cap = cap;
    }
    size_t at = reviews_at(r, seq);
    memmove(r->seq + at + 1, r->seq + at, (r->n - at) * sizeof(*r->seq));
    r->seq[at] = seq;
    r->n++;
    return true;
}

static void reviews_raise(struct reviews *r, uint64_t floor)
{
    size_t gone = reviews_at(r, floor + 1);
    if (floor <= r->floor)
        return;
    if (r->n)
        memmove(r->seq, r->seq + gone, (r->n - gone) * sizeof(*r->seq));
    r->n -= gone;
    r->floor = floor;
}

bool reviews_cleared(struct reviews *r, uint64_t seq)
{
    pthread_mutex_lock(&r->lock);
    bool is = reviews_has(r, seq);
    pthread_mutex_unlock(&r->lock);
    return is;
}

uint64_t reviews_floor(struct reviews *r)
{
    pthread_mutex_lock(&r->lock);
    uint64_t floor = r->floor;
    pthread_mutex_unlock(&r->lock);
    return floor;
}

enum err reviews_clear(struct reviews *r, uint64_t seq, bool up_to, bool *ret_new, struct fault *f)
{
    pthread_mutex_lock(&r->lock);
    bool known = up_to ? seq <= r->floor : reviews_has(r, seq), ok = true;
    if (!known && up_to)
        reviews_raise(r, seq);
    else if (!known)
        ok = reviews_add(r, seq);
    pthread_mutex_unlock(&r->lock);
    *ret_new = !known;
    return ok ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a review");
}

/* ---- read once ---- */

struct reviews_loading {
    struct reviews *r;
    struct arena arena;
    bool done; /* one cleared all before it */
};

/* The newest first: behind one that cleared all before it nothing is left to be known. */
static enum err reviews_load_one(void *ctx, uint64_t seq, struct str entry, struct fault *f)
{
    struct reviews_loading *l = ctx;
    struct json j;
    int64_t n;
    (void)seq;
    arena_reset(&l->arena);
    if (l->done || json_parse(&j, entry, &l->arena, NULL, NULL))
        return ERR_OK;
    if (json_i64(&j, json_path(&j, JSON_ROOT, "details.upTo"), &n) && n > 0) {
        reviews_raise(l->r, (uint64_t)n);
        l->done = true;
    } else if (json_i64(&j, json_path(&j, JSON_ROOT, "details.seq"), &n) && n > 0 && !reviews_has(l->r, (uint64_t)n) &&
               !reviews_add(l->r, (uint64_t)n)) {
        return fault_set(f, ERR_NOMEM, "no memory for the reviews");
    }
    return ERR_OK;
}

enum err reviews_load(struct reviews *r, const char *audit_dir, struct fault *f)
{
    struct search_question q = {.event = STR("REVIEW_CLEARED"), .limit = SEARCH_LIMIT};
    struct reviews_loading l = {.r = r};
    struct search_answer answer = {.next = 0};
    enum err e = ERR_OK;
    arena_init(&l.arena, 64u << 20);
    pthread_mutex_lock(&r->lock);
    while (!r->loaded && !e) {
        q.after = answer.next;
        e = search_ask(audit_dir, &q, reviews_load_one, &l, &answer, f);
        r->loaded = !e && (l.done || !answer.next);
    }
    if (e) { /* half of it would show what was cleared */
        r->n = 0;
        r->floor = 0;
    }
    pthread_mutex_unlock(&r->lock);
    arena_done(&l.arena);
    return e;
}

/* ---- the operators' API ---- */

struct reviews_page {
    struct reviews *all;
    struct json_out *o;
    struct arena arena;
    uint64_t floor, last;
    unsigned n, limit;
    bool full;
};

static void review_member(struct json_out *o, const char *as, const struct json *j, const char *path)
{
    uint32_t node = json_path(j, JSON_ROOT, path);
    json_kv_raw(o, as, node ? json_raw(j, node) : STR("null"));
}

static void review_write(struct json_out *o, uint64_t seq, const struct json *j)
{
    json_open(o, '{');
    json_kv_i64(o, "id", (int64_t)seq);
    review_member(o, "queuedAt", j, "timestamp");
    review_member(o, "agentId", j, "agentId");
    review_member(o, "agentType", j, "agentType");
    review_member(o, "sessionId", j, "sessionId");
    review_member(o, "user", j, "triggerUserId");
    review_member(o, "tool", j, "toolName");
    review_member(o, "arguments", j, "parameters");
    review_member(o, "result", j, "result");
    review_member(o, "intentSeq", j, "intentSeq");
    review_member(o, "traceId", j, "traceId");
    review_member(o, "details", j, "details");
    json_close(o, '}');
}

static enum err review_take(void *ctx, uint64_t seq, struct str entry, struct fault *f)
{
    struct reviews_page *p = ctx;
    struct json j;
    (void)f;
    if (p->full || seq <= p->floor)
        return ERR_OK;
    if (!reviews_cleared(p->all, seq)) {
        arena_reset(&p->arena);
        if (json_parse(&j, entry, &p->arena, NULL, NULL) == ERR_OK) {
            review_write(p->o, seq, &j);
            p->n++;
        }
    }
    p->last = seq;
    p->full = p->n == p->limit;
    return ERR_OK;
}

static enum err review_ask(struct admin_request *r, struct search_question *q, struct reviews_page *p,
                           uint64_t *ret_next, struct fault *f)
{
    struct str dir = admin_audit_dir(r);
    struct search_answer answer = {.next = q->after};
    if (!dir.p)
        return fault_set(f, ERR_NOMEM, "no memory for the reviews");
    for (int i = 0; i < REVIEWS_TURNS && !p->full; i++) {
        q->after = answer.next;
        TRY(search_ask(dir.p, q, review_take, p, &answer, f));
        if (!answer.next || answer.next <= p->floor)
            break;
    }
    *ret_next = p->full ? p->last : answer.next > p->floor ? answer.next : 0;
    return ERR_OK;
}

static enum err review_number(const char *name, struct str text, uint64_t *ret, struct fault *f)
{
    if (text.n && !str_u64(text, ret))
        return fault_set(f, ERR_PARAMS, "%s must be a number", name);
    return ERR_OK;
}

static enum err review_question(struct admin_request *r, struct search_question *q, unsigned *ret_limit,
                                struct fault *f)
{
    struct str limit, after;
    uint64_t n = REVIEWS_LIMIT;
    const struct admin_query query[] = {{"agent", &q->agent}, {"tool", &q->tool}, {"limit", &limit}, {"after", &after}};
    TRY(admin_query_read(r, query, sizeof(query) / sizeof(query[0]), f));
    TRY(review_number("limit", limit, &n, f));
    TRY(review_number("after", after, &q->after, f));
    if (!n || n > REVIEWS_MAX)
        return fault_set(f, ERR_PARAMS, "limit must be from 1 to %d", REVIEWS_MAX);
    q->event = STR("REVIEW_QUEUED");
    q->limit = SEARCH_LIMIT;
    *ret_limit = (unsigned)n;
    return ERR_OK;
}

enum err admin_reviews_list(struct admin_request *r, struct fault *f)
{
    struct search_question q = {.after = 0};
    struct json_out o = json_out(&r->out);
    struct reviews_page p = {.all = r->admin->reviews, .o = &o};
    uint64_t next = 0;
    struct str dir = admin_audit_dir(r);
    if (!dir.p)
        return fault_set(f, ERR_NOMEM, "no memory for the reviews");
    TRY(review_question(r, &q, &p.limit, f));
    TRY(reviews_load(p.all, dir.p, f));
    p.floor = reviews_floor(p.all);
    arena_init(&p.arena, 64u << 20);
    json_open(&o, '{');
    json_key(&o, STR("reviews"));
    json_open(&o, '[');
    enum err e = review_ask(r, &q, &p, &next, f);
    arena_done(&p.arena);
    if (e) {
        buf_clear(&r->out);
        return e;
    }
    json_close(&o, ']');
    if (next)
        json_kv_i64(&o, "next", (int64_t)next);
    else
        json_kv_null(&o, "next");
    json_close(&o, '}');
    return ERR_OK;
}

/* Is it one of the queue? Whoever clears another entry has made a mistake. */
static enum err review_entry(struct admin_request *r, const char *dir, uint64_t seq, struct json *ret, struct buf *text,
                             struct fault *f)
{
    TRY(search_entry(dir, seq, text, f));
    TRY(json_parse(ret, buf_view(text), r->arena, NULL, f));
    return json_str_is(ret, json_get(ret, JSON_ROOT, STR("event")), STR("REVIEW_QUEUED"))
               ? ERR_OK
               : fault_set(f, ERR_NOT_FOUND, "entry %llu of the record is no review", (unsigned long long)seq);
}

static void review_note(struct admin_request *r, const struct json *j, uint64_t seq, bool up_to, struct str reason)
{
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_REVIEW_CLEARED, AUDIT_HUMAN);
    e.actor = r->operator;
    if (!up_to) {
        e.agent_id = json_str(j, json_get(j, JSON_ROOT, STR("agentId")), r->arena);
        e.session_id = json_str(j, json_get(j, JSON_ROOT, STR("sessionId")), r->arena);
        e.tool = json_str(j, json_get(j, JSON_ROOT, STR("toolName")), r->arena);
    }
    e.reason = reason;
    e.judged = reason.n > 0;
    e.allowed = true;
    e.result = AUDIT_SUCCESS;
    e.details = arena_fmt(r->arena, "{\"%s\":%llu}", up_to ? "upTo" : "seq", (unsigned long long)seq);
    audit_note(r->admin->audit, &e);
}

/* {"upTo": true}: this one and all before it. */
enum err admin_reviews_clear(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"upTo", "reason", NULL};
    struct buf text CLEANUP(buf_done);
    struct str dir = admin_audit_dir(r), reason;
    struct json j;
    uint64_t seq;
    bool new;
    buf_init(&text, 64u << 20);
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "reason", &reason, f));
    bool up_to = json_bool(&r->doc, json_get(&r->doc, JSON_ROOT, STR("upTo")), false);
    if (!str_u64(r->id, &seq) || !seq)
        return fault_set(f, ERR_PARAMS, "a review is named by its number, not " STR_FMT, STR_ARG(r->id));
    if (!dir.p)
        return fault_set(f, ERR_NOMEM, "no memory for the review");
    TRY(reviews_load(r->admin->reviews, dir.p, f));
    TRY(review_entry(r, dir.p, seq, &j, &text, f));
    TRY(reviews_clear(r->admin->reviews, seq, up_to, &new, f));
    if (!new)
        return fault_set(f, ERR_CONFLICT, "it was cleared before");
    review_note(r, &j, seq, up_to, reason);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_i64(&o, "cleared", (int64_t)seq);
    json_kv_bool(&o, "upTo", up_to);
    json_close(&o, '}');
    return ERR_OK;
}
