/* One-time links: made on the command line, used in a browser, once. */
#include <stdlib.h>

#include "base/clock.h"
#include "console/inner.h"

/* With the lock held. A link that is too old is as if it were not there. */
static void links_forget(struct console *c, int64_t now, struct str name)
{
    for (struct console_link **at = &c->links; *at;) {
        struct console_link *l = *at;
        if (l->until_ns > now && !str_is(name, l->name)) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        free(l);
    }
}

static enum err link_put(struct console *c, struct console_link *l, struct fault *f)
{
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    links_forget(c, clock_mono_ns(), str_of(l->name));
    for (const struct console_link *k = c->links; k; k = k->next)
        n++;
    if (n < CONSOLE_LINKS) {
        l->next = c->links;
        c->links = l;
    }
    pthread_mutex_unlock(&c->lock);
    return n < CONSOLE_LINKS
               ? ERR_OK
               : fault_set(f, ERR_LIMIT, "%d links wait to be used, which is the most there may be", CONSOLE_LINKS);
}

static enum err link_new(const struct store_person *p, struct console_link **ret, struct secret **ret_text,
                         struct fault *f)
{
    struct console_link *l = calloc(1, sizeof(*l));
    struct secret *text = l ? console_token("dwl_", l->secret) : NULL;
    if (!text || p->name.n > PEOPLE_NAME) {
        secret_free(text);
        free(l);
        return fault_set(f, ERR_NOMEM, "no memory for a link");
    }
    memcpy(l->name, p->name.p, p->name.n);
    l->person = p->created;
    l->until_ns = clock_mono_ns() + CONSOLE_LINK_MS * INT64_C(1000000);
    *ret = l;
    *ret_text = text;
    return ERR_OK;
}

enum err console_link(struct console *c, struct str name, struct secret **ret, int64_t *ret_expires, struct fault *f)
{
    struct arena a;
    struct store_person p;
    struct console_link *l = NULL;
    struct secret *text = NULL;
    arena_init_small(&a, 1u << 20);
    enum err e = people_find(c->people, name, &a, &p, f);
    if (!e && !p.enabled)
        e = fault_set(f, ERR_CONFLICT, STR_FMT " is disabled, and may not sign in", STR_ARG(name));
    if (!e)
        e = link_new(&p, &l, &text, f);
    if (!e)
        e = link_put(c, l, f);
    arena_done(&a);
    if (e) {
        secret_free(text);
        free(l);
        return e;
    }
    *ret = text;
    *ret_expires = clock_wall_ms() + CONSOLE_LINK_MS;
    return ERR_OK;
}

/* It is taken out before anything else is looked at: of two who come with it, one gets it. */
static struct console_link *link_take(struct console *c, struct str text)
{
    unsigned char hash[SHA256_BYTES];
    enc_sha256(text.p, text.n, hash);
    pthread_mutex_lock(&c->lock);
    links_forget(c, clock_mono_ns(), STR_NONE);
    struct console_link **at = &c->links, *l;
    while (*at && memcmp((*at)->secret, hash, sizeof(hash)) != 0)
        at = &(*at)->next;
    l = *at;
    if (l)
        *at = l->next;
    pthread_mutex_unlock(&c->lock);
    return l;
}

enum err console_link_use(struct console *c, struct str text, struct arena *a, struct console_who *ret,
                          struct secret **ret_cookie, struct fault *f)
{
    struct store_person p;
    int64_t role;
    struct console_link *l = link_take(c, text);
    enum err e = l ? console_person(c, str_of(l->name), l->person, a, &p, &role) : ERR_NOT_FOUND;
    free(l);
    if (e == ERR_NOT_FOUND)
        return fault_set(f, ERR_LINK, "this link is not known, was used, or is older than %d minutes",
                         CONSOLE_LINK_MS / 60000);
    if (e)
        return fault_set(f, e, "no memory for signing in");
    return console_session_new(c, &p, role, STR_NONE, ret, ret_cookie, f);
}
