#include "mcp/session_table.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"

enum { TABLE_BUCKETS = 4096, TABLE_ID_MAX = 64 };

struct table_uri {
    struct table_uri *next;
    size_t n, server; /* of the bytes: the URI; the server's name behind it */
    char bytes[];
};

struct table_entry {
    struct table_entry *next;
    char id[TABLE_ID_MAX];
    bool deleted;
    uint64_t stream; /* 0: none */
    int level;
    struct table_uri *uris;
    unsigned uri_count;
};

struct table_owner { /* a lease with its protocol sessions */
    struct table_owner *next;
    struct lease *lease; /* a reference */
    struct table_entry *entries;
    unsigned count;
};

struct session_table {
    pthread_mutex_t lock;
    struct table_owner *bucket[TABLE_BUCKETS];
    size_t count;
    uint64_t streams; /* numbers given out */
    struct backlogs *backlogs;
    session_released *released;
    void *ctx;
};

struct session_table *session_table_new(session_released *released, void *ctx)
{
    struct session_table *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    if (!(t->backlogs = backlogs_new())) {
        free(t);
        return NULL;
    }
    t->released = released;
    t->ctx = ctx;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

/* Without the lock: whoever is told may take others. */
static void table_release(struct session_table *t, const struct lease *l, struct table_uri *u)
{
    while (u) {
        struct table_uri *next = u->next;
        if (t->released)
            t->released(t->ctx, l, (struct str){u->bytes + u->n, u->server}, (struct str){u->bytes, u->n});
        free(u);
        u = next;
    }
}

static struct table_uri *table_take_uris(struct table_entry *e)
{
    struct table_uri *u = e->uris;
    e->uris = NULL;
    e->uri_count = 0;
    return u;
}

static void table_owner_free(struct session_table *t, struct table_owner *o)
{
    while (o->entries) {
        struct table_entry *e = o->entries;
        o->entries = e->next;
        table_release(t, o->lease, table_take_uris(e));
        free(e);
    }
    lease_unref(o->lease);
    free(o);
}

void session_table_free(struct session_table *t)
{
    if (!t)
        return;
    t->released = NULL; /* nobody is there any more to be told */
    for (unsigned i = 0; i < TABLE_BUCKETS; i++)
        while (t->bucket[i]) {
            struct table_owner *o = t->bucket[i];
            t->bucket[i] = o->next;
            table_owner_free(t, o);
        }
    backlogs_free(t->backlogs);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

struct backlogs *session_table_backlogs(struct session_table *t)
{
    return t->backlogs;
}

/* ---- with the lock held ---- */

static struct table_owner **table_owner(struct session_table *t, struct str sid)
{
    struct table_owner **at = &t->bucket[str_hash(sid) % TABLE_BUCKETS];
    while (*at && !str_eq(lease_sid((*at)->lease), sid))
        at = &(*at)->next;
    return at;
}

static struct table_entry *table_find(struct session_table *t, struct session_ref s)
{
    struct table_owner *o = *table_owner(t, lease_sid(s.lease));
    for (struct table_entry *e = o ? o->entries : NULL; e; e = e->next)
        if (str_is(s.id, e->id))
            return e;
    return NULL;
}

static struct table_owner *table_owner_new(struct session_table *t, struct lease *l)
{
    struct table_owner **at = table_owner(t, lease_sid(l));
    if (!*at && (*at = calloc(1, sizeof(**at))))
        (*at)->lease = lease_ref(l);
    return *at;
}

static enum err table_enter(struct session_table *t, struct session_ref s, struct table_entry **ret, struct fault *f)
{
    struct table_entry *e = table_find(t, s);
    if (e && e->deleted)
        return fault_set(f, ERR_NOT_FOUND, "this Mcp-Session-Id was deleted: initialize again");
    if (e) {
        *ret = e;
        return ERR_OK;
    }
    if (s.id.n >= TABLE_ID_MAX || t->count >= SESSION_TABLE_MAX)
        return fault_set(f, ERR_LIMIT, "%d protocol sessions hold something, which is the most", SESSION_TABLE_MAX);
    if (!lease_is_open(s.lease, clock_mono_ns())) /* it was forgotten, or will be: nothing is entered behind that */
        return fault_set(f, ERR_SESSION_ENDED, "the session is over: open a new one");
    struct table_owner *o = table_owner_new(t, s.lease);
    if (o && o->count >= SESSION_TABLE_OF_LEASE)
        return fault_set(f, ERR_LIMIT, "%d protocol sessions of this credential hold something, which is the most",
                         SESSION_TABLE_OF_LEASE);
    e = o ? calloc(1, sizeof(*e)) : NULL;
    if (!e)
        return fault_set(f, ERR_NOMEM, "no memory for a protocol session");
    memcpy(e->id, s.id.p, s.id.n);
    e->level = -1;
    e->next = o->entries;
    o->entries = e;
    o->count++;
    t->count++;
    *ret = e;
    return ERR_OK;
}

/* server empty: of any. */
static struct table_uri **table_uri(struct table_entry *e, struct str server, struct str uri)
{
    struct table_uri **at = &e->uris;
    while (*at && !(str_eq((struct str){(*at)->bytes, (*at)->n}, uri) &&
                    (!server.n || str_eq((struct str){(*at)->bytes + (*at)->n, (*at)->server}, server))))
        at = &(*at)->next;
    return at;
}

static enum err table_subscribe(struct table_entry *e, struct str server, struct str uri, bool *ret_new,
                                struct fault *f)
{
    struct table_uri **at = table_uri(e, server, uri);
    *ret_new = !*at;
    if (*at)
        return ERR_OK;
    if (e->uri_count >= SESSION_URIS)
        return fault_set(f, ERR_LIMIT, "this protocol session has %d subscriptions, which is the most", SESSION_URIS);
    struct table_uri *u = malloc(sizeof(*u) + uri.n + server.n);
    if (!u)
        return fault_set(f, ERR_NOMEM, "no memory for a subscription");
    *u = (struct table_uri){.n = uri.n, .server = server.n};
    memcpy(u->bytes, uri.p, uri.n);
    memcpy(u->bytes + uri.n, server.p, server.n);
    *at = u;
    e->uri_count++;
    return ERR_OK;
}

/* ---- the face ---- */

enum err session_table_delete(struct session_table *t, struct session_ref s, struct fault *f)
{
    struct table_entry *e;
    struct table_uri *uris = NULL;
    pthread_mutex_lock(&t->lock);
    enum err err = table_enter(t, s, &e, f);
    if (!err) {
        uris = table_take_uris(e);
        e->deleted = true;
        e->stream = 0;
    }
    pthread_mutex_unlock(&t->lock);
    table_release(t, s.lease, uris);
    if (!err)
        backlogs_forget_session(t->backlogs, (struct backlog_of){lease_sid(s.lease), s.id});
    return err;
}

bool session_table_deleted(struct session_table *t, struct session_ref s)
{
    pthread_mutex_lock(&t->lock);
    struct table_entry *e = table_find(t, s);
    bool deleted = e && e->deleted;
    pthread_mutex_unlock(&t->lock);
    return deleted;
}

enum err session_table_stream(struct session_table *t, struct session_ref s, uint64_t *ret_number, struct fault *f)
{
    struct table_entry *e;
    pthread_mutex_lock(&t->lock);
    enum err err = table_enter(t, s, &e, f);
    if (!err)
        *ret_number = e->stream = ++t->streams;
    pthread_mutex_unlock(&t->lock);
    return err;
}

bool session_table_has_stream(struct session_table *t, struct session_ref s, uint64_t number)
{
    pthread_mutex_lock(&t->lock);
    struct table_entry *e = table_find(t, s);
    bool has = e && e->stream == number;
    pthread_mutex_unlock(&t->lock);
    return has;
}

enum err session_table_level(struct session_table *t, struct session_ref s, int level, struct fault *f)
{
    struct table_entry *e;
    pthread_mutex_lock(&t->lock);
    enum err err = table_enter(t, s, &e, f);
    if (!err)
        e->level = level;
    pthread_mutex_unlock(&t->lock);
    return err;
}

int session_table_level_of(struct session_table *t, struct session_ref s)
{
    pthread_mutex_lock(&t->lock);
    struct table_entry *e = table_find(t, s);
    int level = e ? e->level : -1;
    pthread_mutex_unlock(&t->lock);
    return level;
}

enum err session_table_subscribe(struct session_table *t, struct session_ref s, struct str server, struct str uri,
                                 bool *ret_new, struct fault *f)
{
    struct table_entry *e;
    pthread_mutex_lock(&t->lock);
    enum err err = table_enter(t, s, &e, f);
    if (!err)
        err = table_subscribe(e, server, uri, ret_new, f);
    pthread_mutex_unlock(&t->lock);
    return err;
}

void session_table_unsubscribe(struct session_table *t, struct session_ref s, struct str uri)
{
    pthread_mutex_lock(&t->lock);
    struct table_entry *e = table_find(t, s);
    struct table_uri **at = e ? table_uri(e, STR_NONE, uri) : NULL, *u = at ? *at : NULL;
    if (u) {
        *at = u->next;
        u->next = NULL;
        e->uri_count--;
    }
    pthread_mutex_unlock(&t->lock);
    table_release(t, s.lease, u);
}

bool session_table_subscribed(struct session_table *t, struct session_ref s, struct str server, struct str uri)
{
    pthread_mutex_lock(&t->lock);
    struct table_entry *e = table_find(t, s);
    bool subscribed = e && !e->deleted && *table_uri(e, server, uri);
    pthread_mutex_unlock(&t->lock);
    return subscribed;
}

void session_table_forget(struct session_table *t, struct str sid)
{
    pthread_mutex_lock(&t->lock);
    struct table_owner **at = table_owner(t, sid), *o = *at;
    if (o) {
        *at = o->next;
        t->count -= o->count;
    }
    pthread_mutex_unlock(&t->lock);
    if (o)
        table_owner_free(t, o);
    backlogs_forget(t->backlogs, sid);
}

size_t session_table_count(struct session_table *t)
{
    pthread_mutex_lock(&t->lock);
    size_t n = t->count;
    pthread_mutex_unlock(&t->lock);
    return n;
}
