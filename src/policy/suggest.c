/* What is seen: collected, bounded by the tools that are known and their schemas, however many calls there are. */
#include <netinet/in.h>
#include <stdlib.h>

#include "policy/suggest_inner.h"

enum { SUGGEST_MEMORY = 512 << 20, SUGGEST_V4 = 24, SUGGEST_V6 = 64, SUGGEST_DAY_MS = 86400000 };

struct suggest *suggest_new(const struct policy_set *s, struct str agent, struct str type)
{
    struct suggest *g = calloc(1, sizeof(*g));
    if (!g)
        return NULL;
    *g = (struct suggest){.s = s, .agent = agent, .type = type, .tool_last = &g->tool};
    arena_init(&g->arena, SUGGEST_MEMORY);
    arena_init(&g->scratch, SUGGEST_MEMORY);
    return g;
}

void suggest_free(struct suggest *g)
{
    if (!g)
        return;
    arena_done(&g->arena);
    arena_done(&g->scratch);
    free(g);
}

void suggest_freep(struct suggest **g)
{
    suggest_free(*g);
}

bool suggest_takes(const struct suggest *g, const struct recorded_call *c)
{
    bool who = g->agent.n ? str_eq(c->agent, g->agent) : str_eq(c->type, g->type);
    return who && c->effect == RECORDED_ALLOW && !c->refused;
}

void suggest_counts(const struct suggest *g, struct suggest_counts *ret)
{
    *ret = (struct suggest_counts){.calls = g->calls, .unknown = g->unknown};
    for (const struct suggest_tool *t = g->tool; t; t = t->next)
        ret->tools++;
}

void suggest_each(const struct suggest *g, void (*tool)(void *ctx, struct str id, uint64_t calls), void *ctx)
{
    for (const struct suggest_tool *t = g->tool; t; t = t->next)
        tool(ctx, t->tool->fact.id, t->calls);
}

void suggest_plain(struct suggest *g, struct str tool)
{
    for (struct suggest_tool *t = g->tool; t; t = t->next)
        t->plain = t->plain || !tool.n || str_eq(t->tool->fact.id, tool);
}

/* ---- a tool ---- */

static bool suggest_node_init(struct suggest *g, struct suggest_node *n, const struct shape *s,
                              const struct shape_field *field)
{
    *n = (struct suggest_node){.shape = s, .field = field};
    if (s->kind != SHAPE_RECORD)
        return true;
    n->child = arena_alloc(&g->arena, (s->fields + 1) * sizeof(*n->child));
    for (; n->child && n->children < s->fields; n->children++) /* as deep as shapes are */
        if (!suggest_node_init(g, &n->child[n->children], s->field[n->children].shape, &s->field[n->children]))
            return false;
    return n->child != NULL;
}

static struct suggest_tool *suggest_tool(struct suggest *g, const struct policy_tool *tool)
{
    for (struct suggest_tool *t = g->tool; t; t = t->next)
        if (t->tool == tool)
            return t;
    struct suggest_tool *t = arena_alloc(&g->arena, sizeof(*t));
    if (!t || !suggest_node_init(g, &t->input, tool->input, NULL))
        return NULL;
    t->tool = tool;
    *g->tool_last = t;
    g->tool_last = &t->next;
    return t;
}

/* ---- arguments ---- */

static void seen_string(struct suggest *g, struct suggest_node *n, struct cedar_value v)
{
    struct str s = cedar_value_str(v);
    if (s.n > SUGGEST_TEXT || memmem(s.p, s.n, "[masked]", 8) || memmem(s.p, s.n, "[sealed]", 8)) {
        n->any = true;
        return;
    }
    for (size_t i = 0; i < n->values; i++)
        if (str_eq(n->value[i], s))
            return;
    if (n->values == SUGGEST_VALUES)
        n->more = true;
    else
        n->value[n->values++] = s.n ? arena_str(&g->arena, s) : STR("");
}

static void seen_number(struct suggest_node *n, int64_t i)
{
    n->least = n->present == 1 || i < n->least ? i : n->least;
    n->most = n->present == 1 || i > n->most ? i : n->most;
}

static void seen_record(struct suggest *g, struct suggest_node *n, const struct cedar_record *r);

