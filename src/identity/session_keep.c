/*
 * A session written down: who it is of and what it may do, as it was granted when it was opened, and how far it is. The
 * end stands there by both clocks (clock_left), so that one that is set back opens nothing.
 */
#include "identity/session_keep.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/enc.h"

enum { KEEP_ARENA = 4 << 20, KEEP_ADDRESS = 16, KEEP_DAYS = 3660 };

static void keep_networks(const struct lease *l, struct json_out *o)
{
    char hex[2 * KEEP_ADDRESS + 1];
    json_key(o, STR("networks"));
    json_open(o, '[');
    for (size_t i = 0; i < l->cidrs.n; i++) {
        enc_hex(l->cidrs.v[i].address, KEEP_ADDRESS, hex);
        json_put_str(o, str_of(hex));
        json_put_i64(o, l->cidrs.v[i].bits);
    }
    json_close(o, ']');
}

void session_keep(const struct lease *l, struct buf *out)
{
    struct json_out o = json_out(out);
    json_open(&o, '{');
    json_kv_str(&o, "sid", l->sid);
    json_kv_str(&o, "agent", l->agent_id);
    json_kv_str(&o, "type", l->agent_type);
    json_kv_str(&o, "version", l->agent_version);
    json_kv_str(&o, "env", l->agent_env);
    json_kv_str(&o, "owner", l->agent_owner);
    json_kv_str(&o, "user", l->user);
    json_kv_str(&o, "tier", l->tier);
    json_kv_str(&o, "trigger", l->trigger);
    json_kv_strs(&o, "scope", l->scope, l->scope_count);
    json_kv_strs(&o, "timed", l->timed, l->timed_count);
    json_kv_strs(&o, "denied", l->denied, l->denied_count);
    keep_networks(l, &o);
    json_kv_i64(&o, "rateCount", l->rate.count);
    json_kv_i64(&o, "ratePerMs", l->rate.per_ms);
    json_kv_i64(&o, "maxCalls", l->max_calls);
    json_kv_i64(&o, "used", atomic_load(&l->used));
    json_kv_i64(&o, "created", l->created);
    json_kv_i64(&o, "expires", l->expires);
    json_kv_i64(&o, "expiresMono", l->expires_mono);
    json_kv_str(&o, "boot", clock_boot());
    json_kv_i64(&o, "written", clock_wall_ms());
    json_close(&o, '}');
}

struct keep_reader {
    const struct json *j;
    struct lease *l;
    bool bad;
};

static struct str keep_str(struct keep_reader *r, struct str name)
{
    uint32_t at = json_get(r->j, JSON_ROOT, name);
    r->bad = r->bad || json_type(r->j, at) != JSON_STRING;
    return arena_str(&r->l->arena, json_str(r->j, at, &r->l->arena));
}

static int64_t keep_number(struct keep_reader *r, struct str name, int64_t least)
{
    int64_t v = 0;
    if (!json_i64(r->j, json_get(r->j, JSON_ROOT, name), &v) || v < least)
        r->bad = true;
    return v;
}

/* sorted: scopes are looked for by halving. */
static const struct str *keep_strs(struct keep_reader *r, struct str name, bool sorted, size_t *ret_n)
{
    uint32_t at = json_get(r->j, JSON_ROOT, name);
    size_t n = 0, count = json_type(r->j, at) == JSON_ARRAY ? r->j->node[at].size : 0;
    struct str *v = arena_raw(&r->l->arena, (count + 1) * sizeof(*v), 16);
    r->bad = r->bad || json_type(r->j, at) != JSON_ARRAY;
    *ret_n = 0;
    if (!v || r->bad)
        return NULL;
    JSON_EACH(r->j, at, one)
    {
        r->bad = r->bad || json_type(r->j, one) != JSON_STRING;
        v[n++] = arena_str(&r->l->arena, json_str(r->j, one, &r->l->arena));
        if (sorted && n > 1 && !r->bad && str_cmp(v[n - 2], v[n - 1]) >= 0)
            r->bad = true;
    }
    *ret_n = n;
    return v;
}

