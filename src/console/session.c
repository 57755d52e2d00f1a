/* Sessions of the console: opened, found by their cookie, ended. */
#include <stdlib.h>

#include "base/clock.h"
#include "console/inner.h"

const char *const console_ways[] = {"link", "passkey"};

static struct console_session **session_slot(struct console *c, const unsigned char secret[SHA256_BYTES])
{
    return &c->slot[secret[0] % CONSOLE_SLOTS]; /* a hash of random bytes is spread already */
}

/* Why it is over by now, or NULL. Who it belongs to is another question. */
static const char *session_over(const struct console *c, const struct console_session *s, int64_t now)
{
    if (s->over)
        return s->over;
    if (!c->enabled)
        return "disabled";
    if (now - s->opened_ns >= c->session_ms * INT64_C(1000000))
        return "time";
    return now - s->used_ns >= c->idle_ms * INT64_C(1000000) ? "idle" : NULL;
}

struct console_session *console_session(struct console *c, const unsigned char secret[SHA256_BYTES])
{
    struct console_session *s = *session_slot(c, secret);
    while (s && memcmp(s->secret, secret, SHA256_BYTES) != 0)
        s = s->next;
    return s && !session_over(c, s, clock_mono_ns()) ? s : NULL;
}

static struct console_session *session_named(struct console *c, struct str id)
{
    for (unsigned i = 0; i < CONSOLE_SLOTS; i++)
        for (struct console_session *s = c->slot[i]; s; s = s->next)
            if (str_is(id, s->id))
                return s;
    return NULL;
}

/* ---- opened ---- */

/* With the lock held: as many as one person may have, and the one that was used the longest ago makes room. */
static void session_make_room(struct console *c, const char *name)
{
    struct console_session *oldest = NULL;
    unsigned n = 0;
    for (unsigned i = 0; i < CONSOLE_SLOTS; i++)
        for (struct console_session *s = c->slot[i]; s; s = s->next) {
            if (s->over || strcmp(s->name, name) != 0)
                continue;
            n++;
            if (!oldest || s->used_ns < oldest->used_ns)
                oldest = s;
        }
    if (n >= CONSOLE_SESSIONS_OF)
        oldest->over = "replaced";
}

static void session_say(const struct console *c, const struct console_session *s, struct console_who *ret)
{
    int64_t enrol_ns = s->opened_ns + CONSOLE_ENROL_MS * INT64_C(1000000);
    memcpy(ret->id, s->id, sizeof(ret->id));
    memcpy(ret->secret, s->secret, sizeof(ret->secret));
    ret->by = s->by;
    ret->may_enrol = s->by == CONSOLE_BY_LINK && clock_mono_ns() < enrol_ns;
    ret->expires = s->opened_ms + c->session_ms;
}

static enum err session_put(struct console *c, struct console_session *s, struct console_who *ret, struct fault *f)
{
    enum err e = ERR_OK;
    pthread_mutex_lock(&c->lock);
    if (!c->enabled)
        e = fault_set(f, ERR_NOT_FOUND, "there is no console here: console.enabled is false");
    else if (c->count >= CONSOLE_SESSIONS)
        e = fault_set(f, ERR_LIMIT, "%d browsers are signed in, which is the most there may be", CONSOLE_SESSIONS);
    if (!e) {
        session_make_room(c, s->name);
        struct console_session **slot = session_slot(c, s->secret);
        s->next = *slot;
        *slot = s;
        c->count++;
        session_say(c, s, ret);
    }
    pthread_mutex_unlock(&c->lock);
    return e;
}

enum err console_session_new(struct console *c, const struct store_person *p, int64_t role, struct str key,
                             struct console_who *ret, struct secret **ret_cookie, struct fault *f)
{
    struct console_session *s = calloc(1, sizeof(*s));
    struct secret *cookie = s ? console_token("", s->secret) : NULL;
    if (!cookie || p->name.n > PEOPLE_NAME) {
        secret_free(cookie);
        free(s);
        return fault_set(f, ERR_NOMEM, "no memory for signing in");
    }
    enc_id("con", s->id);
    memcpy(s->name, p->name.p, p->name.n);
    s->person = p->created;
    s->by = key.n ? CONSOLE_BY_PASSKEY : CONSOLE_BY_LINK;
    enc_sha256(key.p, key.n, s->key);
    s->opened_ms = clock_wall_ms();
    s->opened_ns = s->used_ns = clock_mono_ns();
    enum err e = session_put(c, s, ret, f);
    if (e) {
        secret_free(cookie);
        free(s);
        return e;
    }
    ret->name = p->name;
    ret->groups = p->groups;
    ret->role = role;
    *ret_cookie = cookie;
    return ERR_OK;
}

/* ---- found ---- */

struct str console_cookie(struct str cookies)
{
    struct str one, found = STR_NONE;
    unsigned n = 0;
    while (cookies.n) {
        str_cut(&cookies, ';', &one);
        one = str_trim(one);
        if (!str_starts(one, STR(CONSOLE_COOKIE "=")))
            continue;
        found = str_skip(one, sizeof(CONSOLE_COOKIE));
        n++;
    }
    return n == 1 && found.n && found.n < CONSOLE_TOKEN ? found : STR_NONE;
}

