/* The tools of a session: what of the catalogue it may use. */
#include "base/clock.h"
#include "gate/face.h"
#include "rest/request.h"

/* The definition as /mcp lists it, with the id in front. */
static void rest_put_tool(struct json_out *o, const struct tool *t)
{
    struct buf *b = o->b;
    json_open(o, '{');
    json_kv_str(o, "id", t->id);
    buf_char(b, ',');
    buf_str(b, str_skip(t->listed, 1)); /* its members and its end */
    o->comma = true;
}

static bool rest_shows(const struct rest_request *r, const struct tool *t, int64_t now)
{
    return t->listed.n && gate_shows(r->rest->gate->gate, r->lease, t, now);
}

static bool rest_admitted(struct rest_request *r)
{
    struct fault f;
    int64_t retry_after_ms = 0;
    if (gate_admit(r->rest->gate, r->lease, &retry_after_ms, &f) == ERR_OK)
        return true;
    rest_answer_fault(r, &f, retry_after_ms);
    return false;
}

static void rest_put_page(struct rest_request *r, const struct catalogue *k, const struct rest_page *page)
{
    int64_t now = clock_wall_ms();
    size_t shown = 0;
    struct str last = STR_NONE;
    struct buf *b = &r->rest->out;
    buf_clear(b);
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_key(&o, STR("tools"));
    json_open(&o, '[');
    for (size_t i = 0; i < k->count; i++) {
        const struct tool *t = &k->tool[i];
        if ((page->after.n && str_cmp(t->id, page->after) <= 0) || !rest_shows(r, t, now))
            continue;
        if (shown++ == page->limit)
            break;
        rest_put_tool(&o, t);
        last = t->id;
    }
    json_close(&o, ']');
    if (shown > page->limit)
        json_kv_str(&o, "nextCursor", rest_cursor(last, &r->x->arena));
    json_close(&o, '}');
}

void rest_tools_list(struct rest_request *r)
{
    struct fault f;
    struct rest_page page;
    if (rest_page_read(r->x->head.query, &r->x->arena, &page, &f)) {
        rest_answer_fault(r, &f, 0);
        return;
    }
    if (!rest_admitted(r))
        return;
    struct catalogue *k = connect_catalogue(r->rest->gate->gate->connect);
    rest_put_page(r, k, &page);
    catalogue_unref(k);
    rest_answer(r);
}

/* One that the session may not use is not told apart from one that is not there. */
void rest_tools_get(struct rest_request *r)
{
    struct fault f;
    if (!rest_admitted(r))
        return;
    struct catalogue *k = connect_catalogue(r->rest->gate->gate->connect);
    const struct tool *t = catalogue_by_exposed(k, r->id);
    bool shown = t && rest_shows(r, t, clock_wall_ms());
    if (shown) {
        buf_clear(&r->rest->out);
        struct json_out o = json_out(&r->rest->out);
        rest_put_tool(&o, t);
    }
    catalogue_unref(k);
    if (shown) {
        rest_answer(r);
    } else {
        fault_set(&f, ERR_TOOL_UNKNOWN, "there is no tool " STR_FMT " for this session", STR_ARG(r->id));
        rest_answer_fault(r, &f, 0);
    }
}
