/* What is asked, and whether one entry is it. */
#include "search/ask.h"

/* Compared whole, as they are on record: half of one would find nothing, and look as if there were nothing. */
static bool ask_is_hex(struct str s, size_t digits)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return s.n == digits;
}

static bool ask_is_decision(struct str s)
{
    static const char *const words[] = {"allowed", "denied", "success", "failure", "timeout", "unknown"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_is(s, words[i]))
            return true;
    return false;
}

/* A value that stands in the entry as it is here. Of several the longest is the rarest. */
static void ask_needle(struct ask *a, struct str value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == '"' || value.p[i] == '\\')
            return;
    if (value.n > a->needle.n)
        a->needle = value;
}

static enum err ask_check(const struct search_question *q, struct fault *f)
{
    if (!q->limit || q->limit > SEARCH_LIMIT)
        return fault_set(f, ERR_PARAMS, "limit must be from 1 to %d", SEARCH_LIMIT);
    if (q->event.n && !audit_event_known(q->event, false))
        return fault_set(f, ERR_PARAMS, "there is no event %.*s; `doorward events` lists them",
                         (int)(q->event.n < 60 ? q->event.n : 60), q->event.p);
    if (q->trace.n && !ask_is_hex(q->trace, 32))
        return fault_set(f, ERR_PARAMS, "trace must be all 32 hex digits of a trace id, in lower case");
    if (q->digest.n && !ask_is_hex(q->digest, 64))
        return fault_set(f, ERR_PARAMS, "digest must be all 64 hex digits of a SHA-256, in lower case");
    if (q->decision.n && !ask_is_decision(q->decision))
        return fault_set(f, ERR_PARAMS,
                         "decision must be allowed or denied, or a result: success, failure, timeout or unknown");
    if (q->since && q->until && q->since >= q->until)
        return fault_set(f, ERR_PARAMS, "since must be before until");
    return ERR_OK;
}

enum err ask_read(struct ask *a, const struct search_question *q, struct fault *f)
{
    const struct ask_key all[] = {
        {FACT_TRACE, q->trace}, {FACT_DIGEST, q->digest}, {FACT_SESSION, q->session},   {FACT_USER, q->user},
        {FACT_AGENT, q->agent}, {FACT_TOOL, q->tool},     {FACT_DECISION, q->decision}, {FACT_EVENT, q->event},
    };
    TRY(ask_check(q, f));
    a->q = q;
    a->keys = 0;
    a->wanted.n = a->wanted.groups = 0;
    a->needle = STR_NONE;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (!all[i].value.n)
            continue;
        a->key[a->keys++] = all[i];
        if (all[i].fact != FACT_DECISION)
            ask_needle(a, all[i].value);
    }
    if (q->text.n && !wanted_read(q->text, &a->wanted))
        return fault_set(f, ERR_PARAMS, "text must have 1 to %d words, and at most %d bytes", WANTED_WORDS,
                         WANTED_BYTES);
    return ERR_OK;
}

static bool ask_has(const struct facts *facts, const struct ask_key *key)
{
    for (unsigned i = 0; i < facts->n; i++)
        if (facts->v[i].fact == key->fact && str_eq(facts->v[i].value, key->value))
            return true;
    return false;
}

static bool ask_is_it(const struct ask *a, const struct facts *facts)
{
    const struct search_question *q = a->q;
    struct wanted_seen seen = {.w = &a->wanted};
    for (unsigned i = 0; i < a->keys; i++)
        if (!ask_has(facts, &a->key[i]))
            return false;
    if ((q->since || q->until) && facts->wall_ms == INT64_MIN)
        return false;
    if ((q->since && facts->wall_ms < q->since) || (q->until && facts->wall_ms >= q->until))
        return false;
    for (unsigned i = 0; i < facts->texts && !wanted_found(&seen); i++)
        wanted_look(&seen, facts->text[i], true);
    return wanted_found(&seen);
}

enum err ask_fits(struct ask *a, struct str entry, bool *ret, struct fault *f)
{
    struct facts facts;
    *ret = !a->keys && !a->wanted.n && !a->q->since && !a->q->until;
    if (*ret || (a->needle.n && !memmem(entry.p, entry.n, a->needle.p, a->needle.n)))
        return ERR_OK;
    arena_reset(&a->arena);
    TRY(facts_read(entry, a->wanted.n ? a->dir : NULL, &a->arena, &a->large, &facts, f));
    *ret = ask_is_it(a, &facts);
    return ERR_OK;
}

enum err ask_give(struct ask *a, uint64_t seq, struct str entry, struct fault *f)
{
    if (a->given == a->q->limit) {
        a->ret.next = a->last;
        a->over = true;
        return ERR_OK;
    }
    TRY(a->each(a->ctx, seq, entry, f));
    a->given++;
    a->last = seq;
    return ERR_OK;
}

void ask_break(struct ask *a, uint64_t seq)
{
    a->ret.next = a->q->oldest_first ? seq - 1 : seq + 1;
    a->over = true;
}
