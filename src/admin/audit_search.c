/* Asking the record: what is found, page by page, and one entry. */
#include "admin/request.h"
#include "search/search.h"

enum { SEARCH_PAGE = 50, SEARCH_BYTES = 16 << 20 };

static enum err search_number(const char *name, struct str text, uint64_t *ret, struct fault *f)
{
    if (!text.n || str_u64(text, ret))
        return ERR_OK;
    return fault_set(f, ERR_PARAMS, "%s must be a whole number", name);
}

static enum err search_question(struct admin_request *r, struct search_question *q, struct fault *f)
{
    struct str since, until, after, limit, oldest;
    uint64_t n = SEARCH_PAGE;
    const struct admin_query query[] = {
        {"agent", &q->agent}, {"session", &q->session},   {"user", &q->user},   {"tool", &q->tool},
        {"event", &q->event}, {"decision", &q->decision}, {"trace", &q->trace}, {"digest", &q->digest},
        {"text", &q->text},   {"since", &since},          {"until", &until},    {"after", &after},
        {"limit", &limit},    {"oldest", &oldest},
    };
    TRY(admin_query_read(r, query, sizeof(query) / sizeof(query[0]), f));
    TRY(admin_query_when("since", since, &q->since, f));
    TRY(admin_query_when("until", until, &q->until, f));
    TRY(search_number("after", after, &q->after, f));
    TRY(search_number("limit", limit, &n, f));
    if (!n || n > SEARCH_LIMIT)
        return fault_set(f, ERR_PARAMS, "limit must be from 1 to %d", SEARCH_LIMIT);
    if (oldest.n && !str_is(oldest, "true") && !str_is(oldest, "false"))
        return fault_set(f, ERR_PARAMS, "oldest must be true or false");
    q->limit = (unsigned)n;
    q->oldest_first = str_is(oldest, "true");
    return ERR_OK;
}

struct search_page {
    struct json_out o;
    uint64_t last;
    bool full; /* larger than an answer should be: the rest is the next page's */
};

static enum err search_put(void *ctx, uint64_t seq, struct str entry, struct fault *f)
{
    struct search_page *p = ctx;
    if (p->last && p->o.b->n + entry.n > SEARCH_BYTES) {
        p->full = true;
        return fault_set(f, ERR_LIMIT, "the page is full");
    }
    json_put_raw(&p->o, entry);
    p->last = seq;
    return ERR_OK;
}

enum err admin_audit_search(struct admin_request *r, struct fault *f)
{
    struct search_question q = {0};
    struct search_answer answer = {0};
    struct search_page p = {.o = json_out(&r->out)};
    struct str dir = admin_audit_dir(r);
    if (!dir.p)
        return fault_set(f, ERR_NOMEM, "no memory for the question");
    TRY(search_question(r, &q, f));
    json_open(&p.o, '{');
    json_key(&p.o, STR("entries"));
    json_open(&p.o, '[');
    enum err e = search_ask(dir.p, &q, search_put, &p, &answer, f);
    if (e && !p.full) {
        buf_clear(&r->out); /* half an answer is none */
        return e;
    }
    indexer_damaged(r->admin->indexer, answer.damaged);
    uint64_t next = p.full ? p.last : answer.next, indexed = p.full ? indexer_at(r->admin->indexer) : answer.indexed;
    json_close(&p.o, ']');
    if (next)
        json_kv_i64(&p.o, "next", (int64_t)next);
    else
        json_kv_null(&p.o, "next");
    json_kv_i64(&p.o, "indexed", (int64_t)indexed);
    json_kv_i64(&p.o, "scanned", (int64_t)answer.scanned);
    json_close(&p.o, '}');
    return ERR_OK;
}

enum err admin_audit_entry(struct admin_request *r, struct fault *f)
{
    struct str dir = admin_audit_dir(r);
    uint64_t seq;
    if (!str_u64(r->id, &seq) || !seq)
        return fault_set(f, ERR_PARAMS, "an entry is named by its number, not " STR_FMT, STR_ARG(r->id));
    return dir.p ? search_entry(dir.p, seq, &r->out, f) : fault_set(f, ERR_NOMEM, "no memory for the question");
}
