/* A question to the store and back: what was asked, written once, and how it stands, written with each change. */
#include "approve/inner.h"
#include "base/clock.h"

static const char *const row_verdicts[] = {"deny", "deny_and_kill", "approve", "approve_shape"};

/* ---- writing ---- */

static void row_raw(struct json_out *o, const char *key, struct str json, const char *none)
{
    json_kv_raw(o, key, json.n ? json : str_of(none));
}

void row_question(const struct approval *p, const struct approval_ask *ask, struct buf *out)
{
    const struct lease *l = ask->lease;
    char binding[2 * SHA256_BYTES + 1];
    struct json_out o = json_out(out);
    enc_hex(p->binding, SHA256_BYTES, binding);
    json_open(&o, '{');
    json_kv_z(&o, "binding", binding);
    json_kv_str(&o, "agent", l->agent_id);
    json_kv_str(&o, "agentType", l->agent_type);
    json_kv_str(&o, "agentVersion", l->agent_version);
    json_kv_str(&o, "agentEnv", l->agent_env);
    json_kv_str(&o, "owner", l->agent_owner);
    json_kv_str(&o, "user", l->user);
    json_kv_str(&o, "tier", l->tier);
    json_kv_str(&o, "trigger", l->trigger);
    json_kv_i64(&o, "sessionExpires", l->expires);
    json_kv_str(&o, "definition", ask->definition);
    row_raw(&o, "arguments", ask->arguments, "{}");
    json_kv_z(&o, "digest", p->digest);
    json_kv_str(&o, "policyVersion", ask->policy_version);
    row_raw(&o, "policyIds", ask->policy_ids, "[]");
    row_raw(&o, "why", ask->why, "[]");
    row_raw(&o, "reviewers", ask->reviewers, "[]");
    row_raw(&o, "escalateTo", ask->escalate, "[]");
    row_raw(&o, "schema", ask->schema, "null");
    json_kv_bool(&o, "seal", p->seal);
    json_kv_str(&o, "title", ask->title);
    json_kv_str(&o, "description", ask->description);
    json_kv_str(&o, "reasoning", ask->reasoning);
    json_kv_str(&o, "traceId", ask->trace_id);
    json_kv_i64(&o, "risk", ask->risk);
    json_kv_i64(&o, "people", p->people);
    json_kv_i64(&o, "created", p->created);
    if (ask->call.n)
        json_kv_raw(&o, "call", ask->call);
    json_kv_bool(&o, "stays", p->stays);
    json_close(&o, '}');
}

static void row_said(const struct approval_said *newest, bool over, struct json_out *o)
{
    const struct approval_said *v[APPROVAL_SAYINGS];
    unsigned n = 0;
    for (; newest && n < APPROVAL_SAYINGS; newest = newest->before)
        v[n++] = newest;
    json_key(o, STR("said"));
    json_open(o, '[');
    while (n--) {
        json_open(o, '{');
        json_kv_i64(o, "at", v[n]->at);
        json_kv_str(o, "by", v[n]->by);
        if (v[n]->changes.n)
            json_kv_raw(o, "changes", over ? v[n]->changed : v[n]->changes);
        json_kv_str(o, "channel", v[n]->channel);
        json_kv_z(o, "digest", v[n]->digest);
        json_kv_bool(o, "edited", v[n]->edited);
        json_kv_z(o, "glass", v[n]->glass);
        json_kv_str(o, "passkey", v[n]->passkey);
        json_kv_str(o, "reason", v[n]->reason);
        json_kv_i64(o, "shapeMs", v[n]->shape_ms);
        json_kv_z(o, "verdict", row_verdicts[v[n]->verdict]);
        json_close(o, '}');
    }
    json_close(o, ']');
}

void row_standing(const struct approval_standing *s, struct buf *out)
{
    struct json_out o = json_out(out);
    json_open(&o, '{');
    json_kv_i64(&o, "until", s->until);
    json_kv_i64(&o, "untilMono", s->until_mono);
    json_kv_str(&o, "boot", clock_boot());
    json_kv_i64(&o, "written", clock_wall_ms());
    json_kv_i64(&o, "escalates", s->escalates);
    json_kv_i64(&o, "escalatesMono", s->escalates_mono);
    json_kv_i64(&o, "escalated", s->escalated);
    json_kv_z(&o, "why", s->why);
    row_said(s->said, approval_over(s->state), &o);
    if (s->edit && !approval_over(s->state))
        json_kv_raw(&o, "edit", s->edit->arguments); /* what is over keeps nothing of what was in it */
    else if (s->edit)
        json_kv_bool(&o, "edit", true);
    else
        json_kv_null(&o, "edit");
    json_close(&o, '}');
}

