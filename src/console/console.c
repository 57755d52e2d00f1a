/* The console's door: its life, and what its files share. */
#include "console/inner.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/le.h"

enum { CONSOLE_KEY = 32 };

/* Somebody who mistypes is far from these; who tries things out is stopped by them. */
static const struct conf_rate console_of_one = {60, 60000}, console_of_all = {600, 60000};

/* ---- shared ---- */

void console_mac(const struct console *c, const char *what, const struct str *part, size_t n,
                 unsigned char ret[SHA256_BYTES])
{
    crypto_auth_hmacsha256_state state;
    unsigned char length[8];
    crypto_auth_hmacsha256_init(&state, secret_bytes(c->key), secret_len(c->key));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)what, strlen(what) + 1);
    for (size_t i = 0; i < n; i++) {
        le64_put(length, part[i].n);
        crypto_auth_hmacsha256_update(&state, length, sizeof(length));
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)part[i].p, part[i].n);
    }
    crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof(state));
}

struct secret *console_token(const char *prefix, unsigned char ret_hash[SHA256_BYTES])
{
    unsigned char raw[32];
    char text[CONSOLE_TOKEN + 8];
    size_t n = strlen(prefix);
    memcpy(text, prefix, n);
    enc_random(raw, sizeof(raw));
    n += enc_b64url(raw, sizeof(raw), text + n);
    enc_sha256(text, n, ret_hash);
    struct secret *s = secret_new(text, n);
    secret_wipe(raw, sizeof(raw));
    secret_wipe(text, sizeof(text));
    return s;
}

static int64_t console_role(struct str role)
{
    int64_t i = 0;
    while (people_roles[i] && !str_is(role, people_roles[i]))
        i++;
    return people_roles[i] ? i : -1;
}

enum err console_person(struct console *c, struct str name, int64_t person, struct arena *a, struct store_person *ret,
                        int64_t *ret_role)
{
    struct store_person p;
    TRY(people_find(c->people, name, a, &p, NULL));
    int64_t role = console_role(p.role);
    if (!p.enabled || p.created != person || role < CONF_VIEWER)
        return ERR_NOT_FOUND;
    *ret = p;
    *ret_role = role;
    return ERR_OK;
}

/* ---- attempts ---- */

enum { CONSOLE_ATTEMPTS_SWEEP_S = 60 };

/* With the lock held: nobody holds a bucket while they are swept. */
enum err console_attempt(struct console *c, struct str address, int64_t *ret_wait_ms, struct fault *f)
{
    struct lease_verdict v;
    int64_t now = clock_mono_ns();
    pthread_mutex_lock(&c->lock);
    if (now - c->swept_ns > CONSOLE_ATTEMPTS_SWEEP_S * INT64_C(1000000000)) {
        buckets_sweep(c->attempts, now);
        c->swept_ns = now;
    }
    struct bucket_use use[] = {
        {buckets_get(c->attempts, STR("console"), address, STR_NONE, &console_of_one), "address"}, {c->all, "all"}};
    bucket_take_all(use, 2, now, &v);
    pthread_mutex_unlock(&c->lock);
    if (v.answer == LEASE_GRANTED)
        return ERR_OK;
    *ret_wait_ms = v.retry_after_ms;
    return fault_set(f, ERR_RATE, "too many attempts to sign in: %d a minute from one address, %d from all",
                     (int)console_of_one.count, (int)console_of_all.count);
}

/* ---- life ---- */

void console_conf(struct console *c, const struct conf *conf)
{
    pthread_mutex_lock(&c->lock);
    c->enabled = conf->root.console.enabled;
    c->session_ms = conf->root.console.session;
    c->idle_ms = conf->root.console.idle;
    pthread_mutex_unlock(&c->lock);
}

bool console_enabled(struct console *c)
{
    pthread_mutex_lock(&c->lock);
    bool enabled = c->enabled;
    pthread_mutex_unlock(&c->lock);
    return enabled;
}

enum err console_new(struct people *people, struct passkeys *passkeys, const struct conf *conf, struct console **ret,
                     struct fault *f)
{
    unsigned char *key = NULL;
    struct console *c = calloc(1, sizeof(*c));
    if (!c)
        return fault_set(f, ERR_NOMEM, "no memory for the console");
    pthread_mutex_init(&c->lock, NULL);
    c->people = people;
    c->passkeys = passkeys;
    c->key = secret_alloc(CONSOLE_KEY, &key);
    c->attempts = buckets_new();
    c->all = bucket_new(&console_of_all);
    if (!c->key || !c->attempts || !c->all) {
        console_free(c);
        return fault_set(f, ERR_NOMEM, "no memory for the console");
    }
    enc_random(key, CONSOLE_KEY);
    c->swept_ns = clock_mono_ns();
    console_conf(c, conf);
    *ret = c;
    return ERR_OK;
}

void console_free(struct console *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < CONSOLE_SLOTS; i++)
        for (struct console_session *s = c->slot[i], *next; s; s = next) {
            next = s->next;
            free(s);
        }
    for (struct console_link *l = c->links, *next; l; l = next) {
        next = l->next;
        free(l);
    }
    secret_free(c->key);
    if (c->attempts)
        buckets_free(c->attempts);
    bucket_free(c->all);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
