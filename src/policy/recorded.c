#include "policy/recorded.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "policy/set.h"

enum {
    RECORDED_SLOTS = 4096,
    RECORDED_ENDED = 4096,       /* sessions that are over and still known, for what was on its way */
    RECORDED_MEMORY = 512 << 20, /* of one entry */
    RECORDED_BACK_MS = 90000000, /* 25 hours: no session lives longer than 24 */
    RECORDED_PROGRESS = 1 << 16, /* entries */
};

struct recorded_session {
    struct recorded_session *next;       /* in its slot */
    struct recorded_session *ended_next; /* in the order of their ends */
    struct lease *lease;
    bool ended, whole; /* whole: the record says what its scopes are */
};

struct recorded {
    struct audit_reader *reader; /* NULL: entries come from elsewhere */
    struct recorded_range range;
    char since[CLOCK_RFC3339], until[CLOCK_RFC3339];
    void (*progress)(void *ctx, uint64_t n);
    void *ctx;
    uint64_t seen, earlier;
    bool over, again;
    struct recorded_session *slot[RECORDED_SLOTS];
    struct recorded_session *ended, **ended_last;
    size_t ended_count;
    struct arena arena; /* of the entry */
    struct json entry;
    struct lease *stranger; /* of calls whose session is not known */
    struct sockaddr_storage source;
};

/* ---- sessions ---- */

static struct recorded_session **session_at(struct recorded *r, struct str sid)
{
    struct recorded_session **at = &r->slot[str_hash(sid) % RECORDED_SLOTS];
    while (*at && !str_eq((*at)->lease->sid, sid))
        at = &(*at)->next;
    return at;
}

static void session_free(struct recorded_session *s)
{
    lease_unref(s->lease);
    free(s);
}

static void session_forget_oldest(struct recorded *r)
{
    struct recorded_session *s = r->ended, **at = session_at(r, s->lease->sid);
    r->ended = s->ended_next;
    if (!r->ended)
        r->ended_last = &r->ended;
    r->ended_count--;
    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
    session_free(s);
}

static void session_over(struct recorded *r, struct str sid)
{
    struct recorded_session *s = *session_at(r, sid);
    if (!s || s->ended)
        return;
    s->ended = true;
    *r->ended_last = s;
    r->ended_last = &s->ended_next;
    if (++r->ended_count > RECORDED_ENDED)
        session_forget_oldest(r);
}

/* Sessions end with the process that holds them. */
static void session_forget_all(struct recorded *r)
{
    for (size_t i = 0; i < RECORDED_SLOTS; i++)
        for (struct recorded_session *s; (s = r->slot[i]);) {
            r->slot[i] = s->next;
            session_free(s);
        }
    r->ended = NULL;
    r->ended_last = &r->ended;
    r->ended_count = 0;
}

static struct str entry_str(const struct json *j, const char *path, struct arena *a)
{
    struct str s = json_str(j, json_path(j, JSON_ROOT, path), a);
    return s.n ? arena_str(a, s) : STR_NONE;
}

/* What every entry of a session says of it. */
static void session_fill(const struct json *j, struct lease *l)
{
    struct arena *a = &l->arena;
    l->sid = entry_str(j, "sessionId", a);
    l->agent_id = entry_str(j, "agentId", a);
    l->agent_type = entry_str(j, "agentType", a);
    l->agent_version = entry_str(j, "agentVersion", a);
    l->agent_env = entry_str(j, "deploymentEnv", a);
    l->user = entry_str(j, "triggerUserId", a);
    l->trigger = entry_str(j, "triggerSource", a);
}

static void session_scopes(const struct json *j, struct lease *l)
{
    uint32_t scopes = json_path(j, JSON_ROOT, "details.scopes");
    size_t n = json_type(j, scopes) == JSON_ARRAY ? j->node[scopes].size : 0;
    struct str *v = arena_alloc(&l->arena, (n + 1) * sizeof(*v));
    l->scope = v;
    if (!v)
        return;
    JSON_EACH(j, scopes, s)
    v[l->scope_count++] = arena_str(&l->arena, json_str(j, s, &l->arena));
}

