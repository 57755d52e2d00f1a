#include "sink/view.h"

#include <arpa/inet.h>

#include "base/clock.h"

static const struct str view_names[VIEW_COUNT] = {
#define VIEW(name) {#name, sizeof(#name) - 1},
    VIEW_MEMBERS
#undef VIEW
};

/* Both are sorted, so that mostly one look at each key does. */
static void view_find(struct view *v)
{
    unsigned next = 0;
    JSON_PAIRS(v->j, JSON_ROOT, k, value)
    {
        for (unsigned i = 0; i < VIEW_COUNT; i++) {
            unsigned m = (next + i) % VIEW_COUNT;
            if (!json_str_is(v->j, k, view_names[m]))
                continue;
            v->at[m] = json_type(v->j, value) == JSON_NULL ? 0 : value;
            next = m + 1;
            break;
        }
    }
}

struct str view_str(struct view *v, enum view_member m)
{
    return json_str(v->j, v->at[m], &v->arena);
}

struct str view_raw(const struct view *v, enum view_member m)
{
    return v->at[m] ? json_raw(v->j, v->at[m]) : STR_NONE;
}

bool view_is(struct view *v, enum view_member m, const char *value)
{
    return json_str_is(v->j, v->at[m], str_of(value));
}

uint32_t view_decision(const struct view *v, const char *member)
{
    uint32_t at = json_get(v->j, v->at[VIEW_policyDecision], str_of(member));
    return json_type(v->j, at) == JSON_NULL ? 0 : at;
}

struct str view_source(struct view *v)
{
    unsigned char bytes[16];
    char text[INET6_ADDRSTRLEN] = "";
    uint32_t seen = json_get(v->j, v->at[VIEW_context], STR("source")); /* or before anybody judged it */
    uint32_t address = json_get(v->j, v->at[VIEW_details], STR("address"));
    struct str s = json_str(v->j, json_type(v->j, seen) == JSON_STRING ? seen : address, &v->arena);
    if (!s.n || s.n >= sizeof(text))
        return STR_NONE;
    memcpy(text, s.p, s.n);
    bool v6 = memchr(text, ':', s.n);
    return inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) == 1 ? s : STR_NONE;
}

bool view_id(struct view *v, enum view_member m, size_t digits, struct str *ret)
{
    struct str s = view_str(v, m);
    bool zero = true;
    if (s.n != digits)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        zero = zero && c == '0';
    }
    *ret = s;
    return !zero;
}

static int64_t view_latency(const struct view *v)
{
    double ms;
    if (!json_double(v->j, v->at[VIEW_latencyMs], &ms) || !(ms >= 0) || ms > 1e12)
        return -1;
    return (int64_t)(ms * 1000 + 0.5);
}

bool view_open(struct view *v, const struct sink_entry *e)
{
    *v = (struct view){.entry = e, .j = e->doc};
    if (!e->doc || json_type(e->doc, JSON_ROOT) != JSON_OBJECT)
        return false;
    view_find(v);
    arena_init_small(&v->arena, 256u << 20);
    v->event = view_str(v, VIEW_event);
    if (!v->event.n || clock_parse(view_str(v, VIEW_timestamp), &v->wall_ms)) {
        arena_done(&v->arena);
        return false;
    }
    v->result = view_str(v, VIEW_result);
    v->method = view_str(v, VIEW_method);
    v->tool = view_str(v, VIEW_toolName);
    v->name = v->tool;
    if (memchr(v->tool.n ? v->tool.p : "", '/', v->tool.n))
        str_cut(&v->name, '/', &v->server);
    v->meaning = meaning_of(v->event);
    v->level = meaning_level(v->meaning, v->result);
    v->status = meaning_status(v->meaning, v->result);
    v->latency_us = view_latency(v);
    v->allowed = view_decision(v, "allowed");
    return true;
}

void view_close(struct view *v, struct buf *out)
{
    if (arena_failed(&v->arena))
        out->failed = out->poor = true;
    arena_done(&v->arena);
}

static void line_word(struct buf *b, const char *before, struct str s, const char *after)
{
    if (!s.n)
        return;
    buf_z(b, before);
    buf_str(b, s);
    buf_z(b, after);
}

static void view_words(struct view *v, struct buf *b)
{
    struct str who = view_str(v, VIEW_actor), agent = view_str(v, VIEW_agentId);
    struct str reason = json_str(v->j, view_decision(v, "reason"), &v->arena);
    buf_str(b, v->event);
    line_word(b, " ", v->tool, "");
    if (who.n)
        line_word(b, " ", agent, "");
    line_word(b, " by ", who.n ? who : agent, "");
    line_word(b, " for ", view_str(v, VIEW_triggerUserId), "");
    line_word(b, ": ", v->result, "");
    line_word(b, v->result.n ? ", " : ": ", reason, "");
    line_word(b, " (", view_str(v, VIEW_code), ")");
}

struct str view_line(struct view *v)
{
    struct buf b;
    buf_init(&b, v->entry->text.n + 1024);
    view_words(v, &b);
    struct str line = arena_buf(&v->arena, &b);
    buf_done(&b);
    return line;
}