static void seen_value(struct suggest *g, struct suggest_node *n, struct cedar_value v)
{
    n->present++;
    switch (v.kind) {
    case CEDAR_BOOL:
        n->yes = n->yes || v.b;
        n->no = n->no || !v.b;
        return;
    case CEDAR_LONG:
    case CEDAR_DECIMAL: seen_number(n, v.i); return;
    case CEDAR_STRING: seen_string(g, n, v); return;
    case CEDAR_RECORD: seen_record(g, n, v.record); return;
    case CEDAR_SET:
        n->any = n->any || n->shape->element->kind != SHAPE_STRING;
        for (uint32_t i = 0; !n->any && i < v.set->n; i++)
            seen_string(g, n, v.set->v[i]);
        return;
    default: n->any = true;
    }
}

static void seen_record(struct suggest *g, struct suggest_node *n, const struct cedar_record *r)
{
    for (size_t i = 0; i < n->children; i++) {
        const struct cedar_value *v = cedar_record_get(r, n->child[i].field->name);
        if (v)
            seen_value(g, &n->child[i], *v);
    }
}

/* A value that no type of Cedar's holds, or one that is masked: nothing is said of members of that name. */
static void seen_lost(void *ctx, struct str name)
{
    struct suggest_node *n = ctx;
    for (size_t i = 0; i < n->children; i++) {
        if (str_eq(n->child[i].field->name, name))
            n->child[i].any = true;
        seen_lost(&n->child[i], name);
    }
}

/* ---- where from, and when ---- */

static void seen_source(struct suggest_tool *t, const struct sockaddr_storage *s)
{
    const struct sockaddr_in *v4 = (const void *)s;
    const struct sockaddr_in6 *v6 = (const void *)s;
    struct cedar_ip ip = {.prefix = 0};
    if (!s || t->nets_any) {
        t->nets_any = true;
        return;
    }
    ip.v6 = s->ss_family == AF_INET6;
    ip.prefix = ip.v6 ? SUGGEST_V6 : SUGGEST_V4;
    memcpy(ip.addr, ip.v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr, ip.prefix / 8);
    for (size_t i = 0; i < t->nets; i++)
        if (memcmp(&t->net[i], &ip, sizeof(ip)) == 0)
            return;
    if (t->nets == SUGGEST_NETS)
        t->nets_any = true;
    else
        t->net[t->nets++] = ip;
}

static void seen_moment(struct suggest *g, struct suggest_tool *t, int64_t now_ms)
{
    struct cedar_value moment = policy_moment(g->s, now_ms, &g->scratch);
    const struct cedar_value *hour = moment.kind == CEDAR_RECORD ? cedar_record_get(moment.record, STR("hour")) : NULL;
    t->hours |= hour ? UINT32_C(1) << hour->i : UINT32_MAX;
    t->days += !t->days || now_ms / SUGGEST_DAY_MS > t->day;
    t->day = now_ms / SUGGEST_DAY_MS > t->day ? now_ms / SUGGEST_DAY_MS : t->day;
    t->first_ms = t->first_ms ? t->first_ms : now_ms;
    t->last_ms = now_ms;
}

enum err suggest_call(struct suggest *g, const struct recorded_call *c, struct fault *f)
{
    struct cedar_value input;
    if (!suggest_takes(g, c))
        return ERR_OK;
    g->calls++;
    const struct policy_tool *known = policy_set_known(g->s, c->tool);
    if (!known) {
        g->unknown++;
        return ERR_OK;
    }
    arena_reset(&g->scratch);
    struct suggest_tool *t = suggest_tool(g, known);
    if (!t || shape_read(known->input, c->doc, c->arguments, &g->scratch, seen_lost, &t->input, &input))
        return fault_set(f, ERR_NOMEM, "no memory for what was seen of " STR_FMT, STR_ARG(c->tool));
    t->calls++;
    t->input.present++;
    seen_record(g, &t->input, input.record);
    seen_source(t, c->source);
    seen_moment(g, t, c->now_ms);
    return arena_failed(&g->arena) || arena_failed(&g->scratch) ? fault_set(f, ERR_NOMEM, "no memory for what was seen")
                                                                : ERR_OK;
}