static void session_opened(struct recorded *r, const struct json *j)
{
    struct recorded_session *s = calloc(1, sizeof(*s));
    struct lease *l = s ? lease_new() : NULL;
    if (!l) {
        free(s);
        return; /* its calls are told not to be judged */
    }
    l->arena.cap = 16u << 20;
    session_fill(j, l);
    l->agent_owner = entry_str(j, "details.owner", &l->arena);
    l->tier = entry_str(j, "details.tier", &l->arena);
    session_scopes(j, l);
    s->lease = l;
    s->whole = json_type(j, json_path(j, JSON_ROOT, "details.scopes")) == JSON_ARRAY && !arena_failed(&l->arena);
    struct recorded_session **at = session_at(r, l->sid);
    if (!l->sid.n || *at) {
        session_free(s);
        return;
    }
    *at = s;
}

/* ---- one call ---- */

static const char *call_risk(struct str s)
{
    for (unsigned i = 0; duty_risks[i]; i++)
        if (str_is(s, duty_risks[i]))
            return duty_risks[i];
    return NULL;
}

static const struct sockaddr_storage *call_source(struct recorded *r, struct str text)
{
    char z[INET6_ADDRSTRLEN];
    struct sockaddr_in *v4 = (void *)&r->source;
    struct sockaddr_in6 *v6 = (void *)&r->source;
    memset(&r->source, 0, sizeof(r->source));
    if (!text.n || text.n >= sizeof(z))
        return NULL;
    memcpy(z, text.p, text.n);
    z[text.n] = 0;
    r->source.ss_family = memchr(z, ':', text.n) ? AF_INET6 : AF_INET;
    void *to = r->source.ss_family == AF_INET6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr;
    return inet_pton(r->source.ss_family, z, to) == 1 ? &r->source : NULL;
}

static void call_taints(struct recorded *r, const struct json *j, uint32_t taints, struct recorded_call *c)
{
    size_t n = json_type(j, taints) == JSON_ARRAY ? j->node[taints].size : 0;
    struct str *v = arena_alloc(&r->arena, (n + 1) * sizeof(*v));
    c->taint = v;
    JSON_EACH(j, taints, t)
    if (v)
        v[c->taints++] = json_str(j, t, &r->arena);
}

/* Parameters are written in canonical form: when nothing in them is masked, their digest is the one of the call. */
static bool call_masked(const struct json *j, uint32_t arguments, struct str digest)
{
    unsigned char hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct str raw = json_raw(j, arguments);
    enc_sha256(raw.p, raw.n, hash);
    enc_hex(hash, sizeof(hash), hex);
    return !str_is(digest, hex);
}

/* Did people let it through, or were asked to? */
static bool call_asked(const struct json *j, struct str stage)
{
    JSON_EACH(j, json_get(j, JSON_ROOT, STR("chain")), actor)
    if (json_str_is(j, json_get(j, actor, STR("role")), STR("approver")))
        return true;
    return str_is(stage, "approval") &&
           !json_str_is(j, json_get(j, JSON_ROOT, STR("code")), str_of(err_code(ERR_CRITICAL)));
}

/* What the policies of then said. False: they were not asked. */
static bool call_effect(const struct json *j, struct arena *a, struct recorded_call *c)
{
    struct str event = json_str(j, json_get(j, JSON_ROOT, STR("event")), a);
    struct str stage = json_str(j, json_path(j, JSON_ROOT, "policyDecision.stage"), a);
    bool seen = json_type(j, json_get(j, JSON_ROOT, STR("context"))) == JSON_OBJECT;
    c->code = json_str(j, json_get(j, JSON_ROOT, STR("code")), a);
    c->effect = RECORDED_ALLOW;
    if (call_asked(j, stage)) {
        struct str risk = json_str(j, json_path(j, JSON_ROOT, "context.risk"), a);
        c->asked = str_is(risk, "high"); /* by the configuration, and maybe by policies as well */
        c->effect = c->asked ? RECORDED_ALLOW : RECORDED_APPROVAL;
        c->refused = c->asked && stage.n > 0;
        return seen;
    }
    if (str_is(event, "TOOL_CALL"))
        return true;
    c->refused = !str_is(stage, "policy");
    if (c->refused)
        return seen;
    c->effect = str_is(event, "RATE_LIMITED")             ? RECORDED_LIMIT
                : str_is(c->code, err_code(ERR_APPROVAL)) ? RECORDED_APPROVAL
                                                          : RECORDED_DENY;
    return true;
}

