#include "mcp/elicit.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "mcp/input.h"

enum { ELICITED_DIGEST = 16, ELICIT_URLS = 16, ELICIT_BYTES = 256 << 10 };

struct elicited {
    pthread_mutex_t lock;
    size_t next;
    unsigned char slot[ELICITED_MAX][ELICITED_DIGEST]; /* all zero: free */
};

struct elicited *elicited_new(void)
{
    struct elicited *e = calloc(1, sizeof(*e));
    if (e)
        pthread_mutex_init(&e->lock, NULL);
    return e;
}

void elicited_free(struct elicited *e)
{
    if (!e)
        return;
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static void elicited_digest(const struct elicited_of *of, unsigned char ret[ELICITED_DIGEST])
{
    const struct str parts[] = {of->server, of->id, of->sid, of->mcp_session};
    crypto_generichash_state s;
    crypto_generichash_init(&s, NULL, 0, ELICITED_DIGEST);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        uint64_t n = parts[i].n;
        crypto_generichash_update(&s, (const unsigned char *)&n, sizeof(n));
        if (n)
            crypto_generichash_update(&s, (const unsigned char *)parts[i].p, n);
    }
    crypto_generichash_final(&s, ret, ELICITED_DIGEST);
}

void elicited_note(struct elicited *e, const struct elicited_of *of)
{
    if (!of->id.n || of->id.n > ELICITED_ID_MAX || !of->mcp_session.n)
        return; /* a client without a protocol session has no stream to be told on */
    pthread_mutex_lock(&e->lock);
    elicited_digest(of, e->slot[e->next]);
    e->next = (e->next + 1) % ELICITED_MAX;
    pthread_mutex_unlock(&e->lock);
}

bool elicited_take(struct elicited *e, const struct elicited_of *of)
{
    unsigned char digest[ELICITED_DIGEST];
    bool found = false;
    elicited_digest(of, digest);
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < ELICITED_MAX; i++) {
        if (memcmp(e->slot[i], digest, sizeof(digest)) != 0)
            continue;
        memset(e->slot[i], 0, sizeof(digest)); /* the same may have been asked more than once */
        found = true;
    }
    pthread_mutex_unlock(&e->lock);
    return found;
}

/* ---- what legacy clients are given ---- */

static void elicit_note(struct mcp_request *r, const struct json *doc, uint32_t elicitation)
{
    if (!json_str_is(doc, json_get(doc, elicitation, STR("mode")), STR("url")))
        return;
    struct elicited_of of = {.server = r->call.target_server,
                             .id = json_str(doc, json_get(doc, elicitation, STR("elicitationId")), &r->x->arena),
                             .sid = lease_sid(r->lease),
                             .mcp_session = r->mcp_session};
    elicited_note(r->mcp->elicited, &of);
}

void mcp_elicit_asked(struct mcp_request *r, struct str method, struct str params)
{
    struct json doc;
    if (str_is(method, "elicitation/create") && params.n &&
        json_parse(&doc, params, &r->x->arena, NULL, NULL) == ERR_OK)
        elicit_note(r, &doc, JSON_ROOT);
}

void mcp_elicit_needed(struct mcp_request *r, const struct json *doc, uint32_t data)
{
    uint32_t list = json_get(doc, data, STR("elicitations"));
    if (json_type(doc, list) == JSON_ARRAY)
        JSON_EACH(doc, list, v)
    elicit_note(r, doc, v);
}

/* ---- what modern ones are given in its place ---- */

static void elicit_put_url(struct json_out *o, const struct json *doc, uint32_t v)
{
    static const char *const members[] = {"mode", "message", "url"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        uint32_t node = json_get(doc, v, str_of(members[i]));
        if (node)
            json_kv_raw(o, members[i], json_raw(doc, node));
    }
}

/* {"inputRequests":{"input-1":{"method":"elicitation/create","params":{…}},…}} of those that are URLs. False: none. */
static bool elicit_write(struct mcp_request *r, struct buf *b, const struct json *doc, uint32_t list)
{
    struct json_out o = json_out(b);
    unsigned count = 0;
    json_open(&o, '{');
    json_key(&o, STR("inputRequests"));
    json_open(&o, '{');
    JSON_EACH(doc, list, v)
    {
        if (!json_str_is(doc, json_get(doc, v, STR("mode")), STR("url")) || ++count > ELICIT_URLS)
            continue;
        struct buf params CLEANUP(buf_done);
        struct json_out p = json_out(&params);
        char name[24];
        buf_init(&params, ELICIT_BYTES);
        json_open(&p, '{');
        elicit_put_url(&p, doc, v);
        json_close(&p, '}');
        gate_asked(&r->call, STR("elicitation/create"), buf_view(&params));
        connect_question_name(count, name);
        json_key(&o, str_of(name));
        json_open(&o, '{');
        json_kv_z(&o, "method", "elicitation/create");
        json_kv_raw(&o, "params", buf_view(&params));
        json_close(&o, '}');
    }
    json_close(&o, '}');
    json_close(&o, '}');
    return count && !buf_failed(b);
}

bool mcp_put_elicit(struct mcp_request *r, const struct connect_answer *a)
{
    int64_t code = 0;
    uint32_t list = json_path(a->doc, a->error, "data.elicitations");
    if (r->era != ERA_MODERN || a->modern || !(r->call.can & CAN_ELICIT_URL) || r->call.kind == CALL_COMPLETION ||
        !json_i64(a->doc, json_get(a->doc, a->error, STR("code")), &code) || code != MCP_NEEDS_URL ||
        json_type(a->doc, list) != JSON_ARRAY)
        return false;
    struct buf b CLEANUP(buf_done);
    struct json doc;
    buf_init(&b, 2 * ELICIT_BYTES);
    if (!elicit_write(r, &b, a->doc, list) || json_parse(&doc, buf_view(&b), &r->x->arena, NULL, NULL))
        return false;
    struct connect_answer wants = {.sent = true, .doc = &doc, .result = JSON_ROOT, .input = true};
    mcp_put_input(r, &wants);
    return true;
}
