/*
 * The answer of a call that a person let through, kept for calls that are the same: {"result": …} or {"error": …} as
 * the server gave it and the policies show it, or {"withheld": words}; and its receipt.
 */
#include "base/enc.h"
#include "gate/gate.h"
#include "gate/stage.h"

/* What only the one call could tell goes without saying: whether it was made at all. */
static bool share_known(const struct call *c)
{
    return c->fault.err == ERR_RESULT || (!c->fault.err && c->answer.doc && (c->answer.result || c->answer.error));
}

struct str share_write(const struct call *c, size_t max, struct arena *a)
{
    struct buf b CLEANUP(buf_done);
    struct json_out o = json_out(&b);
    const struct connect_answer *answer = &c->answer;
    buf_init(&b, max);
    if (!share_known(c))
        return STR_NONE;
    json_open(&o, '{');
    if (c->fault.err)
        json_kv_z(&o, "withheld", c->fault.text);
    else if (answer->result)
        json_kv_raw(&o, "result", json_raw(answer->doc, answer->result));
    else
        json_kv_raw(&o, "error", json_raw(answer->doc, answer->error));
    json_key(&o, STR("receipt"));
    gate_put_receipt(&o, c);
    json_close(&o, '}');
    return buf_failed(&b) ? STR_NONE : arena_str(a, buf_view(&b));
}

static void share_receipt(struct call *c, const struct json *doc)
{
    uint32_t receipt = json_get(doc, JSON_ROOT, STR("receipt"));
    struct str digest = json_str(doc, json_get(doc, receipt, STR("digest")), c->arena);
    int64_t index = -1;
    if (!json_i64(doc, json_get(doc, receipt, STR("index")), &index) || index < 0 ||
        !enc_unhex(digest, c->intent.leaf.b, SHA256_BYTES))
        return;
    c->intent_seq = (uint64_t)index + 1;
    c->on_record = true;
}

enum err share_read(struct call *c, struct str kept)
{
    struct json *doc = arena_alloc(c->arena, sizeof(*doc));
    struct str text = doc ? arena_str(c->arena, kept) : STR_NONE;
    if (!text.p || json_parse(doc, text, c->arena, NULL, NULL))
        return ERR_NOMEM;
    uint32_t withheld = json_get(doc, JSON_ROOT, STR("withheld"));
    if (withheld) {
        struct str words = json_str(doc, withheld, c->arena);
        fault_set(&c->fault, ERR_RESULT, STR_FMT, STR_ARG(words));
    }
    c->answer = (struct connect_answer){.sent = true,
                                        .doc = doc,
                                        .result = json_get(doc, JSON_ROOT, STR("result")),
                                        .error = json_get(doc, JSON_ROOT, STR("error"))};
    share_receipt(c, doc);
    return arena_failed(c->arena) ? ERR_NOMEM : ERR_OK;
}
