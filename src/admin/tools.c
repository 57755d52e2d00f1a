/* The catalogue, what of it is withheld and how that differs from its pins, and an operator who accepts it. */
#include "admin/request.h"
#include "approve/approve.h"
#include "base/clock.h"
#include "base/json_diff.h"
#include "base/log.h"

enum { TOOLS_ARENA = 256 << 20, TOOLS_CHANGES = 1000 };

static void tool_write_withheld(struct json_out *o, const struct tool *t)
{
    if (tool_served(t))
        json_kv_null(o, "withheld");
    else
        json_kv_z(o, "withheld", pin_word(t->pin));
}

static void tool_write(struct json_out *o, const struct tool *t, struct arena *a)
{
    struct json j;
    json_open(o, '{');
    json_kv_str(o, "id", t->id);
    json_kv_str(o, "exposedName", t->exposed);
    json_kv_str(o, "server", t->server);
    json_kv_str(o, "name", t->name);
    if (json_parse(&j, t->definition, a, NULL, NULL) == ERR_OK && json_get(&j, JSON_ROOT, STR("description")))
        json_kv_raw(o, "description", json_raw(&j, json_get(&j, JSON_ROOT, STR("description"))));
    json_kv_z(o, "hash", t->hash);
    tool_write_withheld(o, t);
    json_kv_bool(o, "usable", t->input != NULL);
    json_kv_z(o, "fault", t->input ? "" : t->fault.text);
    json_kv_bool(o, "readOnlyHint", t->read_only_hint);
    json_kv_raw(o, "definition", t->listed.n ? t->listed : STR("null"));
    json_close(o, '}');
}

enum err admin_tools_list(struct admin_request *r, struct fault *f)
{
    (void)f;
    struct catalogue *k = connect_catalogue(r->admin->connect);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_key(&o, STR("tools"));
    json_open(&o, '[');
    for (size_t i = 0; i < k->count; i++)
        tool_write(&o, &k->tool[i], r->arena);
    json_close(&o, ']');
    json_close(&o, '}');
    catalogue_unref(k);
    return ERR_OK;
}

/* ---- the difference ---- */

struct tool_changes {
    struct json_out *o;
    size_t n;
};

static void tool_write_change(void *ctx, struct str path, enum json_change change, struct str old, struct str now)
{
    static const char *const words[] = {"added", "removed", "changed"};
    struct tool_changes *c = ctx;
    if (c->n++ >= TOOLS_CHANGES)
        return;
    json_open(c->o, '{');
    json_kv_str(c->o, "path", path);
    json_kv_z(c->o, "change", words[change]);
    if (old.p)
        json_kv_raw(c->o, "old", old);
    if (now.p)
        json_kv_raw(c->o, "new", now);
    json_close(c->o, '}');
}

/* Of what has no pin, everything is new. */
static enum err tool_write_changes(struct json_out *o, struct str pinned, struct str offered, struct arena *a,
                                   struct fault *f)
{
    struct json before, now;
    struct tool_changes c = {o, 0};
    TRY(json_parse(&before, pinned.n ? pinned : STR("{}"), a, NULL, f));
    TRY(json_parse(&now, offered, a, NULL, f));
    json_key(o, STR("changes"));
    json_open(o, '[');
    enum err e = json_diff(&before, &now, tool_write_change, &c, a);
    json_close(o, ']');
    json_kv_i64(o, "changeCount", (int64_t)c.n);
    return e ? fault_set(f, e, "no memory for the difference") : ERR_OK;
}

static enum err tool_write_diff(struct json_out *o, struct pins *pins, const struct tool *t, struct arena *a,
                                struct fault *f)
{
    struct store_pin pin = {.first_seen = 0};
    enum err e = pins_read(pins, t->id, a, &pin, f);
    if (e && e != ERR_NOT_FOUND)
        return e;
    json_open(o, '{');
    json_kv_str(o, "id", t->id);
    tool_write_withheld(o, t);
    json_kv_z(o, "reason", pin_reason(t->pin));
    json_kv_z(o, "hash", t->hash);
    if (e) {
        json_kv_null(o, "pinned");
    } else {
        json_key(o, STR("pinned"));
        json_open(o, '{');
        json_kv_str(o, "hash", pin.hash);
        clock_kv(o, "firstSeenAt", pin.first_seen);
        clock_kv(o, "acceptedAt", pin.accepted);
        json_kv_str(o, "acceptedBy", pin.accepted_by);
        json_kv_raw(o, "definition", pin.definition);
        json_close(o, '}');
    }
    json_kv_raw(o, "definition", t->definition);
    TRY(tool_write_changes(o, pin.definition, t->definition, a, f));
    json_close(o, '}');
    return ERR_OK;
}

/* Of one tool (id), or of all that are withheld. An arena of its own: a definition may be larger than a request. */
static enum err tools_write_diff(struct admin_request *r, struct str id, struct fault *f)
{
    struct catalogue *k = connect_catalogue(r->admin->connect);
    struct json_out o = json_out(&r->out);
    enum err e = ERR_OK;
    size_t found = 0;
    json_open(&o, '{');
    json_key(&o, STR("tools"));
    json_open(&o, '[');
    for (size_t i = 0; i < k->count && !e; i++) {
        const struct tool *t = &k->tool[i];
        struct arena a;
        if (id.n ? !str_eq(t->id, id) : tool_served(t))
            continue;
        found++;
        arena_init(&a, TOOLS_ARENA);
        e = tool_write_diff(&o, r->admin->pins, t, &a, f);
        arena_done(&a);
    }
    json_close(&o, ']');
    json_close(&o, '}');
    catalogue_unref(k);
    if (!e && id.n && !found)
        e = fault_set(f, ERR_NOT_FOUND, "no server offers a tool " STR_FMT " now", STR_ARG(id));
    if (e)
        buf_clear(&r->out);
    return e;
}

enum err admin_tools_diff(struct admin_request *r, struct fault *f)
{
    return tools_write_diff(r, STR_NONE, f);
}

enum err admin_tools_diff_one(struct admin_request *r, struct fault *f)
{
    return tools_write_diff(r, r->id, f);
}

/* ---- accepting ---- */

static void tool_note_accepted(struct admin_request *r, struct str hash, const char *before)
{
    struct audit_entry e;
    char details[200];
    audit_entry_init(&e, AUDIT_TOOL_ACCEPTED, AUDIT_HUMAN);
    e.actor = r->operator;
    e.tool = r->id;
    e.details = pin_details(hash.p, str_of(before), details, sizeof(details));
    e.result = AUDIT_SUCCESS;
    audit_note(r->admin->audit, &e);
    log_info("tool_accepted", LOG_S("tool", r->id), LOG_S("hash", hash), LOG_S("by", r->operator));
}

enum err admin_tools_accept(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"hash", NULL};
    struct str hash;
    char before[65];
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "hash", &hash, f));
    if (!hash.n)
        return fault_set(f, ERR_PARAMS, "hash: needed, that of the definition that was looked at");
    hash = arena_str(r->arena, hash);
    TRY(connect_accept(r->admin->connect, r->id, hash, r->operator, before, f));
    tool_note_accepted(r, hash, before);
    approvals_void(r->admin->approvals, STR_NONE, STR_NONE, r->id, "the tool's definition changed");
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_str(&o, "id", r->id);
    json_kv_str(&o, "hash", hash);
    json_kv_bool(&o, "accepted", true);
    json_close(&o, '}');
    return ERR_OK;
}