/* ---- reading ---- */

struct row_reader {
    struct json j;
    struct arena *a;
    bool bad;
};

static enum err row_parse(struct row_reader *r, struct str text, struct arena *a, struct fault *f)
{
    *r = (struct row_reader){.a = a};
    enum err e = json_parse(&r->j, text, a, NULL, f);
    if (!e && json_type(&r->j, JSON_ROOT) == JSON_OBJECT)
        return ERR_OK;
    return e == ERR_NOMEM ? e : fault_set(f, ERR_CORRUPT, "the store holds a question that cannot be read");
}

static struct str row_str(struct row_reader *r, uint32_t object, struct str name)
{
    uint32_t at = json_get(&r->j, object, name);
    r->bad = r->bad || json_type(&r->j, at) != JSON_STRING;
    return json_str(&r->j, at, r->a);
}

static struct str row_opt(struct row_reader *r, struct str name) /* what is over lost it */
{
    return json_str(&r->j, json_get(&r->j, JSON_ROOT, name), r->a);
}

static struct str row_array(struct row_reader *r, struct str name)
{
    uint32_t at = json_get(&r->j, JSON_ROOT, name);
    r->bad = r->bad || json_type(&r->j, at) != JSON_ARRAY;
    return json_raw(&r->j, at);
}

static int64_t row_i64(struct row_reader *r, uint32_t object, struct str name, int64_t least, int64_t most)
{
    int64_t v = 0;
    if (!json_i64(&r->j, json_get(&r->j, object, name), &v) || v < least || v > most) {
        r->bad = true;
        return least;
    }
    return v;
}

/* What older gateways did not write. */
static int64_t row_later(struct row_reader *r, struct str name)
{
    return json_get(&r->j, JSON_ROOT, name) ? row_i64(r, JSON_ROOT, name, 0, INT64_MAX) : 0;
}

static struct str row_later_array(struct row_reader *r, struct str name)
{
    return json_get(&r->j, JSON_ROOT, name) ? row_array(r, name) : STR("[]");
}

static enum approval_verdict row_verdict(struct row_reader *r, struct str name)
{
    for (unsigned i = 0; i < sizeof(row_verdicts) / sizeof(row_verdicts[0]); i++)
        if (str_is(name, row_verdicts[i]))
            return (enum approval_verdict)i;
    r->bad = true;
    return APPROVE_DENY;
}

static bool row_hex(struct str s)
{
    unsigned char bytes[SHA256_BYTES];
    return s.n == 2 * SHA256_BYTES && enc_unhex(s, bytes, sizeof(bytes));
}

/* Of changes what stays when the question is over. */
static struct str row_paths(const struct json *j, uint32_t changes, struct arena *a)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, APPROVAL_QUESTION);
    struct json_out o = json_out(&b);
    if (json_type(j, changes) != JSON_ARRAY)
        return STR_NONE;
    json_open(&o, '[');
    JSON_EACH(j, changes, one)
    {
        json_open(&o, '{');
        json_kv_str(&o, "path", json_str(j, json_get(j, one, STR("path")), a));
        json_close(&o, '}');
    }
    json_close(&o, ']');
    return arena_buf(a, &b);
}