static enum err session_out(struct fault *f)
{
    return fault_set(f, ERR_SIGNED_OUT, "nobody is signed in here, or not any more");
}

enum err console_who(struct console *c, struct str cookie, struct arena *a, struct console_who *ret, struct fault *f)
{
    unsigned char hash[SHA256_BYTES];
    char name[PEOPLE_NAME + 1];
    int64_t person = 0, role;
    struct console_who who = {.id = ""};
    struct store_person p;
    enc_sha256(cookie.p, cookie.n, hash);
    pthread_mutex_lock(&c->lock);
    struct console_session *s = cookie.n ? console_session(c, hash) : NULL;
    if (s) {
        session_say(c, s, &who);
        memcpy(name, s->name, sizeof(name));
        person = s->person;
    }
    pthread_mutex_unlock(&c->lock);
    if (!s)
        return session_out(f);
    enum err e = console_person(c, str_of(name), person, a, &p, &role);
    if (e)
        return e == ERR_NOMEM ? fault_set(f, e, "no memory for the request") : session_out(f);
    who.name = p.name;
    who.groups = p.groups;
    who.role = role;
    *ret = who;
    return ERR_OK;
}

bool console_open(struct console *c, struct str id)
{
    char name[PEOPLE_NAME + 1] = "";
    int64_t person = 0, role;
    struct store_person p;
    struct arena a;
    pthread_mutex_lock(&c->lock);
    struct console_session *s = session_named(c, id);
    bool open = s && !session_over(c, s, clock_mono_ns());
    if (open) {
        memcpy(name, s->name, sizeof(name));
        person = s->person;
    }
    pthread_mutex_unlock(&c->lock);
    if (!open)
        return false;
    arena_init_small(&a, 1u << 20);
    open = console_person(c, str_of(name), person, &a, &p, &role) == ERR_OK;
    arena_done(&a);
    return open;
}

void console_used(struct console *c, const struct console_who *who)
{
    pthread_mutex_lock(&c->lock);
    struct console_session *s = console_session(c, who->secret);
    if (s)
        s->used_ns = clock_mono_ns();
    pthread_mutex_unlock(&c->lock);
}

/* Not kept: whoever holds the cookie and this process's key makes it anew. */
void console_csrf(struct console *c, const struct console_who *who, char ret[CONSOLE_CSRF_MAX])
{
    unsigned char mac[SHA256_BYTES];
    const struct str part[] = {{(const char *)who->secret, sizeof(who->secret)}};
    console_mac(c, "csrf", part, 1, mac);
    ret[enc_b64url(mac, sizeof(mac), ret)] = 0;
}

/* ---- ended ---- */

bool console_out(struct console *c, struct str id)
{
    pthread_mutex_lock(&c->lock);
    struct console_session *s = session_named(c, id);
    bool open = s && !s->over;
    if (open)
        s->over = "signed_out";
    pthread_mutex_unlock(&c->lock);
    return open;
}

bool console_key_gone(struct console *c, struct str key, struct str but)
{
    unsigned char hash[SHA256_BYTES];
    bool any = false;
    enc_sha256(key.p, key.n, hash);
    pthread_mutex_lock(&c->lock);
    for (unsigned i = 0; i < CONSOLE_SLOTS; i++)
        for (struct console_session *s = c->slot[i]; s; s = s->next) {
            if (s->by != CONSOLE_BY_PASSKEY || s->over || str_is(but, s->id) || memcmp(s->key, hash, sizeof(hash)) != 0)
                continue;
            s->over = "passkey_removed";
            any = true;
        }
    pthread_mutex_unlock(&c->lock);
    return any;
}

/* With the lock held; people have a lock of their own, which is never held around this one. */
static bool session_removed(struct console *c, const struct console_session *s)
{
    struct arena a;
    struct store_person p;
    int64_t role;
    arena_init_small(&a, 1u << 20);
    enum err e = console_person(c, str_of(s->name), s->person, &a, &p, &role);
    arena_done(&a);
    return e == ERR_NOT_FOUND;
}

/* Takes those out that are over. */
static struct console_session *sessions_over(struct console *c, bool people)
{
    struct console_session *out = NULL;
    int64_t now = clock_mono_ns();
    for (unsigned i = 0; i < CONSOLE_SLOTS; i++)
        for (struct console_session **at = &c->slot[i]; *at;) {
            struct console_session *s = *at;
            s->over = session_over(c, s, now);
            if (!s->over && people && session_removed(c, s))
                s->over = "removed";
            if (!s->over) {
                at = &s->next;
                continue;
            }
            *at = s->next;
            s->next = out;
            out = s;
            c->count--;
        }
    return out;
}

size_t console_sweep(struct console *c, bool people, void (*over)(void *ctx, const struct console_over *o), void *ctx)
{
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    struct console_session *out = sessions_over(c, people);
    pthread_mutex_unlock(&c->lock);
    for (struct console_session *next; out; out = next) {
        next = out->next;
        const struct console_over o = {str_of(out->id), str_of(out->name), out->over};
        over(ctx, &o);
        free(out);
        n++;
    }
    return n;
}

unsigned console_count(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    unsigned n = c->count;
    pthread_mutex_unlock(&c->lock);
    return n;
}