static void call_arguments(const struct json *j, struct arena *a, struct recorded_call *c)
{
    uint32_t sent = json_get(j, JSON_ROOT, STR("parameters")), judged = json_path(j, JSON_ROOT, "details.judged");
    struct str digest = json_str(j, json_get(j, JSON_ROOT, STR("digest")), a);
    c->changed = json_path(j, JSON_ROOT, "details.changed");
    if (c->changed) {
        c->sent = sent;
        sent = judged;
        digest = json_str(j, json_path(j, JSON_ROOT, "details.digest"), a);
    }
    c->arguments = json_type(j, sent) == JSON_OBJECT ? sent : 0;
    if (!c->lack && (!c->arguments || call_masked(j, c->arguments, digest)))
        c->lack = json_type(j, json_get(j, JSON_ROOT, STR("sealed"))) == JSON_ARRAY ? "parameters are sealed"
                                                                                    : "parameters are masked";
}

static void call_session(struct recorded *r, const struct json *j, struct recorded_call *c)
{
    uint32_t context = json_get(j, JSON_ROOT, STR("context"));
    struct recorded_session *s = *session_at(r, c->session);
    struct lease *l = s ? s->lease : r->stranger;
    int64_t age = 0, calls = 0;
    if (!s) {
        arena_reset(&l->arena);
        session_fill(j, l);
    }
    bool known =
        json_i64(j, json_get(j, context, STR("age")), &age) && json_i64(j, json_get(j, context, STR("calls")), &calls);
    l->created = c->now_ms - age * 1000;
    l->used = calls;
    c->lease = l;
    c->source = call_source(r, json_str(j, json_get(j, context, STR("source")), &r->arena));
    c->risk = call_risk(json_str(j, json_get(j, context, STR("risk")), &r->arena));
    call_taints(r, j, json_get(j, context, STR("taints")), c);
    if (!known || !c->risk)
        c->lack = "the entry does not hold what policies saw";
    else if (!s || !s->whole)
        c->lack = "the record does not hold how its session was opened";
}

static bool recorded_call(struct recorded *r, const struct json *j, uint64_t seq, struct recorded_call *ret)
{
    struct arena *a = &r->arena;
    struct recorded_call c = {.seq = seq, .doc = j};
    c.tool = json_str(j, json_get(j, JSON_ROOT, STR("toolName")), a);
    if (!call_effect(j, a, &c)) {
        r->earlier += c.tool.n > 0; /* a list of tools can be over a rate, too */
        return false;
    }
    c.when = json_str(j, json_get(j, JSON_ROOT, STR("timestamp")), a);
    c.agent = json_str(j, json_get(j, JSON_ROOT, STR("agentId")), a);
    c.type = json_str(j, json_get(j, JSON_ROOT, STR("agentType")), a);
    c.session = json_str(j, json_get(j, JSON_ROOT, STR("sessionId")), a);
    if (clock_parse(c.when, &c.now_ms))
        return false;
    call_session(r, j, &c);
    call_arguments(j, a, &c);
    if (arena_failed(a) || arena_failed(&c.lease->arena))
        c.lack = "no memory to read it";
    *ret = c;
    return true;
}

/* ---- the record ---- */

struct recorded *recorded_new(void)
{
    struct recorded *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->ended_last = &r->ended;
    r->range.until = INT64_MAX;
    snprintf(r->until, sizeof(r->until), "~"); /* behind every date */
    arena_init(&r->arena, RECORDED_MEMORY);
    r->stranger = lease_new();
    if (r->stranger)
        return r;
    recorded_close(r);
    return NULL;
}

void recorded_close(struct recorded *r)
{
    if (!r)
        return;
    session_forget_all(r);
    audit_reader_close(r->reader);
    lease_unref(r->stranger);
    arena_done(&r->arena);
    free(r);
}

void recorded_closep(struct recorded **r)
{
    recorded_close(*r);
}

enum err recorded_open(const char *dir, const struct recorded_range *range, void (*progress)(void *ctx, uint64_t n),
                       void *ctx, struct recorded **ret, struct fault *f)
{
    struct recorded *r CLEANUP(recorded_closep) = recorded_new();
    if (!r)
        return fault_set(f, ERR_NOMEM, "no memory to read the record");
    TRY(audit_reader_open(dir, &r->reader, f));
    r->range = *range;
    r->progress = progress;
    r->ctx = ctx;
    clock_format(range->since, r->since);
    clock_format(range->until, r->until);
    if (!r->range.last)
        r->range.last = audit_reader_last(r->reader);
    r->over = r->range.last == 0;
    if (!r->over)
        TRY(audit_reader_before(r->reader, range->since - RECORDED_BACK_MS, f));
    *ret = r;
    r = NULL;
    return ERR_OK;
}

