/*
 * What the store keeps of a call beside its question, so that it can be made when nobody is there: {"name","server"},
 * and where they differ from what is asked about, the arguments as they were before policies changed them; what the
 * agent says of itself; what its client can be asked; its trace; and the address it came from, which policies look at.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "gate/gate.h"
#include "gate/stage.h"

static void task_put_source(struct json_out *o, const struct sockaddr_storage *s)
{
    char text[INET6_ADDRSTRLEN];
    const struct sockaddr_in *v4 = (const void *)s;
    const struct sockaddr_in6 *v6 = (const void *)s;
    if (!s || (s->ss_family != AF_INET && s->ss_family != AF_INET6))
        return;
    const void *bytes = s->ss_family == AF_INET ? (const void *)&v4->sin_addr : &v6->sin6_addr;
    if (inet_ntop(s->ss_family, bytes, text, sizeof(text)))
        json_kv_z(o, "source", text);
}

struct str task_call_write(struct call *c)
{
    struct buf b CLEANUP(buf_done);
    struct json_out o = json_out(&b);
    buf_init(&b, c->doc->text.n * 2 + 65536);
    json_open(&o, '{');
    json_kv_str(&o, "name", c->asked);
    json_kv_str(&o, "server", c->server);
    if (c->changed.n)
        json_kv_raw(&o, "arguments", c->asked_node ? json_raw(c->asked_doc, c->asked_node) : STR("{}"));
    if (c->claims.model.n)
        json_kv_str(&o, "model", c->claims.model);
    if (c->claims.tokens >= 0)
        json_kv_i64(&o, "tokens", c->claims.tokens);
    if (c->claims.cost.n)
        json_kv_str(&o, "cost", c->claims.cost);
    json_kv_i64(&o, "can", c->can);
    json_kv_z(&o, "span", c->parent_span_id);
    json_kv_bool(&o, "sampled", c->trace_sampled);
    if (c->trace_state.n)
        json_kv_str(&o, "traceState", c->trace_state);
    task_put_source(&o, c->source);
    json_close(&o, '}');
    return arena_buf(c->arena, &b);
}

static const struct sockaddr_storage *task_source(struct str text, struct arena *a)
{
    struct sockaddr_storage *s = arena_alloc(a, sizeof(*s));
    struct str z = arena_str(a, text);
    struct sockaddr_in *v4 = (void *)s;
    struct sockaddr_in6 *v6 = (void *)s;
    if (!s || !z.p || !z.n)
        return NULL;
    s->ss_family = memchr(z.p, ':', z.n) ? AF_INET6 : AF_INET;
    void *to = s->ss_family == AF_INET ? (void *)&v4->sin_addr : &v6->sin6_addr;
    return inet_pton(s->ss_family, z.p, to) == 1 ? s : NULL;
}

static struct str task_text(const struct json *j, const char *name, struct arena *a)
{
    return json_str(j, json_get(j, JSON_ROOT, str_of(name)), a);
}

enum err task_call_read(struct str kept, struct str about, bool edited, struct call *c, struct fault *f)
{
    struct arena *a = c->arena;
    struct json j, *doc = arena_alloc(a, sizeof(*doc));
    int64_t can = 0;
    if (!doc)
        return fault_set(f, ERR_NOMEM, "no memory for a call that was approved");
    TRY(json_parse(&j, kept, a, NULL, f));
    uint32_t given = json_get(&j, JSON_ROOT, STR("arguments"));
    c->asked = task_text(&j, "name", a);
    c->server = task_text(&j, "server", a);
    c->claims.model = task_text(&j, "model", a);
    c->claims.cost = task_text(&j, "cost", a);
    if (!json_i64(&j, json_get(&j, JSON_ROOT, STR("tokens")), &c->claims.tokens) || c->claims.tokens < 0)
        c->claims.tokens = -1;
    if (!json_i64(&j, json_get(&j, JSON_ROOT, STR("can")), &can) || can < 0 || can > CAN_ALL)
        can = 0;
    c->can = (unsigned)can;
    c->trace_sampled = json_bool(&j, json_get(&j, JSON_ROOT, STR("sampled")), false);
    c->trace_state = task_text(&j, "traceState", a);
    c->source = task_source(task_text(&j, "source", a), a);
    struct str span = task_text(&j, "span", a);
    if (span.n < sizeof(c->parent_span_id))
        snprintf(c->parent_span_id, sizeof(c->parent_span_id), STR_FMT, STR_ARG(span));
    TRY(json_parse(doc, edited || !given ? about : json_raw(&j, given), a, NULL, f));
    if (arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory for a call that was approved");
    if (!c->asked.n || json_type(doc, JSON_ROOT) != JSON_OBJECT)
        return fault_set(f, ERR_CORRUPT, "the store holds a call that cannot be read");
    c->asked_doc = c->doc = doc;
    c->asked_node = c->arguments_node = JSON_ROOT;
    return ERR_OK;
}
