/*
 * What the policies do not show of a result (@mask): the member in structuredContent, and in each text that is JSON. A
 * text that is none cannot be looked into, and is not shown at all: what is to be hidden may stand in it in other
 * words.
 */
#include "gate/gate.h"
#include "gate/rewrite.h"
#include "gate/stage.h"

enum { FILTER_SCRATCH = 64 << 20 };
#define FILTER_MASKED STR("\"[masked]\"")

struct filter {
    struct call *c;
    struct arena *a; /* scratch */
};

/* All masks of the call, one after the other. STR_NONE: no memory, or no JSON. */
static struct str filter_masked(const struct filter *f, struct str text)
{
    for (unsigned i = 0; i < f->c->masks && text.p; i++) {
        struct json j;
        struct buf b CLEANUP(buf_done);
        buf_init(&b, text.n * 2 + 65536);
        if (json_parse(&j, text, f->a, NULL, NULL))
            return STR_NONE;
        struct json_out o = json_out(&b);
        rewrite(&j, JSON_ROOT, f->c->mask[i], FILTER_MASKED, false, &o);
        text = arena_buf(f->a, &b);
    }
    return text;
}

static void filter_text(const struct filter *f, struct str text, struct json_out *o)
{
    struct str masked = text.n && (text.p[0] == '{' || text.p[0] == '[') ? filter_masked(f, text) : STR_NONE;
    json_put_str(o, masked.p ? masked : STR("[masked]"));
}

/* One of `content`: of a text, the text; whatever else has no members that a path could name, and goes. */
static void filter_block(const struct filter *f, const struct json *j, uint32_t at, struct json_out *o)
{
    json_open(o, '{');
    json_kv_z(o, "type", "text");
    json_key(o, STR("text"));
    if (json_str_is(j, json_get(j, at, STR("type")), STR("text")))
        filter_text(f, json_str(j, json_get(j, at, STR("text")), f->a), o);
    else
        json_put_str(o, STR("[masked]"));
    json_close(o, '}');
}

static void filter_result(const struct filter *f, const struct json *j, uint32_t result, struct json_out *o)
{
    json_open(o, '{');
    JSON_PAIRS(j, result, k, v)
    {
        struct str key = json_str(j, k, f->a);
        json_key(o, key);
        if (str_is(key, "content") && json_type(j, v) == JSON_ARRAY) {
            json_open(o, '[');
            JSON_EACH(j, v, block)
            filter_block(f, j, block, o);
            json_close(o, ']');
        } else if (str_is(key, "structuredContent")) {
            struct str masked = filter_masked(f, json_raw(j, v));
            json_put_raw(o, masked.p ? masked : STR("{}"));
        } else {
            json_put_raw(o, json_raw(j, v));
        }
    }
    json_close(o, '}');
}

static enum err filter_apply(struct call *c, struct arena *scratch)
{
    const struct filter f = {c, scratch};
    struct connect_answer *a = &c->answer;
    struct buf b CLEANUP(buf_done);
    struct json *doc = arena_alloc(c->arena, sizeof(*doc));
    buf_init(&b, a->doc->text.n * 2 + 65536);
    struct json_out o = json_out(&b);
    filter_result(&f, a->doc, a->result, &o);
    struct str text = doc && !arena_failed(scratch) ? arena_buf(c->arena, &b) : STR_NONE;
    if (!text.p || json_parse(doc, text, c->arena, NULL, NULL))
        return ERR_NOMEM;
    a->doc = doc;
    a->result = JSON_ROOT;
    return ERR_OK;
}

enum verdict stage_filter(struct call *c)
{
    struct arena scratch;
    if (!c->masks || c->fault.err || !c->answer.doc)
        return VERDICT_NEXT;
    if (!c->answer.result) {
        fault_set(&c->fault, ERR_SERVER,
                  "the server answered with an error, and the policies do not let all of its answers be shown");
        return VERDICT_NEXT;
    }
    arena_init(&scratch, FILTER_SCRATCH);
    if (filter_apply(c, &scratch))
        fault_set(&c->fault, ERR_RESULT,
                  "no memory to take out of the result of " STR_FMT " what the policies do not show",
                  STR_ARG(c->target));
    arena_done(&scratch);
    return VERDICT_NEXT;
}