uint64_t recorded_last(const struct recorded *r)
{
    return r->range.last;
}

uint64_t recorded_earlier(const struct recorded *r)
{
    return r->earlier;
}

bool recorded_entry(struct recorded *r, const struct json *j, uint64_t seq, struct recorded_call *ret)
{
    struct str event = json_str(j, json_get(j, JSON_ROOT, STR("event")), &r->arena);
    struct str sid = json_str(j, json_get(j, JSON_ROOT, STR("sessionId")), &r->arena);
    struct str when = json_str(j, json_get(j, JSON_ROOT, STR("timestamp")), &r->arena);
    if (str_is(event, "SESSION_CREATED") || str_is(event, "SESSION_RESUMED"))
        session_opened(r, j);
    else if (str_is(event, "SESSION_ENDED") || str_is(event, "SESSION_EXPIRED"))
        session_over(r, sid);
    else if (str_is(event, "GATEWAY_STARTED"))
        session_forget_all(r);
    else if (str_cmp(when, str_of(r->since)) >= 0 && str_cmp(when, str_of(r->until)) < 0)
        return recorded_call(r, j, seq, ret);
    return false;
}

/* Most entries are of other kinds; those need not be parsed. The first "event" of an entry is its own: what stands
 * before it are strings, in which quotes are escaped, and objects of the house. */
static bool recorded_wants(struct str entry)
{
    static const struct str wanted[] = {
        STR("TOOL_CALL\""),       STR("TOOL_DENIED\""),   STR("RATE_LIMITED\""),    STR("SESSION_CREATED\""),
        STR("SESSION_EXPIRED\""), STR("SESSION_ENDED\""), STR("SESSION_RESUMED\""), STR("GATEWAY_STARTED\""),
    };
    static const char member[] = "\"event\":\"";
    const char *at = memmem(entry.p, entry.n, member, sizeof(member) - 1);
    if (!at)
        return false;
    struct str rest = str_skip(entry, (size_t)(at - entry.p) + sizeof(member) - 1);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (str_starts(rest, wanted[i]))
            return true;
    return false;
}

enum err recorded_next(struct recorded *r, struct recorded_call *ret, struct fault *f)
{
    static const struct json_limits deep = {.depth = 1024};
    struct str text;
    uint64_t seq;
    while (!r->over) {
        enum err e = audit_reader_next(r->reader, &text, &seq, f);
        if (e == ERR_NOT_FOUND && !r->again) { /* between two segments that may be */
            r->again = true;
            continue;
        }
        if (e == ERR_NOT_FOUND)
            return fault_set(f, ERR_IO, "the record cannot be read up to entry %llu",
                             (unsigned long long)r->range.last);
        TRY(e);
        r->again = false;
        r->over = seq >= r->range.last;
        if (r->progress && ++r->seen % RECORDED_PROGRESS == 0)
            r->progress(r->ctx, r->seen);
        if (seq > r->range.last || !recorded_wants(text))
            continue;
        arena_reset(&r->arena);
        if (json_parse(&r->entry, text, &r->arena, &deep, f))
            return fault_wrap(f, "entry %llu", (unsigned long long)seq);
        if (recorded_entry(r, &r->entry, seq, ret))
            return ERR_OK;
    }
    return fault_set(f, ERR_NOT_FOUND, "the record has no more calls");
}

bool recorded_question(const struct recorded_call *c, const struct policy_set *s, struct tool *tool,
                       struct policy_question *ret)
{
    const struct policy_tool *t = policy_set_known(s, c->tool);
    if (!t)
        return false;
    *tool = (struct tool){.id = t->fact.id, .server = t->fact.server, .name = t->fact.name};
    memcpy(tool->hash, t->fact.hash, sizeof(tool->hash));
    *ret = (struct policy_question){.lease = c->lease,
                                    .tool = tool,
                                    .doc = c->doc,
                                    .arguments = c->arguments,
                                    .source = c->source,
                                    .taint = c->taint,
                                    .taints = c->taints,
                                    .now_ms = c->now_ms,
                                    .risk = c->risk};
    return true;
}