static void keep_read_networks(struct keep_reader *r)
{
    uint32_t at = json_get(r->j, JSON_ROOT, STR("networks"));
    size_t count = json_type(r->j, at) == JSON_ARRAY ? r->j->node[at].size : 1;
    int64_t bits;
    if (count % 2) {
        r->bad = true;
        return;
    }
    r->l->cidrs.v = arena_alloc(&r->l->arena, (count / 2 + 1) * sizeof(struct conf_cidr));
    uint32_t one = r->l->cidrs.v ? json_first(r->j, at) : 0;
    while (one && !r->bad) {
        struct conf_cidr *c = &r->l->cidrs.v[r->l->cidrs.n];
        uint32_t behind = json_next(r->j, at, one);
        struct str hex = json_str(r->j, one, &r->l->arena);
        if (hex.n != 2 * KEEP_ADDRESS || !enc_unhex(hex, c->address, KEEP_ADDRESS) || !json_i64(r->j, behind, &bits) ||
            bits < 0 || bits > 128) {
            r->bad = true; /* less networks would be more rights: none at all means any */
            return;
        }
        c->bits = (unsigned)bits;
        r->l->cidrs.n++;
        one = json_next(r->j, at, behind);
    }
}

static void keep_read_who(struct keep_reader *r)
{
    struct lease *l = r->l;
    l->sid = keep_str(r, STR("sid"));
    l->agent_id = keep_str(r, STR("agent"));
    l->agent_type = keep_str(r, STR("type"));
    l->agent_version = keep_str(r, STR("version"));
    l->agent_env = keep_str(r, STR("env"));
    l->agent_owner = keep_str(r, STR("owner"));
    l->user = keep_str(r, STR("user"));
    l->tier = keep_str(r, STR("tier"));
    l->trigger = keep_str(r, STR("trigger"));
    r->bad = r->bad || !l->sid.n || l->sid.n >= ENC_ID_MAX || !l->agent_id.n;
}

static void keep_read_what(struct keep_reader *r)
{
    struct lease *l = r->l;
    l->scope = keep_strs(r, STR("scope"), true, &l->scope_count);
    l->timed = keep_strs(r, STR("timed"), true, &l->timed_count);
    l->denied = keep_strs(r, STR("denied"), false, &l->denied_count);
    keep_read_networks(r);
    l->rate.count = keep_number(r, STR("rateCount"), 0);
    l->rate.per_ms = keep_number(r, STR("ratePerMs"), l->rate.count ? 1 : 0);
    l->max_calls = keep_number(r, STR("maxCalls"), 0);
    atomic_store(&l->used, keep_number(r, STR("used"), 0));
    l->created = keep_number(r, STR("created"), 0);
    l->expires = keep_number(r, STR("expires"), 0);
}

enum err session_unkeep(struct lease *l, struct str kept, int64_t newest, struct fault *f)
{
    struct arena a;
    struct json j;
    arena_init(&a, KEEP_ARENA);
    enum err e = json_parse(&j, kept, &a, NULL, f);
    struct keep_reader r = {.j = &j, .l = l};
    if (!e) {
        keep_read_who(&r);
        keep_read_what(&r);
        struct clock_end end = {l->expires, keep_number(&r, STR("expiresMono"), 0), keep_number(&r, STR("written"), 0),
                                keep_str(&r, STR("boot"))};
        int64_t left = r.bad ? 0 : clock_left(&end, newest), most = KEEP_DAYS * INT64_C(86400000);
        l->expires_mono = clock_mono_ns() + (left < most ? left : most) * 1000000;
        if (arena_failed(&l->arena))
            e = fault_set(f, ERR_NOMEM, "no memory for a session");
        else if (r.bad)
            e = fault_set(f, ERR_CORRUPT, "the store holds a session that cannot be read");
        else if (!left)
            e = fault_set(f, ERR_SESSION_ENDED, "the session's time is over");
    } else if (e != ERR_NOMEM)
        e = fault_set(f, ERR_CORRUPT, "the store holds a session that cannot be read");
    arena_done(&a);
    return e;
}

enum err session_kept(struct str kept, struct arena *a, struct str *ret_sid, int64_t *ret_written, struct fault *f)
{
    struct json j;
    int64_t written;
    if (json_parse(&j, kept, a, NULL, NULL) || !json_i64(&j, json_get(&j, JSON_ROOT, STR("written")), &written))
        return fault_set(f, ERR_CORRUPT, "the store holds a session that cannot be read");
    struct str sid = json_str(&j, json_get(&j, JSON_ROOT, STR("sid")), a);
    if (!sid.n)
        return fault_set(f, ERR_CORRUPT, "the store holds a session without its name");
    *ret_sid = sid;
    *ret_written = written;
    return ERR_OK;
}
