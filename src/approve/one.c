/* One question: its memory, who said what, and its time. */
#include <stdlib.h>

#include "approve/inner.h"
#include "base/clock.h"

static struct str one_copy(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    *(*at)++ = 0;
    return copy;
}

struct approval *approval_new(const struct approval_ask *ask, struct str sid)
{
    const struct lease *l = ask->lease;
    const struct str from[] = {ask->tool,       ask->definition, ask->reviewers, ask->escalate, ask->policy_version,
                               ask->policy_ids, ask->trace_id,   l->agent_id,    l->agent_type, sid,
                               l->user,         l->agent_owner};
    size_t bytes = 0;
    for (unsigned i = 0; i < sizeof(from) / sizeof(from[0]); i++)
        bytes += from[i].n + 1;
    struct approval *p = calloc(1, sizeof(*p) + bytes);
    if (!p)
        return NULL;
    char *at = p->bytes;
    struct str *const to[] = {&p->tool,           &p->definition, &p->reviewers, &p->escalate,
                              &p->policy_version, &p->policy_ids, &p->trace_id,  &p->agent,
                              &p->agent_type,     &p->sid,        &p->user,      &p->owner};
    for (unsigned i = 0; i < sizeof(from) / sizeof(from[0]); i++)
        *to[i] = one_copy(&at, from[i]);
    if (ask->digest.n == 2 * SHA256_BYTES)
        memcpy(p->digest, ask->digest.p, ask->digest.n);
    p->risk = ask->risk;
    p->seal = ask->seal;
    p->people = ask->people > 1 ? 2 : 1;
    p->stays = ask->stays;
    p->waits_end = &p->waits;
    p->refs = 1;
    return p;
}

void approval_unref(struct approval *p)
{
    if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    approval_said_free(p->now.said, NULL);
    free(p->now.edit);
    free((char *)p->result.p);
    lease_unref(p->lease);
    free(p);
}

void approval_said_free(struct approval_said *newest, const struct approval_said *until)
{
    while (newest && newest != until) {
        struct approval_said *before = newest->before;
        free(newest);
        newest = before;
    }
}

struct approval_said *approval_say(const struct approval_decision *d, const char *digest, struct str changes,
                                   struct str changed, int64_t now)
{
    const struct person *by = &d->by;
    size_t bytes = by->name.n + by->channel.n + d->reason.n + by->passkey.n + changes.n + changed.n + 6;
    struct approval_said *s = calloc(1, sizeof(*s) + bytes);
    if (!s)
        return NULL;
    char *at = s->bytes;
    s->by = one_copy(&at, by->name);
    s->channel = one_copy(&at, by->channel);
    s->reason = one_copy(&at, d->reason);
    s->passkey = one_copy(&at, by->passkey);
    s->changes = one_copy(&at, changes);
    s->changed = one_copy(&at, changed);
    s->at = now;
    s->verdict = d->verdict;
    s->shape_ms = d->verdict == APPROVE_SHAPE ? d->shape_ms : 0;
    s->edited = d->arguments.n > 0;
    snprintf(s->digest, sizeof(s->digest), "%s", digest);
    return s;
}

struct approval_edit *approval_edit_new(struct str arguments)
{
    unsigned char hash[SHA256_BYTES];
    struct approval_edit *e = calloc(1, sizeof(*e) + arguments.n + 1);
    if (!e)
        return NULL;
    char *at = e->bytes;
    e->arguments = one_copy(&at, arguments);
    enc_sha256(arguments.p, arguments.n, hash);
    enc_hex(hash, sizeof(hash), e->digest);
    return e;
}

const char *approval_digest(const struct approval *p)
{
    return p->now.edit ? p->now.edit->digest : p->digest;
}

static bool said_yes(const struct approval_said *s, const char *digest)
{
    return s->verdict >= APPROVE_ONCE && strcmp(s->digest, digest) == 0;
}

bool approval_enough(const struct approval *p, const struct approval_said *newest, const char *digest)
{
    for (const struct approval_said *s = newest; s; s = s->before)
        if (said_yes(s, digest) && s->glass[0])
            return true;
    return approval_yes(newest, digest) >= p->people;
}

/* How many said yes to just these arguments. What somebody said to others does not count. */
unsigned approval_yes(const struct approval_said *newest, const char *digest)
{
    unsigned n = 0;
    for (; newest; newest = newest->before)
        n += said_yes(newest, digest);
    return n;
}

void approval_set_until(struct approval_standing *s, int64_t ms_from_now)
{
    s->until = clock_wall_ms() + ms_from_now;
    s->until_mono = clock_mono_ns() + ms_from_now * 1000000;
}

bool approval_late(const struct approval *p, int64_t wall, int64_t mono)
{
    return (p->now.state == APPROVAL_PENDING || p->now.state == APPROVAL_GRANTED) &&
           (wall >= p->now.until || mono >= p->now.until_mono);
}

bool approval_escalates(const struct approval *p, int64_t wall, int64_t mono)
{
    const struct approval_standing *s = &p->now;
    return s->state == APPROVAL_PENDING && s->escalates && !s->escalated &&
           (wall >= s->escalates || mono >= s->escalates_mono) && mono >= p->again_mono;
}

bool approval_homeless(const struct approval *p, int64_t mono)
{
    return !p->lease || !lease_is_open(p->lease, mono);
}