static enum err row_read_said(struct row_reader *r, struct approval *p, struct fault *f)
{
    uint32_t said = json_get(&r->j, JSON_ROOT, STR("said"));
    r->bad = r->bad || json_type(&r->j, said) != JSON_ARRAY || r->j.node[said].size > APPROVAL_SAYINGS;
    if (r->bad)
        return ERR_OK;
    JSON_EACH(&r->j, said, one)
    {
        struct str digest = row_str(r, one, STR("digest"));
        struct approval_decision d = {.by = {.name = row_str(r, one, STR("by")),
                                             .channel = row_str(r, one, STR("channel")),
                                             .passkey = json_str(&r->j, json_get(&r->j, one, STR("passkey")), r->a)},
                                      .verdict = row_verdict(r, row_str(r, one, STR("verdict"))),
                                      .reason = row_str(r, one, STR("reason")),
                                      .shape_ms = row_i64(r, one, STR("shapeMs"), 0, APPROVAL_TAKEN_MS)};
        int64_t at = row_i64(r, one, STR("at"), 0, INT64_MAX);
        char hex[2 * SHA256_BYTES + 1] = "";
        r->bad = r->bad || !row_hex(digest);
        if (r->bad)
            return ERR_OK;
        memcpy(hex, digest.p, digest.n);
        uint32_t changes = json_get(&r->j, one, STR("changes"));
        struct str list = json_type(&r->j, changes) == JSON_ARRAY ? json_raw(&r->j, changes) : STR_NONE;
        struct approval_said *s = approval_say(&d, hex, list, row_paths(&r->j, changes, r->a), at);
        if (!s)
            return fault_set(f, ERR_NOMEM, "no memory for approvals");
        s->edited = json_bool(&r->j, json_get(&r->j, one, STR("edited")), false);
        struct str glass = json_str(&r->j, json_get(&r->j, one, STR("glass")), r->a);
        snprintf(s->glass, sizeof(s->glass), STR_FMT, STR_ARG(glass));
        s->before = p->now.said;
        p->now.said = s;
    }
    return ERR_OK;
}

static enum err row_read_standing(const struct store_approval *row, struct arena *a, struct approval *p,
                                  int64_t *ret_written, struct fault *f)
{
    struct row_reader r;
    TRY(row_parse(&r, row->standing, a, f));
    p->now.until = row_i64(&r, JSON_ROOT, STR("until"), 0, INT64_MAX);
    p->now.until_mono = row_i64(&r, JSON_ROOT, STR("untilMono"), 0, INT64_MAX);
    *ret_written = row_i64(&r, JSON_ROOT, STR("written"), 0, INT64_MAX);
    p->now.escalates = row_later(&r, STR("escalates"));
    p->now.escalates_mono = row_later(&r, STR("escalatesMono"));
    p->now.escalated = row_later(&r, STR("escalated"));
    struct str why = row_str(&r, JSON_ROOT, STR("why"));
    snprintf(p->now.why, sizeof(p->now.why), STR_FMT, STR_ARG(why));
    struct str boot = row_str(&r, JSON_ROOT, STR("boot"));
    if (!str_eq(boot, clock_boot())) /* of another clock: the wall clock alone says */
        p->now.until_mono = p->now.escalates_mono = 0;
    TRY(row_read_said(&r, p, f));
    uint32_t edit = json_get(&r.j, JSON_ROOT, STR("edit"));
    if (json_type(&r.j, edit) == JSON_OBJECT && !(p->now.edit = approval_edit_new(json_raw(&r.j, edit))))
        return fault_set(f, ERR_NOMEM, "no memory for approvals");
    bool lost = json_type(&r.j, edit) != JSON_OBJECT && json_type(&r.j, edit) != JSON_NULL;
    if (r.bad || (lost && !approval_over(p->now.state)))
        return fault_set(f, ERR_CORRUPT, "the store holds a question of which it cannot be read how it stands");
    return ERR_OK;
}

