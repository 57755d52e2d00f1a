/* prompts/get, resources/read, completion/complete: what goes on is put together anew, of the members that mean the
 * same on both hops, with the name that the server knows. */
#include "mcp/request.h"

static enum err mcp_text(struct mcp_request *r, uint32_t parent, const char *member, const char *path, struct str *ret,
                         struct fault *f)
{
    uint32_t node = parent ? json_get(&r->doc, parent, str_of(member)) : 0;
    if (json_type(&r->doc, node) != JSON_STRING)
        return fault_set(f, ERR_PARAMS, "%s must be a string, but is %s", path,
                         json_type_name(json_type(&r->doc, node)));
    *ret = json_str(&r->doc, node, &r->x->arena);
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the request");
}

/* A member that is there must be an object; it goes on as it is. */
static enum err mcp_object(struct mcp_request *r, uint32_t parent, const char *member, bool needed, struct json_out *o,
                           struct fault *f)
{
    uint32_t node = json_get(&r->doc, parent, str_of(member));
    if (!node && !needed)
        return ERR_OK;
    if (json_type(&r->doc, node) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "params.%s must be an object, but is %s", member,
                         json_type_name(json_type(&r->doc, node)));
    json_kv_raw(o, member, json_raw(&r->doc, node));
    return ERR_OK;
}

/* "server__name" of /mcp is "name" to the server. */
static struct str mcp_plain_name(const struct mcp_request *r, struct str name)
{
    const char *at = r->server.n || !name.n ? NULL : memmem(name.p, name.n, "__", 2);
    return at ? str_skip(name, (size_t)(at - name.p) + 2) : name;
}

/* Arguments of prompts are strings (MCP 2026-07-28 server/prompts). */
static enum err mcp_prompt_arguments(struct mcp_request *r, struct fault *f)
{
    uint32_t arguments = json_get(&r->doc, r->rpc.params, STR("arguments"));
    JSON_PAIRS(&r->doc, arguments, k, v)
    if (json_type(&r->doc, v) != JSON_STRING)
        return fault_set(f, ERR_PARAMS, "params.arguments: every argument of a prompt is a string");
    return ERR_OK;
}

static enum err mcp_read_prompt(struct mcp_request *r, struct json_out *o, struct fault *f)
{
    TRY(mcp_text(r, r->rpc.params, "name", "params.name", &r->call.asked, f));
    json_kv_str(o, "name", mcp_plain_name(r, r->call.asked));
    TRY(mcp_prompt_arguments(r, f));
    return mcp_object(r, r->rpc.params, "arguments", false, o, f);
}

static enum err mcp_read_resource(struct mcp_request *r, struct json_out *o, struct fault *f)
{
    TRY(mcp_text(r, r->rpc.params, "uri", "params.uri", &r->call.asked, f));
    json_kv_str(o, "uri", r->call.asked);
    return ERR_OK;
}

static enum err mcp_read_reference(struct mcp_request *r, uint32_t ref, struct json_out *o, struct fault *f)
{
    struct str type;
    TRY(mcp_text(r, ref, "type", "params.ref.type", &type, f));
    r->call.of_prompt = str_is(type, "ref/prompt");
    if (!r->call.of_prompt && !str_is(type, "ref/resource"))
        return fault_set(f, ERR_PARAMS, "params.ref.type must be ref/prompt or ref/resource");
    const char *member = r->call.of_prompt ? "name" : "uri";
    TRY(mcp_text(r, ref, member, r->call.of_prompt ? "params.ref.name" : "params.ref.uri", &r->call.asked, f));
    json_key(o, STR("ref"));
    json_open(o, '{');
    json_kv_str(o, "type", type);
    json_kv_str(o, member, r->call.of_prompt ? mcp_plain_name(r, r->call.asked) : r->call.asked);
    json_close(o, '}');
    return ERR_OK;
}

static enum err mcp_read_completion(struct mcp_request *r, struct json_out *o, struct fault *f)
{
    uint32_t ref = r->rpc.params ? json_get(&r->doc, r->rpc.params, STR("ref")) : 0;
    TRY(mcp_read_reference(r, ref, o, f));
    TRY(mcp_object(r, r->rpc.params, "argument", true, o, f));
    return mcp_object(r, r->rpc.params, "context", false, o, f);
}

static void mcp_offer_call(struct mcp_request *r, enum call_kind kind,
                           enum err (*read)(struct mcp_request *r, struct json_out *o, struct fault *f))
{
    struct fault f;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, r->doc.text.n * 8 + 4096); /* an escape may be written longer than it came */
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    r->call.kind = kind;
    enum err e = read(r, &o, &f);
    json_close(&o, '}');
    if (!e)
        e = mcp_call_params(r, &b, &f);
    if (e)
        mcp_answer_fault(r, &f, 0);
    else
        mcp_call_start(r);
}

void mcp_prompts_get(struct mcp_request *r)
{
    mcp_offer_call(r, CALL_PROMPT, mcp_read_prompt);
}

void mcp_resources_read(struct mcp_request *r)
{
    mcp_offer_call(r, CALL_RESOURCE, mcp_read_resource);
}

void mcp_complete(struct mcp_request *r)
{
    mcp_offer_call(r, CALL_COMPLETION, mcp_read_completion);
}
