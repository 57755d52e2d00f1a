/* What somebody who edits a call's arguments changes: member by member, without what is secret or sealed. */
#include "approve/changes.h"

#include "approve/rows.h"
#include "base/json_diff.h"

enum { CHANGES_ARENA = 256 << 20, CHANGES_MOST = 50, CHANGES_VALUE = 512 /* bytes */ };

struct changes_making {
    struct changes *to;
    struct json_out all, paths;
    struct json before, after; /* as they are shown */
    struct arena *a;
    size_t n;
};

/* "a~1b" -> "a/b" */
static struct str changes_token(struct str token, struct arena *a)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, token.n + 1);
    for (size_t i = 0; i < token.n; i++) {
        bool escape = token.p[i] == '~' && i + 1 < token.n;
        buf_char(&b, !escape ? token.p[i] : token.p[++i] == '0' ? '~' : '/');
    }
    return arena_buf(a, &b);
}

/* What is shown at this place: where something above it is hidden as a whole, that. */
static uint32_t changes_at(const struct json *j, struct str pointer, struct arena *a)
{
    uint32_t at = JSON_ROOT;
    while (pointer.n) {
        struct str rest = str_skip(pointer, 1), token;
        uint64_t n = 0;
        str_cut(&rest, '/', &token);
        pointer = str_skip(pointer, 1 + token.n);
        token = changes_token(token, a);
        if (json_type(j, at) == JSON_ARRAY && str_u64(token, &n)) {
            uint32_t v = json_first(j, at);
            for (; v && n; n--)
                v = json_next(j, at, v);
            at = v;
        } else if (json_type(j, at) == JSON_OBJECT) {
            at = json_get(j, at, token);
        } else {
            return at;
        }
    }
    return at;
}

static void changes_value(struct changes_making *m, const char *key, const struct json *j, struct str pointer)
{
    char bytes[32];
    struct str raw = json_raw(j, changes_at(j, pointer, m->a));
    if (raw.n <= CHANGES_VALUE) {
        json_kv_raw(&m->all, key, raw);
        return;
    }
    snprintf(bytes, sizeof(bytes), "%sBytes", key);
    json_kv_i64(&m->all, bytes, (int64_t)raw.n);
}

static void changes_one(void *ctx, struct str path, enum json_change change, struct str old, struct str now)
{
    struct changes_making *m = ctx;
    (void)old, (void)now;
    if (m->n++ >= CHANGES_MOST)
        return;
    json_open(&m->all, '{'); /* names in the order of the canonical form */
    if (change != JSON_REMOVED)
        changes_value(m, "after", &m->after, path);
    if (change != JSON_ADDED)
        changes_value(m, "before", &m->before, path);
    json_kv_str(&m->all, "path", path);
    json_close(&m->all, '}');
    json_open(&m->paths, '{');
    json_kv_str(&m->paths, "path", path);
    json_close(&m->paths, '}');
}

/* In canonical form, as both are: for the record, which masks and seals it as it does a call's arguments. */
static void changes_parameters(struct str before, struct str after, struct buf *out)
{
    struct json_out o = json_out(out);
    json_open(&o, '{');
    json_kv_raw(&o, "after", after);
    json_kv_raw(&o, "before", before);
    json_close(&o, '}');
}

static enum err changes_find(struct audit *audit, struct str before, struct str after, struct changes_making *m,
                             struct fault *f)
{
    struct json a, b;
    struct str shown;
    bool masked;
    TRY(effect_arguments(audit, before, m->a, &shown, &masked, f));
    TRY(json_parse(&m->before, shown, m->a, NULL, f));
    TRY(effect_arguments(audit, after, m->a, &shown, &masked, f));
    TRY(json_parse(&m->after, shown, m->a, NULL, f));
    TRY(json_parse(&a, before, m->a, NULL, f));
    TRY(json_parse(&b, after, m->a, NULL, f));
    m->to->sealed =
        audit_seals(audit, STR_NONE, &a, JSON_ROOT, m->a) || audit_seals(audit, STR_NONE, &b, JSON_ROOT, m->a);
    json_open(&m->all, '[');
    json_open(&m->paths, '[');
    enum err e = json_diff_pointers(&a, &b, changes_one, m, m->a);
    json_close(&m->all, ']');
    json_close(&m->paths, ']');
    m->to->more = m->n > CHANGES_MOST ? m->n - CHANGES_MOST : 0;
    return e;
}

enum err changes_make(struct audit *audit, struct str before, struct str after, struct changes *ret, struct fault *f)
{
    struct arena arena;
    struct changes_making m = {.to = ret, .a = &arena};
    changes_init(ret);
    m.all = json_out(&ret->all);
    m.paths = json_out(&ret->paths);
    arena_init(&arena, CHANGES_ARENA);
    enum err e = changes_find(audit, before, after, &m, f);
    changes_parameters(before, after, &ret->parameters);
    bool poor =
        arena_failed(&arena) || buf_failed(&ret->all) || buf_failed(&ret->paths) || buf_failed(&ret->parameters);
    arena_done(&arena);
    return e ? e : poor ? fault_set(f, ERR_NOMEM, "no memory for a decision") : ERR_OK;
}

void changes_init(struct changes *c)
{
    *c = (struct changes){.more = 0};
    buf_init(&c->all, VIEW_ARENA);
    buf_init(&c->paths, VIEW_ARENA);
    buf_init(&c->parameters, VIEW_ARENA);
}

void changes_done(struct changes *c)
{
    buf_done(&c->all);
    buf_done(&c->paths);
    buf_done(&c->parameters);
}