enum err row_read(const struct store_approval *row, struct arena *a, struct approval **ret, int64_t *ret_written,
                  struct fault *f)
{
    struct row_reader r;
    TRY(row_parse(&r, row->question, a, f));
    struct lease who = {.agent_id = row_str(&r, JSON_ROOT, STR("agent")),
                        .agent_type = row_str(&r, JSON_ROOT, STR("agentType")),
                        .agent_owner = row_str(&r, JSON_ROOT, STR("owner")),
                        .user = row_str(&r, JSON_ROOT, STR("user"))};
    struct approval_ask ask = {.lease = &who,
                               .tool = row->tool,
                               .definition = row_str(&r, JSON_ROOT, STR("definition")),
                               .digest = row_str(&r, JSON_ROOT, STR("digest")),
                               .policy_version = row_str(&r, JSON_ROOT, STR("policyVersion")),
                               .policy_ids = row_array(&r, STR("policyIds")),
                               .reviewers = row_array(&r, STR("reviewers")),
                               .escalate = row_later_array(&r, STR("escalateTo")),
                               .trace_id = row_str(&r, JSON_ROOT, STR("traceId")),
                               .stays = json_bool(&r.j, json_get(&r.j, JSON_ROOT, STR("stays")), false),
                               .seal = json_bool(&r.j, json_get(&r.j, JSON_ROOT, STR("seal")), true),
                               .risk = (enum duty_risk)row_i64(&r, JSON_ROOT, STR("risk"), 0, DUTY_RISK_HIGH),
                               .people = (unsigned)row_i64(&r, JSON_ROOT, STR("people"), 1, 2)};
    struct str binding = row_str(&r, JSON_ROOT, STR("binding"));
    int64_t created = row_i64(&r, JSON_ROOT, STR("created"), 0, INT64_MAX);
    if (arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory for approvals");
    if (r.bad || !row_hex(binding) || !row_hex(ask.digest) || row->id.n >= ENC_ID_MAX || !row->id.n ||
        row->state <= APPROVAL_NONE || row->state > APPROVAL_VOID ||
        approval_over((enum approval_state)row->state) != (row->ended > 0))
        return fault_set(f, ERR_CORRUPT, "the store holds a question that cannot be read");
    struct approval *p = approval_new(&ask, row->sid);
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for approvals");
    memcpy(p->id, row->id.p, row->id.n);
    bool hex = enc_unhex(binding, p->binding, SHA256_BYTES);
    p->created = created;
    p->now.state = (enum approval_state)row->state;
    p->now.ended = row->ended;
    enum err e = hex ? row_read_standing(row, a, p, ret_written, f) : ERR_CORRUPT;
    if (e) {
        approval_unref(p);
        return e;
    }
    *ret = p;
    return ERR_OK;
}

/* ---- for people ---- */

static void row_card_decisions(const struct json *j, struct arena *a, struct buf *b)
{
    int64_t ms = 0;
    struct json_out o = json_out(b);
    json_open(&o, '[');
    JSON_EACH(j, json_get(j, JSON_ROOT, STR("said")), one)
    {
        if (!json_i64(j, json_get(j, one, STR("at")), &ms))
            continue;
        json_open(&o, '{');
        clock_kv(&o, "at", ms);
        json_kv_bool(&o, "breakGlass", json_str(j, json_get(j, one, STR("glass")), a).n > 0);
        json_kv_str(&o, "by", json_str(j, json_get(j, one, STR("by")), a));
        uint32_t changes = json_get(j, one, STR("changes"));
        json_kv_raw(&o, "changes", json_type(j, changes) == JSON_ARRAY ? json_raw(j, changes) : STR("null"));
        json_kv_str(&o, "channel", json_str(j, json_get(j, one, STR("channel")), a));
        json_kv_bool(&o, "edited", json_bool(j, json_get(j, one, STR("edited")), false));
        json_kv_str(&o, "reason", json_str(j, json_get(j, one, STR("reason")), a));
        json_kv_str(&o, "verdict", json_str(j, json_get(j, one, STR("verdict")), a));
        json_close(&o, '}');
    }
    json_close(&o, ']');
}

static struct str row_last_word(const struct json *j, struct str name, struct arena *a)
{
    uint32_t said = json_get(j, JSON_ROOT, STR("said")), last = 0;
    JSON_EACH(j, said, one)
    {
        last = one;
    }
    return last ? json_str(j, json_get(j, last, name), a) : STR_NONE;
}

/* How it stands: over what was asked. */
static enum err row_card_standing(const struct store_approval *row, struct arena *a, struct approval_card *c,
                                  struct fault *f)
{
    struct row_reader r;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, APPROVAL_QUESTION);
    TRY(row_parse(&r, row->standing, a, f));
    c->expires = row_i64(&r, JSON_ROOT, STR("until"), 0, INT64_MAX);
    c->escalates = row_later(&r, STR("escalates"));
    c->escalated = row_later(&r, STR("escalated"));
    row_card_decisions(&r.j, a, &b);
    c->decisions = arena_buf(a, &b);
    uint32_t edit = json_get(&r.j, JSON_ROOT, STR("edit"));
    if (json_type(&r.j, edit) == JSON_OBJECT) { /* what is sent is what is shown */
        unsigned char hash[SHA256_BYTES];
        char *hex = arena_raw(a, 2 * SHA256_BYTES + 1, 1);
        c->arguments = json_raw(&r.j, edit);
        enc_sha256(c->arguments.p, c->arguments.n, hash);
        if (hex)
            enc_hex(hash, sizeof(hash), hex);
        c->digest = hex ? str_of(hex) : STR_NONE;
    } else if (json_type(&r.j, edit) == JSON_TRUE)
        c->digest = row_last_word(&r.j, STR("digest"), a);
    if (c->state == APPROVAL_VOID)
        c->reason = row_str(&r, JSON_ROOT, STR("why"));
    else if (c->state == APPROVAL_DONE)
        c->unmade = row_str(&r, JSON_ROOT, STR("why"));
    else if (c->state == APPROVAL_EXPIRED)
        c->reason = STR("its time ran out");
    else if (c->state == APPROVAL_DENIED)
        c->reason = row_last_word(&r.j, STR("reason"), a);
    return arena_failed(a) ? fault_set(f, ERR_NOMEM, "no memory for approvals") : ERR_OK;
}

enum err row_card(const struct store_approval *row, struct arena *a, struct approval_card *ret, struct fault *f)
{
    struct row_reader r;
    struct str question = arena_str(a, row->question);
    struct approval_card c = {.id = arena_str(a, row->id),
                              .state = (enum approval_state)row->state,
                              .session = arena_str(a, row->sid),
                              .tool = arena_str(a, row->tool)};
    struct store_approval copy = {.standing = arena_str(a, row->standing)};
    if (arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory for approvals");
    TRY(row_parse(&r, question, a, f));
    c.created = row_i64(&r, JSON_ROOT, STR("created"), 0, INT64_MAX);
    c.agent = row_str(&r, JSON_ROOT, STR("agent"));
    c.agent_type = row_str(&r, JSON_ROOT, STR("agentType"));
    c.agent_version = row_str(&r, JSON_ROOT, STR("agentVersion"));
    c.agent_env = row_str(&r, JSON_ROOT, STR("agentEnv"));
    c.owner = row_str(&r, JSON_ROOT, STR("owner"));
    c.user = row_str(&r, JSON_ROOT, STR("user"));
    c.tier = row_str(&r, JSON_ROOT, STR("tier"));
    c.trigger = row_str(&r, JSON_ROOT, STR("trigger"));
    c.session_expires = row_i64(&r, JSON_ROOT, STR("sessionExpires"), 0, INT64_MAX);
    c.definition = row_str(&r, JSON_ROOT, STR("definition"));
    c.arguments = json_raw(&r.j, json_get(&r.j, JSON_ROOT, STR("arguments")));
    c.digest = row_str(&r, JSON_ROOT, STR("digest"));
    c.policy_version = row_str(&r, JSON_ROOT, STR("policyVersion"));
    c.policy_ids = row_array(&r, STR("policyIds"));
    c.why = row_array(&r, STR("why"));
    c.reviewers = row_array(&r, STR("reviewers"));
    c.escalate = row_later_array(&r, STR("escalateTo"));
    c.trace_id = row_str(&r, JSON_ROOT, STR("traceId"));
    c.risk = (enum duty_risk)row_i64(&r, JSON_ROOT, STR("risk"), 0, DUTY_RISK_HIGH);
    c.people = (unsigned)row_i64(&r, JSON_ROOT, STR("people"), 1, 2);
    uint32_t schema = json_get(&r.j, JSON_ROOT, STR("schema"));
    c.schema = json_type(&r.j, schema) == JSON_NULL ? STR_NONE : json_raw(&r.j, schema);
    c.title = row_opt(&r, STR("title"));
    c.description = row_opt(&r, STR("description"));
    c.reasoning = row_opt(&r, STR("reasoning"));
    uint32_t call = json_get(&r.j, JSON_ROOT, STR("call"));
    c.call = json_type(&r.j, call) == JSON_OBJECT ? json_raw(&r.j, call) : STR_NONE;
    if (r.bad)
        return fault_set(f, ERR_CORRUPT, "the store holds a question that cannot be read");
    TRY(row_card_standing(&copy, a, &c, f));
    *ret = c;
    return ERR_OK;
}
